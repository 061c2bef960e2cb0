"""The notebook about negatives and copies: its steps, its own play, edits by hand, sliders."""
