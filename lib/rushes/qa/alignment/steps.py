"""Steps: by how many steps the actions of an environment are shifted against its pictures.

Action k is taken on observation k, and observation k + 1 shows what came of it. Where observation k + 1 + m is the
first that shows anything of action k, actions are m steps off; the game's own latency is part of m. Two ways to tell:

- by replay, where the recording says its environment and seed: the environment plays again, and only the right shift
  gives the stored pictures back bit for bit (`steps_replay`). Exact, and a matter of a few hundred steps;
- by pictures and actions alone, for whatever was imported: the first lag at which the newest action says something of
  the pictures that older ones do not (`steps_lags`).

Example:
    >>> from rushes.qa.subject import Subject
    >>> from rushes.store.reader import open_session
    >>> def steps_off(path):
    ...     return measure_steps(Subject(open_session(path)))[0].frames
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from rushes.model.clock import NS
from rushes.model.session import Segment
from rushes.qa.alignment.measured import Curve, Floats, Offset
from rushes.qa.alignment.steps_done import columns, telling
from rushes.qa.alignment.steps_lags import LAGS, Stretch, strengths
from rushes.qa.alignment.steps_replay import Replayed, replayed
from rushes.qa.alignment.steps_seen import see

if TYPE_CHECKING:
    from rushes.qa.subject import Subject

MOST_STEPS: Final = 6000
"""Steps that are looked at, of all segments together; ten minutes of an emulator have 9,000."""
MOST_REPLAYED: Final = 8
"""Segments that are played again."""
LEAST_STEPS: Final = 60
"""Fewer in one stretch say nothing: the null needs shifts of twenty steps each way."""
SURE: Final = 6.5
"""Strength, in standard deviations of what chance gives, that a lag needs to count, and"""
SURE_SHORT: Final = 400.0
"""so much more divided by the number of steps, since chance is told less well from few."""
ALONE: Final = 2.0
"""Strength that it needs beyond that where a lag without effect lies between it and the strongest: effects last, and
a rare action beside a rare event looks like one."""
SHARE: Final = 0.01
"""Share of the strongest lag's strength that an earlier lag needs to count: players who react to pictures make actions
say a little of what came before them."""
PERHAPS: Final = 3.5
"""Strength from which on the lag before the first one is left in the interval."""

_LITTLE: Final = "playing it again gives its pictures, but its actions move too little of them to tell a shift"


class Part(NamedTuple):
    """A segment as it is measured.

    Attributes:
        segment: The segment.
        stretch: What was seen and done; None where it is too short or beyond what is looked at.
    """

    segment: Segment
    stretch: Stretch | None


def measure_steps(subject: Subject, *, replay: bool = True) -> tuple[Offset, tuple[Offset, ...]]:
    """Measure by how many steps actions are shifted against pictures.

    Args:
        subject: A recording of an environment.
        replay: Whether the environment may be asked, where the recording says how it was made; `evidence` then has
            `replayed_steps`.

    Returns:
        The offset of the whole recording, and that of each segment (episode); one that cannot be told says why.
    """
    recording = subject.recording
    exact = [replayed(recording, segment) for segment in recording.segments[: MOST_REPLAYED if replay else 0]]
    if any(found is not None and found.steps is not None for found in exact):
        segments = tuple(_exact(subject, s, found) for s, found in zip_longest(recording.segments, exact))
        known = [offset for offset in segments if offset.known]
        offset = max(known, key=lambda one: sum(other.frames == one.frames for other in known))
        return _over(offset, recording.segments), segments
    if any(found is not None for found in exact):  # the pictures are right, and statistics know less
        return _unknown(_LITTLE), tuple(
            _exact(subject, s, found) for s, found in zip_longest(recording.segments, exact)
        )
    parts = _parts(subject)
    whole = [part.stretch for part in parts if part.stretch is not None]
    if not whole:
        return _unknown(f"no episode has {LEAST_STEPS} steps"), tuple(
            replace(_unknown(f"it has fewer than {LEAST_STEPS} steps"), segment=s.index) for s in recording.segments
        )
    offset = _over(_told(subject, whole), recording.segments)
    segments = tuple(
        _placed(
            _told(subject, [part.stretch])
            if part.stretch is not None
            else _unknown(f"it has fewer than {LEAST_STEPS} steps, or lies behind the first {MOST_STEPS}"),
            part.segment,
        )
        for part in parts
    )
    return offset, segments


def _parts(subject: Subject) -> list[Part]:
    """See the pictures and what was done, up to so many steps, a fair share a segment."""
    recording, left = subject.recording, MOST_STEPS
    seen: list[Part] = []
    actions: list[Floats] = []
    for number, segment in enumerate(recording.segments):
        count = min(segment.frames, left, max(LEAST_STEPS * 8, left // (len(recording.segments) - number)) + 1)
        if count <= LEAST_STEPS:
            seen.append(Part(segment, None))
            continue
        first = segment.first_frame
        features = see(recording.frames(first, first + count))
        rows = len(features["light"])
        left -= rows
        steps = subject.steps[subject.steps["segment"] == segment.index]
        done = columns(recording.info.action_space, steps, first=first, count=rows)
        seen.append(Part(segment, Stretch(features, done) if rows >= LEAST_STEPS else None))
        actions += [done] if rows >= LEAST_STEPS else []
    told = iter(telling(actions)) if actions else iter(())
    return [p if p.stretch is None else Part(p.segment, p.stretch._replace(done=next(told))) for p in seen]


def _told(subject: Subject, stretches: Sequence[Stretch]) -> Offset:
    """Tell the offset of stretches that belong together, from pictures and actions."""
    rows = sum(len(stretch.done) for stretch in stretches)
    if not stretches[0].done.shape[1]:
        return _unknown("the same was done all the time")
    if all((values == values[:1]).all() for stretch in stretches for values in stretch.seen.values()):
        return _unknown("nothing moves")
    lags, strength, chance = strengths(stretches)
    best = float(strength.max())
    step_ms = _step_ms(subject)
    sure = SURE + SURE_SHORT / rows
    curve = Curve(np.asarray(lags * step_ms, np.float64), np.maximum(strength, 0) / max(best, sure))
    evidence = {"steps": float(rows), "strength": round(best, 2)}
    if best < sure:
        return replace(_unknown("no lag of the actions says anything of the pictures"), evidence=evidence, curve=curve)
    low, first = _first(strength, sure)
    if first == 0 or first == len(lags) - 1:
        why = f"the first lag that counts lies at the end of what is looked at ({LAGS[0]} to {LAGS[-1]} steps)"
        return replace(_unknown(why), evidence=evidence, curve=curve)
    found = _offset(subject, int(lags[low]), int(lags[first]))
    return replace(found, confidence=_confidence(best, chance, len(lags)), evidence=evidence, curve=curve)


def _first(strength: Floats, sure: float) -> tuple[int, int]:
    """Give the first lag that could count, and the first that does."""
    best = float(strength.max())
    counts = strength >= max(sure, SHARE * best)
    first = int(strength.argmax())
    for lag in range(first - 1, -1, -1):
        joined = counts[lag : first + 1].all()
        if counts[lag] and (joined or strength[lag] >= sure + ALONE):
            first = lag
    perhaps = first > 0 and strength[first - 1] >= max(PERHAPS, SHARE * best)
    return first - int(perhaps), first


def _confidence(best: float, chance: Floats, lags: int) -> float:
    """Say how unlikely so high a maximum is by chance, taking chance's maxima for a Gumbel distribution."""
    scale = max(float(chance.std(ddof=1)) * math.sqrt(6) / math.pi, 0.3)
    place = float(chance.mean()) - 0.5772 * scale
    return round(math.exp(-lags * math.exp(-(best - place) / scale)), 4)


def _exact(subject: Subject, segment: Segment, found: Replayed | None) -> Offset:
    """Say what replay said of a segment: (steps, steps that were played)."""
    if found is None:
        return _placed(_unknown("playing it again did not tell, or was left to earlier episodes"), segment)
    evidence = {"replayed_steps": float(found.played)}
    if found.steps is None:
        return _placed(replace(_unknown(_LITTLE), evidence=evidence), segment)
    return _placed(replace(_offset(subject, found.steps, found.steps), confidence=1.0, evidence=evidence), segment)


def _offset(subject: Subject, low: int, steps: int) -> Offset:
    step_ms, latency_ms = _step_ms(subject), subject.expected.game_latency_ms or 0.0
    return Offset(
        "input_picture",
        ms=steps * step_ms - latency_ms,
        low_ms=low * step_ms - latency_ms,
        high_ms=steps * step_ms - latency_ms,
        frames=steps - latency_ms / step_ms,
        game_latency_ms=latency_ms,
    )


def _unknown(reason: str) -> Offset:
    return Offset("input_picture", reason=reason)


def _placed(offset: Offset, segment: Segment) -> Offset:
    middle = (segment.start_ns + segment.end_ns) // 2
    return replace(offset, segment=segment.index, at_ns=middle, start_ns=segment.start_ns, end_ns=segment.end_ns)


def _over(offset: Offset, segments: Sequence[Segment]) -> Offset:
    start, end = segments[0].start_ns, segments[-1].end_ns
    return replace(offset, segment=None, at_ns=(start + end) // 2, start_ns=start, end_ns=end)


def _step_ms(subject: Subject) -> float:
    """Give the median time from an observation to the next, ms."""
    within = subject.index.groupby("segment")["t_ns"].diff().dropna()
    return float(within.median()) / NS * 1e3 if len(within) else 0.0
