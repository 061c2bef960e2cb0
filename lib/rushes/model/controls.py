"""Controls: the physical things that a player moves, each with one name and all its other names.

Keys carry the codes of the W3C (`KeyW`, `Digit1`, `ShiftLeft`: the place on the keyboard, never the character
that it types), the mouse has `MouseLeft` ... `MouseX2`, `MouseDX`, `MouseDY` and two wheels, pads carry the
names of the NitroGen release (`SOUTH`, `LEFT_SHOULDER`, `J_LEFT_X`), and what an emulated or synthetic world
offers is `WORLD/NAME` (`ALE/FIRE`). `resolve` turns whatever a program or a person wrote into these names;
one alias may stand for several controls, any of which will do. Case does not matter: `w`, `W` and `KeyW` are
one key.

Example:
    >>> resolve("shift"), resolve("Button.left"), kind_of("J_LEFT_X")
    (('ShiftLeft', 'ShiftRight'), ('MouseLeft',), 'axis')
    >>> sorted(action_buttons("ALE/UPFIRE"))
    ['ALE/FIRE', 'ALE/UP']
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from rushes.errors import BadNameError, near


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


Kind = Literal["button", "axis", "motion"]
"""button: down or up. axis: a position that stays. motion: a distance since the last report; it adds up."""

KEYS: Final[tuple[str, ...]] = (
    *(f"Key{letter}" for letter in string.ascii_uppercase),
    *(f"Digit{digit}" for digit in string.digits),
    *(f"F{number}" for number in range(1, 25)),
    *(f"Numpad{digit}" for digit in string.digits),
    *_words(
        """
        Backquote Backslash BracketLeft BracketRight Comma Equal IntlBackslash IntlRo IntlYen Minus Period
        Quote Semicolon Slash AltLeft AltRight Backspace CapsLock ContextMenu ControlLeft ControlRight Enter
        MetaLeft MetaRight ShiftLeft ShiftRight Space Tab Convert KanaMode Lang1 Lang2 NonConvert Delete End
        Help Home Insert PageDown PageUp ArrowDown ArrowLeft ArrowRight ArrowUp NumLock NumpadAdd NumpadComma
        NumpadDecimal NumpadDivide NumpadEnter NumpadEqual NumpadMultiply NumpadSubtract Escape Fn Pause
        PrintScreen ScrollLock AudioVolumeDown AudioVolumeMute AudioVolumeUp MediaPlayPause MediaStop
        MediaTrackNext MediaTrackPrevious BrowserBack BrowserForward
        """
    ),
)
"""Keyboard codes. Source: W3C, UI Events KeyboardEvent code Values."""

MOUSE_BUTTONS: Final = _words("MouseLeft MouseRight MouseMiddle MouseX1 MouseX2")
MOUSE_MOTIONS: Final = _words("MouseDX MouseDY MouseWheel MouseWheelX")
"""+x right, +y down, the wheel + away from the user, the second wheel + to the right."""

POINTER: Final = "Mouse"
"""What stands in the control column of a `move` event, which carries dx, dy, x and y at once; no control."""

PAD_BUTTONS: Final = _words(
    """
    BACK DPAD_DOWN DPAD_LEFT DPAD_RIGHT DPAD_UP EAST GUIDE LEFT_SHOULDER LEFT_THUMB NORTH RIGHT_BOTTOM
    RIGHT_LEFT RIGHT_RIGHT RIGHT_SHOULDER RIGHT_THUMB RIGHT_UP SOUTH START WEST
    """
)
"""Pad buttons. Source: token list of MineDojo/NitroGen at 3260844, without the two triggers."""

TRIGGERS: Final = ("LEFT_TRIGGER", "RIGHT_TRIGGER")
"""Axes from 0 (at rest) to 1; they are also down or up, see `TRIGGER_THRESHOLD`."""

TRIGGER_THRESHOLD: Final = 0.5
"""From here on a trigger counts as down. Source: MineDojo/NitroGen at 3260844 takes a button as down above
0.5."""

STICKS: Final = ("J_LEFT_X", "J_LEFT_Y", "J_RIGHT_X", "J_RIGHT_Y")
"""Axes from -1 to 1, up = -1. Source: dataset card of the NitroGen release."""

ALE_ACTIONS: Final = _words(
    """
    ALE/NOOP ALE/FIRE ALE/UP ALE/RIGHT ALE/LEFT ALE/DOWN ALE/UPRIGHT ALE/UPLEFT ALE/DOWNRIGHT ALE/DOWNLEFT
    ALE/UPFIRE ALE/RIGHTFIRE ALE/LEFTFIRE ALE/DOWNFIRE ALE/UPRIGHTFIRE ALE/UPLEFTFIRE ALE/DOWNRIGHTFIRE
    ALE/DOWNLEFTFIRE
    """
)
"""The 18 actions of the emulator, in the order of their numbers. Source: the Arcade Learning Environment."""

ALE_BUTTONS: Final = _words("ALE/UP ALE/DOWN ALE/LEFT ALE/RIGHT ALE/FIRE")
"""The switches of the emulated joystick."""

_REACTURE: Final = _words("ReActure/inspect ReActure/destroy")
_KINDS: Final[dict[Kind, tuple[str, ...]]] = {
    "button": (*KEYS, *MOUSE_BUTTONS, *PAD_BUTTONS, *ALE_ACTIONS, *_REACTURE),
    "axis": (*TRIGGERS, *STICKS),
    "motion": MOUSE_MOTIONS,
}
CONTROLS: Final[Mapping[str, Kind]] = MappingProxyType({name: kind for kind, names in _KINDS.items() for name in names})
"""Every physical control and its kind. Worlds add their own as `WORLD/NAME`."""

_WORLD: Final = re.compile(r"[A-Za-z0-9_.-]+/[^\s/][^/]*")
_ALE_PARTS: Final = re.compile(r"UP|DOWN|LEFT|RIGHT|FIRE")


_SIDES: Final = _words("shift:Shift ctrl:Control control:Control alt:Alt cmd:Meta win:Meta super:Meta meta:Meta")
_KEY_NAMES: Final = _words(
    """
    shift_l:ShiftLeft shift_r:ShiftRight ctrl_l:ControlLeft ctrl_r:ControlRight alt_l:AltLeft alt_r:AltRight
    alt_gr:AltRight cmd_l:MetaLeft cmd_r:MetaRight esc:Escape return:Enter spacebar:Space del:Delete
    caps_lock:CapsLock num_lock:NumLock scroll_lock:ScrollLock print_screen:PrintScreen menu:ContextMenu
    page_up:PageUp page_down:PageDown pgup:PageUp pgdn:PageDown up:ArrowUp down:ArrowDown left:ArrowLeft
    right:ArrowRight media_play_pause:MediaPlayPause media_next:MediaTrackNext
    media_previous:MediaTrackPrevious media_volume_up:AudioVolumeUp media_volume_down:AudioVolumeDown
    media_volume_mute:AudioVolumeMute arrow_up:ArrowUp arrow_down:ArrowDown arrow_left:ArrowLeft
    arrow_right:ArrowRight
    """
)
_MOUSE_NAMES: Final = _words(
    """
    lmb:MouseLeft left_click:MouseLeft mouse_left:MouseLeft mouse1:MouseLeft button.left:MouseLeft
    rmb:MouseRight right_click:MouseRight mouse_right:MouseRight mouse2:MouseRight button.right:MouseRight
    mmb:MouseMiddle middle_click:MouseMiddle mouse_middle:MouseMiddle mouse3:MouseMiddle
    button.middle:MouseMiddle mouse_x1:MouseX1 mouse4:MouseX1 button.x1:MouseX1 button.button8:MouseX1
    mouse_x2:MouseX2 mouse5:MouseX2 button.x2:MouseX2 button.button9:MouseX2 dx:MouseDX mouse_dx:MouseDX
    dy:MouseDY mouse_dy:MouseDY wheel:MouseWheel scroll:MouseWheel mouse_wheel:MouseWheel wheel_x:MouseWheelX
    hscroll:MouseWheelX mouse_wheel_x:MouseWheelX
    """
)
_MARKS: Final = _words("Backquote Minus Equal BracketLeft BracketRight Backslash Semicolon Quote Comma Period Slash")


def _aliases() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((letter, (f"Key{letter.upper()}",)) for letter in string.ascii_lowercase)
    # Characters of the US layout with and without shift: logs that name keys by their character hold both.
    yield from ((c, (f"Digit{digit}",)) for c, digit in zip("1234567890!@#$%^&*()", "1234567890" * 2, strict=True))
    yield from ((c, (code,)) for c, code in zip("`-=[]\\;',./~_+{}|:\"<>?", _MARKS * 2, strict=True))
    yield " ", ("Space",)
    names = [row.split(":") for row in _KEY_NAMES]
    keys = {name: (code,) for name, code in names} | {code.lower(): (code,) for code in KEYS}
    sides = {name: (f"{code}Left", f"{code}Right") for name, code in (row.split(":") for row in _SIDES)}
    yield from (keys | sides).items()
    yield from ((f"key.{name}", controls) for name, controls in (keys | sides).items())
    yield from ((name, (code,)) for name, code in (row.split(":") for row in _MOUSE_NAMES))


ALIASES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(dict(_aliases()))
"""The one alias table: lower-case name -> the controls any of which it means. Sources: key names of the
NitroGen Capture program (`lmb` in its first form, `left_click` in its later one), what pynput prints for
keys and buttons, as GameOn stores it (`Key.space`, `Button.left`), and the characters of the US layout."""

_LOWER: Final = {name.lower(): name for name in CONTROLS}


def resolve(name: str) -> tuple[str, ...]:
    """Find the physical controls that a name means.

    Args:
        name: A physical name, an alias, or `WORLD/NAME`; case does not matter except in a world's own names.

    Returns:
        Physical controls, any of which the name means; mostly one.

    Raises:
        BadNameError: Nothing goes by this name; the message says what stands closest.
    """
    lower = name.lower()
    if lower in _LOWER:
        return (_LOWER[lower],)
    if lower in ALIASES:
        return ALIASES[lower]
    if _WORLD.fullmatch(name) and not lower.startswith("ale/"):
        return (name,)
    raise BadNameError(
        f"control {name!r}",
        accepts="a W3C key code, a mouse or pad control, an alias of one, or WORLD/NAME",
        fix=near(name, [*CONTROLS, *ALIASES]) or "use a physical name such as 'KeyW', 'MouseLeft' or 'SOUTH'",
    )


def kind_of(control: str) -> Kind:
    """Tell what a physical control is.

    Args:
        control: A physical name; controls of worlds (`WORLD/NAME`) are buttons.

    Returns:
        `"button"`, `"axis"` or `"motion"`.

    Raises:
        BadNameError: No such control; an alias is none, `resolve` it first.
    """
    if control in CONTROLS:
        return CONTROLS[control]
    found = resolve(control)
    if found == (control,):
        return "button"
    raise BadNameError(f"control {control!r}", accepts="a physical name", fix=f"write {' or '.join(map(repr, found))}")


def action_buttons(action: str) -> frozenset[str]:
    """Take the action of a world apart into the buttons that it holds down.

    Args:
        action: `WORLD/NAME`. ALE's compound actions are sets of `ALE_BUTTONS`; `WORLD/NOOP` is the empty set;
            any other action is a button of its own.

    Returns:
        Names of buttons.

    Raises:
        BadNameError: No action of a world goes by this name.
    """
    if "/" not in action:
        raise BadNameError(f"action {action!r}", accepts="WORLD/NAME", fix=f"write 'ALE/{action}' if it is ALE's")
    (control,) = resolve(action)
    world, _, name = control.partition("/")
    if name == "NOOP":
        return frozenset()
    if world == "ALE":
        return frozenset(f"ALE/{part}" for part in _ALE_PARTS.findall(name))
    return frozenset({control})


_SWAPS: Final = (
    ("KeyA", "KeyD"),
    ("ArrowLeft", "ArrowRight"),
    ("Numpad4", "Numpad6"),
    ("DPAD_LEFT", "DPAD_RIGHT"),
    ("RIGHT_LEFT", "RIGHT_RIGHT"),
)
_PARTNERS: Final = {a: b for pair in _SWAPS for a, b in (pair, pair[::-1])}
_NEGATED: Final = frozenset({"MouseDX", "MouseWheelX", "J_LEFT_X", "J_RIGHT_X"})


def mirror_control(control: str) -> tuple[str, int]:
    """Name the left-right mirror image of a control.

    Only what points left or right by common use changes: A and D, the arrows, the d-pad, LEFT and RIGHT of
    ALE swap; horizontal motion and stick axes change sign. Every other control is its own image: which key
    jumps does not depend on the picture, and shoulders, triggers and mouse buttons name fingers rather than
    directions. A game that leans with Q and E, or that moves a paddle up with RIGHT (Pong), needs other pairs
    or no mirror.

    Args:
        control: A physical name.

    Returns:
        The control that does the same in the mirrored picture, and 1 or -1 for its sign.
    """
    if control in ALE_ACTIONS:
        return re.sub("LEFT|RIGHT", lambda found: "LEFT" if found[0] == "RIGHT" else "RIGHT", control), 1
    return _PARTNERS.get(control, control), -1 if control in _NEGATED else 1
