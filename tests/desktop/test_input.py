"""Keyboard and mouse of a real X server: each edge once, exact focus, nothing of what was typed elsewhere."""

import contextlib
import threading
import time

import numpy as np
import pytest

from rushes.capture.input.gate import Gate
from rushes.capture.input.hotkeys import Hotkeys, command_of
from rushes.capture.input.xinput import XInputSource
from rushes.capture.source import SourceEnd
from rushes.errors import UnavailableError
from rushes.model.clock import Clock
from rushes.model.controls import CONTROLS
from rushes.model.events import events_frame, validate_events
from rushes.model.readings import Event, Lost

pytestmark = pytest.mark.require("display")

LETTERS = [f"Key{letter}" for letter in "WASDEQ"]
ALL = [name for name in CONTROLS if "/" not in name]


class Listening:
    """A source that runs on a thread, and what it emitted."""

    def __init__(self, source):
        self.readings, self.error = [], None
        self.clock, self._stop = Clock(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(source,), daemon=True)

    def _run(self, source):
        try:
            source.run(self.clock, self.readings.append, self._stop)
        except Exception as error:  # noqa: BLE001 - the test asks for it
            self.error = error

    @property
    def events(self):
        return [reading for reading in self.readings if isinstance(reading, Event)]

    def lost(self):
        counts = {}
        for reading in self.readings:
            if isinstance(reading, Lost):
                counts[reading.reason] = counts.get(reading.reason, 0) + reading.count
        return counts

    def end(self):
        self._stop.set()
        self.join()

    def join(self):
        self._thread.join(60)
        assert not self._thread.is_alive(), "the source did not return"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.end()


class Desk:
    """Two windows of one client, which also sends keys: what it asks for happens in that order."""

    def __init__(self, connection):
        self.connection = connection
        self.codes = {}
        self.chosen = self.window(60, 60)
        self.other = self.window(700, 60)
        self.focus(self.chosen)
        time.sleep(0.1)

    def window(self, x, y, parent=None):
        parent = parent or self.connection.screen().root
        made = parent.create_window(x, y, 300, 200, 0, self.connection.screen().root_depth)
        made.map()
        self.connection.sync()
        end = time.monotonic() + 60
        while made.get_attributes().map_state != 2 and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.05)
        return made

    def focus(self, window):
        self.connection.set_input_focus(window, 2, 0)
        self.connection.sync()

    def key(self, letter, down=None):
        from Xlib import XK
        from Xlib.ext import xtest

        if letter not in self.codes:
            self.codes[letter] = self.connection.keysym_to_keycode(XK.string_to_keysym(letter))
        for kind in (2, 3) if down is None else ((2,) if down else (3,)):
            xtest.fake_input(self.connection, kind, self.codes[letter])

    def type(self, text):
        for letter in text:
            self.key(letter)
        self.connection.sync()

    def fake(self, kind, detail=0, x=0, y=0):
        from Xlib.ext import xtest

        xtest.fake_input(self.connection, kind, detail, x=x, y=y)
        self.connection.sync()


@pytest.fixture(scope="module")
def bare(require, servers):
    """A display without a window manager, which would move the focus by itself."""
    require("display")
    with servers.run_display((1280, 720), window_manager=False) as made:
        yield made


@pytest.fixture
def desk(bare):
    from Xlib.display import Display

    with contextlib.closing(Display(bare.name)) as connection:
        yield Desk(connection)


@pytest.fixture
def listen(desk, servers):
    """Start a source; `sync` waits until all that was sent so far was read, by a hotkey that always passes."""

    @contextlib.contextmanager
    def start(controls, scope="window", window=None, **options):
        source = XInputSource(
            Gate(controls, scope),
            Hotkeys(),
            window=(window or desk.chosen).id if scope == "window" else None,
            display=desk.connection.get_display_name(),
            **options,
        )
        with Listening(source) as found:

            def sync():
                def marks():
                    return sum(e.control == "F6" and e.kind == "release" and e.flag == "hotkey" for e in found.events)

                before = marks()
                desk.type(["F6"])
                servers.wait_for(lambda: found.error or marks() > before, "the hotkey's arrival")
                if found.error:
                    raise found.error

            found.sync = sync
            deadline = time.monotonic() + 60
            while not found.events and not found.error and time.monotonic() < deadline:  # until it listens
                desk.type(["F6"])
                time.sleep(0.05)
            if not found.error:
                sync()
                found.readings.clear()
            yield found

    return start


def told(found):
    return [(e.kind, e.control) for e in found.events if not e.flag]


def keys_of(found):
    return [(e.kind, e.control) for e in found.events if not e.flag and e.device == "keyboard"]


def test_every_edge_motion_and_notch_arrives_once_at_its_time(desk, listen, hands):
    acts = hands.plan(3, seconds=2.0, buttons=("MouseLeft", "MouseRight", "MouseMiddle", "MouseX1"), wheel=True)
    with hands.Hands(desk.connection.get_display_name()) as player, listen(ALL, "anywhere") as found:
        player.point(640, 400)
        found.sync()
        found.readings.clear()
        sent = player.perform(acts)
        found.sync()
        events = [event for event in found.events if not event.flag]
    wanted = [(s.act.kind, s.act.control) for s in sent if s.act.kind in {"press", "release"}]
    assert [(e.kind, e.control) for e in events if e.kind in {"press", "release"}] == wanted
    moves = [(s.act.dx, s.act.dy) for s in sent if s.act.kind == "move"]
    assert [(e.dx, e.dy) for e in events if e.kind == "move"] == moves
    notches = [s.act.dy for s in sent if s.act.kind == "wheel"]
    assert [(e.control, e.value) for e in events if e.kind == "scroll"] == [("MouseWheel", n) for n in notches]
    places = [(e.x, e.y) for e in events if e.kind == "move" and e.x is not None]
    assert len(places) > len(moves) // 2
    assert all(0 <= x < 1280 and 0 <= y < 720 for x, y in places)
    assert len(events) == len(sent)
    # what was sent is in the order of time, and so are the events: each stands within its sending
    outside_ns = [
        max(found.clock.at(one.before_ns) - event.t_ns, event.t_ns - found.clock.at(one.after_ns), 0)
        for event, one in zip(events, sent, strict=True)
    ]
    assert np.median(outside_ns) < 1_000_000
    assert (np.diff([reading.t_ns for reading in found.readings]) >= 0).all()
    validate_events(events_frame(events))


def test_extra_buttons_and_the_second_wheel_have_their_names(desk, listen):
    with listen(ALL, "anywhere") as found:
        for button in (9, 5, 6, 7):
            desk.fake(4, button)
            desk.fake(5, button)
        found.sync()
        scrolls = [(e.control, e.value) for e in found.events if e.kind == "scroll"]
        assert scrolls == [("MouseWheel", -1.0), ("MouseWheelX", -1.0), ("MouseWheelX", 1.0)]
        assert [x for x in told(found) if x[0] != "scroll"] == [("press", "MouseX2"), ("release", "MouseX2")]


def test_positions_that_a_remote_desktop_sends_become_distances(desk, listen):
    with listen(ALL, "anywhere") as found:
        desk.fake(6, 0, 200, 200)
        found.sync()
        found.readings.clear()
        for x, y in ((210, 195), (260, 200), (250, 300)):
            desk.fake(6, 0, x, y)
            time.sleep(0.03)
        found.sync()
        moves = [e for e in found.events if e.kind == "move"]
    assert (sum(e.dx for e in moves), sum(e.dy for e in moves)) == (50, 100)
    assert (moves[-1].x, moves[-1].y) == (250, 300)


def test_shift_let_go_before_the_letter_leaves_nothing_stuck(desk, listen):
    with listen(["KeyA", "shift"]) as found:
        desk.key("Shift_L", down=True)
        desk.key("a", down=True)
        desk.key("Shift_L", down=False)
        desk.key("a", down=False)
        found.sync()
        assert told(found) == [
            ("press", "ShiftLeft"),
            ("press", "KeyA"),
            ("release", "ShiftLeft"),
            ("release", "KeyA"),
        ]


def test_a_secret_typed_elsewhere_or_outside_the_layout_is_in_no_reading(desk, listen):
    with listen(["KeyW", "KeyE", "Digit2"]) as found:
        desk.focus(desk.other)
        desk.type("wee2we")  # listed keys, another window
        desk.focus(desk.chosen)
        desk.type("hunt" + "xyz")  # the chosen window, keys that are not listed
        desk.type("w")
        found.sync()
        found.end()
        assert keys_of(found) == [("press", "KeyW"), ("release", "KeyW")]
        text = repr(found.readings)
        assert not any(name in text for name in ("KeyE", "KeyH", "KeyU", "KeyN", "KeyT", "KeyX", "Digit2"))
        # both windows are known to the server only: 6 keys there, 7 here, two edges each
        assert found.lost() == {"other_window": 12, "not_in_layout": 14}


def test_not_one_letter_passes_around_a_change_of_focus(desk, listen):
    with listen(LETTERS) as found:
        for _ in range(150):  # nothing waits for the server between the requests
            desk.connection.set_input_focus(desk.chosen, 2, 0)
            desk.key("w")
            desk.connection.set_input_focus(desk.other, 2, 0)
            desk.key("e")
        desk.connection.sync()
        found.sync()
        assert keys_of(found) == [("press", "KeyW"), ("release", "KeyW")] * 150


def test_what_is_held_when_the_focus_goes_is_let_go_and_comes_back(desk, listen):
    with listen(["KeyW", "KeyA", "lmb"]) as found:
        desk.key("w", down=True)
        desk.fake(4, 1)
        desk.focus(desk.other)
        desk.key("a", down=True)
        desk.fake(5, 1)
        desk.focus(desk.chosen)
        found.sync()
        desk.key("w", down=False)
        desk.key("a", down=False)
        found.sync()
        kinds = [(e.kind, e.control, e.value) for e in found.events if not e.flag]
        assert kinds[:2] == [("press", "KeyW", None), ("press", "MouseLeft", None)]
        assert sorted(kinds[2:4]) == [("state", "KeyW", 0.0), ("state", "MouseLeft", 0.0)]
        assert sorted(kinds[4:6]) == [("state", "KeyA", 1.0), ("state", "KeyW", 1.0)]
        assert kinds[6:] == [("release", "KeyW", None), ("release", "KeyA", None)]


def test_a_program_that_grabs_the_keyboard_takes_the_focus_with_it(desk, listen, bare):
    from Xlib.display import Display

    with contextlib.closing(Display(bare.name)) as locker, listen(LETTERS) as found:
        root = locker.screen().root
        assert root.grab_keyboard(False, 1, 1, 0) == 0
        desk.type("wasd")
        desk.focus(desk.other)
        desk.focus(desk.chosen)
        desk.type("wasd")
        locker.ungrab_keyboard(0)
        locker.sync()
        desk.type("e")
        found.sync()
        assert keys_of(found) == [("press", "KeyE"), ("release", "KeyE")]


def test_keys_of_a_frozen_keyboard_belong_to_the_window_that_gets_them(desk, listen, bare):
    from Xlib.display import Display

    with contextlib.closing(Display(bare.name)) as manager, listen(LETTERS) as found:
        assert manager.screen().root.grab_pointer(False, 4, 1, 0, 0, 0, 0) == 0  # the keyboard waits
        desk.type("wasd")
        time.sleep(0.05)
        desk.focus(desk.other)
        manager.ungrab_pointer(0)
        manager.sync()
        time.sleep(0.05)
        desk.focus(desk.chosen)
        desk.type("e")
        found.sync()
        assert keys_of(found) == [("press", "KeyE"), ("release", "KeyE")]


def test_a_game_that_grabs_keyboard_and_pointer_itself_is_recorded(desk, listen):
    from Xlib import X

    with listen(ALL, "anywhere") as found:
        desk.chosen.grab_keyboard(False, 1, 1, 0)
        mask = X.PointerMotionMask | X.ButtonPressMask
        assert desk.chosen.grab_pointer(False, mask, 1, 1, desk.chosen, 0, 0) == 0
        desk.type("w")
        for _ in range(50):
            desk.fake(6, 1, 9, -4)
            desk.chosen.warp_pointer(150, 100)  # as pointer-locked games do
        desk.fake(4, 3)
        desk.fake(5, 3)
        found.sync()
        desk.connection.ungrab_pointer(0)
        desk.connection.ungrab_keyboard(0)
        desk.connection.sync()
        moves = [(e.dx, e.dy) for e in found.events if e.kind == "move"]
        assert moves == [(9, -4)] * 50
        edges = [x for x in told(found) if x[0] != "move"]
        assert edges == [("press", "KeyW"), ("release", "KeyW"), ("press", "MouseRight"), ("release", "MouseRight")]


def test_raw_events_arrive_during_a_grab_of_xinput2_too(desk, listen, bare):
    from Xlib.display import Display
    from Xlib.ext import xinput

    with contextlib.closing(Display(bare.name)) as game, listen(ALL, "anywhere") as found:
        game.xinput_query_version()
        window = game.create_resource_object("window", desk.chosen.id)
        mask = xinput.MotionMask | xinput.ButtonPressMask
        assert window.xinput_grab_device(2, 0, xinput.GrabModeAsync, xinput.GrabModeAsync, False, mask).status == 0
        for _ in range(20):
            desk.fake(6, 1, 3, 5)
        desk.fake(4, 1)
        desk.fake(5, 1)
        found.sync()
        assert [(e.dx, e.dy) for e in found.events if e.kind == "move"] == [(3, 5)] * 20
        assert [x for x in told(found) if x[0] != "move"] == [("press", "MouseLeft"), ("release", "MouseLeft")]


def test_the_focus_may_be_in_a_child(desk, listen):
    child = desk.window(10, 10, desk.chosen)
    with listen(LETTERS) as found:
        for window, letter in ((child, "w"), (desk.chosen, "a"), (desk.other, "d"), (child, "e")):
            desk.focus(window)
            desk.type(letter)
        found.sync()
        assert [name for kind, name in keys_of(found) if kind == "press"] == ["KeyW", "KeyA", "KeyE"]


def test_hotkeys_work_whatever_has_the_focus_and_even_without_keys_but_ctrl_t_elsewhere_is_a_browsers(desk, listen):
    with listen(["KeyW"], keys=False) as found:
        for window in (desk.other, desk.chosen):
            desk.focus(window)
            desk.key("Control_L", down=True)
            desk.key("t")
            desk.key("Control_L", down=False)
            desk.type(["F8"])
        desk.type("w")
        found.sync()
        found.end()
        commands = [command for event in found.events if (command := command_of(event))]
        assert commands == ["toggle", "resume", "toggle", "resume"]  # the last one is what waited for
        assert told(found) == []
        assert found.lost() == {"keyboard_off": 4, "other_window": 4}


def test_the_window_that_closes_ends_the_source_and_lets_go(desk, listen):
    with listen(["KeyW"]) as found:
        desk.key("w", down=True)
        found.sync()
        desk.chosen.destroy()
        desk.connection.sync()
        found.join()
        desk.key("w", down=False)
        desk.connection.sync()
        assert isinstance(found.error, SourceEnd)
        assert found.error.reason == "window_closed"
        assert [(e.kind, e.value) for e in found.events if not e.flag] == [("press", None), ("state", 0.0)]


def test_a_window_that_never_was_is_a_closed_one(bare):
    with Listening(XInputSource(Gate(["KeyW"], "window"), Hotkeys(), window=0x7FFFFF, display=bare.name)) as found:
        found.join()
    assert isinstance(found.error, SourceEnd)
    assert found.error.reason == "window_closed"


def test_a_key_that_was_down_before_is_told_as_a_state(desk, servers):
    name = desk.connection.get_display_name()
    desk.key("w", down=True)
    desk.connection.sync()
    with Listening(XInputSource(Gate(["KeyW"], "window"), Hotkeys(), window=desk.chosen.id, display=name)) as found:
        end = time.monotonic() + 60
        while not found.events and time.monotonic() < end:
            time.sleep(0.01)
        desk.key("w", down=False)
        desk.connection.sync()
        servers.wait_for(lambda: len(found.events) > 1, "the release")
    assert [(e.kind, e.control, e.value) for e in found.events] == [
        ("state", "KeyW", 1.0),
        ("release", "KeyW", None),
    ]


def test_the_focus_may_follow_the_pointer_or_stand_on_a_frame(desk, listen):
    root = desk.connection.screen().root
    frame = desk.window(100, 300)
    made = desk.window(20, 20, frame)
    root.warp_pointer(10, 10)
    desk.focus(1)  # PointerRoot
    with listen(LETTERS, window=made) as found:
        for place, letter in ((10, "w"), (350, "a"), (10, "s"), (305, "q"), (350, "d")):  # 305: on the frame only
            root.warp_pointer(place, place)
            found.sync()
            found.sync()  # the server is asked behind the first
            desk.type(letter)
        desk.focus(frame)
        found.sync()
        found.sync()
        desk.type("e")
        root.warp_pointer(10, 10)
        desk.type("q")
        desk.focus(0)  # nowhere
        desk.type("w")
        desk.focus(1)
        desk.type("s")
        found.sync()
        assert [name for kind, name in keys_of(found) if kind == "press"] == ["KeyA", "KeyD", "KeyE", "KeyQ"]


def test_under_a_window_manager_the_window_in_its_frame_is_the_one(display, servers, hands):
    from Xlib.display import Display

    with contextlib.closing(Display(display.name)) as connection, hands.Hands(display.name) as player:
        desk = Desk(connection)
        servers.wait_for(lambda: desk.chosen.query_tree().parent != connection.screen().root, "the frame")
        source = XInputSource(Gate(LETTERS, "window"), Hotkeys(), window=desk.chosen.id, display=display.name)
        with Listening(source) as found:
            for window, letter in ((desk.other, "w"), (desk.chosen, "a"), (desk.other, "s"), (desk.chosen, "d")):
                player.focus(window.id)
                servers.wait_for(lambda w=window: connection.get_input_focus().focus == w, "the focus")
                time.sleep(0.2)
                desk.type(letter)
            servers.wait_for(lambda: ("release", "KeyD") in keys_of(found), "the last key")
        assert keys_of(found) == [
            ("press", "KeyA"),
            ("release", "KeyA"),
            ("press", "KeyD"),
            ("release", "KeyD"),
        ]


def test_a_display_that_goes_away_ends_the_source(require, servers, hands):
    require("display")
    with servers.run_display((640, 480), window_manager=False) as bare:
        found = Listening(XInputSource(Gate(LETTERS, "anywhere"), Hotkeys(), display=bare.name))
        found.__enter__()
        with hands.Hands(bare.name) as player:
            servers.wait_for(lambda: player.tap("F6") and found.events, "its start")
    found.join()
    assert isinstance(found.error, SourceEnd)
    assert found.error.reason == "display_lost"


def test_pynput_hears_the_same_keys_buttons_and_distances(bare, hands, servers, monkeypatch):
    from Xlib.display import Display

    from rushes.capture.input.pynput_source import PynputSource

    monkeypatch.setenv("DISPLAY", bare.name)
    inside = True
    with contextlib.closing(Display(bare.name)) as connection, hands.Hands(bare.name) as player:
        desk = Desk(connection)
        player.point(400, 400)
        source = PynputSource(Gate(["KeyA", "shift", "rmb"], "window"), Hotkeys(), focused=lambda: inside)
        with Listening(source) as found:

            def listens():
                player.tap("F6")
                player.point(400 + len(found.events) % 2, 401)
                return {e.control for e in found.events} >= {"F6", "Mouse"}

            servers.wait_for(listens, "the start of both listeners")
            player.point(410, 400)
            servers.wait_for(lambda: any((e.x, e.y) == (410, 400) for e in found.events), "the pointer's place")
            found.readings.clear()
            for act in (
                *hands.text(["KeyA"], 0),
                *hands.hold("ShiftLeft", 0, 0.02),
                *hands.hold("MouseRight", 0, 0.02),
            ):
                player.do(act)
            player.do(hands.Act(0, "wheel", dy=1))
            player.do(hands.Act(0, "move", dx=9, dy=-4))
            servers.wait_for(lambda: len(told(found)) >= 8, "all that was done")
            inside = False
            desk.type("aaF")
            desk.type(["F8"])
            servers.wait_for(lambda: any(e.control == "F8" and e.kind == "release" for e in found.events), "the hotkey")
        for _ in range(2):  # on X11 its threads end at the next event only
            desk.type("a")
            desk.fake(6, 1, 1, 1)
        servers.wait_for(lambda: not [t for t in threading.enumerate() if "pynput" in type(t).__module__], "the end")
        told_keys = [
            *(("press", "KeyA"), ("release", "KeyA"), ("press", "ShiftLeft"), ("release", "ShiftLeft")),
            *(("press", "MouseRight"), ("release", "MouseRight"), ("scroll", "MouseWheel"), ("move", "Mouse")),
        ]
        # keys and mouse come by two listeners, whose order is theirs
        assert sorted(told(found)) == sorted(told_keys)
        assert [(e.dx, e.dy, e.x, e.y) for e in found.events if e.kind == "move"] == [(9, -4, 419, 396)]
        assert [command for event in found.events if (command := command_of(event))] == ["toggle"]
        assert found.lost()["other_window"] >= 4
    assert found.error is None


def test_without_a_server_it_says_what_works():
    with Listening(XInputSource(Gate(["KeyW"], "anywhere"), Hotkeys(), display=":987")) as found:
        found.join()
    assert isinstance(found.error, UnavailableError)
    assert "X11" in str(found.error)
