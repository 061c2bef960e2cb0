"""Measuring: which way of telling fits a recording, and what it says.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def how_far(path):
    ...     return str(measure(Subject(open_session(path))).offset)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rushes.qa.alignment.measured import Measured, Offset

if TYPE_CHECKING:
    from rushes.qa.subject import Subject


def measure(subject: Subject) -> Measured:
    """Measure how far inputs are from pictures, and sound from both.

    Args:
        subject: A recording with its signs.

    Returns:
        Offsets with their intervals; one that cannot be told says why.
    """
    if not subject.recording.frame_count:
        return Measured(Offset("input_picture", reason="there is no frame"))
    return Measured(Offset("input_picture", reason="nothing was measured"))
