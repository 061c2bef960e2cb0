"""The synthetic backend in real time: a screen, a hand and a tone that need no hardware and keep to the clock.

The screen shows a scrolling picture that carries the number of its tick. The hand presses keys and moves a mouse, one
event every 4 ms, and what the k-th event is follows from the seed alone (`planted_event`): whoever has only the
recorded session, after a kill for instance, can tell whether an event is missing, doubled or altered. The tone
sounds at known sample times (`planted_tone`). The hand waits for the first picture, so no event lies before it.

Example:
    >>> planted_event(0, 0).kind, planted_event(0, 0) == planted_event(0, 0)
    ('move', True)
    >>> [source.name for source in LiveSynthetic(sound=True).sources()]
    ['screen', 'input', 'system']
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.capture.encoding import CODECS, EXACT
from rushes.capture.source import Emit, Say, Source, ignore
from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS, Clock
from rushes.model.layouts import layout, slot
from rushes.model.readings import Event, Frame, Sound
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.scenery import Scenery, check_size

EVENT_NS: Final = 4_000_000
"""Between two events of the hand: 250 a second."""
ROUND: Final = 256
"""Events a round; every key is up between two rounds, so the rounds do not depend on each other."""
KEYS: Final = ("KeyW", "KeyA", "KeyD", "Space", "MouseLeft")
"""What the hand presses; all of them in the layout capture28."""
TONE_HZ: Final = 440.0
TONE_RATE_HZ: Final = 48_000
TONE_PERIOD_S: Final = 2
"""The tone is silent in the first half of every period and sounds in the second, from sample 0 of the stream on."""
_BLOCK: Final = TONE_RATE_HZ // 50
_LOUD: Final = 12_000
_STEP_PX: Final = 9
_EDGES_A_KEY: Final = 6
_TAPS: Final = 0.5
"""Part of the holds that last one event, so that they are shorter than a frame."""
_LATE: Final = 0.5
"""Part of a tick after which a picture counts as late."""


def planted_event(seed: int, k: int) -> Event:
    """Tell what the k-th event of the hand is.

    Args:
        seed: The seed of the backend.
        k: 0-based number of the event since the hand began.

    Returns:
        The event with all that it carries; `t_ns` is when it is due, ns after the hand began, and not the stamp.
    """
    return _round(seed, k // ROUND)[k % ROUND]._replace(t_ns=k * EVENT_NS)


@lru_cache(maxsize=64)
def _round(seed: int, number: int) -> tuple[Event, ...]:
    """Plan one round: mouse motion, and between it presses with their releases."""
    rng = np.random.default_rng([seed, number, 0x4A4D])
    motion = rng.integers(-_STEP_PX, _STEP_PX + 1, (ROUND, 2))
    plan = [Event(0, "mouse", "Mouse", "move", dx=float(dx), dy=float(dy)) for dx, dy in motion]
    free = np.ones(ROUND, bool)
    free[0] = False
    for key in KEYS:
        device = "mouse" if key.startswith("Mouse") else "keyboard"
        at = 1
        for _ in range(int(rng.integers(1, _EDGES_A_KEY // 2 + 1))):
            down = _next_free(free, at + int(rng.integers(ROUND // 4)))
            up = _next_free(free, down + 1 + (0 if rng.random() < _TAPS else int(rng.integers(ROUND // 4))))
            if min(down, up) < 0:
                break
            plan[down] = Event(0, device, key, "press", 1.0)
            plan[up] = Event(0, device, key, "release", 0.0)
            free[[down, up]] = False
            at = up + 1
    return tuple(plan)


def _next_free(free: npt.NDArray[np.bool_], at: int) -> int:
    """Find the first free place from `at` on; -1 where there is none."""
    places = np.flatnonzero(free[at:])
    return at + int(places[0]) if len(places) else -1


def planted_tone(first: int, count: int) -> npt.NDArray[np.int16]:
    """Tell what the tone's samples are.

    Args:
        first: 0-based number of the first sample since the source began.
        count: How many.

    Returns:
        (count, 2) int16, both channels the same.
    """
    number = np.arange(first, first + count)
    half = TONE_PERIOD_S * TONE_RATE_HZ // 2
    wave = _LOUD * np.sin(2 * np.pi * TONE_HZ * (number % half) / TONE_RATE_HZ) * (number // half % 2)
    return np.repeat(np.rint(wave).astype(np.int16)[:, None], 2, axis=1)


@dataclass(frozen=True)
class LiveSynthetic:
    """A live backend whose screen, inputs and sound are known; it can be sent to another process.

    Attributes:
        rate_hz: Pictures a second.
        seed: Seed of the inputs and of the landscape.
        size: (height, width) of the picture in px, both even.
        codec: How the session stores pictures: `h264`, `h265`, `lossless`, `png`.
        sound: Whether the tone is a stream too.
        game: What the session calls it.
        session_id: Id of the session; `""` gives one that follows from the parameters.

    Raises:
        BadInputError: A rate or a codec that does not exist, or a size that is too small or odd.
    """

    rate_hz: float = 30.0
    seed: int = 0
    size: tuple[int, int] = (360, 640)
    codec: str = "h264"
    sound: bool = False
    game: str = "Synthetic"
    session_id: str = ""

    def __post_init__(self) -> None:
        check_size(self.size)
        if not 0 < self.rate_hz <= TONE_RATE_HZ:
            raise BadInputError(f"rate_hz={self.rate_hz!r}", accepts="a positive rate", fix="pass rate_hz=30")
        if self.codec not in CODECS:
            raise BadInputError(f"codec={self.codec!r}", accepts="one of " + ", ".join(CODECS), fix="pass codec='h264'")

    @property
    def action_space(self) -> ActionSpace:
        """The layout capture28 and the mouse's motion."""
        return ActionSpace("buttons", (*layout("capture28").slots, slot("MouseDX"), slot("MouseDY")))

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return {
            "rate_hz": self.rate_hz,
            "seed": self.seed,
            "size": list(self.size),
            "codec": self.codec,
            "sound": self.sound,
        }

    def describe(self) -> SessionInfo:
        """Describe the session; touches no device."""
        height, width = self.size
        return SessionInfo(
            id=self.session_id or f"synthetic-live-{width}x{height}-{self.rate_hz:g}-{self.seed}",
            game=self.game,
            source={"kind": "synthetic", "name": "live"},
            time_source="measured",
            streams=self.specs(),
            action_space=self.action_space,
            provenance=self.parameters(),
        )

    def specs(self) -> tuple[StreamSpec, ...]:
        """List its streams; touches no device."""
        height, width = self.size
        exact = self.codec in EXACT
        screen = StreamSpec("screen", "frames", self.codec, exact, width=width, height=height, rate_hz=self.rate_hz)
        events = StreamSpec("events", "events", unit="counts")
        tone = StreamSpec("system", "sound", "flac", rate_hz=float(TONE_RATE_HZ))
        return (screen, events, tone) if self.sound else (screen, events)

    def sources(self, say: Say = ignore) -> Sequence[Source]:
        """Make its sources: the screen, the hand and, where asked for, the tone; the landscape is drawn here."""
        del say
        shown = threading.Event()
        screen = _Screen(Scenery(self.size, seed=self.seed), self.rate_hz, shown)
        both: tuple[Source, ...] = (screen, _Hand(self.seed, shown))
        return (*both, _Tone()) if self.sound else both


class _Screen:
    """Shows one picture a tick and skips the ticks that it was too late for."""

    name, essential = "screen", True

    def __init__(self, scenery: Scenery, rate_hz: float, shown: threading.Event) -> None:
        self._scenery, self._rate_hz, self._shown = scenery, rate_hz, shown

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit frames until `stop`; the tick is the number in the picture."""
        period_ns = NS / self._rate_hz
        begin, tick, last = clock.now_ns(), 0, -1
        while not stop.is_set():
            due = begin + round(tick * period_ns)
            if not _wait(clock, due, stop):
                return
            pixels = self._scenery.picture(tick)
            now = clock.now_ns()
            late = now - due > _LATE * period_ns
            emit(Frame(now, pixels, tick=tick, late=late, dropped_before=tick - last - 1))
            self._shown.set()
            last = tick
            tick = max(tick + 1, int((clock.now_ns() - begin) / period_ns))


class _Hand:
    """Emits every planted event, none skipped: what is overdue follows at once."""

    name, essential = "input", True

    def __init__(self, seed: int, shown: threading.Event) -> None:
        self._seed, self._shown = seed, shown

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit events until `stop`, stamped when they are emitted."""
        while not self._shown.wait(0.05):
            if stop.is_set():
                return
        begin, k = clock.now_ns(), 0
        while not stop.is_set():
            event = planted_event(self._seed, k)
            if not _wait(clock, begin + event.t_ns, stop):
                return
            emit(event._replace(t_ns=clock.now_ns()))
            k += 1


class _Tone:
    """Gives blocks of 20 ms when they are over, as a sound device does."""

    name, essential = "system", False

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit sound until `stop`; the first sample of a block stands on the grid of the first block."""
        begin, first = clock.now_ns(), 0
        while _wait(clock, begin + (first + _BLOCK) * NS // TONE_RATE_HZ, stop):
            t_ns = begin + first * NS // TONE_RATE_HZ
            emit(Sound(t_ns, planted_tone(first, _BLOCK), TONE_RATE_HZ, "system"))
            first += _BLOCK


def _wait(clock: Clock, due_ns: int, stop: threading.Event) -> bool:
    """Wait until `due_ns`; False where the recording stops before."""
    while (left_ns := due_ns - clock.now_ns()) > 0:
        if stop.wait(left_ns / NS):
            return False
    return not stop.is_set()
