"""Numbers of three systems -> places on the keyboard; expected values are read from the systems' own tables."""

from types import SimpleNamespace

import pytest

from rushes.capture.input import keycodes
from rushes.capture.input.base import INPUTS, choose_input, input_source
from rushes.capture.input.gate import Gate
from rushes.capture.input.hotkeys import Hotkeys
from rushes.capture.input.keycodes import EVDEV, keysym_code, mac_code, windows_code, x11_codes
from rushes.capture.input.pynput_source import PynputSource, button_name, key_name
from rushes.capture.input.xinput import XInputSource
from rushes.errors import BadInputError, UnavailableError
from rushes.model.controls import KEYS


def test_a_linux_server_names_keys_by_the_codes_of_the_kernel():
    codes = x11_codes(lambda keycode: {111: 0xFF52}.get(keycode, 0))
    # keycodes of xkb/keycodes/evdev: AD02, AC01, SPCE, LFSH, RTRN, LEFT, UP, FK08, KPEN, RALT, LWIN, LSGT
    wanted = {25: "KeyW", 38: "KeyA", 65: "Space", 50: "ShiftLeft", 36: "Enter", 113: "ArrowLeft", 111: "ArrowUp"}
    wanted |= {74: "F8", 104: "NumpadEnter", 108: "AltRight", 133: "MetaLeft", 94: "IntlBackslash", 19: "Digit0"}
    assert {keycode: codes[keycode] for keycode in wanted} == wanted


def test_a_server_with_other_keycodes_is_corrected_by_its_keysyms():
    # keycodes of xkb/keycodes/xfree86: UP 98, LEFT 100, PRSC 111, KPEN 108, RCTL 109; letters as everywhere
    keysyms = {98: 0xFF52, 100: 0xFF51, 111: 0xFF61, 108: 0xFF8D, 109: 0xFFE4, 25: ord("w"), 65: ord(" "), 37: 0xFFE3}
    codes = x11_codes(lambda keycode: keysyms.get(keycode, 0))
    wanted = {98: "ArrowUp", 100: "ArrowLeft", 111: "PrintScreen", 108: "NumpadEnter", 109: "ControlRight"}
    wanted |= {25: "KeyW", 65: "Space", 37: "ControlLeft"}
    assert {keycode: codes[keycode] for keycode in wanted} == wanted
    assert len(set(codes.values())) == len(codes)


def test_every_key_of_the_model_that_linux_has_is_named_once():
    assert len(set(EVDEV.values())) == len(EVDEV)
    assert set(KEYS) == set(EVDEV.values())


def test_every_name_of_every_table_is_a_key_of_the_model():
    tables = (keycodes.KEYSYMS, keycodes._VIRTUAL, keycodes._MAC)
    assert {name for table in tables for name in table.values()} <= set(KEYS)


@pytest.mark.parametrize(
    ("virtual_key", "name"),
    [
        *((0x57, "KeyW"), (0x20, "Space"), (0xA0, "ShiftLeft"), (0xA3, "ControlRight"), (0x25, "ArrowLeft")),
        *((0x77, "F8"), (0x30, "Digit0"), (0xBA, "Semicolon"), (0xC0, "Backquote"), (0xDE, "Quote")),
        *((0x6B, "NumpadAdd"), (0x61, "Numpad1"), (0x1B, "Escape"), (0x5B, "MetaLeft"), (0x2E, "Delete"), (0x07, "")),
    ],
)
def test_virtual_keys_of_windows_have_their_names(virtual_key, name):
    assert windows_code(virtual_key) == name


def test_letters_of_windows_are_named_by_their_place_where_the_scan_code_is_known():
    azerty = {0x41: 0x10, 0x51: 0x1E}  # A stands where Q is on a US keyboard
    assert windows_code(0x41, lambda vk: azerty.get(vk, 0)) == "KeyQ"
    assert windows_code(0x51, lambda vk: azerty.get(vk, 0)) == "KeyA"
    assert windows_code(0x57, lambda _: 0) == "KeyW"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *((0x00, "KeyA"), (0x0D, "KeyW"), (0x31, "Space"), (0x24, "Enter"), (0x35, "Escape"), (0x7E, "ArrowUp")),
        *((0x7B, "ArrowLeft"), (0x38, "ShiftLeft"), (0x3B, "ControlLeft"), (0x37, "MetaLeft"), (0x64, "F8")),
        *((0x61, "F6"), (0x62, "F7"), (0x12, "Digit1"), (0x17, "Digit5"), (0x16, "Digit6"), (0x1D, "Digit0")),
        *((0x52, "Numpad0"), (0x5C, "Numpad9"), (0x4C, "NumpadEnter"), (0x75, "Delete"), (0x32, "Backquote")),
        *((0x2F, "Period"), (0x6D, "F10"), (0x6F, "F12"), (0x7A, "F1"), (0x5D, "IntlYen"), (0x6E, "ContextMenu")),
        (0x34, ""),
    ],
)
def test_codes_of_macos_have_their_names(code, name):
    assert mac_code(code) == name


def test_keysyms_are_named_by_the_key_that_types_them():
    assert [keysym_code(value) for value in (ord("W"), ord("w"), ord("!"), 0xFFE1, 0xFFB5, 0xE4)] == [
        *("KeyW", "KeyW", "Digit1", "ShiftLeft", "Numpad5", ""),
    ]


def test_keys_of_pynput_are_named_by_what_their_numbers_mean():
    key = SimpleNamespace(vk=0x0D, char="w")
    assert key_name(key, platform="darwin") == "KeyW"
    assert key_name(key, platform="win32") == "Enter"
    special = SimpleNamespace(name="shift_r", value=SimpleNamespace(vk=None, char=None))
    assert key_name(special, platform="darwin") == "ShiftRight"
    assert key_name(SimpleNamespace(vk=None, char="q"), platform="linux") == "KeyQ"
    assert key_name(None) == ""
    assert [button_name(name) for name in ("right", "x2", "button9", "unknown")] == [
        *("MouseRight", "MouseX2", "MouseX2", ""),
    ]


def test_wayland_and_a_missing_display_say_what_works():
    with pytest.raises(UnavailableError, match=r"Wayland.*Xorg"):
        choose_input({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, platform="linux")
    with pytest.raises(UnavailableError, match="DISPLAY is not set"):
        choose_input({}, platform="linux")


def test_a_source_is_made_for_the_machine_and_opens_nothing(monkeypatch):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setattr("sys.platform", "linux")
    made = input_source(Gate(["KeyW"], "window"), Hotkeys(), window=5)
    assert isinstance(made, XInputSource)
    assert (made.name, made.essential, made.motion_unit, made.window) == ("input", True, "counts", 5)
    other = input_source(Gate(["KeyW"], "anywhere"), Hotkeys(), name="pynput")
    assert isinstance(other, PynputSource)
    assert (other.name, other.essential, other.motion_unit) == ("input", True, "px")


@pytest.mark.parametrize("name", list(INPUTS))
def test_a_gate_for_a_window_needs_one(name):
    with pytest.raises(BadInputError, match="--keys-anywhere"):
        input_source(Gate(["KeyW"], "window"), Hotkeys(), name=name)
