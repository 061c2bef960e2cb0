"""Chords: which press completes one, what its release is, and that a held key asks once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.capture.input.hotkeys import Hotkeys, command_of
from rushes.errors import BadInputError
from rushes.model.readings import Event


def feed(text, hotkeys=None):
    """`+KeyT` presses, `-KeyT` releases; gives the flagged ones back in the same writing, with their commands."""
    hotkeys, found, commands = hotkeys or Hotkeys(), [], []
    for t_ns, word in enumerate(text.split()):
        event = hotkeys.take(Event(t_ns, "keyboard", word[1:], "press" if word[0] == "+" else "release"))
        if event.flag:
            assert event.flag == "hotkey"
            found.append(word)
        assert (hotkeys.command_of(event) is None) == (command_of(event) is None)
        commands += [command] if (command := command_of(event)) else []
    return found, commands


@pytest.mark.parametrize(
    ("text", "flagged", "commands"),
    [
        ("+F8 -F8 +F8 -F8", "+F8 -F8 +F8 -F8", ["toggle", "toggle"]),
        ("+F6 -F6 +F7 -F7", "+F6 -F6 +F7 -F7", ["resume", "pause"]),
        ("+F8 +F8 +F8 -F8", "+F8 -F8", ["toggle"]),
        ("+ControlLeft +KeyT -KeyT -ControlLeft", "+KeyT -KeyT", ["resume"]),
        ("+ControlRight +KeyP -ControlRight -KeyP", "+KeyP -KeyP", ["pause"]),
        ("+KeyT +ControlLeft -KeyT -ControlLeft", "", []),
        ("+KeyT +ControlLeft +KeyT -KeyT +KeyT", "+KeyT", ["resume"]),
        ("+ControlLeft -ControlLeft +KeyT -KeyT", "", []),
        ("+ShiftLeft +F8 -F8", "+F8 -F8", ["toggle"]),
        ("-F8", "", []),
    ],
)
def test_only_the_press_that_completes_a_chord_and_its_release_are_flagged(text, flagged, commands):
    assert feed(text) == (flagged.split(), commands)


def test_other_kinds_and_devices_come_back_as_they_are():
    hotkeys = Hotkeys()
    for event in (Event(0, "pad0", "SOUTH", "press"), Event(0, "mouse", "Mouse", "move", dx=1.0, dy=1.0)):
        assert hotkeys.take(event) is event
        assert command_of(event) is None


def test_another_table_replaces_the_chords():
    hotkeys = Hotkeys({"Ctrl + Shift + r": "resume", "F10": "pause"})
    assert hotkeys.keys == {"KeyR", "F10"}
    events = [Event(0, "keyboard", name, "press") for name in ("ControlLeft", "ShiftRight", "KeyR", "F10", "F8")]
    taken = [hotkeys.take(event) for event in events]
    assert [hotkeys.command_of(event) for event in taken] == [None, None, "resume", "pause", None]


@pytest.mark.parametrize("chord", ["", "F99", "KeyT+Control", "KeyA+KeyT", "shift", "MouseLeft", "F8+"])
def test_a_chord_that_is_none_is_refused(chord):
    with pytest.raises(BadInputError, match="accepted: one key"):
        Hotkeys({chord: "toggle"})


def test_a_command_that_is_none_is_refused():
    with pytest.raises(BadInputError, match="toggle, resume, pause"):
        Hotkeys({"F8": "stop"})


def test_a_release_that_nobody_saw_does_not_block_the_next_press():
    hotkeys = Hotkeys()
    hotkeys.take(Event(0, "keyboard", "F8", "press"))
    hotkeys.correct("keyboard", set())
    assert command_of(hotkeys.take(Event(1, "keyboard", "F8", "press"))) == "toggle"


NAMES = ("F8", "F6", "ControlLeft", "ControlRight", "KeyT", "KeyP", "KeyW")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), max_size=50))
def test_flagged_presses_and_releases_always_pair(acts):
    hotkeys, open_keys = Hotkeys(), set()
    for t_ns, (name, down) in enumerate(acts):
        event = hotkeys.take(Event(t_ns, "keyboard", name, "press" if down else "release"))
        if event.flag and down:
            assert name not in open_keys
            assert not name.startswith("Control")
            open_keys.add(name)
        elif event.flag:
            open_keys.remove(name)
        elif not down:
            assert name not in open_keys
