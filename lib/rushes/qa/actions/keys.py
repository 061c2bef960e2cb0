"""Keys and buttons: stuck ones, and what no hand makes.

Times are recorded time: a pause counts for nothing.

Example:
    >>> overlap(np.array([0, 50]), np.array([20, 90]), np.array([10]), np.array([70]))
    (50, 20)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.qa.actions.hands import OPEN_NS, Hands
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject
from rushes.qa.timing.segments import Spans

Ints = npt.NDArray[np.int64]

RULES: Final = rules_of(
    # VPT's contractors have recordings whose attack button is stuck for the rest; a straight is driven in less.
    Rule(
        "actions.stuck_key", "a key held without end while other inputs go on", limit=60.0, unit="s", repair="invalid"
    ),
    # Times the longest hold before: who taps a key does not lean on it to the end of the recording.
    Rule(
        "actions.never_released",
        "a key that stays down to the end, and never did before",
        limit=5.0,
        unit="times",
        repair="invalid",
    ),
    # Who changes direction overlaps by some 100 ms.
    Rule("actions.impossible_pairs", "left with right, or up with down, held together", limit=2.0, unit="s"),
    # As many as there are fingers.
    Rule("actions.too_many_keys", "buttons of one device held at once", limit=10.0, unit="keys"),
    # The fastest fingers reach 16 presses a second, two on one key about 25.
    Rule("actions.superhuman", "presses of one key within a second", limit=25.0, unit="presses"),
    # Contacts bounce for up to 5 ms; the shortest tap that hands make takes some 20 ms.
    Rule("actions.short_holds", "holds shorter than a millisecond", limit=10.0, unit="%"),
)

_PAIRS: Final = (
    ("KeyA", "KeyD"),
    ("KeyW", "KeyS"),
    ("ArrowLeft", "ArrowRight"),
    ("ArrowUp", "ArrowDown"),
    ("Numpad4", "Numpad6"),
    ("Numpad8", "Numpad2"),
    ("DPAD_LEFT", "DPAD_RIGHT"),
    ("DPAD_UP", "DPAD_DOWN"),
)
_OTHERS: Final = 20
"""Other inputs during a hold that show that somebody plays on."""
_LEAST_NS: Final = 5 * NS
"""A hold to the end is at least so long before it is strange."""
_TAPS: Final = 2
"""Earlier holds that say how long a key is usually held."""
_FEW: Final = 5
"""So few short holds are in any recording."""
MOST: Final = 20
"""Stuck keys that are named with their stretch."""


def check_keys(subject: Subject, hands: Hands) -> Iterator[Finding]:
    """Check keys and buttons.

    Args:
        subject: Any recording of play.
        hands: Its inputs.

    Yields:
        Findings of this module's `RULES`.
    """
    spans = Spans.of(subject.recording.segments)
    if not len(spans.start_ns):
        return
    yield from _stuck(subject, hands, spans)
    yield from _pairs(subject, hands, spans)
    yield from _at_once(subject, hands)
    yield from _fast(subject, hands)
    yield from _short(subject, hands)


def _stuck(subject: Subject, hands: Hands, spans: Spans) -> Iterator[Finding]:
    holds, last = hands.holds, int(spans.end_ns[-1])
    end = np.minimum(holds.end_ns, last)
    length = spans.recorded(end) - spans.recorded(np.minimum(holds.start_ns, end))
    rule = RULES["actions.stuck_key"]
    stuck, long = np.zeros(len(length), bool), length > subject.limit(rule) * NS
    to_the_end = (holds.end_ns >= last) & (length >= _LEAST_NS)
    if not (long | to_the_end).any():
        return
    happened = np.sort(hands.t_ns[hands.happened])
    for k in np.flatnonzero(long).tolist():
        stuck[k] = _others(hands, happened, k, int(end[k])) >= _OTHERS
    found = np.flatnonzero(stuck)
    for k in found[np.argsort(-length[found], kind="stable")][:MOST].tolist():
        count = f" ({len(found)} such holds)" if len(found) > 1 else ""
        sentence = (
            f"{hands.said(int(holds.stream[k]))} is down for {length[k] / NS:.1f} s from {holds.start_ns[k] / NS:.2f} s"
            f"{count}, longer than {subject.limit(rule):g} s, while other inputs go on: a lost release; "
            "`rushes qa --fix` marks the stretch, a higher limit bears it where the game is played so"
        )
        yield subject.finding(
            rule, sentence, value=length[k] / NS, stream="events",
            t_ns=int(holds.start_ns[k]), t_end_ns=int(end[k]),
        )  # fmt: skip
    yield from _to_the_end(subject, hands, to_the_end & ~stuck, length, happened, last)


def _to_the_end(
    subject: Subject,
    hands: Hands,
    held: npt.NDArray[np.bool_],
    length: Ints,
    happened: Ints,
    last: int,
) -> Iterator[Finding]:
    """Look for keys that stay down to the end of the recording, many times longer than ever before."""
    rule, holds = RULES["actions.never_released"], hands.holds
    for k in np.flatnonzero(held).tolist():
        earlier = length[(holds.stream == holds.stream[k]) & (holds.start_ns < holds.start_ns[k])]
        if len(earlier) < _TAPS or _others(hands, happened, k, last) < _OTHERS:
            continue
        times = float(length[k] / max(1, earlier.max()))
        if times > subject.limit(rule):
            sentence = (
                f"{hands.said(int(holds.stream[k]))} goes down at {holds.start_ns[k] / NS:.2f} s and is never let go, "
                f"{length[k] / NS:.1f} s, {times:.0f} times its longest hold before (limit {subject.limit(rule):g}): a "
                "lost release; `rushes qa --fix` marks the stretch"
            )
            yield subject.finding(
                rule, sentence, value=times, stream="events", t_ns=int(holds.start_ns[k]), t_end_ns=last
            )


def _others(hands: Hands, happened: Ints, hold: int, end_ns: int) -> int:
    """Count the inputs of other controls during a hold."""
    stream, start = hands.holds.stream[hold], hands.holds.start_ns[hold]
    whole = np.searchsorted(happened, end_ns) - np.searchsorted(happened, start)
    own = hands.t_ns[(hands.stream == stream) & hands.happened]
    return int(whole - ((own >= start) & (own < end_ns)).sum())


def _pairs(subject: Subject, hands: Hands, spans: Spans) -> Iterator[Finding]:
    rule, holds = RULES["actions.impossible_pairs"], hands.holds
    place = {name: k for k, name in enumerate(hands.names)}
    found = []
    for device in dict.fromkeys(device for device, _ in hands.names):
        for left, right in _PAIRS:
            if (device, left) in place and (device, right) in place:
                both = [holds.stream == place[device, control] for control in (left, right)]
                times = [spans.recorded(np.minimum(t, spans.end_ns[-1])) for b in both
                         for t in (holds.start_ns[b], holds.end_ns[b])]  # fmt: skip
                at, ns = overlap(*times)
                if ns > subject.limit(rule) * NS:
                    found.append((ns, at, f"{left} and {right} of {device}"))
    if found:
        ns, at, names = max(found)
        t_ns = _when(spans, at)
        sentence = (
            f"{names} are held together for {ns / NS:.1f} s from {t_ns / NS:.2f} s (limit {subject.limit(rule):g} s, "
            f"{len(found)} pairs): a lost release of one of them, or two hands; see which edge is missing"
        )
        yield subject.finding(rule, sentence, value=ns / NS, stream="events", t_ns=t_ns)


def overlap(start: Ints, end: Ints, other_start: Ints, other_end: Ints) -> tuple[int, int]:
    """Find the longest stretch in which two controls are both held.

    Args:
        start: (N,) int64 ns at which holds of the one begin.
        end: (N,) int64 ns at which they end.
        other_start: (M,) of the other.
        other_end: (M,) of the other.

    Returns:
        Where it begins and how long it is, ns; (0, 0) where they never are.
    """
    t_ns = np.concatenate([start, other_start, end, other_end])
    way = np.concatenate([np.ones(len(start) + len(other_start)), -np.ones(len(end) + len(other_end))])
    order = np.lexsort((way, t_ns))
    t_ns, down = t_ns[order], np.cumsum(way[order])
    both = np.where(down[:-1] >= 2, np.diff(t_ns), 0)  # noqa: PLR2004 - the one and the other
    return (int(t_ns[both.argmax()]), int(both.max())) if len(both) and both.max() else (0, 0)


def _when(spans: Spans, recorded_ns: int) -> int:
    """Give the session time of a recorded time."""
    before = np.concatenate([[0], np.cumsum(spans.end_ns - spans.start_ns)])
    at = int(np.searchsorted(before[:-1], recorded_ns, side="right")) - 1
    return int(spans.start_ns[at] + recorded_ns - before[at])


def _at_once(subject: Subject, hands: Hands) -> Iterator[Finding]:
    rule, holds = RULES["actions.too_many_keys"], hands.holds
    if not len(holds.stream):
        return
    closed = holds.end_ns < OPEN_NS
    t_ns = np.concatenate([holds.start_ns, holds.end_ns[closed]])
    way = np.concatenate([np.ones(len(holds.stream)), -np.ones(int(closed.sum()))])
    device = hands.device[np.concatenate([holds.stream, holds.stream[closed]])]
    for one in np.unique(device).tolist():
        mine = device == one
        order = np.lexsort((way[mine], t_ns[mine]))
        down = np.cumsum(way[mine][order])
        if down.max() > subject.limit(rule):
            at = int(t_ns[mine][order][down.argmax()])
            name = next(device for (device, _), k in zip(hands.names, hands.device, strict=True) if k == one)
            sentence = (
                f"{down.max():.0f} buttons of {name} are down at once at {at / NS:.2f} s (limit "
                f"{subject.limit(rule):g}): releases were lost, or something else than hands plays"
            )
            yield subject.finding(rule, sentence, value=float(down.max()), stream="events", t_ns=at)
            return


def _fast(subject: Subject, hands: Hands) -> Iterator[Finding]:
    rule, holds = RULES["actions.superhuman"], hands.holds
    if not len(holds.stream):
        return
    # Streams lie a long way apart on one line of time, so that no second holds presses of two of them.
    line = holds.start_ns + holds.stream * (int(holds.start_ns.max() - holds.start_ns.min()) + 2 * NS)
    count = np.searchsorted(line, line + NS) - np.arange(len(line))
    worst = int(count.argmax())
    if count[worst] > subject.limit(rule):
        keys = len(np.unique(holds.stream[count > subject.limit(rule)]))
        at = int(holds.start_ns[worst])
        sentence = (
            f"{hands.said(int(holds.stream[worst]))} goes down {count[worst]} times within the second from "
            f"{at / NS:.2f} s (limit {subject.limit(rule):g}, {keys} controls): a macro, or contacts that bounce; "
            "leave such stretches out, or say that it was no person"
        )
        yield subject.finding(rule, sentence, value=float(count[worst]), stream="events", t_ns=at)


def _short(subject: Subject, hands: Hands) -> Iterator[Finding]:
    rule, holds = RULES["actions.short_holds"], hands.holds
    closed = holds.end_ns < OPEN_NS
    short = closed & (holds.end_ns - holds.start_ns < NS // 1000)
    share = 100 * short.sum() / max(1, closed.sum())
    if short.sum() > _FEW and share > subject.limit(rule):
        at = int(holds.start_ns[short].min())
        sentence = (
            f"{short.sum()} of {closed.sum()} holds, {share:.0f} %, are shorter than 1 ms (limit "
            f"{subject.limit(rule):g} %), the first at {at / NS:.2f} s: contacts that bounce, or inputs that a program "
            "makes; merge or leave them out"
        )
        yield subject.finding(rule, sentence, value=share, stream="events", t_ns=at)
