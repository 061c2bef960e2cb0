"""A planted world: what happened, and apart from it how a recorder came to know of it.

What happened is a list of stretches with their frames, and a list of events. How it is delivered is another matter:
events come late, twice, or not at all. `PlantedWorld.readings` gives everything in the order in which a recorder gets
it; the other attributes say what is true, whatever that order was. `rushes.worlds.matrix` has the worlds by name.

Example:
    >>> shown = tuple(Shown(t_ns=k * 100, tick=k, shows=k) for k in range(2))
    >>> tap = Given(Event(30, "keyboard", "Space", "press"), at_ns=120)
    >>> world = PlantedWorld("late", (Stretch(0, 200, shown),), (tap,))
    >>> [type(reading).__name__ for reading in world.readings()], world.counters.events
    (['Start', 'Frame', 'Frame', 'Event', 'Gap'], 1)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.actions import ActionSpace
from rushes.model.readings import Event, Frame, Gap, Lost, Reading, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.worlds.synthetic import CELL_PX, CELLS, draw_counter

SIZE: Final = (CELL_PX + 2, CELLS * CELL_PX)
"""(height, width) in px of a picture: little more than its number."""
SPACE: Final = (
    *("KeyW", "KeyA", "KeyS", "KeyD", "Space", "ShiftLeft", "ControlLeft"),
    *("MouseLeft", "MouseRight", "MouseDX", "MouseDY", "MouseWheel"),
    *("SOUTH", "EAST", "LEFT_TRIGGER", "RIGHT_TRIGGER", "J_LEFT_X", "J_LEFT_Y"),
)
"""What the hands of the planted worlds use."""


@dataclass(frozen=True)
class Shown:
    """One frame as it truly is.

    Attributes:
        t_ns: ns since session start at which it was grabbed.
        tick: Number of its tick, rising over the session; dropped ticks leave holes.
        shows: Number in the picture: the tick at which the picture was drawn.
        late: Whether it came later than its tick's limit.
        dropped_before: Ticks without a picture since the frame before.
        repeats: Whether it is the picture before once more, so that no pixels are delivered.
    """

    t_ns: int
    tick: int
    shows: int
    late: bool = False
    dropped_before: int = 0
    repeats: bool = False


@dataclass(frozen=True)
class Stretch:
    """One segment as it truly is.

    Attributes:
        start_ns: When it begins, ns since session start; its first frame stands there or later.
        end_ns: When it ends.
        frames: Its frames; a stretch without any becomes no segment and is counted.
        reason: Why it ended.
        clock: `""`, or `"rejoined"` after a restart.
        wall_ns: Unix time in ns at its start, or None.
    """

    start_ns: int
    end_ns: int
    frames: tuple[Shown, ...]
    reason: str = "end"
    clock: str = ""
    wall_ns: int | None = None

    def holds(self, t_ns: int) -> bool:
        """Say whether a time lies in it, from its first frame to before its end."""
        return bool(self.frames) and self.frames[0].t_ns <= t_ns < self.end_ns


@dataclass(frozen=True)
class Given:
    """One thing that the recorder gets from an input device.

    Attributes:
        reading: An event with the time at which it happened, or a count of what was withheld.
        at_ns: When the recorder gets it, ns since session start.
        echo: Whether it tells of nothing new: a repeated press, a release of what was up.
    """

    reading: Event | Lost
    at_ns: int
    echo: bool = False


@dataclass(frozen=True)
class Counters:
    """What a session of the world must count.

    Attributes:
        frames: Frames with a row.
        dropped: Ticks without one.
        late: Frames flagged late.
        repeated: Frames that show the picture before.
        events: Events that are delivered, echoes among them.
        echoes: Those that tell of nothing new.
        outside: Those that happened in no segment.
        hotkey: Those flagged as a chord of the recorder.
        lost: (stream, reason) -> how many were withheld.
        empty: Stretches without a frame.
    """

    frames: int
    dropped: int
    late: int
    repeated: int
    events: int
    echoes: int
    outside: int
    hotkey: int
    lost: Mapping[tuple[str, str], int] = field(default_factory=dict)
    empty: int = 0


@dataclass(frozen=True)
class PlantedWorld:
    """A session without hardware whose every frame, event and count is known.

    Attributes:
        name: Its name in the matrix.
        stretches: What was on the screen, in the order of time.
        given: What the input devices delivered, in any order.
        what: One line of what it is about.
        rate_hz: Nominal frames a second.
        unit: Unit of motion, `counts` or `px`.
    """

    name: str
    stretches: tuple[Stretch, ...]
    given: tuple[Given, ...] = ()
    what: str = ""
    rate_hz: float = 30.0
    unit: str = "counts"

    @property
    def segments(self) -> tuple[Stretch, ...]:
        """The stretches that become segments."""
        return tuple(s for s in self.stretches if s.frames)

    @property
    def frames(self) -> tuple[Shown, ...]:
        """Every frame in the order of `frame_index`."""
        return tuple(frame for s in self.stretches for frame in s.frames)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything that truly happened, in the order of time; of equal times in the order given."""
        real = [g.reading for g in self.given if isinstance(g.reading, Event) and not g.echo]
        return tuple(sorted(real, key=lambda event: event.t_ns))

    @property
    def counters(self) -> Counters:
        """What a session of it must count."""
        frames = self.frames
        events = [g.reading for g in self.given if isinstance(g.reading, Event)]
        lost: Counter[tuple[str, str]] = Counter()
        for given in self.given:
            if isinstance(given.reading, Lost):
                _, stream, reason, many = given.reading
                lost[stream, reason] += many
        return Counters(
            frames=len(frames),
            dropped=sum(f.dropped_before for f in frames),
            late=sum(f.late for f in frames),
            repeated=sum(f.repeats for f in frames),
            events=len(events),
            echoes=sum(g.echo for g in self.given),
            outside=sum(not any(s.holds(e.t_ns) for s in self.segments) for e in events),
            hotkey=sum(e.flag == "hotkey" for e in events),
            lost=dict(lost),
            empty=len(self.stretches) - len(self.segments),
        )

    def describe(self) -> SessionInfo:
        """Describe the session; the same world gives the same bytes."""
        height, width = SIZE
        return SessionInfo(
            id=f"planted-{self.name}",
            game="Synthetic",
            source={"kind": "synthetic", "name": self.name},
            time_source="nominal",
            streams=(
                StreamSpec("screen", "frames", "png", width=width, height=height, rate_hz=self.rate_hz),
                StreamSpec("events", "events", unit=self.unit),
            ),
            action_space=ActionSpace.from_names(SPACE),
            provenance={"world": self.name},
        )

    def readings(self) -> Iterator[Reading]:
        """Yield everything in the order in which a recorder gets it.

        The screen's readings come in the order of their times. An event comes when it is delivered; of equal times the
        screen is first, so that an event on a frame's very time follows the frame.
        """
        waiting = sorted(self.given, key=lambda given: given.at_ns)
        place = 0
        for t_ns, reading in self._screen():
            while place < len(waiting) and waiting[place].at_ns < t_ns:
                yield waiting[place].reading
                place += 1
            yield reading
        yield from (given.reading for given in waiting[place:])

    def _screen(self) -> Iterator[tuple[int, Reading]]:
        for number, stretch in enumerate(self.stretches):
            attrs = {"stretch": number}
            yield stretch.start_ns, Start(stretch.start_ns, attrs, stretch.wall_ns, stretch.clock)
            for f in stretch.frames:
                pixels = None if f.repeats else picture(f.shows)
                yield f.t_ns, Frame(f.t_ns, pixels, None, f.tick, f.late, f.dropped_before)
            yield stretch.end_ns, Gap(stretch.end_ns, stretch.reason)

    def __repr__(self) -> str:
        return f"<PlantedWorld {self.name}: {len(self.stretches)} stretches, {len(self.frames)} frames>"


def picture(number: int) -> npt.NDArray[np.uint8]:
    """Draw a picture that is little more than its number: (*SIZE, 3) uint8 RGB."""
    pixels = np.full((*SIZE, 3), 90, np.uint8)
    draw_counter(pixels, number)
    return pixels
