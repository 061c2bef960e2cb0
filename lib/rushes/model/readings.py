"""What a backend yields: one small tuple for each thing that happened, stamped by the backend and by nobody else.

A recording is a stream of readings. `Start` opens a segment and says what is true for all of it; `Gap` closes
it with a reason. Between two segments nothing is stored but events, which are kept and counted as outside.

Example:
    >>> Step(t_ns=0, frame_index=0, action=3, action_name="LEFT", reward=1.0).reward
    1.0
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Start(NamedTuple):
    """A segment begins.

    Attributes:
        t_ns: ns since session start; the segment's first frame stands at or after it.
        attrs: What holds for the whole segment as JSON values (environments: env_id, episode, seed, frameskip,
            sticky, full_action_space, randomness, policy).
        wall_ns: Unix time in ns at t_ns, or None where no wall clock belongs to it (emulated time).
        clock: `""`, or `"rejoined"` after a restart.
    """

    t_ns: int
    attrs: Mapping[str, Any] = _NOTHING
    wall_ns: int | None = None
    clock: str = ""


class Gap(NamedTuple):
    """A segment ends.

    Attributes:
        t_ns: ns since session start; the segment's end.
        reason: `terminated`, `truncated`, `budget`, `killed`, `pause`, `drop`, `reset`, `end`, `unknown` or a
            backend's own.
        attrs: What is known only now (environments: score).
    """

    t_ns: int
    reason: str
    attrs: Mapping[str, Any] = _NOTHING


class Encoded(NamedTuple):
    """A picture that is encoded already.

    Attributes:
        codec: `png`, `png-indexed`, or one of a video: `h264`, `h265`, `lossless`.
        data: A PNG file, or the one packet of a video stream that gives this picture.
        key: Whether it can be decoded without the pictures before it.
    """

    codec: str
    data: bytes
    key: bool = True


class Frame(NamedTuple):
    """One picture.

    Attributes:
        t_ns: ns since session start, taken when the picture was grabbed.
        pixels: (H, W, 3) uint8 RGB; (H, W, 4) uint8 BGRA as screens give it, the fourth channel without meaning;
            or (H, W) uint8 indices into `palette`; or encoded already. None repeats the previous picture.
        palette: (256, 3) uint8 RGB of an indexed picture, else None.
        tick: Number of the capture tick, -1 where the frame index is the tick.
        late: Whether the tick was later than its limit.
        dropped_before: Ticks without a picture since the last frame.
        duplicate: Whether the pixels are those of the frame before, given once more; None for pixels implies it.
    """

    t_ns: int
    pixels: npt.NDArray[np.uint8] | Encoded | None
    palette: npt.NDArray[np.uint8] | None = None
    tick: int = -1
    late: bool = False
    dropped_before: int = 0
    duplicate: bool = False


class Event(NamedTuple):
    """One edge or motion of an input device; the columns of events.parquet in their order."""

    t_ns: int
    device: str
    control: str
    kind: str
    value: float | None = None
    x: float | None = None
    y: float | None = None
    dx: float | None = None
    dy: float | None = None
    flag: str = ""


class Step(NamedTuple):
    """One action of an environment; the columns of steps.parquet in their order, without the segment.

    Attributes:
        t_ns: ns since session start of the observation acted on.
        frame_index: Its frame, 0-based over the session.
        action: Index of a discrete action, or a list of floats.
        action_name: Its name, `""` for unnamed ones.
        reward: Sum over the skipped frames.
        terminated: The episode's own end, after the step.
        truncated: An end that is not the game's, after the step.
        lives: After the step; -1 where the environment tells none.
        random_action: Whether chance replaced the policy's action.
        is_human: Whether a person chose it.
    """

    t_ns: int
    frame_index: int
    action: int | list[float]
    action_name: str = ""
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    lives: int = -1
    random_action: bool = False
    is_human: bool = False


OF_FRAME_BEFORE: Final = -1
"""frame_index of a `Telemetry` that belongs to the frame which was written before it; the store puts its number."""


class Telemetry(NamedTuple):
    """What the game itself reports.

    Attributes:
        t_ns: ns since session start.
        fields: Names to numbers, strings or booleans.
        frame_index: The frame it belongs to, `OF_FRAME_BEFORE`, or None.
    """

    t_ns: int
    fields: Mapping[str, Any]
    frame_index: int | None = None


class Sound(NamedTuple):
    """A block of sound.

    Attributes:
        t_ns: ns since session start of the first sample.
        samples: (N, C) int16 or float32.
        rate_hz: Samples a second.
        stream: Name of the stream (`system`, `mic`, `game`).
    """

    t_ns: int
    samples: npt.NDArray[Any]
    rate_hz: int
    stream: str


class Lost(NamedTuple):
    """Things that a backend met and did not pass on; they are counted and never named.

    Attributes:
        t_ns: ns since session start of the count.
        stream: `events`, `frames`, or the name of a sound stream.
        reason: Why: `not_in_layout`, `other_window`, `paused`, `auto_repeat`, `device_lost` ...
        count: How many: events, frames, sample times.
    """

    t_ns: int
    stream: str
    reason: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of a reading


Reading = Start | Gap | Frame | Event | Step | Telemetry | Sound | Lost
"""Anything a backend may yield."""
