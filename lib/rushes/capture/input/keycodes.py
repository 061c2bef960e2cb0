"""Numbers that systems give to keys -> the names of the W3C: the place on the keyboard, never the character.

| system | number | what it is |
| --- | --- | --- |
| X11 | keycode | the kernel's code plus 8 wherever the server uses the `evdev` rules: Xorg on Linux, Xvfb, XWayland |
| Windows | scan code, else virtual key | a virtual key of a letter follows the layout, its scan code does not |
| macOS | kVK code | the place on an ANSI keyboard |

A server without evdev rules (XQuartz, old VNC servers) is noticed by its own keysyms: the keys whose meaning does
not depend on a layout (arrows, modifiers, function keys, keypad) are then named by keysym, the others keep the table,
because the block of letters has the same codes in both.

Sources: linux/input-event-codes.h; W3C UI Events KeyboardEvent code Values; Chromium
ui/events/keycodes/dom/dom_code_data.inc; X11/keysymdef.h; Microsoft, Virtual-Key Codes; Apple HIToolbox/Events.h.

Example:
    >>> x11_codes(lambda keycode: 0xFF52 if keycode == 111 else 0)[25]
    'KeyW'
    >>> windows_code(0x41), mac_code(0x0D), keysym_code(ord("W"))
    ('KeyA', 'KeyW', 'KeyW')
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from rushes.errors import BadNameError
from rushes.model.controls import KEYS, resolve


def _run(first: int, names: str) -> Iterator[tuple[int, str]]:
    """Number names from `first` on; a dash leaves one out."""
    yield from ((first + k, name) for k, name in enumerate(names.split()) if name != "-")


def _letters(letters: str) -> str:
    return " ".join(f"Key{letter}" for letter in letters)


EVDEV: Final[Mapping[int, str]] = MappingProxyType(
    dict(
        [
            *_run(1, "Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal"),
            *_run(14, "Backspace Tab " + _letters("QWERTYUIOP") + " BracketLeft BracketRight Enter ControlLeft"),
            *_run(30, _letters("ASDFGHJKL") + " Semicolon Quote Backquote ShiftLeft Backslash"),
            *_run(44, _letters("ZXCVBNM") + " Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock"),
            *_run(59, "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock Numpad7 Numpad8 Numpad9 NumpadSubtract"),
            *_run(75, "Numpad4 Numpad5 Numpad6 NumpadAdd Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal"),
            *_run(86, "IntlBackslash F11 F12 IntlRo - - Convert KanaMode NonConvert - NumpadEnter"),
            *_run(97, "ControlRight NumpadDivide PrintScreen AltRight - Home ArrowUp PageUp ArrowLeft ArrowRight"),
            *_run(107, "End ArrowDown PageDown Insert Delete - AudioVolumeMute AudioVolumeDown AudioVolumeUp"),
            *_run(117, "NumpadEqual - Pause - NumpadComma Lang1 Lang2 IntlYen MetaLeft MetaRight ContextMenu"),
            *_run(138, "Help"),
            *_run(158, "BrowserBack BrowserForward - - - MediaTrackNext MediaPlayPause MediaTrackPrevious MediaStop"),
            *_run(183, "F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24"),
            *_run(464, "Fn"),
        ]
    )
)
"""Codes of the Linux kernel (`KEY_*`)."""

X11_OFFSET: Final = 8
"""The smallest keycode of X11; evdev rules add it to the kernel's code. Source: xkb/keycodes/evdev."""
_UP_KEYCODE, _UP_KEYSYM = 111, 0xFF52  # keycode 111 is PrintScreen under the xfree86 rules

KEYSYMS: Final[Mapping[int, str]] = MappingProxyType(
    dict(
        [
            *_run(0xFF08, "Backspace Tab"),
            *((0xFE20, "Tab"), (0xFF0D, "Enter"), (0xFF13, "Pause"), (0xFF14, "ScrollLock"), (0xFF15, "PrintScreen")),
            *((0xFF1B, "Escape"), (0xFF20, "AltRight"), (0xFFFF, "Delete"), (0xFE03, "AltRight")),
            *_run(0xFF50, "Home ArrowLeft ArrowUp ArrowRight ArrowDown PageUp PageDown End"),
            *((0xFF61, "PrintScreen"), (0xFF63, "Insert"), (0xFF67, "ContextMenu"), (0xFF6A, "Help")),
            *((0xFF6B, "Pause"), (0xFF7F, "NumLock"), (0xFF8D, "NumpadEnter"), (0xFFBD, "NumpadEqual")),
            *_run(0xFF95, "Numpad7 Numpad4 Numpad8 Numpad6 Numpad2 Numpad9 Numpad3 Numpad1 Numpad5 Numpad0"),
            *((0xFF9F, "NumpadDecimal"),),
            *_run(0xFFAA, "NumpadMultiply NumpadAdd NumpadComma NumpadSubtract NumpadDecimal NumpadDivide"),
            *_run(0xFFB0, " ".join(f"Numpad{digit}" for digit in range(10))),
            *_run(0xFFBE, " ".join(f"F{number}" for number in range(1, 25))),
            *_run(
                0xFFE1, "ShiftLeft ShiftRight ControlLeft ControlRight CapsLock - MetaLeft MetaRight AltLeft AltRight"
            ),
            *_run(0xFFEB, "MetaLeft MetaRight"),
            *((0x1008FF11, "AudioVolumeDown"), (0x1008FF12, "AudioVolumeMute"), (0x1008FF13, "AudioVolumeUp")),
            *_run(0x1008FF14, "MediaPlayPause MediaStop MediaTrackPrevious MediaTrackNext"),
            *_run(0x1008FF26, "BrowserBack BrowserForward"),
        ]
    )
)
"""Keysyms whose key does not depend on the layout."""

_VIRTUAL: Final[Mapping[int, str]] = MappingProxyType(
    dict(
        [
            *((0x08, "Backspace"), (0x09, "Tab"), (0x0D, "Enter"), (0x13, "Pause"), (0x14, "CapsLock")),
            *((0x10, "ShiftLeft"), (0x11, "ControlLeft"), (0x12, "AltLeft"), (0x15, "KanaMode"), (0x1B, "Escape")),
            *((0x1C, "Convert"), (0x1D, "NonConvert")),
            *_run(0x20, "Space PageUp PageDown End Home ArrowLeft ArrowUp ArrowRight ArrowDown"),
            *_run(0x2C, "PrintScreen Insert Delete Help"),
            *_run(0x30, " ".join(f"Digit{digit}" for digit in range(10))),
            *_run(0x41, _letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ") + " MetaLeft MetaRight ContextMenu"),
            *_run(0x60, " ".join(f"Numpad{digit}" for digit in range(10))),
            *_run(0x6A, "NumpadMultiply NumpadAdd NumpadComma NumpadSubtract NumpadDecimal NumpadDivide"),
            *_run(0x70, " ".join(f"F{number}" for number in range(1, 25))),
            *_run(0x90, "NumLock ScrollLock"),
            *_run(0xA0, "ShiftLeft ShiftRight ControlLeft ControlRight AltLeft AltRight BrowserBack BrowserForward"),
            *_run(0xAD, "AudioVolumeMute AudioVolumeDown AudioVolumeUp MediaTrackNext MediaTrackPrevious MediaStop"),
            *_run(0xB3, "MediaPlayPause"),
            *_run(0xBA, "Semicolon Equal Comma Minus Period Slash Backquote"),
            *_run(0xDB, "BracketLeft Backslash BracketRight Quote"),
            *_run(0xE2, "IntlBackslash"),
        ]
    )
)
_TYPING: Final = frozenset([*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0xBA, 0xC1), *range(0xDB, 0xE0), 0xE2])

_MAC: Final[Mapping[int, str]] = MappingProxyType(
    dict(
        [
            *_run(0x00, _letters("ASDFHGZXCV") + " IntlBackslash " + _letters("BQWERYT")),
            *_run(0x12, "Digit1 Digit2 Digit3 Digit4 Digit6 Digit5 Equal Digit9 Digit7 Minus Digit8 Digit0"),
            *_run(0x1E, "BracketRight KeyO KeyU BracketLeft KeyI KeyP Enter KeyL KeyJ Quote KeyK Semicolon Backslash"),
            *_run(0x2B, "Comma Slash KeyN KeyM Period Tab Space Backquote Backspace - Escape MetaRight MetaLeft"),
            *_run(0x38, "ShiftLeft CapsLock AltLeft ControlLeft ShiftRight AltRight ControlRight Fn F17 NumpadDecimal"),
            *_run(0x43, "NumpadMultiply - NumpadAdd - NumLock AudioVolumeUp AudioVolumeDown AudioVolumeMute"),
            *_run(0x4B, "NumpadDivide NumpadEnter - NumpadSubtract F18 F19 NumpadEqual"),
            *_run(0x52, "Numpad0 Numpad1 Numpad2 Numpad3 Numpad4 Numpad5 Numpad6 Numpad7 F20 Numpad8 Numpad9"),
            *_run(
                0x5D, "IntlYen IntlRo NumpadComma F5 F6 F7 F3 F8 F9 Lang2 F11 Lang1 F13 F16 F14 - F10 ContextMenu F12"
            ),
            *_run(0x71, "F15 Help Home PageUp Delete F4 End F2 PageDown F1 ArrowLeft ArrowRight ArrowDown ArrowUp"),
        ]
    )
)


def x11_codes(keysym_of: Callable[[int], int]) -> dict[int, str]:
    """Name the keycodes of an X server.

    Args:
        keysym_of: Gives the keysym of a keycode without modifiers, 0 where it has none.

    Returns:
        Keycode -> W3C code, for the keycodes 8 to 255 that have a name.
    """
    codes = {code + X11_OFFSET: name for code, name in EVDEV.items() if code + X11_OFFSET < 256}  # noqa: PLR2004
    if keysym_of(_UP_KEYCODE) == _UP_KEYSYM:
        return codes
    named = {keycode: KEYSYMS.get(keysym_of(keycode), "") for keycode in range(X11_OFFSET, 256)}
    taken = set(named.values())
    fixed = set(KEYSYMS.values())
    # what the table names by place must not stand in the way of what the server's own keysym says
    kept = {keycode: name for keycode, name in codes.items() if name not in taken and name not in fixed}
    return kept | {keycode: name for keycode, name in named.items() if name}


def keysym_code(keysym: int) -> str:
    """Name the key that types a keysym on the US layout.

    Args:
        keysym: A keysym of X11.

    Returns:
        A W3C code, or an empty string.
    """
    if keysym in KEYSYMS:
        return KEYSYMS[keysym]
    return character_code(chr(keysym)) if 0x20 <= keysym < 0x7F else ""  # noqa: PLR2004 - printable ASCII


def character_code(character: str) -> str:
    """Name the key that types a character on the US layout; an empty string where none does."""
    try:
        found = resolve(character)
    except BadNameError:
        return ""
    return found[0] if len(found) == 1 and found[0] in KEYS else ""


def windows_code(virtual_key: int, scan_code: Callable[[int], int] | None = None) -> str:
    """Name a virtual key of Windows.

    Args:
        virtual_key: `VK_*`.
        scan_code: Gives the scan code (set 1) of a virtual key in the current layout, as MapVirtualKeyW does; without
            it letters and marks are taken to stand as on the US layout.

    Returns:
        A W3C code, or an empty string.
    """
    if virtual_key in _TYPING and scan_code is not None:
        scan = scan_code(virtual_key)
        if 0 < scan <= 0x58:  # noqa: PLR2004 - up to F12 the kernel's codes are those of set 1
            return EVDEV.get(scan, "")
    return _VIRTUAL.get(virtual_key, "")


def mac_code(virtual_key: int) -> str:
    """Name a kVK code of macOS; an empty string where it has no name."""
    return _MAC.get(virtual_key, "")


BUTTONS: Final[Mapping[int, str]] = MappingProxyType(
    {1: "MouseLeft", 2: "MouseMiddle", 3: "MouseRight", 8: "MouseX1", 9: "MouseX2"}
)
"""Buttons of X11; 4 to 7 are the wheels."""
WHEELS: Final[Mapping[int, tuple[str, float]]] = MappingProxyType(
    {4: ("MouseWheel", 1.0), 5: ("MouseWheel", -1.0), 6: ("MouseWheelX", -1.0), 7: ("MouseWheelX", 1.0)}
)
"""One notch each: button of X11 -> wheel and direction."""
