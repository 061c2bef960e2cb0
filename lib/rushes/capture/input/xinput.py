"""Keyboard and mouse of an X11 server as events: XInput2 raw events, also of games that lock the pointer.

| what | how |
| --- | --- |
| keys, buttons | each edge once, by the physical key; repeats of a held key are counted as `auto_repeat` |
| motion | unaccelerated, in `counts` of the mouse; the last of a batch also tells where the pointer stands (px) |
| wheels | buttons 4 to 7, one notch each; what a smooth wheel reports beside them is not counted twice |
| times | the server's, in whole ms: the middle of that ms. Where its clock is not ours, the time of arrival |

All of it goes through `Hotkeys`, then through the `Gate`. The focus of the chosen window is read on the same
connection (`x11_focus`), so the order of a change of focus and a key is the server's own. Which keys are down is
followed in memory wherever the focus is, to know what is held when it comes back; nothing of it is passed on.

Once a second the server is asked what is down, because edges can be missed (another virtual terminal), and what was
discarded is counted. Only the first master keyboard can be asked, and the first three buttons.

A click that takes the focus away is still the chosen window's: the focus goes after it. Needs XInput 2.2 (2012).

Example:
    >>> def record(window, clock, emit, stop):
    ...     gate = Gate(["KeyW", "KeyA", "KeyS", "KeyD"], scope="window")
    ...     XInputSource(gate, Hotkeys(), window=window).run(clock, emit, stop)
    >>> XInputSource(Gate(["KeyW"], scope="anywhere"), Hotkeys()).name
    'input'
"""

from __future__ import annotations

import contextlib
import select
import threading
from collections.abc import Iterator
from typing import Any, Final

from rushes.capture.input.gate import KEYBOARD, MOUSE, Gate
from rushes.capture.input.hotkeys import Hotkeys
from rushes.capture.input.keycodes import BUTTONS, WHEELS, x11_codes
from rushes.capture.input.x11_focus import Answer, X11Focus, passed
from rushes.capture.input.x11_motion import Motion, Place
from rushes.capture.input.x11_raw import (
    BUTTON_DOWN,
    GENERIC,
    HIERARCHY,
    KEY_DOWN,
    KEY_UP,
    MOTION,
    Raw,
    ServerClock,
    connect,
    select_raw,
    sequence_of,
)
from rushes.capture.source import Emit, SourceEnd
from rushes.errors import BadInputError
from rushes.model.clock import NS, Clock
from rushes.model.controls import KEYS, POINTER
from rushes.model.readings import Event

__all__ = ["Gate", "Hotkeys", "XInputSource"]

_WAIT_S: Final = 0.05
"""How long `stop` may go unnoticed."""
_BATCH_S: Final = 0.008
"""Times are the server's, so what arrives within this is read at once: a fast mouse costs little."""
_QUERIED: Final = ("MouseLeft", "MouseMiddle", "MouseRight")
_KEYS: Final = frozenset(KEYS)


class XInputSource:
    """Keyboard and mouse of one X server.

    Args:
        gate: Decides what may be kept.
        hotkeys: Finds the recorder's own keys.
        window: X id of the chosen window; needed where the gate's scope is `window`.
        keys: Whether keys are recorded; without, all but hotkeys are counted as `keyboard_off`.
        display: Name of the server, else what DISPLAY says.

    Raises:
        BadInputError: The gate asks for a window and there is none.
    """

    name = "input"
    essential = True
    motion_unit = "counts"

    def __init__(
        self, gate: Gate, hotkeys: Hotkeys, *, window: int | None = None, keys: bool = True, display: str | None = None
    ) -> None:
        if gate.scope == "window" and window is None:
            raise BadInputError(
                "input of a window, and no window",
                accepts="the id of a window, or a gate with scope 'anywhere'",
                fix="choose a window with --window or --process-name, or pass --keys-anywhere or --no-keys",
            )
        self.gate, self.hotkeys, self.keys = gate, hotkeys, keys
        self.window: Final = window if gate.scope == "window" else None
        self._display_name = display

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit events until `stop` is set.

        Raises:
            SourceEnd: `window_closed` or `display_lost`.
            UnavailableError: python-xlib is missing, no server answers, or it has no XInput 2.2.
        """
        display = connect(self._display_name)
        from Xlib import error

        try:
            _Run(self, display, clock, emit).until(stop)
        except (error.ConnectionClosedError, OSError) as lost:
            for left in self.gate.drain(clock.now_ns()):
                emit(left)
            raise SourceEnd("display_lost", "the display is gone") from lost
        finally:
            with contextlib.suppress(error.ConnectionClosedError, OSError):
                display.close()
            display.display.socket.close()  # python-xlib leaves it open where the server went away


class _Run:
    """One run of a source; everything happens on its thread."""

    def __init__(self, source: XInputSource, display: Any, clock: Clock, emit: Emit) -> None:
        self._gate, self._hotkeys, self._keys = source.gate, source.hotkeys, source.keys
        self._display, self._clock, self._emit = display, clock, emit
        self._events: list[Any] = display.display.event_queue
        self._last_ns = 0
        self._woke_ns = clock.now_ns()
        self._codes = x11_codes(lambda keycode: int(display.keycode_to_keysym(keycode, 0)))
        self._server = ServerClock(display, clock)
        self._motion = Motion(display)
        self._place: Place | None = None  # of the motion that `_placed` is
        self._placed: Raw | None = None
        self._asked_ns = 0
        self._focus = X11Focus(display, source.window) if source.window is not None else None
        self._answer: Answer | None = None
        select_raw(display)
        self._begin()

    def _begin(self) -> None:
        """Learn what is down and where the focus is; edges from before that are not of this recording."""
        keys, buttons, mark = self._query_down()
        early = [event for event in self._events if event.type == GENERIC and not passed(event.sequence_number, mark)]
        for event in early:
            self._events.remove(event)
        self._correct(self._clock.now_ns(), keys, buttons)
        self._read()

    def until(self, stop: threading.Event) -> None:
        """Read until `stop`; set right and count once a second."""
        next_ns = self._clock.now_ns() + NS
        try:
            while not stop.is_set():
                if self._events or self._wait():
                    self._woke_ns = self._clock.now_ns()
                    if self._server.agrees:
                        stop.wait(_BATCH_S)
                    self._read()
                if self._clock.now_ns() >= next_ns:
                    self._check()
                    self._count()
                    next_ns = self._clock.now_ns() + NS
            self._read()
        except SourceEnd:
            self._tell(inside=False)
            self._count()
            raise
        self._count()

    def _wait(self) -> bool:
        return bool(select.select([self._display.fileno()], [], [], _WAIT_S)[0])

    def _read(self) -> None:
        """Handle all that has arrived, and what arrives while the server is asked."""
        self._display.pending_events()
        self._drain()
        while self._focus and self._focus.doubtful:
            self._answer = self._focus.ask()
            self._drain()

    def _look(self) -> None:
        """Ask where the pointer is, for the motions that wait. The last one before the answer is where it belongs."""
        waiting = [event for event in self._events if event.type == GENERIC and event.evtype == MOTION]
        batch = [event for event in waiting if not event.looked]
        now = self._clock.now_ns()
        if now - self._asked_ns >= _BATCH_S * NS or self._motion.unsure(event.raw for event in batch):
            self._asked_ns = now
            place, mark, _ = self._pointer()
            batch = [event for event in batch if not passed(event.sequence_number, mark)]
            raws = [event.raw for event in batch]
            self._motion.begin(raws, place)
            self._place, self._placed = place, raws[-1]
        for event in batch:
            event.looked = True

    def _drain(self) -> None:
        for event in self._queue():
            if self._answer and passed(getattr(event, "sequence_number", self._answer.mark - 1), self._answer.mark):
                self._settle()
            if event.type != GENERIC:
                if self._focus:
                    self._tell(self._focus.take(event))
            elif event.evtype == HIERARCHY:
                self._motion.forget()
            elif event.raw is not None:
                self._raw(event.raw)
        if self._answer:  # nothing is behind it
            self._settle()

    def _queue(self) -> Iterator[Any]:
        while self._events:
            first = self._events[0]
            if first.type == GENERIC and first.evtype == MOTION and not first.looked:
                self._look()
            yield self._display.next_event()

    def _settle(self) -> None:
        answer, self._answer = self._answer, None
        if self._focus and answer:
            self._tell(self._focus.settle(answer))

    def _tell(self, inside: bool) -> None:
        if inside != self._gate.inside and self._focus:
            # focus events carry no time: it is that of the last event, or when the first of this batch woke us
            self._last_ns = max(self._last_ns, self._woke_ns)
            self._pass(self._gate.focus(self._last_ns, inside))

    def _raw(self, raw: Raw) -> None:
        self._last_ns = t_ns = max(self._last_ns, self._server.stamp_ns(raw.time_ms))
        down = raw.kind in {KEY_DOWN, BUTTON_DOWN}
        if raw.kind == MOTION:
            self._moved(t_ns, raw)
        elif raw.repeat:
            self._gate.discard("auto_repeat")
        elif raw.kind in {KEY_DOWN, KEY_UP}:
            self._edge(t_ns, KEYBOARD, self._codes.get(raw.detail, ""), down=down)
        elif raw.detail not in WHEELS:
            self._edge(t_ns, MOUSE, BUTTONS.get(raw.detail, ""), down=down)
        elif down:
            wheel, way = WHEELS[raw.detail]
            self._pass(self._gate.take(Event(t_ns, MOUSE, wheel, "scroll", way)))

    def _edge(self, t_ns: int, device: str, control: str, *, down: bool) -> None:
        if not control:  # a key without a name
            self._gate.discard("not_in_layout")
            return
        edge = Event(t_ns, device, control, "press" if down else "release")
        event = self._hotkeys.take(edge, inside=self._gate.inside)
        if not self._keys and not event.flag and control in _KEYS:
            self._gate.discard("keyboard_off")
            return
        self._pass(self._gate.take(event))

    def _moved(self, t_ns: int, raw: Raw) -> None:
        place = self._place if raw is self._placed else None
        dx, dy = self._motion.distance(raw)
        if place is not None:
            self._motion.place(place)
            self._place = self._placed = None
        if dx or dy:
            x, y = place if place is not None else (None, None)
            self._pass(self._gate.take(Event(t_ns, MOUSE, POINTER, "move", None, x, y, dx, dy)))

    def _pass(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self._last_ns = max(self._last_ns, event.t_ns)
            self._emit(event._replace(t_ns=self._last_ns))

    def _count(self) -> None:
        now = max(self._last_ns, self._clock.now_ns())
        for lost in self._gate.drain(now):
            self._last_ns = now
            self._emit(lost)

    def _pointer(self) -> tuple[Place, int, int]:
        reply = self._display.screen().root.query_pointer()
        return (reply.root_x, reply.root_y), sequence_of(reply), reply.mask

    def _query_down(self) -> tuple[set[str], set[str], int]:
        """Name the keys and buttons that are down, with the number of the last request."""
        from Xlib.protocol import request

        keymap = request.QueryKeymap(display=self._display.display).map
        down = [8 * byte + bit for byte, bits in enumerate(keymap) for bit in range(8) if bits >> bit & 1]
        place, mark, mask = self._pointer()
        if not self._events:
            self._motion.place(place)
        buttons = {control for k, control in enumerate(_QUERIED) if mask >> 8 + k & 1}
        return {self._codes[keycode] for keycode in down if keycode in self._codes}, buttons, mark

    def _check(self) -> None:
        """Set right what is taken to be down, unless something happened while the server was asked."""
        keys, buttons, _ = self._query_down()
        if not self._events:
            self._correct(self._clock.now_ns(), keys, buttons)

    def _correct(self, t_ns: int, keys: set[str], buttons: set[str]) -> None:
        self._hotkeys.correct(KEYBOARD, keys)
        if self._keys:
            self._pass(self._gate.correct(t_ns, KEYBOARD, keys, KEYS))
        self._pass(self._gate.correct(t_ns, MOUSE, buttons, _QUERIED))
