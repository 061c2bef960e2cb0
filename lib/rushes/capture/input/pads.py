"""Pads as a source: buttons, sticks and triggers of every pad that SDL knows, under the names of the NitroGen release.

Pads are `pad0`, `pad1` ... in the order in which they are plugged in; a number becomes free when its pad goes. Buttons
go by their place (SOUTH is the lower one, whatever letter it bears) and give `press` and `release`; sticks and triggers
give `axis` with every change, without a dead zone: -1 to 1, up = -1, and 0 to 1.

An event is stamped when SDL hands it over: SDL is asked every 2 ms, so a stamp is up to 2 ms (and the pad's own report
interval) late and never early. With no pad there it looks for one every 50 ms.

A pad that is plugged in tells what is held at that moment as `state`. A pad that is unplugged lets go of all that it
held: `state` 0 for each. Both are told as `Telemetry(t_ns, {"pad0": "attached"})` or `"removed"`. A joystick that SDL
has no mapping for gives nothing; `say` is called with a sentence that names it. Buttons without a name here (paddles,
share, touchpad) are counted about once a second as `Lost("events", "no_name")`.

Every event passes the gate, which may hold it back.

Example:
    >>> axis_value("J_LEFT_Y", -32768), axis_value("LEFT_TRIGGER", 32767), axis_value("J_LEFT_X", 0)
    (-1.0, 1.0, 0.0)
    >>> def print_pads(gate):
    ...     PadSource(gate, say=print).run(Clock(), print, threading.Event())
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

from rushes.capture.sdl import sdl_with
from rushes.capture.source import Emit
from rushes.model.clock import NS, Clock
from rushes.model.readings import Event, Lost, Telemetry

BUTTONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "A": "SOUTH",
        "B": "EAST",
        "X": "WEST",
        "Y": "NORTH",
        "BACK": "BACK",
        "GUIDE": "GUIDE",
        "START": "START",
        "LEFTSTICK": "LEFT_THUMB",
        "RIGHTSTICK": "RIGHT_THUMB",
        "LEFTSHOULDER": "LEFT_SHOULDER",
        "RIGHTSHOULDER": "RIGHT_SHOULDER",
        "DPAD_UP": "DPAD_UP",
        "DPAD_DOWN": "DPAD_DOWN",
        "DPAD_LEFT": "DPAD_LEFT",
        "DPAD_RIGHT": "DPAD_RIGHT",
    }
)
"""SDL_CONTROLLER_BUTTON_... -> control. Source: SDL_gamecontroller.h; A, B, X, Y are places as on an Xbox pad."""

AXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "LEFTX": "J_LEFT_X",
        "LEFTY": "J_LEFT_Y",
        "RIGHTX": "J_RIGHT_X",
        "RIGHTY": "J_RIGHT_Y",
        "TRIGGERLEFT": "LEFT_TRIGGER",
        "TRIGGERRIGHT": "RIGHT_TRIGGER",
    }
)
"""SDL_CONTROLLER_AXIS_... -> control. SDL gives down as positive, as the release does."""

_POLL_S: Final = 0.002
_IDLE_S: Final = 0.05
_BATCH: Final = 64
_COUNT_NS: Final = NS
_LAST_EVENT: Final = 0x6FF
"""SDL's events of joysticks and controllers are 0x600 to 0x6ff (SDL_events.h)."""


class Gate(Protocol):
    """What decides which events are kept."""

    def take(self, event: Event, /) -> tuple[Event, ...]:
        """Give what is to be stored for an event; nothing where it is held back."""


@dataclass
class _Pad:
    """One pad that is open."""

    device: str
    handle: Any
    state: dict[str, float] = field(default_factory=dict)  # what is not at rest


class PadSource:
    """Reads all pads; see the module.

    Args:
        gate: Decides which events are kept.
        say: Takes sentences for the person who records.
    """

    name = "pads"
    essential = False

    def __init__(self, gate: Gate, *, say: Callable[[str], object] = lambda _: None) -> None:
        self._gate, self._say = gate, say

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit events until `stop` is set; all of SDL happens on this thread.

        Raises:
            UnavailableError: SDL is missing or does not start.
        """
        with sdl_with("SDL_INIT_GAMECONTROLLER") as sdl:
            run = _Run(sdl, self._gate, self._say, emit)
            try:
                run.look(clock.now_ns())
                while not stop.is_set():
                    run.poll(clock)
                    time.sleep(_POLL_S if run.pads else _IDLE_S)
            finally:
                run.close(clock.now_ns())


class _Run:
    """One run of the source, on its thread."""

    def __init__(self, sdl: Any, gate: Gate, say: Callable[[str], object], emit: Emit) -> None:
        self._sdl, self._gate, self._say, self._emit = sdl, gate, say, emit
        self.pads: dict[int, _Pad] = {}  # by SDL's instance id
        self._events = (sdl.SDL_Event * _BATCH)()
        self._buttons = {getattr(sdl, f"SDL_CONTROLLER_BUTTON_{name}"): control for name, control in BUTTONS.items()}
        self._axes = {getattr(sdl, f"SDL_CONTROLLER_AXIS_{name}"): control for name, control in AXES.items()}
        self._told: set[int] = set()  # joysticks without a mapping
        self._nameless = 0
        self._counted_ns = 0

    def look(self, t_ns: int) -> None:
        """Open what is there already: SDL tells of it only where it was not running before."""
        for index in range(self._sdl.SDL_NumJoysticks()):
            if self._sdl.SDL_IsGameController(index):
                self._attach(index, t_ns)
            else:
                self._name(index)

    def poll(self, clock: Clock) -> None:
        """Ask SDL what has happened and emit it."""
        sdl = self._sdl
        sdl.SDL_LockJoysticks()  # so that what SDL lets go of for an unplugged pad comes in one batch with its end
        try:
            sdl.SDL_PumpEvents()
            found = self._take()
        finally:
            sdl.SDL_UnlockJoysticks()
        t_ns = clock.now_ns()
        gone = {event.cdevice.which for event in found if event.type == sdl.SDL_CONTROLLERDEVICEREMOVED}
        for event in found:
            self._one(event, t_ns, gone)
        if self._nameless and t_ns - self._counted_ns > _COUNT_NS:
            self._count(t_ns)

    def _take(self) -> list[Any]:
        """Take all waiting events of pads, oldest first; events of windows stay."""
        sdl, found = self._sdl, []
        while True:
            first, last = sdl.SDL_JOYAXISMOTION, _LAST_EVENT
            count = sdl.SDL_PeepEvents(self._events, _BATCH, sdl.SDL_GETEVENT, first, last)
            found += [sdl.SDL_Event.from_buffer_copy(self._events[i]) for i in range(count)]
            if count < _BATCH:
                return found

    def _one(self, event: Any, t_ns: int, gone: set[int]) -> None:
        sdl, kind = self._sdl, event.type
        if kind == sdl.SDL_CONTROLLERDEVICEADDED:
            self._attach(event.cdevice.which, t_ns)
        elif kind == sdl.SDL_CONTROLLERDEVICEREMOVED:
            self._remove(event.cdevice.which, t_ns)
        elif kind == sdl.SDL_JOYDEVICEADDED:
            self._name(event.jdevice.which)
        elif kind in {sdl.SDL_CONTROLLERBUTTONDOWN, sdl.SDL_CONTROLLERBUTTONUP}:
            pad, control = self.pads.get(event.cbutton.which), self._buttons.get(event.cbutton.button)
            if pad is None or event.cbutton.which in gone:
                return
            if control is None:
                self._nameless += 1
            else:
                down = kind == sdl.SDL_CONTROLLERBUTTONDOWN
                self._pass(pad, Event(t_ns, pad.device, control, "press" if down else "release"), float(down))
        elif kind == sdl.SDL_CONTROLLERAXISMOTION:
            pad, control = self.pads.get(event.caxis.which), self._axes.get(event.caxis.axis)
            if pad is not None and control is not None and event.caxis.which not in gone:
                value = axis_value(control, event.caxis.value)
                self._pass(pad, Event(t_ns, pad.device, control, "axis", value), value)

    def _pass(self, pad: _Pad, event: Event, value: float) -> None:
        """Keep what is held in mind and ask the gate."""
        if value == pad.state.get(event.control, 0.0):
            return  # nothing new: SDL repeats what was told at attaching
        pad.state[event.control] = value
        for kept in self._gate.take(event):
            self._emit(kept)

    def _attach(self, index: int, t_ns: int) -> None:
        sdl = self._sdl
        handle = sdl.SDL_GameControllerOpen(index)
        if not handle:
            self._say(f"pad {self._label(index)} cannot be opened: {sdl.SDL_GetError().decode(errors='replace')}")
            return
        instance = sdl.SDL_JoystickInstanceID(sdl.SDL_GameControllerGetJoystick(handle))
        if instance in self.pads:  # opened before its event was read
            sdl.SDL_GameControllerClose(handle)
            return
        taken = {pad.device for pad in self.pads.values()}
        number = next(n for n in range(len(taken) + 1) if f"pad{n}" not in taken)
        pad = self.pads[instance] = _Pad(f"pad{number}", handle)
        self._emit(Telemetry(t_ns, {pad.device: "attached"}))
        held = {control: float(sdl.SDL_GameControllerGetButton(handle, n)) for n, control in self._buttons.items()}
        axes = {n: sdl.SDL_GameControllerGetAxis(handle, n) for n in self._axes}
        held |= {self._axes[n]: axis_value(self._axes[n], value) for n, value in axes.items()}
        for control, value in held.items():
            if value:
                self._pass(pad, Event(t_ns, pad.device, control, "state", value), value)

    def _remove(self, instance: int, t_ns: int) -> None:
        pad = self.pads.pop(instance, None)
        if pad is None:
            return
        for control in [control for control, value in pad.state.items() if value]:
            self._pass(pad, Event(t_ns, pad.device, control, "state", 0.0), 0.0)
        self._emit(Telemetry(t_ns, {pad.device: "removed"}))
        self._sdl.SDL_GameControllerClose(pad.handle)

    def _name(self, index: int) -> None:
        """Tell of a joystick that SDL cannot read as a pad."""
        instance = self._sdl.SDL_JoystickGetDeviceInstanceID(index)
        if not self._sdl.SDL_IsGameController(index) and instance not in self._told:
            self._told.add(instance)
            self._say(
                f"joystick {self._label(index)} is not recorded: SDL knows no mapping for it; put one into the "
                "environment variable SDL_GAMECONTROLLERCONFIG (Steam and SDL2 Gamepad Tool make them)"
            )

    def _label(self, index: int) -> str:
        name = self._sdl.SDL_JoystickNameForIndex(index)
        return repr(name.decode(errors="replace")) if name else "without a name"

    def _count(self, t_ns: int) -> None:
        if self._nameless:
            self._emit(Lost(t_ns, "events", "no_name", self._nameless))
        self._nameless, self._counted_ns = 0, t_ns

    def close(self, t_ns: int) -> None:
        """Count the rest and close the pads."""
        self._count(t_ns)
        for pad in self.pads.values():
            self._sdl.SDL_GameControllerClose(pad.handle)
        self.pads = {}


def axis_value(control: str, raw: int) -> float:
    """Turn SDL's number of an axis into a value.

    Args:
        control: A stick axis or a trigger.
        raw: -32768 to 32767; a trigger's 0 to 32767.

    Returns:
        -1 to 1, or 0 to 1 for a trigger.
    """
    low = 0.0 if control.endswith("TRIGGER") else -1.0
    return max(low, raw / (32767 if raw > 0 else 32768))
