"""Hands that play from a seed and say what they did: keys, mouse and wheel through the X server's test extension.

`plan` makes the acts, the same ones for the same seed; `Hands.perform` does them and notes for each one the time
just before it was sent and just after the server had it, as `time.perf_counter_ns()`.

    with Hands() as hands:
        sent = hands.perform(plan(7, seconds=2.0))
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

KEYSYMS = {
    **{f"Key{letter.upper()}": letter for letter in "abcdefghijklmnopqrstuvwxyz"},
    **{f"Digit{digit}": digit for digit in "0123456789"},
    **{f"F{number}": f"F{number}" for number in range(1, 13)},
    "Space": "space", "ShiftLeft": "Shift_L", "ShiftRight": "Shift_R", "ControlLeft": "Control_L",
    "ControlRight": "Control_R", "AltLeft": "Alt_L", "Backspace": "BackSpace", "Escape": "Escape", "Enter": "Return",
    "Tab": "Tab", "ArrowUp": "Up", "ArrowDown": "Down", "ArrowLeft": "Left", "ArrowRight": "Right", "Minus": "minus",
}  # fmt: skip
"""W3C code -> the X keysym that the same place has on a US keyboard, which is Xvfb's."""
BUTTONS = {"MouseLeft": 1, "MouseMiddle": 2, "MouseRight": 3, "MouseX1": 8, "MouseX2": 9}
WHEEL = {(0, 1): 4, (0, -1): 5, (-1, 0): 6, (1, 0): 7}
"""(x, y) of one notch -> X button; y is + away from the user, x + to the right."""
GAP_S = 0.004
"""Between two acts of a plan, at least: each one is an event of its own for every program."""


@dataclass(frozen=True)
class Act:
    """One thing to do, `at_s` seconds after the beginning.

    Attributes:
        kind: `press`, `release` (a key or a mouse button), `move` (relative), `wheel` (one notch).
        control: W3C name of a key or button, `""` for motion and wheel.
        dx: Of `move` in counts, of `wheel` -1, 0 or 1; + to the right.
        dy: The same; `move` + down, `wheel` + away from the user.
    """

    at_s: float
    kind: str
    control: str = ""
    dx: int = 0
    dy: int = 0


@dataclass(frozen=True)
class Sent:
    """An act that was done: perf_counter_ns just before it was sent, and when the server had answered."""

    act: Act
    before_ns: int
    after_ns: int


def hold(control: str, at_s: float, hold_s: float) -> tuple[Act, Act]:
    """Press and release."""
    return Act(at_s, "press", control), Act(at_s + hold_s, "release", control)


def text(controls: Iterable[str], at_s: float, *, every_s: float = 0.03) -> tuple[Act, ...]:
    """Type keys one after the other."""
    acts = [hold(control, at_s + number * every_s, every_s / 2) for number, control in enumerate(controls)]
    return tuple(act for pair in acts for act in pair)


def plan(
    seed: int,
    *,
    seconds: float,
    keys: tuple[str, ...] = ("KeyW", "KeyA", "KeyS", "KeyD", "ShiftLeft", "KeyE"),
    buttons: tuple[str, ...] = ("MouseLeft", "MouseRight"),
    moves_hz: float = 40.0,
    wheel: bool = False,
) -> tuple[Act, ...]:
    """Make a plan of holds, taps shorter than a frame, and motion, all over by `seconds`.

    Each control is held and let go again and again on its own; of every three holds about one is a tap of 5 ms.
    """
    rng = np.random.default_rng([seed, 0])
    acts: list[Act] = []
    for control in (*keys, *buttons):
        at_s = float(rng.uniform(0.05, 0.4))
        while True:
            held_s = 0.005 if rng.random() < 1 / 3 else float(rng.uniform(0.03, 0.3))
            if at_s + held_s + 0.1 > seconds:
                break
            acts += hold(control, at_s, held_s)
            at_s += held_s + float(rng.uniform(0.05, 0.4))
    for number in range(int(seconds * moves_hz)):
        dx, dy = (int(v) for v in rng.integers(-20, 21, 2))
        if dx or dy:
            acts.append(Act(number / moves_hz, "move", dx=dx, dy=dy))
    if wheel:
        acts += [Act(0.2 * number, "wheel", dy=int(rng.choice([-1, 1]))) for number in range(1, int(seconds / 0.2))]
    return spread(acts)


def spread(acts: Iterable[Act]) -> tuple[Act, ...]:
    """Sort the acts and move them apart, so that each stands at least GAP_S after the one before."""
    found: list[Act] = []
    for act in sorted(acts, key=lambda one: one.at_s):
        earliest = found[-1].at_s + GAP_S if found else act.at_s
        found.append(Act(max(act.at_s, earliest), act.kind, act.control, act.dx, act.dy))
    return tuple(found)


class Hands:
    """A connection to the display of the environment that sends input.

    Args:
        display: Its name; None takes DISPLAY's.
    """

    def __init__(self, display: str | None = None) -> None:
        from Xlib import XK
        from Xlib.display import Display

        self._display = Display(display)
        codes = {name: self._display.keysym_to_keycode(XK.string_to_keysym(sym)) for name, sym in KEYSYMS.items()}
        self._keycodes = {name: code for name, code in codes.items() if code}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        from Xlib.error import ConnectionClosedError

        with contextlib.suppress(ConnectionClosedError):  # the server is gone
            self._display.close()

    def perform(self, acts: Iterable[Act]) -> list[Sent]:
        """Do them at their times; when it is late it goes on at once, in order."""
        zero_ns, sent = time.perf_counter_ns(), []
        for act in acts:
            wait_s = act.at_s - (time.perf_counter_ns() - zero_ns) / 1e9
            if wait_s > 0:
                time.sleep(wait_s)
            sent.append(self.do(act))
        return sent

    def tap(self, control: str) -> list[Sent]:
        """Press and let go, after 20 ms."""
        return self.perform(hold(control, 0.0, 0.02))

    def do(self, act: Act) -> Sent:
        """Do one thing at once."""
        before_ns = time.perf_counter_ns()
        for kind, detail, x, y in self._requests(act):
            self._fake(kind, detail, x, y)
        self._display.sync()
        return Sent(act, before_ns, time.perf_counter_ns())

    def _requests(self, act: Act) -> list[tuple[int, int, int, int]]:
        from Xlib import X

        if act.kind == "move":
            return [(X.MotionNotify, 1, act.dx, act.dy)]  # 1: relative
        if act.kind == "wheel":
            return [(kind, WHEEL[act.dx, act.dy], 0, 0) for kind in (X.ButtonPress, X.ButtonRelease)]
        down = act.kind == "press"
        if act.control in BUTTONS:
            return [(X.ButtonPress if down else X.ButtonRelease, BUTTONS[act.control], 0, 0)]
        return [(X.KeyPress if down else X.KeyRelease, self._keycodes[act.control], 0, 0)]

    def _fake(self, kind: int, detail: int, x: int, y: int) -> None:
        from Xlib.ext import xtest

        xtest.fake_input(self._display, kind, detail, x=x, y=y)

    def point(self, x: int, y: int) -> None:
        """Put the pointer somewhere on the screen, in px."""
        from Xlib import X

        self._fake(X.MotionNotify, 0, x, y)
        self._display.sync()

    def focus(self, window: int) -> None:
        """Ask the window manager to raise a window and give it the focus, as a taskbar does."""
        self._message(window, "_NET_ACTIVE_WINDOW", (2, 0, 0, 0, 0))

    def move(self, window: int, x: int, y: int) -> None:
        """Ask the window manager to move a window: its frame's upper left corner, in px."""
        self._message(window, "_NET_MOVERESIZE_WINDOW", (0x2301, x, y, 0, 0))

    def close(self, window: int) -> None:
        """Ask the window manager to close a window."""
        self._message(window, "_NET_CLOSE_WINDOW", (0, 2, 0, 0, 0))

    def _message(self, window: int, kind: str, data: tuple[int, ...]) -> None:
        from Xlib import X
        from Xlib.protocol import event

        root = self._display.screen().root
        to: Any = self._display.create_resource_object("window", window)
        message = event.ClientMessage(window=to, client_type=self._display.intern_atom(kind), data=(32, list(data)))
        root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()
