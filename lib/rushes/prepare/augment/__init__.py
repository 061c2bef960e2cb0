"""Rows made of rows: pictures changed as play could have changed them, with the action that then belongs to them."""

from rushes.prepare.augment.copies import augment

__all__ = ["augment"]
