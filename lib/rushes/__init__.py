"""Gameplay in, training data out, and proof that it is right."""

__version__ = "0.1.0"
