"""Timing: are the frames where a clock would put them, the segments where they can be, and the inputs beside them?

The rules about frames stand in `rushes.qa.timing.frames`, those about segments, clocks and inputs in
`rushes.qa.timing.segments`. All of them read tables alone.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_timing(Subject(open_session(path))))
    >>> RULES["timing.gap"].limit, RULES["timing.gap"].unit
    (250.0, 'ms')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rushes.model.findings import Finding
from rushes.qa.rules import Rule
from rushes.qa.structure.tables import are_tables
from rushes.qa.subject import Subject
from rushes.qa.timing import frames as timing_frames
from rushes.qa.timing import segments as timing_segments

RULES: Final[Mapping[str, Rule]] = {**timing_frames.RULES, **timing_segments.RULES}


def check_timing(subject: Subject) -> Iterator[Finding]:
    """Check the times of a recording's frames, segments and inputs.

    Args:
        subject: Any recording; `figures["rate_hz"]` is noted, where there are two frames of a segment.

    Yields:
        `timing.*` findings, one a rule with the count and the worst place; of gaps one each, with its stretch.
    """
    if not are_tables(subject):  # as `structure.schema` says
        return
    yield from timing_frames.check_frames(subject)
    yield from timing_segments.check_segments(subject)
