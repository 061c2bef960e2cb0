"""Whether these are inputs that hands make."""
