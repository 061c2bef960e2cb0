"""Faults of alignment: inputs that were stamped too early or too late, and clocks that run apart.

The base is play of a minute (two, where segments are told apart) whose inputs take effect after 30 ms, as a game's do.
What is shifted is the stamp.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from injected.held import Held
from injected.plan import NOT_INJECTED, Rng, fault

NOT_INJECTED["alignment.clock"] = "says that times are nominal or assumed; it is no fault (info)"
NOT_INJECTED["alignment.unsure"] = "says that the interval is wide; it is no fault of the session"


def shift(held: Held, ns: Any) -> None:
    """Move every input; what leaves the recording at its ends is left out."""
    events = held.events_table
    t_ns = (events["t_ns"].to_numpy() + ns).astype(np.int64)
    first, last = held.segments[0].start_ns, held.segments[-1].end_ns
    moved = events.assign(t_ns=t_ns)
    held.events_table = moved[(t_ns >= first) & (t_ns < last)].sort_values("t_ns", kind="stable").reset_index(drop=True)


@fault("alignment.offset", base="steered", strengths=(80, 140, 180, 200), stated=180, unit="ms from input to effect")
def offset(held: Held, strength: float, rng: Rng) -> None:
    """Inputs are stamped too early, or too late: they take effect that much after or before."""
    late = rng.random() < 0.5
    shift(held, -(strength - 30) * 1e6 if late else (strength + 30) * 1e6)


@fault("alignment.drift", base="drifting", strengths=(20, 40, 150, 400), stated=150, unit="ppm")
def drift(held: Held, strength: float, rng: Rng) -> None:
    """The clock of the inputs runs faster or slower than that of the pictures."""
    t_ns = held.events_table["t_ns"].to_numpy()
    middle = (held.segments[0].start_ns + held.segments[-1].end_ns) / 2
    shift(held, rng.choice([-1, 1]) * strength * 1e-6 * (t_ns - middle))


@fault("alignment.segments", base="paused", strengths=(8, 15, 60, 100, 150), stated=100, unit="ms between two segments")
def segments(held: Held, strength: float, rng: Rng) -> None:
    """After a pause the inputs lie elsewhere than before."""
    (whole,) = held.segments
    half = whole.frames // 2
    t_ns = held.frames_table["t_ns"].to_numpy()
    middle = int(t_ns[half])
    first = replace(whole, frames=half, end_ns=middle, end_reason="pause")
    second = replace(whole, index=1, first_frame=half, frames=whole.frames - half, start_ns=middle)
    held.segments = (first, second)
    held.frames_table = held.frames_table.assign(segment=(np.arange(len(t_ns)) >= half).astype(np.int64))
    after = held.events_table["t_ns"].to_numpy() >= middle
    shift(held, np.where(after, rng.choice([-1, 1]) * strength * 1e6, 0))


@fault("alignment.sound_offset", base="heard", strengths=(80, 130, 220, 350), stated=220, unit="ms from input to sound")
def sound_offset(held: Held, strength: float, rng: Rng) -> None:
    """The sound comes long after what makes it."""
    del rng
    late = round((strength - 20) * 1e6)
    held.blocks["system"] = [block._replace(t_ns=block.t_ns + late) for block in held.blocks["system"]]
