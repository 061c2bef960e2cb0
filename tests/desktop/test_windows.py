"""Windows of a real display: which there are, where they are, and which one a person means."""

import importlib.util
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from rushes.capture.screen.base import Box
from rushes.capture.screen.follow import follow
from rushes.capture.screen.mss_grabber import MssGrabber
from rushes.capture.screen.target import Target, resolve_target
from rushes.capture.screen.windows import Window, list_windows, watch
from rushes.capture.source import SourceEnd
from rushes.cli.windows import windows as command
from rushes.errors import BadInputError, MissingError, UnavailableError

spec = importlib.util.spec_from_file_location("desktop_painted", Path(__file__).parent / "painted.py")
painted = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
spec.loader.exec_module(painted)

pytestmark = pytest.mark.require("display")


@pytest.fixture
def pair(display, programs):
    made = painted.Painted(programs, "Pong ü"), painted.Painted(programs, "Pong II", (200, 160), (600, 300))
    yield made
    for one in made:
        one.end()


def test_the_list_has_every_window_with_its_title_process_and_client_area(pair):
    listed = {window.id: window for window in list_windows()}
    assert set(listed) == {window.id for window in pair}
    for made, title, size in zip(pair, ("Pong ü", "Pong II"), ((320, 240), (200, 160)), strict=True):
        window = listed[made.id]
        assert (window.title, window.pid) == (title, made.pid)
        assert Path(sys.executable).name in window.process_names
        assert (window.box.width, window.box.height) == size
        with MssGrabber().open(window.box) as grabber:
            assert painted.corners(grabber.grab()) == painted.COLOURS


def test_one_window_has_the_focus_and_it_is_the_one_that_was_activated(pair):
    for made in pair:
        subprocess.run(["xdotool", "windowactivate", "--sync", str(made.id)], check=True, timeout=60)
        assert [window.id for window in list_windows() if window.focused] == [made.id]


def test_without_a_window_manager_the_windows_of_the_root_are_listed(servers):
    with servers.run_display(window_manager=False), servers.programs_that_end() as programs:
        made = painted.Painted(programs, "alone", (300, 200), (40, 30))
        (window,) = list_windows()
        assert (window.id, window.title, window.box) == (made.id, "alone", Box(40, 30, 340, 230))
        subprocess.run(["xdotool", "windowfocus", "--sync", str(made.id)], check=True, timeout=60)
        assert list_windows()[0].focused
        made.do("hide")
        assert list_windows() == ()
        made.end()


def test_an_exact_title_wins_over_a_part_of_one_and_a_part_is_found_in_any_case(pair):
    first, second = pair
    assert resolve_target(window="Pong II").window == second.id
    assert resolve_target(window="pong i").window == second.id
    assert resolve_target(window="PONG Ü").window == first.id
    first.do("title Pong")
    assert resolve_target(window="Pong").window == first.id


def test_a_target_holds_the_title_id_and_process_of_the_chosen_window_alone(pair):
    target = resolve_target(window=hex(pair[1].id))
    assert target == Target(target.box, "Pong II", pair[1].id, pair[1].pid)
    assert (target.width, target.height) == (200, 160)


def test_several_windows_that_fit_are_refused_with_a_list_and_none_with_where_to_look(pair):
    with pytest.raises(BadInputError, match=rf"fits 2 windows(.|\n)*{pair[0].id:#x}(.|\n)*Pong II"):
        resolve_target(window="pong")
    with pytest.raises(BadInputError, match=r"process .* fits 2 windows"):
        resolve_target(process_name=Path(sys.executable).name)
    with pytest.raises(MissingError, match="rushes windows") as caught:
        resolve_target(window="Breakout")
    assert "Pong" not in str(caught.value)
    with pytest.raises(MissingError, match="0x12345"):
        resolve_target(window=0x12345)


def test_title_and_process_must_both_fit(pair):
    name = Path(sys.executable).name
    assert resolve_target(window="Pong II", process_name=name).window == pair[1].id
    with pytest.raises(MissingError, match="'Pong II' of process 'doom'"):
        resolve_target(window="Pong II", process_name="doom")


def test_only_one_way_to_say_what_is_recorded():
    with pytest.raises(BadInputError, match="leave out monitor or window"):
        resolve_target(region=(0, 0, 64, 64), monitor=1, window="Pong")


@pytest.mark.parametrize("region", [(0, 0, 10, 10), (50, 0, 0, 50), (0, 0, 64)])
def test_a_region_without_area_is_refused(region):
    with pytest.raises(BadInputError, match="--pick"):
        resolve_target(region=region)


DOOM = Window(1, "DOOM", 5, ("crispy-doom",), Box(0, 0, 640, 480), focused=False)


def test_a_process_goes_by_its_name_or_a_part_of_it_with_or_without_exe():
    wine = Window(2, "Quake", 6, ("Quake.exe", "quake"), Box(0, 0, 640, 480), focused=False)
    there = (DOOM, wine)
    assert resolve_target(process_name="quake", windows=there).window == 2
    assert resolve_target(process_name="Quake.EXE", windows=there).window == 2
    assert resolve_target(process_name="crispy", windows=there).window == 1
    with pytest.raises(MissingError):
        resolve_target(process_name="", windows=there)


def test_a_minimised_window_of_no_size_is_refused():
    tiny = Window(1, "DOOM", 5, (), Box(0, 0, 1, 1), focused=False)
    with pytest.raises(BadInputError, match="restore it"):
        resolve_target(window="DOOM", windows=(tiny,))


def test_the_repr_of_a_window_does_not_show_its_title():
    assert "DOOM" not in repr(DOOM)


def test_a_window_that_moves_is_known_to_have_moved_at_once(pair):
    with watch(pair[0].id) as eye:
        before = eye.place().box
        threading.Timer(0.2, pair[0].do, ["move 333 222"]).start()
        end = time.monotonic() + 60
        while eye.place().box == before:
            began = time.monotonic()
            eye.wait(4)
            assert time.monotonic() < end
        assert time.monotonic() - began < 3, "it did not sleep until the time was up"
        time.sleep(0.1)
        after = eye.place()
    assert (after.box.width, after.box.height, after.visible) == (320, 240, True)


def test_a_window_that_is_gone_ends_what_follows_it(pair):
    pair[0].do("close")
    with pytest.raises(SourceEnd, match="was closed"), follow(pair[0].id, Box(0, 0, 64, 64)):
        pass


def test_no_server_is_refused_with_what_to_look_at(monkeypatch):
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":5321")
    with pytest.raises(UnavailableError, match="check DISPLAY"):
        list_windows()
    with pytest.raises(UnavailableError, match="check DISPLAY"):
        resolve_target()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(UnavailableError, match="Wayland"):
        list_windows()


def test_the_command_lists_windows_and_monitors_for_people_and_for_programs(pair, capsys):
    command(as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert {(one["id"], one["title"], one["pid"]) for one in told["windows"]} == {
        (hex(pair[0].id), "Pong ü", pair[0].pid),
        (hex(pair[1].id), "Pong II", pair[1].pid),
    }
    boxes = {one["id"]: Box(*one["region"]) for one in told["windows"]}
    assert (boxes[hex(pair[1].id)].width, boxes[hex(pair[1].id)].height) == (200, 160)
    assert told["monitors"] == [{"number": n, "region": [0, 0, 1280, 720]} for n in (0, 1)]
    command()
    text = capsys.readouterr().out
    assert "2 windows" in text
    assert f"{pair[1].id:#x}" in text
    assert "monitor 1: 1280x720 at 0,0" in text


class FakeWindow:
    """A window as pywinctl has it."""

    visible, isMinimized, isAlive = True, False, True  # noqa: N815 - their names

    def __init__(self, handle, title, box):
        self.handle, self.title, self.box = handle, title, box

    def getHandle(self):  # noqa: N802
        return self.handle

    def getPID(self):  # noqa: N802
        return 77

    def getAppName(self):  # noqa: N802
        return "Game.exe"

    def getClientFrame(self):  # noqa: N802
        return SimpleNamespace(**self.box._asdict())


def test_windows_of_other_systems_come_from_pywinctl(monkeypatch):
    game, other = (
        FakeWindow(0x50, "Pong", Box(-5, 6, 315, 246)),
        FakeWindow(("Safari", "Mail"), "Mail", Box(0, 0, 9, 9)),
    )
    unseen = FakeWindow(0x51, "", Box(0, 0, 1, 1))
    fake = SimpleNamespace(getActiveWindow=lambda: game, getAllWindows=lambda: [game, other, unseen])
    monkeypatch.setitem(sys.modules, "pywinctl", fake)
    listed = list_windows(platform="win32")
    assert [(w.id, w.title, w.pid, w.process_name, w.box, w.focused) for w in listed[:1]] == [
        (0x50, "Pong", 77, "Game.exe", Box(-5, 6, 315, 246), True)
    ]
    assert [w.title for w in listed] == ["Pong", "Mail"]
    for window, made in zip(listed, (game, other), strict=True):
        with watch(window.id, platform="darwin") as eye:
            assert eye.place() == (made.box, True)
            made.isMinimized = True
            assert not eye.place().visible
            made.isAlive = False
            with pytest.raises(SourceEnd, match="closed"):
                eye.place()
    with pytest.raises(SourceEnd, match="no window 0x99"), watch(0x99, platform="win32"):
        pass


def test_other_systems_without_pywinctl_are_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pywinctl", None)
    with pytest.raises(UnavailableError, match=r"rushes\[desktop\]"):
        list_windows(platform="win32")
