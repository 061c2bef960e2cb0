"""Hands of the steered worlds: what a person does with a mouse, a stick and keys, as events without any hardware.

Nothing here is periodic but the mouse's own reports. A mouse rests, flicks with the bell-shaped speed of aimed
movements (Flash and Hogan, 1985) and follows things; a stick is pushed somewhere, held there with a tremor and let go;
keys are held for 50 to 900 ms, several at once. Times are in ns and may begin before 0: a hand was at play already.

Example:
    >>> rng = np.random.default_rng(0)
    >>> found = mouse(rng, 0.0, 10.0)
    >>> {event.control for event in found}, len(found) > 100
    ({'Mouse'}, True)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.readings import Event

Floats = npt.NDArray[np.float64]

REPORTS_HZ: Final = 125
"""Reports a second of an ordinary mouse, and of a pad."""
HOLD_S: Final = (0.05, 0.9)
"""Shortest and longest hold of a key."""
_WOBBLE_S: Final = 0.0005
_FOLLOWS: Final = 0.4
"""Share of a mouse's movements that follow something; the others are aimed."""
_LETS_GO: Final = 0.45
"""Share of a stick's pushes after which it is let go."""
_STICK_STEPS: Final = 127


class Habit(NamedTuple):
    """How somebody uses a key.

    Attributes:
        control: The key or button.
        gap_s: Mean time between two holds.
        hold_s: Median of a hold.
    """

    control: str
    gap_s: float
    hold_s: float


WALKING: Final = (
    Habit("KeyW", 0.7, 0.5),
    Habit("KeyA", 1.3, 0.28),
    Habit("KeyD", 1.3, 0.28),
    Habit("KeyS", 2.4, 0.25),
)
ACTING: Final = (
    Habit("Space", 1.6, 0.12),
    Habit("MouseLeft", 1.4, 0.1),
    Habit("KeyE", 3.0, 0.2),
    Habit("ControlLeft", 3.5, 0.45),
    Habit("Digit1", 7.0, 0.08),
    Habit("Digit2", 7.0, 0.08),
    Habit("Digit3", 8.0, 0.08),
    Habit("KeyQ", 6.0, 0.1),
    Habit("Tab", 9.0, 0.2),
)


def mouse(rng: np.random.Generator, start_s: float, end_s: float, *, calm: float = 1.0) -> list[Event]:
    """Move a mouse about.

    Args:
        rng: Decides what it does.
        start_s: From when on.
        end_s: Until when.
        calm: How much longer than usual it rests.

    Returns:
        `move` events in counts, in the order of time.
    """
    count = int((end_s - start_s) * REPORTS_HZ)
    speed = np.zeros((count, 2))
    at, height = 0, 0.0
    while at < count:
        at += int(rng.exponential(0.35 * calm) * REPORTS_HZ)
        follows = rng.random() < _FOLLOWS
        length = int(REPORTS_HZ * (rng.uniform(0.5, 2.2) if follows else rng.uniform(0.12, 0.45)))
        way = np.array([rng.normal(), 0.4 * rng.normal() - height / 700])
        if follows:
            bends = np.cumsum(rng.normal(0, 1, (length, 2)), axis=0) / np.sqrt(REPORTS_HZ)
            piece = (way + bends * (1.0, 0.4)) * rng.lognormal(0.9, 0.4) * _rise(length)[:, None]
        else:
            way *= rng.lognormal(5.3, 0.6) / max(float(np.hypot(*way)), 0.1)
            piece = way * _bell(length)[:, None]
        piece = piece[: max(count - at, 0)]
        speed[at : at + len(piece)] += piece
        height += float(piece[:, 1].sum())
        at += len(piece)
    counts = np.diff(np.rint(np.cumsum(speed, axis=0)), axis=0, prepend=0.0)
    times = start_s + (np.arange(count) + rng.random()) / REPORTS_HZ + rng.uniform(0, _WOBBLE_S, count)
    moved = np.flatnonzero(counts.any(axis=1))
    return [
        Event(round(times[k] * NS), "mouse", "Mouse", "move", dx=float(counts[k, 0]), dy=float(counts[k, 1]))
        for k in moved.tolist()
    ]


def _bell(length: int) -> Floats:
    """Give the speed of an aimed movement, which sums up to 1."""
    t = (np.arange(length) + 0.5) / length
    return np.asarray(30 * t**2 * (1 - t) ** 2 / length, np.float64)


def _rise(length: int) -> Floats:
    """Begin and end within 80 ms."""
    edge = np.arange(1, length + 1) / (0.08 * REPORTS_HZ)
    return np.clip(np.minimum(edge, edge[::-1]), 0.0, 1.0)


def stick(rng: np.random.Generator, start_s: float, end_s: float, *, name: str = "J_RIGHT") -> list[Event]:
    """Push a stick to and fro.

    Args:
        rng: Decides what it does.
        start_s: From when on.
        end_s: Until when.
        name: Of the stick, without its axis.

    Returns:
        `axis` events of both axes in steps of 1/127, in the order of time.
    """
    count = int((end_s - start_s) * REPORTS_HZ)
    place = np.zeros((count, 2))
    now, at = np.zeros(2), 0
    while at < count:
        pushed = bool(now.any())
        if pushed and rng.random() < _LETS_GO:
            goal, stays_s = np.zeros(2), rng.exponential(0.45)
        else:
            angle = rng.choice([0.0, np.pi]) + rng.normal(0, 0.35)
            goal = np.array([np.cos(angle), np.sin(angle)]) * min(1.0, rng.lognormal(-0.15, 0.4))
            stays_s = 0.15 + rng.exponential(0.5)
        travel = int(rng.uniform(0.04, 0.14) * REPORTS_HZ) + 1
        stays = int(stays_s * REPORTS_HZ) + 1
        way = np.cumsum(_bell(travel))[:, None]
        tremor = np.cumsum(rng.normal(0, 0.004, (stays, 2)), axis=0) * (1.0 if goal.any() else 0.0)
        piece = np.concatenate([now + (goal - now) * way, goal + tremor])[: count - at]
        place[at : at + len(piece)] = piece
        now, at = goal, at + len(piece)
    rest = rng.normal(0, 0.02, 2)  # no stick comes back to its very middle
    steps = np.clip(np.rint((place + rest) * _STICK_STEPS), -_STICK_STEPS, _STICK_STEPS) / _STICK_STEPS
    times = start_s + (np.arange(count) + rng.random()) / REPORTS_HZ + rng.uniform(0, _WOBBLE_S, count)
    found = []
    for axis, letter in enumerate("XY"):
        changed = np.flatnonzero(np.diff(steps[:, axis], prepend=0.0))
        found += [
            Event(round(times[k] * NS), "pad0", f"{name}_{letter}", "axis", float(steps[k, axis]))
            for k in changed.tolist()
        ]
    return sorted(found, key=lambda event: event.t_ns)


def keys(
    rng: np.random.Generator, start_s: float, end_s: float, habits: Iterable[Habit], *, calm: float = 1.0
) -> list[Event]:
    """Press keys.

    Args:
        rng: Decides when.
        start_s: From when on.
        end_s: Until when; a key may be down then.
        habits: Which, how often, for how long.
        calm: How much longer than usual nothing is pressed.

    Returns:
        `press` and `release` events, in the order of time.
    """
    found: list[Event] = []
    for control, gap_s, hold_s in habits:
        device = "mouse" if control.startswith("Mouse") else "keyboard"
        at = start_s + float(rng.exponential(calm * gap_s))
        while at < end_s:
            up = at + float(np.clip(rng.lognormal(np.log(hold_s), 0.45), *HOLD_S))
            found.append(Event(round(at * NS), device, control, "press", 1.0))
            if up < end_s:
                found.append(Event(round(up * NS), device, control, "release", 0.0))
            at = up + 0.05 + float(rng.exponential(calm * gap_s))
    return sorted(found, key=lambda event: event.t_ns)
