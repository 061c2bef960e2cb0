"""Actions: are the inputs such as hands make, and is each of them one that the recording knows?

Recorded play is looked at as hands on devices: keys in `rushes.qa.actions.keys`, mouse and sticks in
`rushes.qa.actions.axes`, and the rows themselves in `rushes.qa.actions.record`. An environment has actions:
`rushes.qa.actions.steps`; its policies press what no hand could, so nothing is said there about hands.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def findings(path):
    ...     return list(check_actions(Subject(open_session(path))))
    >>> RULES["actions.stuck_key"].limit, RULES["actions.stuck_key"].unit
    (60.0, 's')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rushes.model.findings import Finding
from rushes.qa.actions import axes as actions_axes
from rushes.qa.actions import keys as actions_keys
from rushes.qa.actions import record as actions_record
from rushes.qa.actions import steps as actions_steps
from rushes.qa.actions.hands import Hands
from rushes.qa.rules import Rule
from rushes.qa.structure.tables import are_tables
from rushes.qa.subject import Subject

RULES: Final[Mapping[str, Rule]] = {
    **actions_keys.RULES,
    **actions_record.RULES,
    **actions_axes.RULES,
    **actions_steps.RULES,
}


def check_actions(subject: Subject) -> Iterator[Finding]:
    """Check the inputs of recorded play, or the actions of an environment.

    Args:
        subject: Any recording.

    Yields:
        `actions.*` findings, one a rule with the count and the worst place; of stuck keys one each, with its stretch.
    """
    if not are_tables(subject):  # as `structure.schema` says
        return
    if subject.recording.is_environment:
        yield from actions_steps.check_steps(subject)
        return
    hands = Hands.of(subject.events, subject.numbered)
    yield from actions_keys.check_keys(subject, hands)
    yield from actions_record.check_record(subject, hands)
    yield from actions_axes.check_axes(subject, hands)
