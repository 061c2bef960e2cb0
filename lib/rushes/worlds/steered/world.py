"""Steered worlds: games without hardware in which the offset between inputs and pictures is known, and planted.

The truth, by definition: an input that happens at t takes effect at t + d(t), with d(t) = offset + drift * (t - middle
of the session), and the picture of a frame grabbed at t_k is drawn from everything that has taken effect by t_k. Where
the game draws at a rate of its own (`screen_hz`), by the time of its last drawing at or before t_k: half of its period
is then part of what lies between an input and its picture in the mean, and of `true_ms`.

Example:
    >>> world = Steered(kind="mouse_camera", seconds=20.0, seed=3, offset_ms=80.0)
    >>> recording = world.recording()
    >>> recording.frame_count, recording.frame(0).shape, world.true_ms
    (600, (180, 320, 3), 80.0)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.controls import MOUSE_MOTIONS, STICKS
from rushes.model.events import cut_events, events_frame
from rushes.model.readings import Event, Frame, Gap, Reading, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.steered.hands import ACTING, WALKING
from rushes.worlds.steered.kinds import plan
from rushes.worlds.steered.picture import Painter, State
from rushes.worlds.steered.play import Play
from rushes.worlds.steered.recording import SteeredRecording
from rushes.worlds.steered.times import Ticks, pauses_of

Floats = npt.NDArray[np.float64]

SPACE: Final = (
    *dict.fromkeys(habit.control for habit in (*WALKING, *ACTING)),
    *MOUSE_MOTIONS[:2],
    *STICKS[2:],
)
"""What the hands use."""
_NOTICED_PX: Final = 0.25
"""A camera that moves less between two frames does not move, for `motion_s`; px at a width of 320."""


@dataclass(frozen=True)
class Steered:
    """A session of which is known what caused what, and when.

    Attributes:
        kind: One of `rushes.worlds.steered.play.KINDS`.
        seconds: How long it is.
        rate_hz: Grabs a second.
        seed: Decides hands, scene and noise.
        offset_ms: How long after an input its effect comes, in the middle of the session; may be negative.
        drift_ppm: By how much that grows: us each second.
        jitter_ms: How late grabs are in the mean; their stamps say so.
        stamp_jitter_ms: Standard deviation of the stamps of frames and inputs about the truth.
        drop_share: Share of the ticks without a frame, in bursts.
        screen_hz: Pictures a second of the game itself; 0 draws one for every grab.
        ease_ms: Time constant with which the camera follows; what it does begins at the offset all the same.
        size: (height, width) in px, even.
        pauses: How often the recording pauses, for two seconds each; a segment more than that.
        jump_ms: By how much the offset grows with each pause, as it does where something is started anew.
    """

    kind: str = "mouse_camera"
    seconds: float = 60.0
    rate_hz: float = 30.0
    seed: int = 0
    offset_ms: float = 0.0
    drift_ppm: float = 0.0
    jitter_ms: float = 0.0
    stamp_jitter_ms: float = 0.0
    drop_share: float = 0.0
    screen_hz: float = 0.0
    ease_ms: float = 0.0
    size: tuple[int, int] = (180, 320)
    pauses: int = 0
    jump_ms: float = 0.0

    @cached_property
    def play(self) -> Play:
        """What is played; made when it is asked for."""
        return plan(self.kind, seed=self.seed, seconds=self.seconds, ease_ms=self.ease_ms)

    @cached_property
    def ticks(self) -> Ticks:
        """When frames are grabbed, drawn and stamped."""
        return Ticks.plan(
            np.random.default_rng([self.seed, 0x71C]),
            seconds=self.seconds,
            rate_hz=self.rate_hz,
            jitter_ms=self.jitter_ms,
            stamp_jitter_ms=self.stamp_jitter_ms,
            drop_share=self.drop_share,
            screen_hz=self.screen_hz,
            pauses=self.pauses,
        )

    @property
    def reacts(self) -> bool:
        """Whether there is anything to be told."""
        return self.play.reacts

    @property
    def true_ms(self) -> float:
        """The offset in the middle of the session, with the mean wait for the game's next drawing."""
        return self.offset_ms + (500.0 / self.screen_hz if self.screen_hz else 0.0)

    def true_ms_at(self, t_ns: float) -> float:
        """Give the offset at a time, ns since session start."""
        grown = float(self._jumps_s(np.array([t_ns / NS]))[0]) * 1e3
        return self.true_ms + grown + self.drift_ppm * 1e-3 * (t_ns / NS - self.seconds / 2)

    def effect_s(self, t_s: Floats) -> Floats:
        """Say when inputs take effect.

        Args:
            t_s: (N,) s when they truly happened.

        Returns:
            (N,) float64 s.
        """
        shift_s = self.offset_ms / 1e3 + self.drift_ppm * 1e-6 * (t_s - self.seconds / 2) + self._jumps_s(t_s)
        return np.maximum.accumulate(np.asarray(t_s + shift_s, np.float64))

    def _jumps_s(self, t_s: Floats) -> Floats:
        middles = [(start_s + end_s) / 2 for start_s, end_s in pauses_of(self.seconds, self.pauses)]
        return np.asarray(np.searchsorted(middles, t_s) * self.jump_ms / 1e3, np.float64)

    @cached_property
    def states(self) -> list[State]:
        """What each frame shows."""
        return self.play.states(self.ticks.drawn_s, self.effect_s, self.size[1])

    @property
    def motion_s(self) -> float:
        """Seconds in which the camera moves by what hands do, an idle world's are 0."""
        if not self.reacts:
            return 0.0
        place = self.play.camera(self.ticks.drawn_s, self.effect_s)
        place[:, 0] -= self.play.scrolls_px_s * self.ticks.drawn_s
        moved = np.hypot(*np.diff(place, axis=0).T) > _NOTICED_PX
        return float(moved.sum() / self.rate_hz)

    @property
    def edges(self) -> int:
        """Presses and releases within the session."""
        stop = self.seconds * NS
        return sum(e.kind in ("press", "release") and 0 <= e.t_ns < stop for e in self.play.events)

    @cached_property
    def events(self) -> pd.DataFrame:
        """The inputs as they were stamped, begun with what is down at the start."""
        rng = np.random.default_rng([self.seed, 0xE7])
        found = self.play.events
        noise = np.clip(rng.normal(0, 1, len(found)), -3, 3) * self.stamp_jitter_ms * 1e6
        late: dict[str, int] = {}  # the edges of one control never change places
        stamped: list[Event] = []
        for event, wrong in zip(found, noise.tolist(), strict=True):
            t_ns = max(round(event.t_ns + wrong), late.get(event.control, event.t_ns - NS))
            late[event.control] = t_ns + 1
            stamped.append(event._replace(t_ns=t_ns))
        stamped.sort(key=lambda event: event.t_ns)
        return cut_events(events_frame(stamped), 0, round(self.seconds * NS))

    @property
    def id(self) -> str:
        """Deterministic id."""
        return f"steered-{self.kind}-{self.seed}-{self.rate_hz:g}-{self.seconds:g}-{self.offset_ms:g}"

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        fields = {name: getattr(self, name) for name in Steered.__dataclass_fields__}
        return {**fields, "size": list(self.size)}

    def describe(self, codec: str = "lossless") -> SessionInfo:
        """Describe the session.

        Args:
            codec: Of its pictures.
        """
        height, width = self.size
        exact = codec in ("lossless", "png")
        return SessionInfo(
            id=self.id,
            game="Steered",
            source={"kind": "synthetic", "name": f"steered-{self.kind}"},
            time_source="measured",
            streams=(
                StreamSpec("screen", "frames", codec, exact=exact, width=width, height=height, rate_hz=self.rate_hz),
                StreamSpec("events", "events", unit="counts"),
            ),
            action_space=ActionSpace.from_names(SPACE),
            provenance=self.parameters(),
        )

    @cached_property
    def painter(self) -> Painter:
        """Draws its pictures."""
        return Painter(self.play.look, self.size, seed=self.seed)

    def picture(self, number: int) -> npt.NDArray[np.uint8]:
        """Draw a frame: (H, W, 3) uint8 RGB; a repeated one shows the same drawing again."""
        drawn_s = float(self.ticks.drawn_s[number])
        return self.painter.picture(round(drawn_s * 1e6) & 0xFFFFFFFF, self.states[number])

    def recording(self) -> SteeredRecording:
        """Give it as a recording at once, in memory; pictures are drawn when they are asked for."""
        return SteeredRecording(self)

    def readings(self) -> Iterator[Reading]:
        """Yield everything in the order of the stamps, as a backend does."""
        recording = self.recording()
        index, waiting = recording.index(), list(reversed([*_events_of(self.events)]))
        repeats, dropped, ticks = (index[name].tolist() for name in ("duplicate", "dropped_before", "tick"))
        times = index["t_ns"].tolist()
        for segment in recording.segments:
            yield from _until(waiting, segment.start_ns)
            yield Start(segment.start_ns)
            for k in range(segment.first_frame, segment.stop_frame):
                yield from _until(waiting, times[k])
                pixels = None if repeats[k] else self.picture(k)
                yield Frame(times[k], pixels, tick=ticks[k], dropped_before=dropped[k])
            yield from _until(waiting, segment.end_ns)
            yield Gap(segment.end_ns, segment.end_reason)
        yield from reversed(waiting)


def _events_of(table: pd.DataFrame) -> Iterator[Event]:
    for row in table.itertuples(index=False):
        value, x, y, dx, dy = (None if pd.isna(number) else float(number) for number in row[4:9])
        yield Event(int(row[0]), str(row[1]), str(row[2]), str(row[3]), value, x, y, dx, dy, str(row[9]))


def _until(waiting: list[Event], t_ns: int) -> Iterator[Event]:
    while waiting and waiting[-1].t_ns < t_ns:
        yield waiting.pop()
