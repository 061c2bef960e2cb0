"""What the recipe about portable training files calls: a sample, the files, and each read back by its own reader."""
