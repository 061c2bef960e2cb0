"""Inputs as a record: edges that were lost or repeated, controls that nobody knows, and nothing but idling.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> sorted(controls_of(ActionSpace.from_names(["shift", "lx"])))
    ['KeyA', 'KeyD', 'ShiftLeft', 'ShiftRight']
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.controls import MOUSE_MOTIONS, POINTER
from rushes.model.findings import Finding
from rushes.qa.actions.hands import AXIS, PRESS, Hands
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject
from rushes.qa.timing.segments import Spans

RULES: Final = rules_of(
    Rule("actions.repeats", "presses of a key that is down", limit=0.0, unit="presses"),
    Rule("actions.orphan_release", "releases of a key that is up", limit=0.0, unit="releases"),
    Rule("actions.unknown_control", "inputs of controls that the action space lacks", limit=0.0, unit="events"),
    Rule("actions.all_idle", "frames in which nothing is done or held", limit=99.0, unit="%"),
)

_IDLE_NS: Final = 5 * NS
"""Who watches a cutscene does nothing for as long as this, and for so many frames."""
_IDLE_FRAMES: Final = 50


def check_record(subject: Subject, hands: Hands) -> Iterator[Finding]:
    """Check what stands in the table of inputs.

    Args:
        subject: Any recording of play.
        hands: Its inputs.

    Yields:
        Findings of this module's `RULES`.
    """
    yield from _edges(subject, hands)
    yield from _unknown(subject, hands)
    spans = Spans.of(subject.recording.segments)
    if len(spans.start_ns):
        yield from _idle(subject, hands, spans)


def controls_of(space: ActionSpace) -> set[str]:
    """Name the physical controls that a space speaks of."""
    return {control for slot in space.slots for control in (*slot.plus, *slot.minus)}


def _edges(subject: Subject, hands: Hands) -> Iterator[Finding]:
    """Look for edges that change nothing."""
    for name, rows, what, fix in (
        ("actions.repeats", hands.again, "presses of what is down already",
         "auto-repeat that was kept, or a lost release; `rushes.model.events.drop_auto_repeat` leaves repeats out"),
        ("actions.orphan_release", hands.alone, "releases of what is up already", "a press was lost; see the source"),
    ):  # fmt: skip
        rule = RULES[name]
        if len(rows) > subject.limit(rule):
            first = int(rows[hands.t_ns[rows].argmin()])
            streams, count = np.unique(hands.stream[rows], return_counts=True)
            most = hands.said(int(streams[count.argmax()]))
            sentence = (
                f"{len(rows)} {what}, most of {most}, the first at {hands.t_ns[first] / NS:.2f} s (limit "
                f"{subject.limit(rule):g}): {fix}"
            )
            yield subject.finding(rule, sentence, value=len(rows), stream="events", t_ns=int(hands.t_ns[first]))


def _unknown(subject: Subject, hands: Hands) -> Iterator[Finding]:
    rule, space = RULES["actions.unknown_control"], subject.recording.info.action_space
    if space.kind != "buttons":
        return
    known = controls_of(space) | {
        POINTER,
        *MOUSE_MOTIONS,
    }  # a mouse gives all of its motion, whatever a vector has room for
    wrong = np.array([control not in known for _, control in hands.names] or [False], bool)
    rows = np.flatnonzero(wrong[hands.stream]) if len(hands.stream) else np.zeros(0, np.int64)
    if len(rows) > subject.limit(rule):
        names = ", ".join(sorted({control for (_, control), bad in zip(hands.names, wrong, strict=True) if bad})[:3])
        first = int(hands.t_ns[rows].min())
        sentence = (
            f"{len(rows)} inputs are of controls that the action space lacks ({names}), the first at {first / NS:.2f} "
            "s: no vector holds them; name them in the space, or leave them out where they are recorded"
        )
        yield subject.finding(rule, sentence, value=len(rows), stream="events", t_ns=first)


def _idle(subject: Subject, hands: Hands, spans: Spans) -> Iterator[Finding]:
    rule, info, index = RULES["actions.all_idle"], subject.recording.info, subject.index
    length = int((spans.end_ns - spans.start_ns).sum())
    unasked = info.stream("events") is None or info.provenance.get("keys") == "none"
    if unasked or length < _IDLE_NS or len(index) < _IDLE_FRAMES:
        return
    frames = np.sort(index["t_ns"].to_numpy(np.int64))
    busy = np.zeros(len(frames) + 1, np.int64)
    axis = hands.kind == AXIS
    done = hands.happened & ~(axis & (hands.numbers("value") == 0))
    np.add.at(busy, np.maximum(np.searchsorted(frames, hands.t_ns[done], side="right") - 1, 0), 1)
    held = np.zeros(len(frames) + 1, np.int64)
    first = np.maximum(np.searchsorted(frames, hands.holds.start_ns, side="right") - 1, 0)
    np.add.at(held, first, 1)
    np.add.at(held, np.maximum(first, np.searchsorted(frames, hands.holds.end_ns)), -1)
    idle = (busy[:-1] == 0) & (np.cumsum(held)[:-1] == 0)
    share = 100 * float(idle.mean())
    if share > subject.limit(rule):
        told = "no input at all" if not done.any() else f"{(hands.kind == PRESS).sum()} presses in {length / NS:.0f} s"
        sentence = (
            f"nothing is done in {share:.1f} % of the frames ({told}; limit {subject.limit(rule):g} %): nobody played, "
            "or the inputs were not recorded (which window had the focus?)"
        )
        yield subject.finding(rule, sentence, value=share, stream="events", t_ns=int(frames[0]))
