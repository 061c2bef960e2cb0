"""Content: do the pictures show a game as it should look?

Every rule works on the signs of one pass over the pictures (`rushes.qa.pictures`); nothing is decoded twice. Rules
that compare with a screenshot or with another recording say `cannot tell` without one.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_content(Subject(open_session(path))))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rushes.model.findings import Finding
from rushes.qa.content import frame as content_frame
from rushes.qa.content import light as content_light
from rushes.qa.content import likeness as content_likeness
from rushes.qa.content import order as content_order
from rushes.qa.content import torn as content_torn
from rushes.qa.content.seen import Looks, Seen
from rushes.qa.rules import QUICK, Rule
from rushes.qa.subject import Subject

_KINDS: Final[tuple[Looks, ...]] = (
    content_frame.LOOKS,
    content_light.LOOKS,
    content_order.LOOKS,
    content_torn.LOOKS,
    content_likeness.LOOKS,
)
RULES: Final[Mapping[str, Rule]] = {name: rule for looks in _KINDS for name, (rule, _) in looks.items()}


def check_content(subject: Subject) -> Iterator[Finding]:
    """Check what the pictures of a recording show.

    Args:
        subject: Any recording.

    Yields:
        `content.*` findings: one a rule, or of rules whose stretches can be marked as not valid one a stretch.
    """
    seen = Seen(subject)
    for looks in _KINDS:
        for rule, look in looks.values():
            if rule.sees in QUICK or not (subject.quick or subject.recording.frame_count == 0):
                yield from look(seen, rule)
