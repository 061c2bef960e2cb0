"""Worlds of the matrix about screens, segments and clocks: frames that are late, missing or repeated, pauses, jumps.

Each function plants one world from a random generator; its first line says what it is. `rushes.worlds.matrix` gives
them their names.

Example:
    >>> frames_late(np.random.default_rng(0)).counters.late
    12
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from rushes.model.clock import NS
from rushes.worlds.devices import (
    FRAMES,
    MS,
    TICK,
    Build,
    deliver,
    one,
    plain,
    play,
    press,
    screen,
    stretch,
    stretches,
)
from rushes.worlds.planted import PlantedWorld, Shown, Stretch

_CHUNKS: Final = 300
"""Frames of the world that is recorded in chunks of one frame; the tests' long form has thousands."""


def steady(rng: np.random.Generator) -> PlantedWorld:
    """Every tick has its frame, on time."""
    return plain(rng, one())


def jitter_small(rng: np.random.Generator) -> PlantedWorld:
    """Frames come up to 2 ms late."""
    return plain(rng, stretch(screen(FRAMES, jitter_ns=2 * MS, rng=rng)))


def jitter_heavy(rng: np.random.Generator) -> PlantedWorld:
    """Frames come up to a whole tick late."""
    return plain(rng, stretch(screen(FRAMES, jitter_ns=TICK - 1, rng=rng)))


def drops_isolated(rng: np.random.Generator) -> PlantedWorld:
    """Single ticks without a frame."""
    return plain(rng, stretch(screen(FRAMES, drops={5, 17, 21, 40})))


def drops_in_bursts(rng: np.random.Generator) -> PlantedWorld:
    """Up to a second without a frame, events all the while."""
    return plain(rng, stretch(screen(FRAMES, drops={*range(7, 12), *range(30, 60), 70, 71})))


def drops_at_edges(rng: np.random.Generator) -> PlantedWorld:
    """The first ticks of a segment and those before its end have no frame."""
    first = stretch(screen(20, start_ns=TICK, drops={0, 1, 2}), after_ns=4 * TICK, reason="drop")
    second = stretch(screen(20, start_ns=3 * NS, tick=60, drops={0, 19}), after_ns=3 * TICK)
    return plain(rng, replace(first, start_ns=TICK), replace(second, start_ns=3 * NS))


def frames_late(rng: np.random.Generator) -> PlantedWorld:
    """Every fifth frame comes most of a tick late."""
    return plain(rng, stretch(screen(FRAMES, late=set(range(4, FRAMES, 5)))))


def pictures_repeated(rng: np.random.Generator) -> PlantedWorld:
    """A screen that says 'unchanged': runs of frames without pixels of their own, none of their events lost."""
    return plain(rng, stretch(screen(FRAMES, repeats={*range(3, 6), 20, *range(30, 55)})))


def rate_varies(rng: np.random.Generator) -> PlantedWorld:
    """The rate wanders between 15 and 240 Hz."""
    gaps = NS / np.geomspace(15, 240, 80)[rng.permutation(80)]
    times = np.cumsum(gaps).astype(np.int64)
    frames = [Shown(int(t), k, k) for k, t in enumerate(times)]
    return plain(rng, stretch(frames, after_ns=10 * MS))


def rate_very_low(rng: np.random.Generator) -> PlantedWorld:
    """One frame a second."""
    return plain(rng, stretch(screen(6, rate_hz=1), after_ns=NS), rate_hz=1)


def rate_very_high(rng: np.random.Generator) -> PlantedWorld:
    """A thousand frames a second: most steps have no event."""
    return plain(rng, stretch(screen(150, rate_hz=1000, start_ns=NS // 2), after_ns=MS), rate_hz=1000)


def stamps_equal(rng: np.random.Generator) -> PlantedWorld:
    """Pairs of frames with the same stamp: the first one's step has no length and no events."""
    frames = [Shown((k // 2) * TICK, k, k) for k in range(40)]
    return plain(rng, stretch(frames))


def segments_of_one_frame(rng: np.random.Generator) -> PlantedWorld:
    """Segments with a single frame."""
    return plain(rng, *stretches(8, 1, pause_ns=100 * MS))


def segments_without_frames(rng: np.random.Generator) -> PlantedWorld:
    """Segments that end before their first frame, between and around others."""
    full = stretches(3, 10, pause_ns=NS, start_ns=NS)
    empty = [Stretch(s.end_ns + 200 * MS, s.end_ns + 400 * MS, (), "pause") for s in full]
    first = Stretch(100 * MS, 300 * MS, (), "pause")
    return plain(rng, first, *(part for pair in zip(full, empty, strict=True) for part in pair))


def events_in_pauses(rng: np.random.Generator) -> PlantedWorld:
    """Play goes on while the recording is paused; its events belong to no segment."""
    return plain(rng, *stretches(3, 15, pause_ns=2 * NS))


def pause_storm(rng: np.random.Generator) -> PlantedWorld:
    """Two hundred segments of two frames."""
    return plain(rng, *stretches(200, 2, pause_ns=30 * MS))


def segments_that_touch(rng: np.random.Generator) -> PlantedWorld:
    """Segments without a pause between them: the end of one is the start of the next."""
    return plain(rng, *stretches(4, 12, pause_ns=0, reason="reset"))


def clock_jumps(rng: np.random.Generator) -> PlantedWorld:
    """The machine slept for an hour: the segment ends with the jump and another one begins."""
    before = stretch(screen(30), reason="clock_jump")
    after = stretch(screen(30, start_ns=before.end_ns + 3600 * NS, tick=30))
    events = [*play(rng, 0, before.end_ns), *play(rng, after.start_ns, after.end_ns)]
    return plain(rng, before, after, given=deliver(events))


def clock_rejoined(rng: np.random.Generator) -> PlantedWorld:
    """After a restart the session goes on, placed by wall time."""
    wall = 1_700_000_000 * NS
    before, after = stretches(2, 20, pause_ns=10 * NS, reason="killed")
    after = replace(after, clock="rejoined", wall_ns=wall + after.start_ns)
    return plain(rng, replace(before, wall_ns=wall + before.start_ns), after)


def wall_clock_set_back(rng: np.random.Generator) -> PlantedWorld:
    """The wall clock is set back by a day between two segments; session time knows nothing of it."""
    wall = 1_700_000_000 * NS
    parts = stretches(2, 15, pause_ns=NS)
    return plain(rng, replace(parts[0], wall_ns=wall), replace(parts[1], wall_ns=wall - 86_400 * NS))


def many_chunks(rng: np.random.Generator, *, frames: int = _CHUNKS) -> PlantedWorld:
    """A session that is meant to be recorded in chunks of one or two frames, with keys held over many of them."""
    part = one(frames=frames)
    long = [*press("ShiftLeft", part.start_ns + MS, part.end_ns - MS), *press("ControlLeft", MS, part.end_ns + MS)]
    return plain(rng, part, given=deliver([*play(rng, 0, part.end_ns), *long]))


SCREENS: tuple[Build, ...] = (
    steady,
    jitter_small,
    jitter_heavy,
    drops_isolated,
    drops_in_bursts,
    drops_at_edges,
    frames_late,
    pictures_repeated,
    rate_varies,
    rate_very_low,
    rate_very_high,
    stamps_equal,
    segments_of_one_frame,
    segments_without_frames,
    events_in_pauses,
    pause_storm,
    segments_that_touch,
    clock_jumps,
    clock_rejoined,
    wall_clock_set_back,
    many_chunks,
)
