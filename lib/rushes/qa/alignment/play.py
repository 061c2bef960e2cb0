"""Recorded play: what all evidence together says of a stretch, a segment and a session.

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def how_far(path):
    ...     return str(measure_play(Subject(open_session(path))).offset)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rushes.qa.alignment import camera, keys
from rushes.qa.alignment.look import REACH_MS, Hint, Look, Rows
from rushes.qa.alignment.measured import Curve, Measured, Offset
from rushes.qa.alignment.posterior import Told, best_line, tell

if TYPE_CHECKING:
    from rushes.model.session import Segment
    from rushes.qa.subject import Subject

LONGEST_S: Final = 600.0
"""Longer segments are looked at in stretches of about this."""
SHORTEST_S: Final = 15.0
"""Stretches below this have no room to see what chance does."""
_AROUND_NS: Final = 2_000_000_000
_WIDEST_MS: Final = 100.0
_WIDEST_FRAMES: Final = 4.0
"""Intervals wider than both tell nothing."""
_WIDEST_PPM: Final = 60.0
_CLOCKS_PPM: Final = 200.0  # clocks of computers stay below
_DRIFTS: Final = 81  # that are tried between segments
_TOGETHER_FRAMES: Final = 3.0
_APART: Final = 2.0
"""How far two segments lie apart, in half-widths of 90 % of their difference, before that is no chance: 3.3 standard
errors. Planted ones that do not differ stay below 0.7."""
_APART_MS: Final = 80.0  # hints nearer than this, or three frames, speak of one offset
_SCROLLS: Final = 0.3
"""Share of the motion that held keys explain where they scroll; what hops moves the picture a little too."""
_CERTAIN: Final = 1e-15  # chance above which that is rather a hop
_LEAST: Final = 1e-60  # chances below are alike
_SURER: Final = 2.4  # times the order of magnitude: what scrolls is surer than the local change it makes


class _Heard(NamedTuple):
    look: Look
    hints: tuple[Hint, ...]
    rows: tuple[Rows, ...]
    odd: int


def measure_play(subject: Subject) -> Measured:
    """Measure how far inputs are from pictures in recorded play.

    Args:
        subject: A recording without steps.

    Returns:
        The offset of the whole recording and of each segment.
    """
    why, heard, offsets = "", [], []
    for segment in subject.recording.segments:
        here, reason = _segment(subject, segment)
        heard += here
        why = why or reason
        offsets.append(_offset(subject, here, reason, segment))
    whole = offsets[0] if len(offsets) == 1 else _offset(subject, heard, why, None)
    if len(offsets) == 1:
        whole = replace(whole, segment=None)
    differ = _differ(offsets)
    if differ:  # a line through several offsets is no drift
        whole = replace(whole, drift_ppm=None, drift_low_ppm=None, drift_high_ppm=None)
    return Measured(whole, tuple(offsets), segments_differ=differ)


def _segment(subject: Subject, segment: Segment) -> tuple[list[_Heard], str]:
    """Hear all evidence of a segment, or say why there is none."""
    reason = ""
    heard: list[_Heard] = []
    for look in _looks(subject, segment):
        if look.t_ms[-1] - look.t_ms[0] < 1000 * SHORTEST_S:
            reason = f"it is shorter than {SHORTEST_S:g} s"
            continue
        hints = _chosen(camera.hints(look), keys.hints(look))
        if not hints:
            reason = reason or _why(look)
            continue
        rows = [hint.rows(hint.ms) for hint in hints]
        lines = [best_line(look, [mine]).ms for mine in rows]
        own = [n for n, hint in enumerate(hints) if not (hint.name == "edges" and keys.answered(rows[n], lines[n]))]
        hints, rows, lines = [hints[n] for n in own], [rows[n] for n in own], [lines[n] for n in own]
        if not hints:
            reason = reason or "inputs follow the pictures, as those of a person who answers what is seen"
            continue
        best = int(np.argmin([hint.chance for hint in hints]))
        near = max(_TOGETHER_FRAMES * look.frame_ms, _APART_MS)
        together = [number for number, ms in enumerate(lines) if abs(ms - lines[best]) <= near]
        heard.append(
            _Heard(
                look,
                tuple(hints[n] for n in together),
                tuple(rows[n] for n in together),
                len(hints) - len(together),
            )
        )
    return heard, reason if not heard else ""


def _chosen(moved: list[Hint], local: list[Hint]) -> list[Hint]:
    """Leave out what one effect of a key says a second time.

    A figure that hops moves the picture a little as a whole, and a picture that scrolls changes everywhere.
    """
    scrolled = [hint for hint in moved if hint.name == "keys"]
    others = [hint for hint in moved if hint.name != "keys"]
    if not scrolled:
        return moved + local
    surest = min([hint.chance for hint in local], default=1.0)
    certain = scrolled[0].chance < max(min(_CERTAIN, surest**_SURER), _LEAST)
    if scrolled[0].score.max() > _SCROLLS and certain:
        return moved + (local if others else [])
    return others + local


def _looks(subject: Subject, segment: Segment) -> Iterator[Look]:
    signs = subject.signs.of(segment.index)
    t_ns = signs["t_ns"]
    if len(t_ns) < 3:  # noqa: PLR2004
        return
    rising = np.append(True, np.diff(np.maximum.accumulate(t_ns)) > 0)
    rows = np.flatnonzero(rising)
    parts = max(1, round((t_ns[-1] - t_ns[0]) / 1e9 / LONGEST_S))
    events = subject.events
    when = events["t_ns"].to_numpy(np.int64)
    for part in np.array_split(rows, parts):
        start, end = int(t_ns[part[0]]), int(t_ns[part[-1]])
        these = signs.rows[part]
        readable = np.asarray(these["readable"])
        usable = readable & np.append(False, readable[:-1])
        near = (when >= start - _AROUND_NS) & (when < end + _AROUND_NS)
        yield Look(t_ns[part] * 1e-6, usable, events[near], these, segment.index)


def _why(look: Look) -> str:
    """Say why nothing can be told of a stretch."""
    inside = look.events["kind"].ne("state")
    if not inside.any():
        return "nothing was pressed or moved"
    change = np.nan_to_num(np.asarray(look.signs["change"], np.float64))
    if not (change[look.usable] > 0.2).any():  # noqa: PLR2004 - levels
        return "nothing moves in the pictures"
    return "nothing in the pictures follows the inputs more than chance would have it"


def _offset(subject: Subject, heard: Sequence[_Heard], why: str, segment: Segment | None) -> Offset:
    """Say what was heard as an offset, or why it cannot be told."""
    number = None if segment is None else segment.index
    if not heard:
        return Offset("input_picture", segment=number, reason=why or "there is no picture")
    told = tell([(one.look, one.rows) for one in heard])
    frame_ms = float(np.median([one.look.frame_ms for one in heard]))
    curve = _curve(heard)
    reason = _doubt(told, frame_ms)
    start, end = heard[0].look.t_ms[0], heard[-1].look.t_ms[-1]
    counts: dict[str, float] = {"stretches": float(len(heard)), "odd_controls": float(sum(h.odd for h in heard))}
    for one in heard:
        for hint in one.hints:
            counts[f"of_{hint.name}"] = counts.get(f"of_{hint.name}", 0.0) + 1
            for name, value in hint.counts.items():
                counts[name] = counts.get(name, 0.0) + value
    chance = min(hint.chance for one in heard for hint in one.hints)
    latency = subject.expected.game_latency_ms or 0.0
    common = Offset(
        "input_picture",
        at_ns=round(told.at_ms * 1e6),
        start_ns=round(start * 1e6),
        end_ns=round(end * 1e6),
        segment=number,
        evidence=counts,
        curve=curve,
    )
    if reason:
        return Offset(**{**vars(common), "reason": reason})
    sure = told.ppm_high - told.ppm_low <= 2 * _WIDEST_PPM
    return Offset(
        **{
            **vars(common),
            "ms": told.ms - latency,
            "low_ms": told.low_ms - latency,
            "high_ms": told.high_ms - latency,
            "drift_ppm": told.ppm if sure else None,
            "drift_low_ppm": told.ppm_low if sure else None,
            "drift_high_ppm": told.ppm_high if sure else None,
            "frames": (told.ms - latency) / frame_ms,
            "confidence": (1 - chance) * (0.9 if counts["odd_controls"] else 1.0),
            "game_latency_ms": latency,
        }
    )


def _doubt(told: Told, frame_ms: float) -> str:
    """Say why an answer is none, or nothing."""
    if told.high_ms - told.low_ms > 2 * max(_WIDEST_MS / 2, _WIDEST_FRAMES * frame_ms / 2):
        return f"its interval of {told.high_ms - told.low_ms:.0f} ms is too wide"
    if abs(told.ms) > REACH_MS:
        return f"the best lies beyond the search of {REACH_MS:g} ms either way"
    return ""


def _curve(heard: Sequence[_Heard]) -> Curve:
    """Give the search's score over all stretches, the strongest evidence of each."""
    lag_ms = np.arange(-REACH_MS, REACH_MS + 1, 4.0)
    score = np.zeros(len(lag_ms))
    for one in heard:
        best = min(one.hints, key=lambda hint: hint.chance)
        score += np.interp(lag_ms, best.lag_ms, best.score / max(float(best.score.max()), 1e-12))
    return Curve(lag_ms, score / max(float(score.max()), 1e-12))


def _differ(offsets: Sequence[Offset]) -> bool:
    """Say whether segments have offsets of their own: two of them so far apart that no drift brings them together.

    Which drifts could, is what the segments say of it by themselves, or what clocks of computers have.
    """
    known = [(o.ms, o.half_width_ms, o.at_ns * 1e-6) for o in offsets if o.ms is not None and o.half_width_ms]
    if len(known) < 2:  # noqa: PLR2004 - two to compare
        return False
    ms, half, at_ms = np.array(known).T
    own = [(o.drift_low_ppm, o.drift_high_ppm) for o in offsets if o.drift_ppm is not None]
    low, high = np.mean(np.array(own, np.float64), axis=0) if own else (-_CLOCKS_PPM, _CLOCKS_PPM)
    alike = ms - np.linspace(low, high, _DRIFTS)[:, None] * 1e-6 * (at_ms - at_ms[0])
    one, other = np.triu_indices(len(ms), k=1)
    apart = np.abs(alike[:, one] - alike[:, other]) / np.hypot(half[one], half[other])
    return bool(apart.max(axis=1).min() > _APART)
