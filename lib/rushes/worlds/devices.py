"""Simulated devices: screens with their faults, and hands on keyboards, mice and pads. No hardware, all planted.

A screen gives the frames of one stretch; a hand gives events with the times at which they happened; `deliver` says when
the recorder gets them. Every random number comes from a generator that the caller makes, so the same seed gives
the same world.

Example:
    >>> [frame.t_ns for frame in screen(3, rate_hz=10, drops={1})]
    [0, 200000000, 300000000]
    >>> [(e.t_ns, e.kind) for e in press("KeyW", 5, 8)]
    [(5, 'press'), (8, 'release')]
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from rushes.model.clock import NS
from rushes.model.readings import Event
from rushes.worlds.planted import Given, PlantedWorld, Shown, Stretch

Build = Callable[[np.random.Generator], PlantedWorld]
"""Plants one world."""

MS: Final = 1_000_000
TICK: Final = NS // 30
"""The time from frame to frame in most worlds."""
FRAMES: Final = 60
"""Frames of most worlds: two seconds."""
KEYS: Final = ("KeyW", "KeyA", "KeyS", "KeyD", "Space")
_MOUSE: Final = "mouse"
_STICK_HZ: Final = 60
_FINE: Final = 2**-32
"""The smallest step of XInput2's fixed-point motion."""


def screen(
    count: int,
    *,
    rate_hz: float = 30.0,
    start_ns: int = 0,
    tick: int = 0,
    jitter_ns: int = 0,
    drops: Collection[int] = (),
    late: Collection[int] = (),
    repeats: Collection[int] = (),
    rng: np.random.Generator | None = None,
) -> tuple[Shown, ...]:
    """Show frames at a steady rate, with faults.

    Args:
        count: Frames that arrive.
        rate_hz: Ticks a second.
        start_ns: Time of the first tick, ns since session start.
        tick: Number of the first tick.
        jitter_ns: Each frame comes by up to this much later than its tick; must stay below a tick.
        drops: Ticks without a frame, counted from the first one of the stretch.
        late: Ticks whose frame comes three quarters of a tick late and is flagged.
        repeats: Ticks at which the picture before stands again.
        rng: Where jitter comes from.
    """
    period = NS / rate_hz
    frames: list[Shown] = []
    at = missing = 0
    while len(frames) < count:
        if at in drops:
            missing += 1
        else:
            t_ns = start_ns + int(at * period)
            t_ns += int(0.75 * period) if at in late else 0
            t_ns += int(rng.integers(jitter_ns)) if rng is not None and jitter_ns else 0
            shows = frames[-1].shows if at in repeats and frames else tick + at
            repeated = at in repeats and bool(frames)
            frames.append(Shown(t_ns, tick + at, shows, at in late, missing, repeated))
            missing = 0
        at += 1
    return tuple(frames)


def stretch(frames: Sequence[Shown], *, after_ns: int = NS // 30, reason: str = "end") -> Stretch:
    """Make a stretch of frames that ends some time after the last of them."""
    return Stretch(frames[0].t_ns, frames[-1].t_ns + after_ns, tuple(frames), reason)


def one(start_ns: int = TICK, *, frames: int = FRAMES) -> Stretch:
    """Make a stretch without any fault."""
    return stretch(screen(frames, start_ns=start_ns))


def stretches(
    count: int, frames: int, *, rate_hz: float = 30.0, pause_ns: int = NS, reason: str = "pause", start_ns: int = 0
) -> tuple[Stretch, ...]:
    """Make equal stretches with pauses between them; the last one ends with `end`."""
    made: list[Stretch] = []
    for number in range(count):
        shown = screen(frames, rate_hz=rate_hz, start_ns=start_ns, tick=number * frames)
        made.append(stretch(shown, after_ns=int(NS / rate_hz), reason=reason))
        start_ns = made[-1].end_ns + pause_ns
    return (*made[:-1], replace(made[-1], reason="end"))


def press(control: str, down_ns: int, up_ns: int, *, device: str = "keyboard", bare: bool = False) -> tuple[Event, ...]:
    """Hold a control from one time to another.

    Args:
        control: A button.
        down_ns: When it goes down, ns since session start.
        up_ns: When it goes up.
        device: Name of the device.
        bare: Whether the events carry no value, as the table of events allows.
    """
    on, off = (None, None) if bare else (1.0, 0.0)
    return Event(down_ns, device, control, "press", on), Event(up_ns, device, control, "release", off)


def keys(
    rng: np.random.Generator, start_ns: int, end_ns: int, *, device: str = "keyboard", controls: Sequence[str] = KEYS
) -> list[Event]:
    """Play on keys: taps from 1 ms and holds up to 0.6 s, each key on its own, all up at the end."""
    found: list[Event] = []
    for number, control in enumerate(controls):
        at = start_ns + int(rng.integers(1, 200 * MS))
        while at < end_ns - MS:
            longest = 8 * MS if rng.random() < 0.5 else 600 * MS  # noqa: PLR2004 - half of them are taps
            up = min(at + int(rng.integers(MS, longest)), end_ns)
            found += press(control, at, up, device=device, bare=number % 2 == 1)
            at = up + int(rng.integers(MS, 300 * MS))
    return by_time(found)


def mouse(
    rng: np.random.Generator,
    start_ns: int,
    end_ns: int,
    *,
    rate_hz: float = 125.0,
    reach: int = 40,
    device: str = _MOUSE,
    fine: bool = False,
) -> list[Event]:
    """Move a mouse.

    Args:
        rng: Where it goes.
        start_ns: First time that may be, ns since session start.
        end_ns: Time after the last.
        rate_hz: Reports a second, at irregular times.
        reach: Most that it moves a report, either way.
        device: Name of the device.
        fine: Whether motion has the fractions of XInput2 rather than whole counts.
    """
    count = int((end_ns - start_ns) * rate_hz / NS)
    times = np.sort(rng.integers(start_ns, end_ns, count))
    steps = rng.integers(-reach, reach + 1, (count, 2)).astype(np.float64)
    if fine:
        steps += rng.integers(0, 2**32, (count, 2)) * _FINE
    pairs = zip(times, steps, strict=True)
    return [Event(int(t), device, "Mouse", "move", dx=float(dx), dy=float(dy)) for t, (dx, dy) in pairs]


def play(rng: np.random.Generator, start_ns: int, end_ns: int) -> list[Event]:
    """Play on a keyboard and a mouse."""
    return by_time([*keys(rng, start_ns, end_ns), *mouse(rng, start_ns, end_ns)])


def wheel(rng: np.random.Generator, start_ns: int, end_ns: int, *, count: int = 40) -> list[Event]:
    """Turn both wheels of a mouse by whole notches."""
    times = np.sort(rng.integers(start_ns, end_ns, count))
    axes = ("MouseWheel", "MouseWheelX")
    notches = rng.choice([-2.0, -1.0, 1.0, 1.0, 3.0], count)
    return [
        Event(int(t), _MOUSE, axes[number % 3 == 0], "scroll", float(notch))
        for number, (t, notch) in enumerate(zip(times, notches, strict=True))
    ]


def pad(rng: np.random.Generator, start_ns: int, end_ns: int, *, device: str = "pad0") -> list[Event]:
    """Play on a pad: two buttons, a stick that wanders, a trigger that is pulled past its threshold and let go."""
    found = keys(rng, start_ns, end_ns, device=device, controls=("SOUTH", "EAST"))
    count = max(1, int((end_ns - start_ns) * _STICK_HZ / NS))
    for axis, low in (("J_LEFT_X", -1.0), ("J_LEFT_Y", -1.0), ("RIGHT_TRIGGER", 0.0)):
        times = np.sort(rng.integers(start_ns, end_ns, count))
        values = rng.integers(int(low * 100), 101, count) / 100
        found += [Event(int(t), device, axis, "axis", float(v)) for t, v in zip(times, values, strict=True)]
    return by_time(found)


def deliver(events: Iterable[Event], *, delays_ns: Sequence[int] = (0,), echo: bool = False) -> tuple[Given, ...]:
    """Say when the recorder gets events; those of one device never overtake each other.

    Args:
        events: Events with the times at which they happened, in any order.
        delays_ns: How much later each of them comes at least; begins anew where it is at its end.
        echo: Whether they tell of nothing new.
    """
    found: list[Given] = []
    last: dict[str, int] = {}
    for number, event in enumerate(by_time(events)):
        at = max(event.t_ns + delays_ns[number % len(delays_ns)], last.get(event.device, 0))
        last[event.device] = at
        found.append(Given(event, at, echo))
    return tuple(found)


def plain(
    rng: np.random.Generator, *parts: Stretch, given: Iterable[Given] | None = None, rate_hz: float = 30.0
) -> PlantedWorld:
    """Make a world of stretches; without events of its own it has play from before the first frame to after the end."""
    if given is None:
        given = deliver(play(rng, max(0, parts[0].start_ns - 100 * MS), parts[-1].end_ns + 100 * MS))
    return PlantedWorld("", parts, tuple(given), rate_hz=rate_hz)


def by_time(events: Iterable[Event]) -> list[Event]:
    """Sort events by time; of equal times the order stays."""
    return sorted(events, key=lambda event: event.t_ns)
