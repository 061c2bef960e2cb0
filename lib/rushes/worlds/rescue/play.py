"""A whole play of the planted rescue: what the hand did, and where the rescuer was because of it, at any time.

Rescuer and hand go on together in steps of 1/60 s of the game. Between two steps places lie on a straight line, while
the view has turned by exactly what the mouse has reported by then: no input waits for a step to be seen.

Example:
    >>> play = play_rescue(City.drawn(7), seed=7, seconds=4.0)
    >>> view = play.view(2.0)
    >>> turned = sum(d.dx for d in play.did if d.kind == "move" and d.t_s <= 2.0)
    >>> abs(view.yaw + 0.002 * turned) < 1e-9
    True
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.worlds.rescue.city import City
from rushes.worlds.rescue.hand import Did, Hand
from rushes.worlds.rescue.rescuer import EYE, RATE, TURN, Doing, Rescuer
from rushes.worlds.rescue.sensors import proximity, state, telemetry

Floats = npt.NDArray[np.float64]


class View(NamedTuple):
    """Where the eye is.

    Attributes:
        x: Units to the east.
        y: Units above the ground.
        z: Units to the south.
        yaw: Radians, grows to the left.
        pitch: Radians, grows upwards.
        t_s: s of the game.
        gone: What is there no more: places of people saved and of rubble cleared.
    """

    x: float
    y: float
    z: float
    yaw: float
    pitch: float
    t_s: float = 0.0
    gone: frozenset[tuple[float, float]] = frozenset()


class Told(NamedTuple):
    """Something that happened.

    Attributes:
        t_s: When, s of the game.
        fields: Telemetry of that moment, with `event`.
    """

    t_s: float
    fields: dict[str, Any]


@dataclass(frozen=True)
class Play:
    """What was done, and what came of it.

    Attributes:
        city: Where.
        did: What the hand did, in the order of time.
        told: What happened, in the order of time.
        place: (N, 3) float64 x, y, z of the feet at the end of each step, the start first.
        fields: Telemetry at the end of each step without proximity, the start first.
        gone: (when, place) of what went away.
    """

    city: City
    did: tuple[Did, ...]
    told: tuple[Told, ...]
    place: Floats
    fields: tuple[dict[str, Any], ...]
    gone: tuple[tuple[float, tuple[float, float]], ...]

    @cached_property
    def _turned(self) -> tuple[Floats, Floats]:
        """Times of the mouse's reports and the view after each: (M,), (M + 1, 2) yaw and pitch."""
        moves = [d for d in self.did if d.kind == "move"]
        view = np.empty((len(moves) + 1, 2))
        view[0] = self.fields[0]["camera_yaw"], self.fields[0]["camera_pitch"]
        for k, move in enumerate(moves):
            view[k + 1] = view[k] - (move.dx * TURN, move.dy * TURN)
        return np.array([m.t_s for m in moves]), view

    def view(self, t_s: float) -> View:
        """Say where the eye is at a time of the game; before its start and after its end it stands."""
        at = min(max(t_s, 0.0), (len(self.place) - 1) / RATE)
        step = min(int(at * RATE), len(self.place) - 2)
        part = at * RATE - step
        x, y, z = (self.place[step] * (1 - part) + self.place[step + 1] * part).tolist()
        times, turned = self._turned
        yaw, pitch = turned[np.searchsorted(times, t_s, side="right")].tolist()
        gone = frozenset(spot for when, spot in self.gone if when <= t_s)
        return View(x, y + EYE, z, yaw, pitch, at, gone)

    def telemetry(self, t_s: float) -> dict[str, Any]:
        """Give the telemetry of a time of the game: that of the last step, the eye's place and angles of now."""
        step = min(max(int(t_s * RATE + 1e-9), 0), len(self.fields) - 1)
        view = self.view(t_s)
        return {
            **self.fields[step],
            "position_x": view.x,
            "position_y": view.y - EYE,
            "position_z": view.z,
            "rotation_y": view.yaw,
            "camera_x": view.x,
            "camera_y": view.y,
            "camera_z": view.z,
            "camera_yaw": view.yaw,
            "camera_pitch": view.pitch,
            **proximity(self.city, view.x, view.z, view.yaw),
        }


def play_rescue(city: City, *, seed: int, seconds: float, quiet: Callable[[float], bool] = lambda _: False) -> Play:
    """Play.

    Args:
        city: Where.
        seed: Decides what the hand does.
        seconds: How long, s of the game.
        quiet: Says of a time whether the hand rests then.
    """
    rescuer = Rescuer(city)
    hand = Hand(np.random.default_rng([seed, 0x4A9D]), rescuer)
    steps = round(seconds * RATE)
    place, fields = [(rescuer.x, rescuer.y, rescuer.z)], [state(rescuer)]
    did: list[Did] = []
    told = [Told(0.0, telemetry(rescuer, "game_start"))]
    gone: list[tuple[float, tuple[float, float]]] = []
    down: set[str] = set()
    for step in range(steps):
        mine = hand.act(step / RATE, (step + 1) / RATE, quiet=quiet(step / RATE))
        for one in mine:
            if one.kind != "move":
                (down.add if one.kind == "press" else down.discard)(one.control)
        did += mine
        there = _there(rescuer)
        rescuer.step(Doing(frozenset(down), sum(d.dx for d in mine), sum(d.dy for d in mine)))
        now_s = (step + 1) / RATE
        place.append((rescuer.x, rescuer.y, rescuer.z))
        fields.append(state(rescuer))
        told += [Told(now_s, telemetry(rescuer, event)) for event in rescuer.told]
        gone += [(now_s, spot) for spot in there - _there(rescuer)]
    return Play(city, tuple(did), tuple(told), np.array(place), tuple(fields), tuple(gone))


def _there(rescuer: Rescuer) -> set[tuple[float, float]]:
    """Give the places of people who wait and of rubble that is left."""
    return {(v.x, v.z) for v in rescuer.victims if v.state == "waiting"} | {
        p for p, left in rescuer.heaps.items() if left > 0
    }
