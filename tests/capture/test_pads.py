"""Pads: SDL's own virtual joysticks, read by the source on its thread."""

import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from rushes.capture.input.pads import AXES, BUTTONS, PadSource
from rushes.capture.sdl import sdl_with
from rushes.capture.source import Source
from rushes.errors import UnavailableError
from rushes.model.clock import Clock
from rushes.model.controls import CONTROLS, PAD_BUTTONS, STICKS, TRIGGERS
from rushes.model.events import events_frame, validate_events
from rushes.model.readings import Event, Lost, Telemetry

# the order of SDL's virtual game controller: buttons as SDL_GameControllerButton, axes as SDL_GameControllerAxis
ORDER = [
    *("SOUTH", "EAST", "WEST", "NORTH", "BACK", "GUIDE", "START", "LEFT_THUMB", "RIGHT_THUMB"),
    *("LEFT_SHOULDER", "RIGHT_SHOULDER", "DPAD_UP", "DPAD_DOWN", "DPAD_LEFT", "DPAD_RIGHT"),
]
AXIS_ORDER = ["J_LEFT_X", "J_LEFT_Y", "J_RIGHT_X", "J_RIGHT_Y", "LEFT_TRIGGER", "RIGHT_TRIGGER"]


class Open:
    """A gate that lets all pass."""

    def take(self, event):
        return (event,)


class Shut:
    def take(self, event):
        return ()


class Rig:
    """Virtual pads and a source that reads them."""

    def __init__(self, sdl, stack, gate=None):
        self.sdl, self.seen, self.said = sdl, [], []
        self.source = PadSource(gate or Open(), say=self.said.append)
        self.stop, self.error, self.handles = threading.Event(), None, {}
        self.clock = Clock()
        self.thread = threading.Thread(target=self.work, daemon=True)
        stack.callback(self.end)

    def work(self):
        try:
            self.source.run(self.clock, self.seen.append, self.stop)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def begin(self):
        self.thread.start()
        return self

    def end(self):
        self.stop.set()
        if self.thread.is_alive():
            self.thread.join(30)
        for index in reversed(range(self.sdl.SDL_NumJoysticks())):
            self.sdl.SDL_JoystickDetachVirtual(index)
        for handle in self.handles.values():
            self.sdl.SDL_JoystickClose(handle)
        self.sdl.SDL_FlushEvents(0x600, 0x6FF)
        assert self.error is None

    def plug(self, name, kind="SDL_JOYSTICK_TYPE_GAMECONTROLLER", buttons=15):
        sdl = self.sdl
        index = sdl.SDL_JoystickAttachVirtual(getattr(sdl, kind), 6, buttons, 0)
        assert index >= 0, sdl.SDL_GetError()
        self.handles[name] = sdl.SDL_JoystickOpen(index)
        for axis in (4, 5):  # a trigger at rest stands at the lower end
            sdl.SDL_JoystickSetVirtualAxis(self.handles[name], axis, -32768)
        return name

    def unplug(self, name):
        sdl = self.sdl
        instance = sdl.SDL_JoystickInstanceID(self.handles[name])
        for index in range(sdl.SDL_NumJoysticks()):
            if sdl.SDL_JoystickGetDeviceInstanceID(index) == instance:
                sdl.SDL_JoystickDetachVirtual(index)
                return

    def button(self, name, number, down):
        self.sdl.SDL_JoystickSetVirtualButton(self.handles[name], number, down)

    def axis(self, name, number, value):
        self.sdl.SDL_JoystickSetVirtualAxis(self.handles[name], number, value)

    def events(self):
        return [one for one in list(self.seen) if isinstance(one, Event)]

    def told(self):
        return [one.fields for one in list(self.seen) if isinstance(one, Telemetry)]

    def until(self, ask, seconds=60.0):
        end = time.monotonic() + seconds
        while not ask():
            assert time.monotonic() < end, f"not within {seconds} s: {self.seen[-5:]} {self.error!r}"
            time.sleep(0.002)

    def said_so(self, device, control, kind, value=None):
        return any(e[1:5] == (device, control, kind, value) for e in self.events())


@contextmanager
def rig_with(gate=None):
    with ExitStack() as stack:
        sdl = stack.enter_context(sdl_with("SDL_INIT_GAMECONTROLLER"))
        yield Rig(sdl, stack, gate)


@pytest.fixture
def rig(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    with rig_with() as made:
        yield made


def test_the_tables_name_every_stick_and_trigger_and_only_known_controls():
    assert set(AXES.values()) == {*STICKS, *TRIGGERS}
    assert set(BUTTONS.values()) <= set(PAD_BUTTONS)
    assert set(BUTTONS.values()) | set(AXES.values()) <= set(CONTROLS)
    assert list(BUTTONS.values()) == ORDER
    assert list(AXES.values()) == AXIS_ORDER


def test_every_button_is_pressed_and_released_under_its_name(rig):
    assert isinstance(rig.source, Source)
    rig.plug("a")
    rig.begin().until(lambda: rig.told() == [{"pad0": "attached"}])
    for number, control in enumerate(ORDER):
        rig.button("a", number, 1)
        rig.until(lambda control=control: rig.said_so("pad0", control, "press"))
        rig.button("a", number, 0)
        rig.until(lambda control=control: rig.said_so("pad0", control, "release"))
    edges = [(e.control, e.kind) for e in rig.events() if e.kind in {"press", "release"}]
    assert edges == [(control, kind) for control in ORDER for kind in ("press", "release")]


@pytest.mark.parametrize(
    ("number", "raw", "control", "value"),
    [
        (0, 32767, "J_LEFT_X", 1.0),
        (1, -32768, "J_LEFT_Y", -1.0),
        (2, -16384, "J_RIGHT_X", -0.5),
        (3, 32767, "J_RIGHT_Y", 1.0),
        (4, 32767, "LEFT_TRIGGER", 1.0),
        (5, 32767, "RIGHT_TRIGGER", 1.0),
    ],
)
def test_sticks_run_from_minus_one_up_to_one_and_triggers_from_zero(rig, number, raw, control, value):
    rig.plug("a")
    rig.begin().until(rig.told)
    rig.axis("a", number, raw)
    rig.until(lambda: rig.said_so("pad0", control, "axis", value))
    rig.axis("a", number, -32768 if number > 3 else 0)
    rig.until(lambda: rig.said_so("pad0", control, "axis", 0.0))
    validate_events(events_frame(rig.events()))


def test_two_pads_at_once_keep_apart_and_each_change_comes_once(rig):
    rig.plug("a")
    rig.plug("b")
    rig.begin().until(lambda: rig.told() == [{"pad0": "attached"}, {"pad1": "attached"}])
    for turn in range(20):
        rig.button("a", 0, turn % 2 == 0)
        rig.button("b", 1, turn % 2 == 0)
        kind = "press" if turn % 2 == 0 else "release"
        rig.until(lambda kind=kind, turn=turn: len([e for e in rig.events() if e.kind == kind]) == 2 * (turn // 2 + 1))
    by_pad = {device: [(e.control, e.kind) for e in rig.events() if e.device == device] for device in ("pad0", "pad1")}
    assert by_pad == {
        "pad0": [("SOUTH", "press"), ("SOUTH", "release")] * 10,
        "pad1": [("EAST", "press"), ("EAST", "release")] * 10,
    }


def test_stamps_lie_between_the_press_and_its_arrival_and_never_run_back(rig):
    rig.plug("a")
    rig.begin().until(rig.told)
    for turn in range(10):
        before = rig.clock.now_ns()
        rig.button("a", 2, turn % 2 == 0)
        rig.until(lambda turn=turn: len(rig.events()) == turn + 1)
        assert before <= rig.events()[-1].t_ns <= rig.clock.now_ns()
    times = [one.t_ns for one in rig.seen]
    assert times == sorted(times)


def test_a_pad_that_is_unplugged_lets_go_of_all_that_it_held_and_its_number_is_free(rig):
    rig.plug("a")
    rig.plug("b")
    rig.begin().until(lambda: len(rig.told()) == 2)
    rig.button("a", 0, 1)
    rig.axis("a", 1, -32768)
    rig.button("b", 3, 1)
    rig.until(lambda: len(rig.events()) == 3)
    rig.unplug("a")
    rig.until(lambda: {"pad0": "removed"} in rig.told())
    let_go = rig.events()[3:]
    assert {(e.device, e.control, e.kind, e.value) for e in let_go} == {
        ("pad0", "SOUTH", "state", 0.0),
        ("pad0", "J_LEFT_Y", "state", 0.0),
    }
    rig.plug("c")
    rig.until(lambda: rig.told()[-1] == {"pad0": "attached"})
    rig.button("c", 0, 1)
    rig.until(lambda: len(rig.events()) == 6)
    assert rig.events()[-1][1:4] == ("pad0", "SOUTH", "press")


def test_what_is_held_when_a_pad_is_found_is_told_as_a_state(rig):
    rig.plug("a")
    rig.button("a", 0, 1)
    rig.axis("a", 0, 32767)
    rig.sdl.SDL_JoystickUpdate()
    rig.begin().until(lambda: len(rig.events()) == 2)
    time.sleep(0.1)
    assert {e[2:5] for e in rig.events()} == {("SOUTH", "state", 1.0), ("J_LEFT_X", "state", 1.0)}


def test_a_joystick_without_a_mapping_is_named_and_gives_no_events(rig):
    rig.begin()
    rig.plug("wheel", kind="SDL_JOYSTICK_TYPE_WHEEL")
    rig.until(lambda: rig.said)
    assert "Virtual" in rig.said[0]
    assert "SDL_GAMECONTROLLERCONFIG" in rig.said[0]
    rig.button("wheel", 0, 1)
    time.sleep(0.2)
    assert rig.seen == []


def test_buttons_without_a_name_are_counted(rig):
    rig.plug("a", buttons=21)
    rig.begin().until(rig.told)
    for number in (15, 16):
        rig.button("a", number, 1)
        time.sleep(0.05)
    rig.stop.set()
    rig.thread.join(5)
    lost = [one for one in rig.seen if isinstance(one, Lost)]
    assert (sum(one.count for one in lost), {(one.stream, one.reason) for one in lost}) == (2, {("events", "no_name")})


def test_every_event_asks_the_gate(monkeypatch):
    with rig_with(Shut()) as rig:
        rig.plug("a")
        rig.begin().until(rig.told)
        rig.button("a", 0, 1)
        time.sleep(0.2)
        rig.unplug("a")
        rig.until(lambda: {"pad0": "removed"} in rig.told())
        assert rig.events() == []


def test_a_stop_is_noticed_and_a_second_run_works(rig):
    rig.begin()
    rig.plug("a")
    rig.until(rig.told)
    rig.stop.set()
    rig.thread.join(2)
    assert not rig.thread.is_alive()
    rig.stop.clear()
    rig.thread = threading.Thread(target=rig.work, daemon=True)
    rig.begin().until(lambda: len(rig.told()) == 2)
    rig.button("a", 0, 1)
    rig.until(lambda: rig.said_so("pad0", "SOUTH", "press"))


def test_without_sdl_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sdl2", None)
    with pytest.raises(UnavailableError, match=r"rushes\[desktop\]"):
        PadSource(Open()).run(Clock(), print, threading.Event())
