"""Keyboard and mouse by pynput: for Windows and macOS, where there is no XInput2.

| what | how |
| --- | --- |
| keys | by virtual key; on Windows letters by their scan code in the current layout; repeats are counted, not kept |
| motion | differences of the pointer's position, in `px`: useless for games that lock the pointer, which stands still |
| wheels | as the system counts notches |
| times | of arrival in the listener, some ms late at worst |
| focus | `focused` is asked for each event; what the answer is late by is not gated |

macOS asks for the permissions Input Monitoring and Accessibility. Tested on X11 only; Windows and macOS are unverified.

Example:
    >>> def record(focused, clock, emit, stop):
    ...     gate = Gate(["KeyW", "MouseLeft"], scope="window")
    ...     PynputSource(gate, Hotkeys(), focused=focused).run(clock, emit, stop)
    >>> button_name("left"), button_name("button8"), button_name("scroll_up")
    ('MouseLeft', 'MouseX1', '')
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Final

from rushes.capture.input.gate import KEYBOARD, MOUSE, Gate
from rushes.capture.input.hotkeys import Hotkeys
from rushes.capture.input.keycodes import character_code, keysym_code, mac_code, windows_code
from rushes.capture.source import Emit, SourceEnd
from rushes.errors import BadInputError, BadNameError, UnavailableError
from rushes.model.clock import NS, Clock
from rushes.model.controls import KEYS, POINTER, resolve
from rushes.model.readings import Event

__all__ = ["Gate", "Hotkeys", "PynputSource", "button_name", "key_name"]

_WAIT_S: Final = 0.05
_KEYS: Final = frozenset(KEYS)


def _scan_code(virtual_key: int) -> int:
    """Ask Windows for the scan code of a virtual key; 0 elsewhere."""
    import ctypes

    library = getattr(ctypes, "windll", None)
    return 0 if library is None else int(library.user32.MapVirtualKeyW(virtual_key, 0))


def key_name(key: Any, *, platform: str = sys.platform) -> str:
    """Name what pynput gives for a key.

    Args:
        key: A `Key` or `KeyCode`.
        platform: As `sys.platform`: what its numbers mean.

    Returns:
        A W3C code, or an empty string.
    """
    code = getattr(key, "value", key)
    number = getattr(code, "vk", None)
    found = ""
    if number is not None:
        if platform == "darwin":
            found = mac_code(number)
        elif platform in {"win32", "cygwin"}:
            found = windows_code(number, _scan_code)
        else:
            found = keysym_code(number)
    if not found and getattr(key, "name", None):
        try:
            found = resolve(f"Key.{key.name}")[0]
        except BadNameError:
            found = ""
    return found or character_code(getattr(code, "char", None) or "")


def button_name(name: str) -> str:
    """Name a button of pynput; an empty string where it is none (wheels come by another way)."""
    try:
        return resolve(f"Button.{name}")[0]
    except BadNameError:
        return ""


class PynputSource:
    """Keyboard and mouse as pynput hears them.

    Args:
        gate: Decides what may be kept.
        hotkeys: Finds the recorder's own keys.
        focused: Tells whether the chosen window has the focus; needed where the gate's scope is `window`.
        keys: Whether keys are recorded; without, all but hotkeys are counted as `keyboard_off`.

    Raises:
        BadInputError: The gate asks for a window and nothing tells its focus.
    """

    name = "input"
    essential = True
    motion_unit = "px"

    def __init__(
        self, gate: Gate, hotkeys: Hotkeys, *, focused: Callable[[], bool] | None = None, keys: bool = True
    ) -> None:
        if gate.scope == "window" and focused is None:
            raise BadInputError(
                "input of a window, and nothing that tells its focus",
                accepts="a function, or a gate with scope 'anywhere'",
                fix="choose a window with --window or --process-name, or pass --keys-anywhere or --no-keys",
            )
        self._gate, self._hotkeys, self._focused, self._keys = gate, hotkeys, focused, keys
        self._lock = threading.Lock()
        self._last_ns = 0
        self._at: tuple[float, float] | None = None

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit events until `stop` is set.

        Raises:
            SourceEnd: `device_lost`, where a listener ends by itself.
            UnavailableError: pynput is missing or cannot listen here.
        """
        try:
            from pynput import keyboard, mouse

            listeners = self._listeners(keyboard, mouse, clock, emit)
            for listener in listeners:
                listener.start()
        except Exception as failed:  # it connects when it is imported, and raises what the system does
            raise UnavailableError(
                f"keyboard and mouse by pynput ({type(failed).__name__}: {failed})",
                accepts="pynput, and a desktop session that lets it listen",
                fix='pip install "rushes[desktop]", and allow input monitoring on macOS',
            ) from failed
        next_ns = clock.now_ns() + NS
        try:
            while not stop.wait(_WAIT_S):
                with self._lock:
                    self._look(clock, emit)
                if clock.now_ns() >= next_ns:
                    self._count(clock, emit)
                    next_ns = clock.now_ns() + NS
                if not all(listener.is_alive() for listener in listeners):
                    raise SourceEnd("device_lost", "the system no longer lets pynput listen")
        finally:
            for listener in listeners:
                listener.stop()
        self._count(clock, emit)

    def _listeners(self, keyboard: Any, mouse: Any, clock: Clock, emit: Emit) -> tuple[Any, Any]:
        # what pynput calls has to take exactly the arguments that it knows
        def press(key: Any) -> None:
            self._edge(clock, emit, KEYBOARD, key_name(key), down=True)

        def release(key: Any) -> None:
            self._edge(clock, emit, KEYBOARD, key_name(key), down=False)

        def click(x: float, y: float, button: Any, pressed: bool) -> None:
            self._edge(clock, emit, MOUSE, button_name(button.name), down=pressed, place=(x, y))

        def move(x: float, y: float) -> None:
            self._move(clock, emit, x, y)

        def scroll(x: float, y: float, dx: float, dy: float) -> None:
            del x, y
            for wheel, notches in (("MouseWheel", dy), ("MouseWheelX", dx)):
                if notches:
                    self._give(clock, emit, Event(0, MOUSE, wheel, "scroll", float(notches)))

        return (
            keyboard.Listener(on_press=press, on_release=release),
            mouse.Listener(on_move=move, on_click=click, on_scroll=scroll),
        )

    def _edge(
        self,
        clock: Clock,
        emit: Emit,
        device: str,
        control: str,
        *,
        down: bool,
        place: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        if not control:
            self._gate.discard("not_in_layout")
            return
        x, y = place if device == MOUSE else (None, None)
        self._give(clock, emit, Event(0, device, control, "press" if down else "release", None, x, y))

    def _move(self, clock: Clock, emit: Emit, x: float, y: float) -> None:
        with self._lock:
            was, self._at = self._at, (x, y)
        if was is not None and was != (x, y):
            self._give(clock, emit, Event(0, MOUSE, POINTER, "move", None, x, y, x - was[0], y - was[1]))

    def _give(self, clock: Clock, emit: Emit, event: Event) -> None:
        with self._lock:
            self._look(clock, emit)
            event = self._hotkeys.take(event._replace(t_ns=self._now(clock)), inside=self._gate.inside)
            if not self._keys and not event.flag and event.control in _KEYS:
                self._gate.discard("keyboard_off")
                return
            self._pass(emit, self._gate.take(event))

    def _look(self, clock: Clock, emit: Emit) -> None:
        if self._focused is not None:
            inside = self._focused()
            if inside != self._gate.inside:
                self._pass(emit, self._gate.focus(self._now(clock), inside))

    def _pass(self, emit: Emit, events: tuple[Event, ...]) -> None:
        for event in events:
            self._last_ns = max(self._last_ns, event.t_ns)
            emit(event._replace(t_ns=self._last_ns))

    def _now(self, clock: Clock) -> int:
        self._last_ns = max(self._last_ns, clock.now_ns())
        return self._last_ns

    def _count(self, clock: Clock, emit: Emit) -> None:
        with self._lock:
            for lost in self._gate.drain(self._now(clock)):
                emit(lost)
