"""Play in a steered world: what hands do, and what every drawing shows because of it or in spite of it.

Example:
    >>> move = Event(0, "mouse", "Mouse", "move", dx=40.0, dy=0.0)
    >>> play = Play("mouse_camera", Look(), (move,), turns=(0.5, 0.5))
    >>> states = play.states(np.array([0.0, 0.1]), lambda t_s: t_s + 0.05, 320)
    >>> [state.camera for state in states]
    [(0.0, 0.0), (20.0, 0.0)]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.readings import Event
from rushes.worlds.steered.motion import apart, bent, driven, held, since, turned
from rushes.worlds.steered.picture import Look, State

Floats = npt.NDArray[np.float64]

STEERED: Final = ("mouse_camera", "stick_camera", "keys_scroll", "keys_local", "mixed")
"""Kinds in which inputs move what is seen."""
IDLE: Final = ("nothing_pressed", "nothing_moves", "unrelated", "demo", "paused_menu")
"""Kinds in which no input changes anything that is seen."""
KINDS: Final = STEERED + IDLE
_HOP_S: Final = 0.55
_HOP: Final = 1.3
_FLASH_S: Final = 0.08
_WAYS: Final = {"KeyD": (1.0, 0.0), "KeyA": (-1.0, 0.0), "KeyS": (0.0, 1.0), "KeyW": (0.0, -1.0)}
_WIDE_PX: Final = 320.0
"""Width of the picture for which speeds are given."""


@dataclass(frozen=True)
class Play:
    """Who does what to which scene.

    Attributes:
        kind: One of `KINDS`.
        look: How the scene looks.
        events: What hands did, before the session's start and after its end too; the times are true.
        turns: (x, y) px that the camera turns a count of the mouse, at 320 px width; 0 where it does not.
        stick_px_s: Px a second of a full stick.
        keys_px_s: Px a second while a walking key is held.
        ease_s: Time constant with which the camera follows.
        dead: Dead zone of the stick.
        power: Of the curve behind it.
        self_moved: What another hand, that nobody recorded, does to the camera.
        scrolls_px_s: How fast the camera goes on by itself.
        local: Whether keys change small things.
    """

    kind: str
    look: Look
    events: tuple[Event, ...]
    turns: tuple[float, float] = (0.0, 0.0)
    stick_px_s: float = 0.0
    keys_px_s: float = 0.0
    ease_s: float = 0.0
    dead: float = 0.12
    power: float = 1.0
    self_moved: tuple[Event, ...] = ()
    scrolls_px_s: float = 0.0
    local: bool = False

    @property
    def reacts(self) -> bool:
        """Whether an input changes anything that is seen."""
        return self.kind in STEERED

    def states(self, drawn_s: Floats, effect_s: Callable[[Floats], Floats], width: int) -> list[State]:
        """Say what drawings show.

        Args:
            drawn_s: (N,) float64 s, rising: when each is drawn.
            effect_s: When inputs of given times take effect.
            width: Of the picture in px.
        """
        scale = width / _WIDE_PX
        camera = scale * self.camera(drawn_s, effect_s)
        small = _Small(self, effect_s)
        hop, low, flash, slot, lit, pose = (column.tolist() for column in small.at(drawn_s))
        return [
            State(t, (x, y), *rest)
            for t, (x, y), *rest in zip(
                drawn_s.tolist(), camera.tolist(), hop, low, flash, slot, lit, pose, strict=True
            )
        ]

    def camera(self, at: Floats, effect_s: Callable[[Floats], Floats]) -> Floats:
        """Give the camera's place at given times: (N, 2) float64 px at a width of 320 px."""
        place = self._turned(self.events, self.turns, at, effect_s)
        if self.self_moved:
            place = place + self._turned(self.self_moved, (0.22, 0.2), at, lambda t: t)
        if self.stick_px_s:
            pushed = [e for e in self.events if e.kind == "axis"]
            values = np.zeros((len(pushed), 2))
            for k, event in enumerate(pushed):
                values[k] = values[k - 1] if k else 0.0
                values[k, event.control.endswith("_Y")] = event.value
            speeds = bent(values, dead=self.dead, power=self.power) * self.stick_px_s * (1.0, 0.5)
            place = place + driven(_times(pushed, effect_s), speeds, at, ease_s=self.ease_s)
        if self.keys_px_s:
            place = place + driven(*self._walked(effect_s), at, ease_s=self.ease_s)
        place[:, 0] += self.scrolls_px_s * at
        return place

    def _turned(
        self, events: Sequence[Event], turns: tuple[float, float], at: Floats, effect_s: Callable[[Floats], Floats]
    ) -> Floats:
        moves = [e for e in events if e.kind == "move"]
        if not moves or not any(turns):
            return np.zeros((len(at), 2))
        steps = np.array([[e.dx or 0.0, e.dy or 0.0] for e in moves]) * turns
        return turned(_times(moves, effect_s), steps, at, ease_s=self.ease_s, bound=80.0)

    def _walked(self, effect_s: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
        edges = [e for e in self.events if e.control in _WAYS and e.kind in ("press", "release")]
        changes = np.array([np.array(_WAYS[e.control]) * (1 if e.kind == "press" else -1) for e in edges])
        speeds = np.cumsum(changes.reshape(-1, 2), axis=0) * self.keys_px_s
        if self.look.layers or self.kind == "mixed":
            speeds[:, 1] = 0.0
        return _times(edges, effect_s), speeds


class _Small:
    """Small things that keys change."""

    def __init__(self, play: Play, effect_s: Callable[[Floats], Floats]) -> None:
        self._play = play
        self._edges: dict[str, tuple[list[float], list[bool]]] = {}
        if play.local:
            found = [e for e in play.events if e.kind in ("press", "release")]
            for event, at in zip(found, _times(found, effect_s).tolist(), strict=True):
                times, downs = self._edges.setdefault(event.control, ([], []))
                times.append(at)
                downs.append(event.kind == "press")

    def _presses(self, control: str) -> list[float]:
        times, downs = self._edges.get(control, ([], []))
        return [t for t, down in zip(times, downs, strict=True) if down]

    def at(self, at: Floats) -> tuple[npt.NDArray[np.generic], ...]:
        """Give hop, low, flash, slot, lit and pose at given times."""
        hops = apart(self._presses("Space"), _HOP_S)
        part = np.minimum(since(hops, at) / _HOP_S, 1.0)
        shots = apart(self._presses("MouseLeft"), 2 * _FLASH_S)
        flash = (since(shots, at) < _FLASH_S).astype(np.float64)
        chosen = sorted((t, slot) for slot in (0, 1, 2) for t in self._presses(f"Digit{slot + 1}"))
        slots = np.array([0, *(slot for _, slot in chosen)])
        slot = slots[np.searchsorted([t for t, _ in chosen], at, "right")]
        low, lit = (held(*self._edges.get(key, ([], [])), at) for key in ("ControlLeft", "KeyE"))
        pose = part < 1
        return _HOP * 4 * part * (1 - part), low, flash, slot, lit, pose


def _times(events: Sequence[Event], effect_s: Callable[[Floats], Floats]) -> Floats:
    return effect_s(np.array([event.t_ns for event in events], np.float64) / 1e9)
