"""The recorder's own keys: F8 toggles, F6 or Ctrl+T goes on, F7 or Ctrl+P pauses, whatever has the focus.

A chord is complete at the press of its last key while its modifiers are down. That press, and the release of that same
key, carry `flag="hotkey"`: they are kept and enter no derived state. A modifier counts as an ordinary control until
then. The table is data; another mapping replaces it:

    Hotkeys({"F10": "toggle", "Control+Shift+KeyR": "resume"})

Example:
    >>> keys = Hotkeys()
    >>> press = keys.take(Event(5, "keyboard", "F8", "press"))
    >>> press.flag, command_of(press), keys.command_of(press)
    ('hotkey', 'toggle', 'toggle')
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, cast, get_args

from rushes.errors import BadInputError, BadNameError
from rushes.model.controls import KEYS, resolve
from rushes.model.readings import Event

__all__ = ["CHORDS", "FLAG", "Command", "Event", "Hotkeys", "command_of"]

Command = Literal["toggle", "resume", "pause"]
FLAG: Final = "hotkey"

CHORDS: Final[Mapping[str, Command]] = MappingProxyType(
    {"F8": "toggle", "F6": "resume", "F7": "pause", "Control+KeyT": "resume", "Control+KeyP": "pause"}
)
"""Keys joined by `+`, the last one completes the chord -> what it asks for."""

_SIDES: Final = ("Left", "Right")
_MODIFIERS: Final = ("Control", "Shift", "Alt", "Meta")


@dataclass(frozen=True)
class _Chord:
    """A chord taken apart: the groups of which one key each is down, and no modifier besides."""

    key: str
    modifiers: frozenset[str]
    command: Command

    def fits(self, held: set[str], *, inside: bool) -> bool:
        """Say whether the modifiers that are held make it, with the focus inside the chosen window or not."""
        return not self.modifiers or (inside and self.modifiers == held)


def _group(control: str) -> str:
    """Name the modifier that a key is, on either side; an empty string for any other key."""
    return next((name for name in _MODIFIERS if control in {name + side for side in _SIDES}), "")


def _chord(text: str, command: str) -> _Chord:
    *modifiers, key = (part.strip() for part in text.split("+"))
    try:
        found = resolve(key)
        groups = [_group(resolve(name)[0]) for name in modifiers]
    except BadNameError:
        found, groups = (), [""]
    if len(found) != 1 or found[0] not in KEYS or _group(found[0]) or not all(groups):
        raise BadInputError(
            f"hotkey {text!r}",
            accepts="one key that is no modifier, after any of Control+, Shift+, Alt+, Meta+",
            fix="write it as 'F8' or 'Control+KeyT'",
        )
    if command not in get_args(Command):
        raise BadInputError(
            f"hotkey {text!r} for {command!r}",
            accepts="one of " + ", ".join(get_args(Command)),
            fix="take one of these commands",
        )
    return _Chord(found[0], frozenset(groups), cast("Command", command))


class Hotkeys:
    """Finds chords in a stream of events; it has to see every key, also those that are not kept.

    A chord without modifiers works with any of them down (a player who runs holds Shift) and whatever has the focus;
    one with modifiers asks for exactly these, and for the focus in the chosen window: Ctrl+T elsewhere is a browser's.

    Args:
        chords: Chord -> command.

    Raises:
        BadInputError: A chord or command that is none.
    """

    def __init__(self, chords: Mapping[str, str] = CHORDS) -> None:
        found = [_chord(text, command) for text, command in chords.items()]
        self._chords = sorted(found, key=lambda chord: -len(chord.modifiers))
        self._down: set[tuple[str, str]] = set()
        self._fired: dict[tuple[str, str], Command] = {}
        self._lock = threading.Lock()

    @property
    def keys(self) -> frozenset[str]:
        """The keys that complete a chord."""
        return frozenset(chord.key for chord in self._chords)

    def take(self, event: Event, *, inside: bool = True) -> Event:
        """Flag the press that completes a chord, and the release of that key.

        Args:
            event: Any event; all but presses and releases of keys come back as they are.
            inside: Whether the chosen window has the focus, where one is chosen.

        Returns:
            The event, flagged or not. A repeated press of a key that is down is never flagged.
        """
        where = (event.device, event.control)
        if event.kind not in {"press", "release"} or event.control not in KEYS:
            return event
        with self._lock:
            if event.kind == "release":
                self._down.discard(where)
                return event._replace(flag=FLAG) if self._fired.pop(where, None) else event
            if where in self._down:
                return event
            self._down.add(where)
            held = {_group(control) for _, control in self._down}
            for chord in self._chords:
                if chord.key == event.control and chord.fits(held - {""}, inside=inside):
                    self._fired[where] = chord.command
                    return event._replace(flag=FLAG)
        return event

    def command_of(self, event: Event) -> Command | None:
        """Tell what the press of a chord of this table asks for.

        Ask right after `take`, before the key is released; for events that were stored, `rushes.capture.input.hotkeys`
        has a function of the same name.

        Args:
            event: What `take` returned.

        Returns:
            The command, or None where the event is no press of a hotkey.
        """
        if event.flag != FLAG or event.kind != "press":
            return None
        with self._lock:
            fired = self._fired.get((event.device, event.control))
        return fired or next((chord.command for chord in self._chords if chord.key == event.control), None)

    def correct(self, device: str, down: Collection[str]) -> None:
        """Forget keys that are no longer down, though nobody reported their release.

        Args:
            device: Whose keys.
            down: The controls of it that are down now.
        """
        with self._lock:
            gone = {where for where in self._down if where[0] == device and where[1] not in down}
            self._down -= gone
            for where in gone:
                self._fired.pop(where, None)
            self._down |= {(device, control) for control in down if control in KEYS}


def command_of(event: Event, chords: Mapping[str, str] = CHORDS) -> Command | None:
    """Tell what a flagged press asks for, by the table alone.

    Args:
        event: An event.
        chords: Chord -> command; a key that completes several chords must mean the same in all of them.

    Returns:
        The command, or None where the event is no press of a hotkey.
    """
    if event.flag != FLAG or event.kind != "press":
        return None
    found = (_chord(text, command) for text, command in chords.items())
    return next((chord.command for chord in found if chord.key == event.control), None)
