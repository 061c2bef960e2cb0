"""Faults of the times of frames: gaps, a wrong rate, uneven steps, ticks that were lost or counted wrongly."""

from __future__ import annotations

import numpy as np

from injected.held import Held
from injected.plan import Rng, fault
from rushes.model.clock import NS

ONE_MS = 1_000_000


def t_of(held: Held) -> np.ndarray:
    """Give the times of all frames, to be changed."""
    return held.frames_table["t_ns"].to_numpy(np.int64).copy()


def inner(held: Held, count: float, rng: Rng, *, apart: int = 3) -> np.ndarray:
    """Draw so many frames, none beside another or at the edge of a segment."""
    index = held.frames_table
    edge = np.flatnonzero(np.diff(index["segment"].to_numpy(), prepend=-1, append=-1))
    free = np.arange(2, len(index) - 2)
    free = free[np.abs(free[:, None] - edge).min(axis=1) > 2]
    found: list[int] = []
    for at in rng.permutation(free).tolist():
        if all(abs(at - other) >= apart for other in found):
            found.append(at)
        if len(found) >= count:
            break
    return np.array(sorted(found))


@fault("timing.rate", base="play", strengths=(2, 4, 6, 10, 30), stated=6, unit="% beside the stated rate")
def rate(held: Held, strength: float, rng: Rng) -> None:
    """Frames come faster or slower than the stream says."""
    sign = rng.choice([-1, 1])
    held.stream("frames", rate_hz=held.info.stream("frames").rate_hz / (1 + sign * strength / 100))


@fault(
    "timing.jitter", base="play", strengths=(30, 45, 60, 75), stated=60, unit="% of a step off at the 95th percentile"
)
def jitter(held: Held, strength: float, rng: Rng) -> None:
    """Frames come unevenly."""
    step = NS / 30
    reach = strength / 155  # of a difference of two even draws, 5 % lie beyond 1.55 times their reach
    held.frames_table = held.frames_table.assign(
        t_ns=np.sort((t_of(held) + rng.uniform(-reach, reach, len(held.shows)) * step).astype(np.int64))
    )
    for segment in held.segments:
        held.segment(segment.index, start_ns=min(segment.start_ns, int(held.index(segment.index)["t_ns"].iloc[0])))


@fault("timing.gap", base="play", strengths=(100, 200, 300, 500, 1000), stated=300, unit="ms without a frame")
def gap(held: Held, strength: float, rng: Rng) -> None:
    """No frame for a while, inside a segment, and nothing says so."""
    count = int(np.ceil(strength / 33.4))
    segment = held.segments[int(rng.integers(len(held.segments)))]
    first = int(rng.integers(segment.first_frame + 5, segment.stop_frame - count - 5))
    held.drop(np.arange(first, first + count))


@fault("timing.duplicates", base="play", strengths=(1, 3, 10), stated=1, unit="frames with the time of the one before")
def duplicates(held: Held, strength: float, rng: Rng) -> None:
    """Frames have the time of the frame before."""
    t_ns = t_of(held)
    at = inner(held, strength, rng)
    t_ns[at] = t_ns[at - 1]
    held.frames_table = held.frames_table.assign(t_ns=t_ns)


@fault("timing.non_monotonic", base="play", strengths=(1, 3, 10), stated=1, unit="frames whose time runs back")
def non_monotonic(held: Held, strength: float, rng: Rng) -> None:
    """Times of frames run back."""
    t_ns = t_of(held)
    at = inner(held, strength, rng, apart=4)
    t_ns[at] = t_ns[at - 1] - rng.integers(1, 20 * ONE_MS, len(at))
    held.frames_table = held.frames_table.assign(t_ns=t_ns)


@fault(
    "timing.dropped", base="play", strengths=(3, 4, 7, 12, 30), stated=7, unit="% of ticks without a picture, counted"
)
def dropped(held: Held, strength: float, rng: Rng) -> None:
    """The recorder could not keep up and dropped pictures."""
    count = round(strength / 100 * len(held.shows))
    held.drop(rng.choice(np.arange(2, len(held.shows) - 2), count, replace=False), counted=True)


@fault("timing.late", base="play", strengths=(5, 9, 12, 30), stated=12, unit="% of frames marked late")
def late(held: Held, strength: float, rng: Rng) -> None:
    """Many pictures were grabbed later than their tick."""
    flags = np.zeros(len(held.shows), bool)
    flags[rng.choice(len(flags), round(strength / 100 * len(flags)), replace=False)] = True
    held.frames_table = held.frames_table.assign(late=flags)


@fault("timing.repeated", base="play", strengths=(50, 70, 80, 95), stated=80, unit="% of frames marked as repeats")
def repeated(held: Held, strength: float, rng: Rng) -> None:
    """Most frames are the picture before once more."""
    flags = np.zeros(len(held.shows), bool)
    inside = np.flatnonzero(np.diff(held.frames_table["segment"].to_numpy(), prepend=-1) == 0)
    flags[rng.choice(inside, min(len(inside), round(strength / 100 * len(flags))), replace=False)] = True
    picture = np.maximum.accumulate(np.where(flags, 0, np.arange(len(flags))))
    held.frames_table = held.frames_table.assign(duplicate=flags, picture=picture)
    held.shows = held.shows[picture]


@fault("timing.tick", base="play", strengths=(1, 3, 10), stated=1, unit="places")
def tick(held: Held, strength: float, rng: Rng) -> None:
    """Numbers of ticks jump, and nothing was counted as dropped; or something was, and they do not."""
    at = inner(held, strength, rng)
    ticks, lost = held.frames_table["tick"].to_numpy().copy(), held.frames_table["dropped_before"].to_numpy().copy()
    for k in at.tolist():
        if rng.random() < 0.5:
            ticks[k:] += int(rng.integers(1, 5))
        else:
            lost[k] += int(rng.integers(1, 5))
    held.frames_table = held.frames_table.assign(tick=ticks, dropped_before=lost)
