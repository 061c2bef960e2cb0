"""Timing: are the frames where a clock would put them, and the inputs beside them?

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_timing(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rushes.model.findings import Finding
from rushes.qa.rules import rules_of
from rushes.qa.subject import Subject

RULES: Final = rules_of()


def check_timing(subject: Subject) -> Iterator[Finding]:
    """Check a recording.

    Args:
        subject: Any recording.

    Yields:
        `timing.*` findings.
    """
    del subject
    yield from ()
