"""Measuring: which way of telling fits a recording, and what it says.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def how_far(path):
    ...     return str(measure(Subject(open_session(path))).offset)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rushes.qa.alignment.measured import Measured, Offset
from rushes.qa.alignment.play import measure_play
from rushes.qa.alignment.sound import measure_sounds
from rushes.qa.alignment.steps import measure_steps

if TYPE_CHECKING:
    from rushes.qa.subject import Subject


def measure(subject: Subject) -> Measured:
    """Measure how far inputs are from pictures, and sound from both.

    Args:
        subject: A recording with its signs.

    Returns:
        Offsets with their intervals; one that cannot be told says why.
    """
    recording = subject.recording
    if not recording.frame_count:
        return Measured(Offset("input_picture", reason="there is no frame"))
    if recording.is_environment:
        offset, segments = measure_steps(subject)
        measured = Measured(offset, segments)
    else:
        measured = measure_play(subject)
    return replace(measured, sounds=measure_sounds(subject)) if recording.sound_streams else measured
