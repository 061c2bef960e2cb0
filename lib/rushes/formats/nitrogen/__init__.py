"""What NitroGen reads and writes: the capture program's folders, its training file, and the official release."""
