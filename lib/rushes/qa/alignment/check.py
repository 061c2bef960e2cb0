"""Alignment: how far the inputs are from the pictures, held against what is allowed.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_alignment(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rushes.model.findings import Finding
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject

OFFSET: Final = Rule(
    "alignment.offset", "inputs that take effect too late or too early", limit=150.0, unit="ms", sees="pictures"
)
DRIFT: Final = Rule(
    "alignment.drift", "a distance between inputs and pictures that grows", limit=50.0, unit="ppm", sees="pictures"
)
RULES: Final = rules_of(OFFSET, DRIFT)


def check_alignment(subject: Subject) -> Iterator[Finding]:
    """Hold the measured alignment of a recording against the limits.

    Args:
        subject: Any recording.

    Yields:
        `alignment.*` findings.
    """
    if subject.quick:
        return
    offset = subject.measured.offset
    if offset.ms is None or offset.low_ms is None or offset.high_ms is None:
        yield subject.cannot_tell(OFFSET, offset.reason)
        return
    subject.figures.update(offset_ms=offset.ms, offset_low_ms=offset.low_ms, offset_high_ms=offset.high_ms)
    if min(abs(offset.low_ms), abs(offset.high_ms)) > subject.limit(OFFSET) and offset.low_ms * offset.high_ms > 0:
        sentence = f"inputs take effect {offset} after they are stamped; store it with `rushes qa PATH --fix`"
        yield subject.finding(OFFSET, sentence, value=offset.ms, stream="events")
