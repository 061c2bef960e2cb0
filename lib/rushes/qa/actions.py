"""Actions: are these inputs that hands make?

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_actions(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rushes.model.findings import Finding
from rushes.qa.rules import rules_of
from rushes.qa.subject import Subject

RULES: Final = rules_of()


def check_actions(subject: Subject) -> Iterator[Finding]:
    """Check a recording.

    Args:
        subject: Any recording.

    Yields:
        `actions.*` findings.
    """
    del subject
    yield from ()
