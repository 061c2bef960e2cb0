"""Mouse and sticks: axes that are dead, clipped, out of range or off their rest, and a pointer that leaps.

Example:
    >>> rng = np.random.default_rng(0)
    >>> motion = np.round(rng.normal(0, 60, 500))
    >>> [bool(clipped(one)[0] > 10) for one in (motion, motion.clip(-80, 80))]
    [False, True]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.controls import STICKS, TRIGGERS
from rushes.model.findings import Finding
from rushes.qa.actions.hands import AXIS, MOVE, STATE, Hands
from rushes.qa.actions.record import controls_of
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject

Floats = npt.NDArray[np.float64]

RULES: Final = rules_of(
    Rule("actions.dead_axis", "an axis that never moves while its twin does", limit=50.0, unit="motions"),
    Rule("actions.clipped_mouse", "motions that pile up at the largest one", limit=5.0, unit="%"),
    # Strategy games scroll at the border; nobody stays there for most of the play.
    Rule(
        "actions.pointer_at_border",
        "motions of a pointer that stands at the border and stays there",
        limit=50.0,
        unit="%",
    ),
    Rule("actions.axis_range", "positions outside of -1 to 1, or 0 to 1 for a trigger", limit=0.0, unit="events"),
    Rule("actions.saturated_axis", "positions of a stick at its stop", limit=60.0, unit="%"),
    # Games ignore up to 0.24 (XInput's dead zone); training does not, and a good stick comes back within 0.05.
    Rule("actions.stick_drift", "a stick that rests away from the middle", limit=0.1, unit="of its way"),
    # A flick of the wrist is some ten times what is usual.
    Rule("actions.mouse_jump", "a motion far beyond all others", limit=20.0, unit="times"),
    Rule("actions.motion_unit", "motion without a unit", severity="warning", sees="tables"),
)

_TWINS: Final = (("J_LEFT_X", "J_LEFT_Y"), ("J_RIGHT_X", "J_RIGHT_Y"))
_ENOUGH: Final = 100
"""Motions from which on their distribution means something."""
_VALUES: Final = 20
"""Different sizes of motion that a mouse gives which is moved freely; a steady hand of a program gives few."""
_PILE: Final = 5.0
"""The largest motion is so many times as frequent as those of the tenth below it."""
_FINE: Final = 10
"""Different positions of a stick that is one, and no keys."""
_STOP: Final = 0.999
_NEAR: Final = 0.5
"""A rest is nearer to the middle than this: farther out somebody holds it."""
_REST: Final = 0.2
"""Share of time for which a stick stands at its rest."""
_TREMBLE: Final = 0.04
"""A stick at rest trembles by less."""
_MIDDLE: Final = 0.05
"""Share of time in the middle that shows that it comes back there."""
_COMES: Final = 3
"""Times that it comes to its rest; once somebody may hold it anywhere."""
_LEAP: Final = 300.0
"""Counts or px below which no motion is a leap, whatever the others are."""


def check_axes(subject: Subject, hands: Hands) -> Iterator[Finding]:
    """Check mouse and sticks.

    Args:
        subject: Any recording of play.
        hands: Its inputs.

    Yields:
        Findings of this module's `RULES`.
    """
    moves = np.flatnonzero(hands.kind == MOVE)
    if len(moves):
        yield from _mouse(subject, hands, moves)
    if ((hands.kind == AXIS) | (hands.kind == STATE)).any():
        yield from _sticks(subject, hands)


def _mouse(subject: Subject, hands: Hands, moves: npt.NDArray[np.int64]) -> Iterator[Finding]:
    dx, dy = (np.nan_to_num(hands.numbers(name)[moves]) for name in ("dx", "dy"))
    t_ns = hands.t_ns[moves]
    yield from _dead(subject, "MouseDX", "MouseDY", int((dx != 0).sum()), int((dy != 0).sum()))
    for name, way in (("MouseDX", dx), ("MouseDY", dy)):
        rule = RULES["actions.clipped_mouse"]
        share, largest = clipped(way)
        if share > subject.limit(rule):
            first = int(t_ns[np.abs(way) >= largest][0])
            sentence = (
                f"{share:.0f} % of the motions of {name} are {largest:g}, and none is more (limit "
                f"{subject.limit(rule):g} %), first at {first / NS:.2f} s: they were clipped there, faster turns are "
                "lost; record raw motion, or a lower sensitivity"
            )
            yield subject.finding(rule, sentence, value=share, stream="events", t_ns=first)
            break
    yield from _leaps(subject, t_ns, np.hypot(dx, dy))
    yield from _border(subject, hands, moves, dx, dy)
    stream = subject.recording.info.stream("events")
    if (stream is None or stream.unit not in ("counts", "px")) and ((dx != 0) | (dy != 0)).any():
        unit = stream.unit if stream is not None else ""
        sentence = (
            f"{len(moves)} motions stand in the unit {unit!r}, which is neither counts nor px: nobody can scale them; "
            "name the unit in the stream of events"
        )
        yield subject.finding(RULES["actions.motion_unit"], sentence, stream="events", t_ns=int(t_ns[0]))


def _dead(subject: Subject, one: str, other: str, moved: int, other_moved: int) -> Iterator[Finding]:
    rule, space = RULES["actions.dead_axis"], subject.recording.info.action_space
    known = controls_of(space)
    for name, count, twin, twin_count in ((one, moved, other, other_moved), (other, other_moved, one, moved)):
        if not count and twin_count > subject.limit(rule) and name in known:
            sentence = (
                f"{name} never moves while {twin} moves {twin_count} times (limit {subject.limit(rule):g}): the axis "
                "was not recorded, or the game has none; leave it out of the action space then"
            )
            yield subject.finding(rule, sentence, value=twin_count, stream="events")


def clipped(way: Floats) -> tuple[float, float]:
    """Say how much of a motion lies at its largest value, where that stands out from those just below it.

    Args:
        way: (N,) motions along one axis.

    Returns:
        The share in % (0 where nothing stands out), and the largest value.
    """
    size = np.abs(way[way != 0])
    if len(size) < _ENOUGH:
        return 0.0, 0.0
    values, count = np.unique(size, return_counts=True)
    largest = float(values[-1])
    if len(values) < _VALUES:
        return 0.0, largest
    below = (values >= 0.9 * largest) & (values < largest)
    # Whole numbers that do not occur count as none, so that a thin tail does not hide a pile.
    wide = max(int(below.sum()), int(0.1 * largest), 1)
    usual = count[below].sum() / wide
    share = 100 * float(count[-1]) / len(size)
    return (share if count[-1] >= _PILE * max(usual, 1.0) else 0.0), largest


def _leaps(subject: Subject, t_ns: npt.NDArray[np.int64], size: Floats) -> Iterator[Finding]:
    rule, moved = RULES["actions.mouse_jump"], size[size > 0]
    if len(moved) < _ENOUGH:
        return
    usual = float(np.percentile(moved, 99))
    far = (size > subject.limit(rule) * usual) & (size > _LEAP)
    if far.any():
        worst = int(size.argmax())
        sentence = (
            f"{far.sum()} motions leap, the farthest by {size[worst]:.0f} at {t_ns[worst] / NS:.2f} s, "
            f"{size[worst] / usual:.0f} times what 99 of 100 stay below (limit {subject.limit(rule):g}): the pointer "
            "was set by a program, or a device came back; leave these motions out"
        )
        yield subject.finding(rule, sentence, value=size[worst] / usual, stream="events", t_ns=int(t_ns[worst]))


def _border(subject: Subject, hands: Hands, moves: npt.NDArray[np.int64], dx: Floats, dy: Floats) -> Iterator[Finding]:
    """Look for a pointer that stands at the border of where it can be while the hand moves on."""
    rule = RULES["actions.pointer_at_border"]
    for name, way in (("x", dx), ("y", dy)):
        place = hands.numbers(name)[moves]
        known = np.isfinite(place) & (way != 0)
        if known.sum() < _ENOUGH or np.ptp(place[known]) == 0:  # a pointer that a game holds in the middle
            continue
        at = place[known]
        out = ((at == at.max()) | (at == at.min())) & (np.diff(at, prepend=np.nan) == 0)
        share = 100 * float(out.mean())
        if share > subject.limit(rule):
            first = int(hands.t_ns[moves][known][out.argmax()])
            sentence = (
                f"{share:.0f} % of the motions move a pointer nowhere that stands at the border in {name} (limit "
                f"{subject.limit(rule):g} %), first at {first / NS:.2f} s: its place tells nothing; use raw motion"
            )
            yield subject.finding(rule, sentence, value=share, stream="events", t_ns=first)
            return


def _sticks(subject: Subject, hands: Hands) -> Iterator[Finding]:
    value = hands.numbers("value")
    tells = (hands.kind == AXIS) | (hands.kind == STATE)
    found: dict[str, list[tuple[float, str, int]]] = {"actions.saturated_axis": [], "actions.stick_drift": []}
    wrong, moved = np.zeros(len(value), bool), {}
    for stream, (device, control) in enumerate(hands.names):
        if control not in (*STICKS, *TRIGGERS):
            continue
        rows = np.flatnonzero((hands.stream == stream) & tells)
        at = value[rows]
        wrong[rows] = ~((at >= (-1.0 if control in STICKS else 0.0)) & (at <= 1.0))
        moved[device, control] = int((np.diff(at) != 0).sum()) + int(len(at) > 0 and at[0] != 0)
        if control in TRIGGERS or len(rows) < _VALUES or len(np.unique(at)) < _FINE:
            continue
        stop = 100 * float((np.abs(at) >= _STOP).mean())
        found["actions.saturated_axis"].append((stop, hands.said(stream), int(hands.t_ns[rows[0]])))
        end_ns = subject.recording.segments[-1].end_ns if subject.recording.segments else int(hands.t_ns[rows[-1]])
        rest = _rest(hands.t_ns[rows], at, end_ns)
        found["actions.stick_drift"].append((abs(rest), hands.said(stream), int(hands.t_ns[rows[0]])))
    yield from _range(subject, hands, wrong, value)
    for one, other in _TWINS:
        for device in dict.fromkeys(device for device, _ in moved):
            yield from _dead(subject, one, other, moved.get((device, one), 0), moved.get((device, other), 0))
    for name, what, fix in (
        ("actions.saturated_axis", "of the positions of {} are at a stop", "its range was set wrongly; calibrate it"),
        ("actions.stick_drift", "of its way off the middle is where {} rests", "calibrate it, or take it off"),
    ):
        rule, (worst, who, t_ns) = RULES[name], max(found[name], default=(0.0, "", 0))
        if worst > subject.limit(rule):
            said = f"{worst:.0f} %" if rule.unit == "%" else f"{worst:.2f}"
            sentence = f"{said} {what.format(who)} (limit {subject.limit(rule):g} {rule.unit}): {fix}"
            yield subject.finding(rule, sentence, value=worst, stream="events", t_ns=t_ns)


def _range(subject: Subject, hands: Hands, wrong: npt.NDArray[np.bool_], value: Floats) -> Iterator[Finding]:
    rule, rows = RULES["actions.axis_range"], np.flatnonzero(wrong)
    if len(rows) > subject.limit(rule):
        first = int(rows[0])
        sentence = (
            f"{len(rows)} positions are none, the first {value[first]:g} of {hands.said(int(hands.stream[first]))} at "
            f"{hands.t_ns[first] / NS:.2f} s: sticks go from -1 to 1 and triggers from 0 to 1; scale them where they "
            "are read"
        )
        yield subject.finding(rule, sentence, value=len(rows), stream="events", t_ns=int(hands.t_ns[first]))


def _rest(t_ns: npt.NDArray[np.int64], at: Floats, end_ns: int) -> float:
    """Find where a stick rests: the place near the middle to which it comes back and where it stands longest.

    Args:
        t_ns: (N,) int64 times of its positions.
        at: (N,) positions.
        end_ns: Until when it stands at the last one.

    Returns:
        The place; 0 where it has none, or stands in the middle too.
    """
    order = np.argsort(t_ns, kind="stable")
    at = at[order]
    for_ns = np.maximum(np.diff(t_ns[order], append=max(end_ns, int(t_ns.max()))), 0).astype(np.float64)
    near, whole = np.abs(at) < _NEAR, float(for_ns.sum())
    if not near.any() or whole <= 0 or for_ns[np.abs(at) < _TREMBLE].sum() > _MIDDLE * whole:
        return 0.0
    place = np.round(at / _TREMBLE).astype(np.int64)
    first = int(place[near].min()) - 1
    stands = np.bincount(place[near] - first, weights=for_ns[near], minlength=3)
    rest = first + int(np.convolve(stands, np.ones(3), "same").argmax())
    mine = near & (np.abs(place - rest) <= 1)
    comes = int((mine[1:] & ~mine[:-1]).sum()) + int(mine[0])
    if for_ns[mine].sum() < _REST * whole or comes < _COMES:
        return 0.0
    return float(np.average(at[mine], weights=for_ns[mine]))
