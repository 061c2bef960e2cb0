"""The planted rescue as a session: everything that a browser's recorder would have sent, with the truth beside it.

The truth, by definition: an input that happens at t takes effect at t + `offset_ms`, and the picture of a frame
captured at t_k is drawn from everything that has taken effect by t_k. Row k of the telemetry belongs to frame k and is
the state of the game that frame k shows.

Example:
    >>> world = Rescue(seconds=6.0, seed=3, offset_ms=40.0)
    >>> kinds = [type(reading).__name__ for reading in world.readings()]
    >>> kinds.count("Frame"), kinds[-1], world.true_ms
    (60, 'Gap', 40.0)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.layouts import layout, slot
from rushes.model.readings import OF_FRAME_BEFORE, Event, Frame, Gap, Reading, Start, Telemetry
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.rescue.city import City
from rushes.worlds.rescue.picture import Painter
from rushes.worlds.rescue.play import Play, play_rescue
from rushes.worlds.rescue.sensors import PERIODIC
from rushes.worlds.rescue.times import PAUSE_S, QUIET_S, Captured, pauses_at

LAYOUT: Final = "capture28"
"""Keys that may be kept, as a browser's session has them."""
MOST_MS: Final = 400.0
"""Offsets lie within this, either way."""
_END_S: Final = 0.001
LEAST_S: Final = 5.0
"""Shortest stretch of play between two pauses."""


@dataclass(frozen=True)
class Rescue:
    """A rescue of which is known what caused what, and when.

    Attributes:
        seconds: How long is played, pauses not counted.
        seed: Decides city, hand and times.
        environment: What struck the city: `earthquake`, `tsunami` or `wildfire`.
        offset_ms: How long after an input its effect comes; may be negative.
        rate_hz: Captured frames a second.
        size: (height, width) px of the pictures.
        pauses: How often the player pauses, 3 s each; a segment more than that.

    Raises:
        BadInputError: A number out of its range.
    """

    seconds: float = 48.0
    seed: int = 7
    environment: str = "earthquake"
    offset_ms: float = 0.0
    rate_hz: float = 10.0
    size: tuple[int, int] = (128, 128)
    pauses: int = 0

    def __post_init__(self) -> None:
        least = LEAST_S * (self.pauses + 1)
        for name, value, low, high in (
            ("seconds", self.seconds, least, 3600.0),
            ("offset_ms", self.offset_ms, -MOST_MS, MOST_MS),
            ("rate_hz", self.rate_hz, 1.0, 30.0),
        ):
            if not low <= value <= high:
                raise BadInputError(
                    f"{name}={value:g}", accepts=f"{low:g} to {high:g}", fix=f"choose {name} in that range"
                )

    @property
    def true_ms(self) -> float:
        """The offset that a measurement should find."""
        return self.offset_ms

    @cached_property
    def city(self) -> City:
        """Where it happens."""
        return City.drawn(self.seed, self.environment)

    @cached_property
    def play(self) -> Play:
        """What is played, s of the game."""
        pauses = pauses_at(self.seconds, self.pauses)
        ends = [*pauses, self.seconds]

        def quiet(t_s: float) -> bool:
            return any(abs(t_s - at) < QUIET_S for at in pauses) or t_s > ends[-1] - QUIET_S / 2

        return play_rescue(self.city, seed=self.seed, seconds=self.seconds + MOST_MS / 1e3, quiet=quiet)

    @cached_property
    def captured(self) -> Captured:
        """When frames are captured."""
        rng = np.random.default_rng([self.seed, 0x71C])
        return Captured.plan(rng, seconds=self.seconds, rate_hz=self.rate_hz, pauses=self.pauses)

    def game_s(self, number: int) -> float:
        """Give the time of the game that a frame shows."""
        captured = self.captured
        stood = captured.paused_s[int(captured.segment[number])]
        return float(captured.t_s[number]) - stood - self.offset_ms / 1e3

    @cached_property
    def painter(self) -> Painter:
        """Draws its pictures."""
        return Painter(self.city, self.size, seed=self.seed)

    def picture(self, number: int) -> npt.NDArray[np.uint8]:
        """Draw a frame: (H, W, 3) uint8 RGB."""
        return self.painter.picture(self.play.view(self.game_s(number)))

    def telemetry(self, number: int) -> dict[str, Any]:
        """Give the telemetry of a frame."""
        return {**self.play.telemetry(self.game_s(number)), "event": PERIODIC}

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return {**asdict(self), "size": list(self.size)}

    def describe(self) -> SessionInfo:
        """Describe the session; the same parameters give the same description."""
        height, width = self.size
        slots = layout(LAYOUT).slots
        return SessionInfo(
            id=f"rescue-{self.environment}-{self.seed}-{self.seconds:g}-{self.offset_ms:g}-{self.pauses}",
            game="Rescue",
            source={"kind": "synthetic", "name": "rescue"},
            time_source="measured",
            streams=(
                StreamSpec("screen", "frames", "png", exact=True, width=width, height=height, rate_hz=self.rate_hz),
                StreamSpec("events", "events", unit="px"),
                StreamSpec("telemetry", "telemetry"),
            ),
            action_space=ActionSpace("buttons", (*slots, slot("MouseDX"), slot("MouseDY"))),
            provenance={"player": "planted", **self.parameters()},
        )

    def events(self) -> list[Event]:
        """Give what the hand did, in the order of its stamps."""
        found = []
        for did in self.play.did:
            if did.t_s >= self.seconds:
                continue
            value, motion = (
                (None, (did.dx, did.dy)) if did.kind == "move" else (float(did.kind == "press"), (None, None))
            )
            t_ns = round(self._session_s(did.t_s) * NS)
            found.append(Event(t_ns, did.device, did.control, did.kind, value, None, None, *motion))
        return found

    def readings(self) -> Iterator[Reading]:
        """Yield everything in the order of time, as a backend does; telemetry of a frame right behind it."""
        captured = self.captured
        beside = self._beside()
        ends = captured.ends_s
        for segment, (start_s, end_s) in enumerate(zip(captured.starts_s, ends, strict=True)):
            start_ns, end_ns = round(start_s * NS), round(end_s * NS)
            yield from _until(beside, start_ns)
            yield Start(start_ns, {"environment": self.environment, "seed": self.seed})
            for number in np.flatnonzero(captured.segment == segment).tolist():
                t_ns = round(float(captured.t_s[number]) * NS)
                yield from _until(beside, t_ns)
                dropped = int(captured.dropped_before[number])
                late = bool(captured.late_ms[number] > 500.0 / self.rate_hz)
                yield Frame(
                    t_ns, self.picture(number), tick=int(captured.tick[number]), late=late, dropped_before=dropped
                )
                yield Telemetry(t_ns, self.telemetry(number), frame_index=OF_FRAME_BEFORE)
            yield from _until(beside, end_ns)
            yield Gap(end_ns, "pause" if segment + 1 < len(ends) else "stop")

    def _session_s(self, game_s: float) -> float:
        """Give the time of the session at which a time of the game is reached."""
        return game_s + sum(game_s >= at for at in pauses_at(self.seconds, self.pauses)) * PAUSE_S

    def _beside(self) -> list[Event | Telemetry]:
        """Give inputs, and what the game told between frames, the last one first."""
        found: list[Event | Telemetry] = [*self.events()]
        first_s, last_s = self.captured.starts_s[0], self.captured.ends_s[-1]
        for t_s, fields in self.play.told:
            at = self._session_s(t_s + self.offset_ms / 1e3)
            if at < last_s - _END_S:
                found.append(Telemetry(round(max(at, first_s) * NS), fields))
        ended = {**self.telemetry(len(self.captured.t_s) - 1), "event": "game_end"}
        found.append(Telemetry(round((last_s - _END_S) * NS), ended))
        return sorted(found, key=lambda reading: reading.t_ns, reverse=True)


def _until(waiting: list[Event | Telemetry], t_ns: int) -> Iterator[Event | Telemetry]:
    while waiting and waiting[-1].t_ns < t_ns:
        yield waiting.pop()
