"""Negatives: rows that are no positives, from the same pixels, each with the reason why it is none."""

from rushes.prepare.negatives.drawn import negatives

__all__ = ["negatives"]
