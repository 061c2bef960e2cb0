"""Hands: edges of keys and pads go in as they are received, what is held at each step comes out.

A control gives one edge a step. So a tap that is shorter than a step still counts for one whole step, a quick second
tap is a second tap, and nothing waits unless somebody is quicker than the world. Of two keys that are pressed within
one step and that no action has together (Space and the right arrow in Breakout) the later one waits for the next step;
such are counted. Each edge knows when it happened and
when it was received; with the time of the step that used it, latency is data.

Sticks and triggers stand where they stand; beyond half their way they also count as pressed, under their name and side
(`J_LEFT_X-`). Pads follow the Gamepad API's standard mapping (W3C, Gamepad, "Remapping").

Example (a tap of 3 ms between two steps of 16 ms):
    >>> hands = Hands({"Space"})
    >>> hands.key("Space", True, edge_ns=1_000_000, received_ns=2_000_000)
    >>> hands.key("Space", False, edge_ns=4_000_000, received_ns=5_000_000)
    >>> [hands.take().held.down for step in range(3)]
    [('Space',), (), ()]
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from rushes.capture.hand.bindings import DEAD_ZONE, Held
from rushes.model.controls import TRIGGERS

KEYBOARD: Final = "keyboard"
PAD: Final = "pad0"
PAD_BUTTONS: Final = (
    "SOUTH", "EAST", "WEST", "NORTH", "LEFT_SHOULDER", "RIGHT_SHOULDER", "LEFT_TRIGGER", "RIGHT_TRIGGER", "BACK",
    "START", "LEFT_THUMB", "RIGHT_THUMB", "DPAD_UP", "DPAD_DOWN", "DPAD_LEFT", "DPAD_RIGHT", "GUIDE",
)  # fmt: skip
"""Buttons in the order of the standard mapping, by the names of this house."""
PAD_AXES: Final = ("J_LEFT_X", "J_LEFT_Y", "J_RIGHT_X", "J_RIGHT_Y")
"""Axes in the order of the standard mapping; down is positive there, too."""

_HALF: Final = 0.5
_FINE: Final = 1 / 128
"""A smaller motion of a stick is its own noise."""


class Edge(NamedTuple):
    """A change of one control.

    Attributes:
        device: `keyboard` or `pad0`.
        control: Its name.
        value: 1 or 0 for a key or button, the new position for a stick or trigger.
        edge_ns: When it happened, ns since session start.
        received_ns: When it was received, ns since session start.
        motion: Whether it is a position.
    """

    device: str
    control: str
    value: float
    edge_ns: int
    received_ns: int
    motion: bool = False


class Grip(NamedTuple):
    """What one step gets.

    Attributes:
        held: What is held.
        pressed: What is held from this step on.
        used: The edges that this step is the first to see.
        fresh: All edges since the last step, to be stored.
        ignored: Edges of controls that mean nothing here; they are counted and not named.
        active: Whether anything is held, is off its middle, or waits for the next step.
        touched_ns: When an edge was received last, ns since session start.
    """

    held: Held
    pressed: frozenset[str]
    used: tuple[Edge, ...]
    fresh: tuple[Edge, ...]
    ignored: int
    active: bool
    touched_ns: int

    def busy(self, t_ns: int, *, quiet_ns: int) -> bool:
        """Say whether a person is at it, as this step knows it; see `Hands.busy`."""
        return self.active or t_ns - self.touched_ns < quiet_ns


class Hands:
    """What a person does now; edges may come from any thread.

    Args:
        controls: Physical names of the controls that mean something.
        together: Whether one action does all that some controls ask for; None where any do.

    Attributes:
        held_over: Presses that waited for the step after theirs.
    """

    def __init__(self, controls: Collection[str], *, together: Callable[[Collection[str]], bool] | None = None) -> None:
        self.held_over = 0
        self._controls, self._together = frozenset(controls), together
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._truth: dict[str, float] = {}  # as received
        self._down: dict[str, None] = {}  # as steps see it, in the order of pressing
        self._axes: dict[str, float] = {}
        self._waiting: dict[str, deque[tuple[bool, Edge]]] = {}
        self._moved: dict[str, Edge] = {}
        self._fresh: list[Edge] = []
        self._ignored = 0
        self._last_ns = -(1 << 62)

    def key(self, code: str, down: bool, *, edge_ns: int, received_ns: int) -> None:
        """Take an edge of a key; a repeat of what is known already is none.

        Args:
            code: W3C code.
            down: Whether it was pressed.
            edge_ns: When, ns since session start.
            received_ns: When it was received, ns since session start.
        """
        with self._changed:
            self._button(Edge(KEYBOARD, code, float(down), edge_ns, received_ns))

    def pad(self, axes: Sequence[float], buttons: Sequence[float], *, edge_ns: int, received_ns: int) -> None:
        """Take the state of a pad.

        Args:
            axes: -1 to 1, in the order of the standard mapping.
            buttons: 0 to 1, in the order of the standard mapping.
            edge_ns: When it was read, ns since session start.
            received_ns: When it was received, ns since session start.
        """
        with self._changed:
            for name, value in zip(PAD_AXES, axes, strict=False):
                self._position(Edge(PAD, name, _within(value, -1.0), edge_ns, received_ns, motion=True))
            for name, value in zip(PAD_BUTTONS, buttons, strict=False):
                if name in TRIGGERS:
                    self._position(Edge(PAD, name, _within(value, 0.0), edge_ns, received_ns, motion=True))
                else:
                    self._button(Edge(PAD, name, float(value > _HALF), edge_ns, received_ns))

    def release(self, t_ns: int) -> None:
        """Let go of everything, as when the page loses the focus; what was not used yet is dropped.

        Args:
            t_ns: ns since session start.
        """
        with self._changed:
            for control, value in list(self._truth.items()):
                if value:
                    motion = control in PAD_AXES or control in TRIGGERS
                    device = PAD if motion or control in PAD_BUTTONS else KEYBOARD
                    self._fresh.append(Edge(device, control, 0.0, t_ns, t_ns, motion))
            for of_all in (self._truth, self._down, self._axes, self._waiting, self._moved):
                of_all.clear()

    def _button(self, edge: Edge) -> None:
        if edge.control not in self._controls:
            self._ignored += edge.device == KEYBOARD or edge.value != 0
            return
        if self._truth.get(edge.control, 0.0) != edge.value:
            self._truth[edge.control] = edge.value
            self._fresh.append(edge)
            self._press(edge.control, edge)

    def _position(self, edge: Edge) -> None:
        before = self._truth.get(edge.control, 0.0)
        at_end = edge.value in {-1.0, 0.0, 1.0} and edge.value != before
        if edge.control not in self._controls or (abs(edge.value - before) < _FINE and not at_end):
            return
        self._truth[edge.control] = edge.value
        self._fresh.append(edge)
        self._moved[edge.control] = edge
        for sign, side in ((-1, "-"), (1, "+")):
            if (sign * before > _HALF) != (sign * edge.value > _HALF):
                self._press(edge.control + side, edge._replace(value=float(sign * edge.value > _HALF)))
        if max(abs(before), abs(edge.value)) > DEAD_ZONE:
            self._last_ns = max(self._last_ns, edge.received_ns)
            self._changed.notify_all()

    def _press(self, name: str, edge: Edge) -> None:
        self._waiting.setdefault(name, deque()).append((edge.value > 0, edge))
        self._last_ns = max(self._last_ns, edge.received_ns)
        self._changed.notify_all()

    def take(self) -> Grip:
        """Give a step what is held now; of each control one edge at the most."""
        with self._lock:
            used = list(self._moved.values())
            pressed: set[str] = set()
            self._axes |= {name: edge.value for name, edge in self._moved.items()}
            self._moved.clear()
            heads = sorted(((queue[0][1].edge_ns, name) for name, queue in self._waiting.items()), key=lambda h: h[0])
            for _, name in heads:
                down, edge = self._waiting[name][0]
                if down and pressed and self._together is not None and not self._together({*pressed, name}):
                    self.held_over += 1
                    continue
                self._waiting[name].popleft()
                if down:
                    self._down[name] = None
                    pressed.add(name)
                else:
                    self._down.pop(name, None)
                if not any(other.control == edge.control for other in used):
                    used.append(edge)
            self._waiting = {name: queue for name, queue in self._waiting.items() if queue}
            fresh, ignored, self._fresh, self._ignored = tuple(self._fresh), self._ignored, [], 0
            held = Held(tuple(self._down), dict(self._axes))
            return Grip(held, frozenset(pressed), tuple(used), fresh, ignored, self._is_active(), self._last_ns)

    def settle(self) -> int:
        """Go on from where everything stands, as after a pause: what happened meanwhile is used by no step.

        Returns:
            How many edges there were.
        """
        with self._lock:
            count, self._fresh, self._ignored = len(self._fresh), [], 0
            before, self._down, self._axes = self._down, {}, {}
            for control, value in self._truth.items():
                if control in PAD_AXES or control in TRIGGERS:
                    self._axes[control] = value
                    sides = [side for sign, side in ((-1, "-"), (1, "+")) if sign * value > _HALF]
                    self._down |= dict.fromkeys(control + side for side in sides)
                elif value:
                    self._down[control] = None
            self._down = {name: None for name in before if name in self._down} | self._down
            self._waiting.clear()
            self._moved.clear()
            return count

    def wait(self, timeout_s: float) -> bool:
        """Wait for an edge that no step has seen yet; say whether there is one."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._waiting or self._moved), timeout_s)

    def state(self) -> dict[tuple[str, str], float]:
        """Say where every control stands that is not at rest, as received: (device, control) -> value."""
        with self._lock:
            pad = {*PAD_AXES, *PAD_BUTTONS}
            return {(PAD if c in pad else KEYBOARD, c): value for c, value in self._truth.items() if value}

    def busy(self, t_ns: int, *, quiet_ns: int) -> bool:
        """Say whether a person is at it: something is held, or was touched less than `quiet_ns` before `t_ns`."""
        with self._lock:
            return self._is_active() or t_ns - self._last_ns < quiet_ns

    def _is_active(self) -> bool:
        moved = any(abs(value) > DEAD_ZONE for value in self._axes.values())
        return bool(self._down or self._waiting or moved)


def _within(value: float, low: float) -> float:
    return min(max(float(value), low), 1.0) if math.isfinite(value) else 0.0
