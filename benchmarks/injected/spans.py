"""Faults of segments, clocks and the times of inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from injected.held import Held
from injected.plan import NOT_INJECTED, Rng, fault
from rushes.model.clock import NS

NOT_INJECTED["timing.rejoined"] = "says that a segment goes on after a restart; it is no fault (info)"
NOT_INJECTED["timing.time_source"] = "says that times are nominal or assumed; it is no fault (info)"
NOT_INJECTED["timing.event_grid"] = "says that inputs are known by the frame only; it is no fault (info)"


@fault("timing.pause_map", base="play", strengths=(1, 100, 1000), stated=1, unit="ms by which segments overlap")
def overlap(held: Held, strength: float, rng: Rng) -> None:
    """A segment begins before the one in front of it ends."""
    before, after = held.segments[:2]
    if rng.random() < 0.3:
        held.segment(0, end_ns=before.start_ns - round(strength * 1e6))
        return
    move = round(after.start_ns - before.end_ns + strength * 1e6)
    t_ns = held.frames_table["t_ns"].to_numpy() - move * (held.frames_table["segment"].to_numpy() == 1)
    held.frames_table = held.frames_table.assign(t_ns=t_ns)
    held.segment(1, start_ns=after.start_ns - move, end_ns=after.end_ns - move)


@fault("timing.wall_clock", base="play", strengths=(500, 900, 1500, 10_000, 3_600_000), stated=1500, unit="ms")
def wall_clock(held: Held, strength: float, rng: Rng) -> None:
    """Someone set the clock, or the machine slept, while the recording was paused."""
    wall = held.segments[1].wall_ns + round(rng.choice([-1, 1]) * strength * 1e6)
    held.segment(1, wall_ns=wall)


@fault("timing.short_segment", base="play", strengths=(2.0, 1.0, 0.4, 0.2), stated=0.4, unit="s a segment")
def short_segments(held: Held, strength: float, rng: Rng) -> None:
    """The recording is cut to pieces."""
    del rng
    found, numbers = [], np.zeros(len(held.shows), np.int64)
    for segment in held.segments:
        t_ns = held.index(segment.index)["t_ns"].to_numpy()
        part = ((t_ns - t_ns[0]) // round(strength * NS)).astype(np.int64)
        for number in np.unique(part):
            mine = np.flatnonzero(part == number)
            first = segment.first_frame + int(mine[0])
            end = int(t_ns[mine[-1] + 1]) if mine[-1] + 1 < len(t_ns) else segment.end_ns
            wall = segment.wall_ns + int(t_ns[mine[0]]) - segment.start_ns
            made = replace(
                segment, index=len(found), start_ns=int(t_ns[mine[0]]), end_ns=end, first_frame=first, frames=len(mine)
            )
            numbers[first : first + len(mine)] = len(found)
            found.append(replace(made, wall_ns=wall, end_reason="pause"))
    held.segments = tuple(found)
    held.frames_table = held.frames_table.assign(segment=numbers)


@fault("timing.event_burst", base="play", strengths=(8, 12, 20, 40), stated=20, unit="inputs in one lump")
def burst(held: Held, strength: float, rng: Rng) -> None:
    """Inputs were held up and came all at once."""
    events = held.events_table
    moves = np.flatnonzero((events["kind"] == "move").to_numpy())
    first = int(rng.integers(0, len(moves) - strength))
    lump = moves[first : first + int(strength)]
    t_ns = events["t_ns"].to_numpy().copy()
    t_ns[lump] = t_ns[lump].max()
    held.events_table = events.assign(t_ns=t_ns).sort_values("t_ns", kind="stable").reset_index(drop=True)


@fault("timing.events_outside", base="play", strengths=(10, 17, 25, 50), stated=25, unit="% of inputs in no segment")
def outside(held: Held, strength: float, rng: Rng) -> None:
    """Inputs came where nothing was recorded."""
    events, (before, after) = held.events_table, held.segments[:2]
    count = round(len(events) * strength / (100 - strength))
    more = events.sample(count, replace=True, random_state=int(rng.integers(1 << 30)))
    times = rng.integers(before.end_ns + 1_000_000, after.start_ns - 1_000_000, count)
    moves = more.assign(t_ns=np.sort(times), device="mouse", control="Mouse", kind="move", value=np.nan, dx=1.0, dy=2.0)
    joined = pd.concat([events, moves], ignore_index=True)
    held.events_table = joined.sort_values("t_ns", kind="stable").reset_index(drop=True)
