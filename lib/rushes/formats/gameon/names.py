r"""What GameOn calls keys and mouse buttons: pynput's words, from and to physical controls.

A key is stored as the character that it types in that moment (`w`, with shift `W`), else as `Key.<name>`, else as NULL:
the numeric keypad on Windows, and all that has no character. NULL cannot be undone and is counted. With Ctrl held
Windows types control characters: `\x17` is W. A modifier without a side is the left one, as pynput means it.

Example:
    >>> control_of("keyboard", "W"), control_of("keyboard", "\x17"), control_of("mouse", "Button.left")
    ('KeyW', 'KeyW', 'MouseLeft')
    >>> control_of("keyboard", "é"), control_of("keyboard", None)
    ('', '')
    >>> word_of("KeyW"), word_of("ShiftLeft"), word_of("Numpad5")
    (('keyboard', 'w'), ('keyboard', 'Key.shift'), ('', ''))
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from rushes.errors import BadNameError
from rushes.model.controls import KEYS, MOUSE_BUTTONS, resolve

KEYBOARD: Final = "keyboard"
MOUSE: Final = "mouse"
MOVE: Final = "move"
SCROLL: Final = "scroll"

_MARKS: Final = (
    "Backquote:` Minus:- Equal:= BracketLeft:[ BracketRight:] Backslash:\\ Semicolon:; Quote:' Comma:, Period:. Slash:/"
)
_WORDS: Final = (
    "Space:space ShiftLeft:shift ShiftRight:shift_r ControlLeft:ctrl_l ControlRight:ctrl_r AltLeft:alt_l "
    "AltRight:alt_gr MetaLeft:cmd MetaRight:cmd_r Escape:esc Enter:enter Tab:tab Backspace:backspace Delete:delete "
    "CapsLock:caps_lock NumLock:num_lock ScrollLock:scroll_lock PrintScreen:print_screen ContextMenu:menu "
    "PageUp:page_up PageDown:page_down ArrowUp:up ArrowDown:down ArrowLeft:left ArrowRight:right Insert:insert "
    "Home:home End:end Pause:pause MediaPlayPause:media_play_pause MediaTrackNext:media_next "
    "MediaTrackPrevious:media_previous AudioVolumeUp:media_volume_up AudioVolumeDown:media_volume_down "
    "AudioVolumeMute:media_volume_mute"
)
_BUTTONS: Final = "MouseLeft:left MouseRight:right MouseMiddle:middle MouseX1:x1 MouseX2:x2"


def _words() -> Mapping[str, tuple[str, str]]:
    found = {f"Key{letter.upper()}": (KEYBOARD, letter) for letter in string.ascii_lowercase}
    found |= {f"Digit{digit}": (KEYBOARD, digit) for digit in string.digits}
    found |= {code: (KEYBOARD, mark) for code, mark in (pair.split(":") for pair in _MARKS.split())}
    found |= {f"F{number}": (KEYBOARD, f"Key.f{number}") for number in range(1, 21)}
    for device, prefix, text in ((KEYBOARD, "Key", _WORDS), (MOUSE, "Button", _BUTTONS)):
        found |= {code: (device, f"{prefix}.{word}") for code, word in (pair.split(":") for pair in text.split())}
    return MappingProxyType(found)


WORDS: Final = _words()
"""Control -> (device, button_key), for all that the original has a word for."""

_KNOWN: Final = {KEYBOARD: frozenset(KEYS), MOUSE: frozenset(MOUSE_BUTTONS)}


def word_of(control: str) -> tuple[str, str]:
    """Say what a control is called: (device, button_key); two empty strings where there is no word.

    Args:
        control: A physical control.
    """
    return WORDS.get(control, ("", ""))


@lru_cache(4096)
def control_of(device: str, name: Any) -> str:
    """Find the physical control that a stored name means.

    Args:
        device: `keyboard` or `mouse`.
        name: What stands in button_key.

    Returns:
        A control; empty where nothing is known by that name.
    """
    if not isinstance(name, str) or not name:
        return ""
    if len(name) == 1 and 1 <= ord(name) <= len(string.ascii_uppercase) and device == KEYBOARD:
        return f"Key{string.ascii_uppercase[ord(name) - 1]}"
    try:
        found = resolve(name)[0]
    except BadNameError:
        return ""
    return found if found in _KNOWN.get(device, ()) else ""
