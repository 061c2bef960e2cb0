"""What is seen: grabbers, windows, regions."""
