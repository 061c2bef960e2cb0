"""What of the player's hands may be kept: privacy, decided in one place and without a device.

Every event of keyboard, mouse and pads goes through the same gate. It passes what the layout lists, and with
`scope="window"` only while the chosen window has the focus. What it discards it counts by reason and never names:

| reason | what |
| --- | --- |
| `keyboard_off` | keys while the keyboard is not recorded |
| `auto_repeat` | presses of what is down already |
| `other_window` | anything while the chosen window has no focus |
| `not_in_layout` | controls that the layout does not list |

Only the hotkeys of the recorder pass always. When the focus goes, each control that is held gets a `state` of 0, so
that nothing is stuck; when it comes back, what is physically down gets a `state` of its value.

Example:
    >>> gate = Gate(["KeyW"], scope="window")
    >>> gate.take(Event(10, "keyboard", "KeyW", "press"))
    ()
    >>> [(event.kind, event.control, event.value) for event in gate.focus(20, inside=True)]
    [('state', 'KeyW', 1.0)]
    >>> gate.drain(30)
    (Lost(t_ns=30, stream='events', reason='other_window', count=1),)
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, Literal, get_args

from rushes.errors import BadInputError
from rushes.model.controls import KEYS, MOUSE_MOTIONS, POINTER
from rushes.model.layouts import slot
from rushes.model.readings import Event, Lost

__all__ = ["KEYBOARD", "MOUSE", "REASONS", "Event", "Gate", "Scope"]

Scope = Literal["window", "anywhere"]
REASONS: Final = ("keyboard_off", "auto_repeat", "other_window", "not_in_layout")
KEYBOARD: Final = "keyboard"
MOUSE: Final = "mouse"
"""Names of the devices in the column `device`; pads are pad0, pad1 ..."""

_KEYS: Final = frozenset(KEYS)
_DX, _DY = MOUSE_MOTIONS[:2]
_Where = tuple[str, str]


class Gate:
    """Passes, discards and counts events; thread-safe.

    Args:
        controls: Names of what may be kept: physical controls, or the slots of a layout (`w`, `shift`, `lmb`). Motion
            and wheels of the mouse count as listed while the keyboard is recorded.
        scope: `window`: only while the chosen window has the focus, which is not so until `focus` says it; `anywhere`.
        keyboard: Whether keys are recorded at all; hotkeys pass in any case.

    Raises:
        BadInputError: An unknown scope.
        BadNameError: A name of `controls` that means nothing.
    """

    def __init__(self, controls: Iterable[str], scope: Scope, *, keyboard: bool = True) -> None:
        if scope not in get_args(Scope):
            raise BadInputError(
                f"scope {scope!r}", accepts=" or ".join(get_args(Scope)), fix="record a window, or everything"
            )
        slots = [slot(name) for name in controls]
        listed = {control for one in slots for control in (*one.plus, *one.minus)}
        listed |= set(MOUSE_MOTIONS) if keyboard else set()
        if listed & {_DX, _DY}:
            listed.add(POINTER)
        self.controls: Final = frozenset(listed)
        self.scope: Final[Scope] = scope
        self.keyboard: Final = keyboard
        self._inside = scope == "anywhere"
        self._since_ns: int | None = None
        self._physical: dict[_Where, float] = {}  # what is down or deflected, wherever the focus is
        self._chords: set[_Where] = set()  # keys that are down because of a hotkey: no state of theirs is told
        self._shown: dict[_Where, int] = {}  # what the recording takes for held -> time of its last event
        self._lost: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def inside(self) -> bool:
        """Whether events of listed controls pass now."""
        return self._inside

    def take(self, event: Event) -> tuple[Event, ...]:
        """Decide on one event.

        Args:
            event: As the device gave it, flagged by `Hotkeys.take` before.

        Returns:
            What to record: the event, nothing, or, where the focus came after the event's own time, the event moved
            to that moment (a press then is a state).
        """
        where = (event.device, event.control)
        with self._lock:
            if event.flag:
                return self._hotkey(event, where)
            if not self.keyboard and event.control in _KEYS:
                self._count("keyboard_off")
                return ()
            if event.kind == "press" and where in self._physical:
                self._count("auto_repeat")
                return ()
            self._follow(event, where)
            if not self._inside:
                self._lost["other_window"] += 1
                return ()
            if event.control not in self.controls:
                self._lost["not_in_layout"] += 1
                return ()
            if self._since_ns is not None and event.t_ns < self._since_ns:
                event = self._moved(event)
            if where in self._physical:
                self._shown[where] = event.t_ns
            else:
                self._shown.pop(where, None)
            return (event,)

    def focus(self, t_ns: int, inside: bool) -> tuple[Event, ...]:
        """Tell that the chosen window has, or no longer has, the focus.

        Args:
            t_ns: ns since session start.
            inside: Whether what the player does goes to the window.

        Returns:
            States to record: 0 for all that was held, or the value of what is held now.
        """
        with self._lock:
            if self.scope == "anywhere" or inside == self._inside:
                return ()
            self._inside = inside
            if not inside:
                return self._let_go(t_ns, list(self._shown))
            self._since_ns = t_ns
            held = [where for where in self._physical if self._listed(where)]
            return tuple(self._show(t_ns, where) for where in held)

    def correct(self, t_ns: int, device: str, down: Collection[str], among: Collection[str]) -> tuple[Event, ...]:
        """Set right what is down, from what the device itself says; edges may be missed (another virtual terminal).

        Args:
            t_ns: ns since session start.
            device: Whose controls.
            down: The controls that are down.
            among: The controls that the device was asked about; all others are left as they are.

        Returns:
            States to record where they were not known.
        """
        with self._lock:
            asked = {control for control in among if self.keyboard or control not in _KEYS}
            gone = [where for where in self._physical if where[0] == device and where[1] in asked - set(down)]
            new = [(device, control) for control in asked & set(down) if (device, control) not in self._physical]
            for where in gone:
                del self._physical[where]
                self._chords.discard(where)
            self._physical |= dict.fromkeys(new, 1.0)
            events = self._let_go(t_ns, [where for where in gone if where in self._shown])
            return (*events, *(self._show(t_ns, where) for where in new if self._inside and self._listed(where)))

    def state(self, t_ns: int) -> tuple[Event, ...]:
        """List what is held, as far as it may be told.

        Args:
            t_ns: ns since session start, written into the events.
        """
        with self._lock:
            return tuple(Event(t_ns, *where, "state", self._physical[where]) for where in self._shown)

    def discard(self, reason: str, count: int = 1) -> None:
        """Count something that never became an event.

        Args:
            reason: One of `REASONS`, or a device's own.
            count: How many.
        """
        with self._lock:
            self._count(reason, count)

    def _count(self, reason: str, count: int = 1) -> None:
        """Count under a reason; what happens elsewhere counts as that, whatever else would speak against it."""
        self._lost[reason if self._inside else "other_window"] += count

    def drain(self, t_ns: int) -> tuple[Lost, ...]:
        """Take the counts since the last call.

        Ask at fixed moments and not when something was discarded: the time of a single key says what was typed.

        Args:
            t_ns: ns since session start of the count.

        Returns:
            One reading a reason, by name; reasons without a count have none.
        """
        with self._lock:
            found, self._lost = self._lost, Counter()
        return tuple(Lost(t_ns, "events", reason, count) for reason, count in sorted(found.items()))

    def _listed(self, where: _Where) -> bool:
        return where[1] in self.controls and where not in self._chords

    def _hotkey(self, event: Event, where: _Where) -> tuple[Event, ...]:
        if event.kind == "press":
            self._physical[where] = 1.0
            self._chords.add(where)
        else:
            self._physical.pop(where, None)
            self._chords.discard(where)
        return (event,)

    def _follow(self, event: Event, where: _Where) -> None:
        """Note what is down or deflected, also where it is not told."""
        if event.kind == "press":
            self._physical[where] = 1.0
        elif event.kind == "release":
            self._physical.pop(where, None)
            self._chords.discard(where)
        elif event.kind in {"axis", "state"} and event.control != POINTER:
            if event.value:
                self._physical[where] = event.value
            else:
                self._physical.pop(where, None)

    def _moved(self, event: Event) -> Event:
        """Carry an event from before the focus, which another thread reports late, to just after it."""
        assert self._since_ns is not None
        late = event._replace(t_ns=self._since_ns + 1)
        return late._replace(kind="state", value=1.0) if event.kind == "press" else late

    def _show(self, t_ns: int, where: _Where) -> Event:
        self._shown[where] = t_ns
        return Event(t_ns, *where, "state", self._physical[where])

    def _let_go(self, t_ns: int, wheres: list[_Where]) -> tuple[Event, ...]:
        """End what is held; never before the last event of the control, which another thread may have stamped later."""
        times = [(max(t_ns, self._shown.pop(where) + 1), where) for where in wheres]
        return tuple(Event(at, *where, "state", 0.0) for at, where in sorted(times))

    def __repr__(self) -> str:
        return f"Gate({len(self.controls)} controls, {self.scope}, keyboard={self.keyboard}, inside={self._inside})"
