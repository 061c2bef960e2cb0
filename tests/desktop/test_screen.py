"""Pictures of a real screen: what is in them, when they are taken, and that every tick is accounted for."""

import importlib.util
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from rushes.capture.screen import base
from rushes.capture.screen.base import Box, choose_grabber, require_screen
from rushes.capture.screen.dxcam_grabber import DxcamGrabber
from rushes.capture.screen.mss_grabber import MssGrabber, monitor_boxes
from rushes.capture.screen.source import ScreenSource, same
from rushes.capture.screen.target import Target, resolve_target
from rushes.capture.source import Source, SourceEnd
from rushes.errors import BadInputError, UnavailableError
from rushes.model.clock import Clock
from rushes.model.readings import Frame, Gap, Telemetry

spec = importlib.util.spec_from_file_location("desktop_painted", Path(__file__).parent / "painted.py")
painted = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
spec.loader.exec_module(painted)

ANSWERS = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
pytestmark = pytest.mark.require("display")


@pytest.fixture
def window(display, programs):
    made = painted.Painted(programs, "the game")
    yield made
    made.end()


class Taking:
    """A source that runs on its thread while the block does."""

    def __init__(self, source):
        self.source, self.seen, self.error = source, [], None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def work(self):
        try:
            self.source.run(Clock(), self.seen.append, self.stop)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def of(self, kind):
        return [one for one in list(self.seen) if isinstance(one, kind)]

    def pictures(self):
        return [frame.pixels for frame in self.of(Frame) if frame.pixels is not None]

    def until(self, ask, seconds=60.0):
        end = time.monotonic() + seconds
        while not ask():
            assert time.monotonic() < end, f"not within {seconds} s; {self.error!r}"
            time.sleep(0.005)


@contextmanager
def taking(source):
    made = Taking(source)
    made.thread.start()
    try:
        yield made
    finally:
        made.stop.set()
        made.thread.join(30)
        assert not made.thread.is_alive()


def test_a_window_gives_its_client_area_and_nothing_of_the_frame_around_it(window):
    target = resolve_target(window="the game")
    source = ScreenSource(target, 60)
    assert isinstance(source, Source)
    with taking(source) as run:
        run.until(lambda: len(run.of(Frame)) > 20)
    first = run.of(Frame)[0]
    assert first.pixels.shape == (240, 320, 4)
    assert first.pixels.dtype == np.uint8
    assert painted.corners(first.pixels) == painted.COLOURS
    assert painted.colour(first.pixels, 120, 160) == painted.GROUND
    assert [frame.pixels for frame in run.of(Frame)[1:]] == [None] * (len(run.of(Frame)) - 1)


def test_every_tick_is_a_frame_or_is_counted_and_times_never_run_back(window):
    with taking(ScreenSource(resolve_target(window=window.id), 100)) as run:
        run.until(lambda: len(run.of(Frame)) > 100)
    frames = run.of(Frame)
    assert frames[0].tick == 0
    assert len(frames) + sum(frame.dropped_before for frame in frames) == frames[-1].tick + 1
    times = [one.t_ns for one in run.seen]
    assert times == sorted(times)
    after = np.array([frame.t_ns - frame.tick * 10_000_000 for frame in frames])
    after -= after.min()  # no less late than that, each of them
    late = np.array([frame.late for frame in frames])
    assert late[after > 5_000_000].all(), "half an interval"
    assert np.mean(late[after < 3_000_000]) < 0.5, "those whose grab was held up by a busy machine"


def test_a_change_of_the_picture_is_seen_and_what_stays_is_a_repeat(window):
    with taking(ScreenSource(resolve_target(window=window.id), 60)) as run:
        run.until(lambda: run.of(Frame))
        for number, colour in enumerate(("102030", "405060"), start=2):
            window.do(f"paint {colour}")
            run.until(lambda colour=colour: painted.colour(run.pictures()[-1], 120, 160) == int(colour, 16))
            assert len(run.pictures()) >= number
    assert len(run.pictures()) <= 9, "one a paint, and a few between clearing and drawing"


def test_the_first_frame_after_a_refresh_has_pixels_and_the_place_follows_it(window):
    with taking(ScreenSource(resolve_target(window=window.id), 60)) as run:
        run.until(lambda: len(run.of(Frame)) > 5)
        assert len(run.pictures()) == 1
        run.source.refresh()
        run.until(lambda: len(run.pictures()) == 2)
        run.until(lambda: len(run.of(Telemetry)) == 2)
    assert np.array_equal(*run.pictures())
    box = resolve_target(window=window.id).box
    with_pixels = [place for place, one in enumerate(run.seen) if isinstance(one, Frame) and one.pixels is not None]
    for place in with_pixels:
        assert run.seen[place + 1] == Telemetry(run.seen[place].t_ns, {"left": box.left, "top": box.top})


def test_a_window_that_moves_is_followed_and_the_moves_are_told(window):
    with taking(ScreenSource(resolve_target(window=window.id), 60)) as run:
        run.until(lambda: run.of(Frame))
        window.do("move 500 300")
        run.until(lambda: len(run.of(Telemetry)) >= 2)
        run.source.refresh()
        run.until(lambda: len(run.of(Telemetry)) >= 3)
    assert painted.corners(run.pictures()[-1]) == painted.COLOURS
    place = resolve_target(window=window.id).box
    assert run.of(Telemetry)[-1].fields == {"left": place.left, "top": place.top}
    assert run.of(Gap) == []


def test_without_follow_the_place_stays(window):
    with taking(ScreenSource(resolve_target(window=window.id), 60, follow=False)) as run:
        run.until(lambda: run.of(Frame))
        window.do("move 700 400")
        run.until(lambda: len(run.pictures()) > 1)
    assert painted.corners(run.pictures()[-1])["top left"] != painted.COLOURS["top left"]
    assert len(run.of(Telemetry)) == 1


def test_another_size_is_a_gap_and_from_then_on_pictures_are_scaled_to_the_first(window):
    with taking(ScreenSource(resolve_target(window=window.id), 60)) as run:
        run.until(lambda: run.of(Frame))
        window.do("size 640 480")
        run.until(lambda: run.of(Gap))
        gap = run.seen.index(run.of(Gap)[0])
        run.until(lambda: len([one for one in run.seen[gap:] if isinstance(one, Frame)]) > 10)
    after = [one for one in run.seen[gap:] if isinstance(one, Frame)]
    assert run.of(Gap)[0].reason == "resize"
    assert len(run.of(Gap)) == 1
    assert after[0].pixels is not None
    assert {picture.shape for picture in run.pictures()} == {(240, 320, 4)}
    assert painted.corners(run.pictures()[-1]) == painted.COLOURS


def test_dragging_an_edge_makes_one_gap_and_the_ticks_meanwhile_are_counted(window):
    with taking(ScreenSource(resolve_target(window=window.id), 60)) as run:
        run.until(lambda: run.of(Frame))
        for width in range(330, 400, 10):
            window.do(f"size {width} 240")
        run.until(lambda: run.of(Gap))
        gap = run.seen.index(run.of(Gap)[0])
        run.until(lambda: len([one for one in run.seen[gap:] if isinstance(one, Frame)]) > 10)
    frames = run.of(Frame)
    assert len(run.of(Gap)) == 1
    assert frames[-1].tick + 1 == len(frames) + sum(frame.dropped_before for frame in frames)
    assert painted.corners(run.pictures()[-1]) == painted.COLOURS


def test_a_window_that_closes_ends_the_source(window):
    with taking(ScreenSource(resolve_target(window=window.id), 60)) as run:
        run.until(lambda: run.of(Frame))
        window.do("close")
        run.until(lambda: run.error)
    assert isinstance(run.error, SourceEnd)
    assert run.error.reason == "window_closed"


def test_a_hidden_window_is_black_and_what_stands_behind_it_is_not_recorded(window, programs):
    secret = painted.Painted(programs, "behind", (600, 500), (60, 40))
    secret.do("paint 00ffcc")
    with taking(ScreenSource(resolve_target(window=window.id), 60)) as run:
        run.until(lambda: run.of(Frame))
        window.do("hide")
        run.until(lambda: not run.pictures()[-1].any())
        hidden = len(run.of(Frame))
        run.until(lambda: len(run.of(Frame)) > hidden + 10)
        assert all(frame.pixels is None for frame in run.of(Frame)[hidden:])
        window.do("show")
        run.until(lambda: painted.corners(run.pictures()[-1]) == painted.COLOURS)
    secret.end()


def test_what_sticks_out_of_the_screen_is_black_and_the_size_stays(window):
    width, height = monitor_boxes()[0][2:]
    with MssGrabber().open(Box(90, 70, 190, 170)) as grabber:
        for box in (Box(-50, -40, 70, 60), Box(width - 30, height - 20, width + 70, height + 80), Box(-90, 5, -10, 85)):
            grabber.aim(box)
            picture = grabber.grab()
            assert picture.shape == (box.height, box.width, 4)
            rows, columns = np.mgrid[box.top : box.bottom, box.left : box.right]
            outside = (rows < 0) | (columns < 0) | (rows >= height) | (columns >= width)
            assert not picture[outside].any()
        window.do("move 1100 600")
        place = resolve_target(window=window.id).box
        grabber.aim(place)
        picture = grabber.grab()
        assert painted.colour(picture, 3, 3) == painted.COLOURS["top left"]
        assert not picture[-10:].any()


def test_a_screen_that_changes_its_size_is_grabbed_on(servers):
    from Xlib.display import Display

    with servers.run_display((640, 480), window_manager=False), closing(Display()) as display:
        root = display.screen().root
        everywhere = Box(0, 0, 640, 480)
        root.change_attributes(background_pixel=0x808080)
        with MssGrabber().open(everywhere) as grabber:
            outputs = root.xrandr_get_screen_resources()
            display.xrandr_set_crtc_config(outputs.crtcs[0], outputs.config_timestamp, 0, 0, 0, 1, [])
            for size in ((320, 240), (640, 480)):
                root.xrandr_set_screen_size(*size, 100, 100)
                root.clear_area()
                display.sync()
                end = time.monotonic() + 60
                while (grabber.grab() == 0x80).any(axis=2).sum() != size[0] * size[1]:
                    assert time.monotonic() < end
                    time.sleep(0.05)
                assert grabber.grab().shape == (480, 640, 4)


def test_a_region_and_a_monitor_are_what_they_say(window):
    assert resolve_target(monitor=0).box == resolve_target().box == Box(0, 0, 1280, 720)
    with pytest.raises(BadInputError, match=r"0 .all. to 1"):
        resolve_target(monitor=2)
    left, top, right, bottom = resolve_target(window=window.id).box
    with MssGrabber().open(resolve_target(region=(left, top, right, bottom)).box) as grabber:
        assert painted.corners(grabber.grab()) == painted.COLOURS


def test_a_display_that_dies_ends_the_source(display, monkeypatch, servers):
    with servers.programs_that_end() as programs:
        server = programs.start(["Xvfb", "-displayfd", "1", "-nolisten", "tcp"], **ANSWERS)
        monkeypatch.setenv("DISPLAY", f":{int(server.stdout.readline())}")
        made = painted.Painted(programs, "lost")
        region = ScreenSource(Target(Box(0, 0, 64, 64)), 60)
        with taking(ScreenSource(resolve_target(window=made.id), 60)) as run, taking(region) as other:
            run.until(lambda: run.of(Frame) and other.of(Frame))
            server.kill()
            run.until(lambda: run.error and other.error)
        made.end()
        server.stdout.close()
    assert {type(run.error), type(other.error)} == {SourceEnd}
    assert (run.error.reason, other.error.reason) == ("display_lost", "display_lost")


def test_a_stop_is_noticed_at_once_at_one_picture_a_minute(display):
    with taking(ScreenSource(resolve_target(region=(0, 0, 64, 64)), 1 / 60)) as run:
        run.until(lambda: run.of(Frame))
        run.stop.set()
        run.thread.join(20)
        assert not run.thread.is_alive(), "it waits for its next tick"
    assert run.error is None


class Slow:
    """A grabber that now and then takes a while, or says that nothing has changed."""

    def __init__(self, pictures, slow_at=-1, takes_s=0.0):
        self.pictures, self.slow_at, self.takes_s, self.count = list(pictures), slow_at, takes_s, 0

    @contextmanager
    def open(self, box):
        yield self

    def aim(self, box):
        del box

    def grab(self):
        self.count += 1
        if self.count == self.slow_at:
            time.sleep(self.takes_s)
        return self.pictures.pop(0) if self.pictures else None


def grey(value):
    return np.full((16, 16, 4), value, np.uint8)


def test_the_first_frame_waits_for_a_picture_of_a_grabber_that_knows_only_changes():
    source = ScreenSource(Target(Box(0, 0, 16, 16)), 100, grabber=Slow([None, None, grey(1), None, grey(2)]))
    with taking(source) as run:
        run.until(lambda: len(run.of(Frame)) > 4)
    values = [None if frame.pixels is None else int(frame.pixels[0, 0, 0]) for frame in run.of(Frame)[:4]]
    assert values == [1, 2, None, None]
    assert run.of(Frame)[0].tick == 0


@pytest.mark.parametrize("skip_late", [False, True])
def test_a_slow_grab_makes_late_frames_or_dropped_ticks_as_asked(skip_late):
    grabber = Slow([grey(1)], slow_at=5, takes_s=0.3)
    with taking(ScreenSource(Target(Box(0, 0, 16, 16)), 50, grabber=grabber, skip_late=skip_late)) as run:
        run.until(lambda: len(run.of(Frame)) > 40)
    frames = run.of(Frame)
    assert len(frames) + sum(frame.dropped_before for frame in frames) == frames[-1].tick + 1
    dropped, late = sum(frame.dropped_before for frame in frames), sum(frame.late for frame in frames)
    if skip_late:
        assert dropped >= 12
        assert late < 30
    else:
        assert dropped == 0
        assert late >= 12


def test_equal_pictures_are_equal_and_one_byte_makes_them_differ():
    a = np.random.default_rng(1).integers(0, 256, (48, 64, 4), np.uint8)
    b = a.copy()
    assert same(a, b)
    b[-1, -1, -1] ^= 1
    assert not same(a, b)
    assert not same(a, a[:24].copy())


@pytest.mark.parametrize(
    "environ", [{"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}]
)
def test_wayland_is_refused_with_what_works(environ):
    with pytest.raises(UnavailableError, match=r"Xorg.*--backend env"):
        require_screen(platform="linux", environ=environ)


def test_no_display_is_refused_with_what_works(monkeypatch):
    with pytest.raises(UnavailableError, match=r"DISPLAY is not set.*--backend synthetic"):
        require_screen(platform="linux", environ={})
    for platform in ("win32", "darwin"):
        require_screen(platform=platform, environ={})


def test_windows_takes_dxcam_where_it_is_installed(monkeypatch):
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: object() if name == "dxcam" else None)
    assert type(choose_grabber(platform="win32")).__name__ == "DxcamGrabber"
    assert type(choose_grabber(platform="darwin")).__name__ == "MssGrabber"
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda _: None)
    assert type(choose_grabber(platform="win32")).__name__ == "MssGrabber"


class FakeDxcam(ModuleType):
    """DXCam with two outputs beside each other, whose cameras give their own pictures in turn, and None between."""

    def __init__(self):
        super().__init__("dxcam")
        self.cameras, self.asked = {}, []
        boxes = (Box(0, 0, 200, 100), Box(-160, 20, 0, 120))
        outputs = [[SimpleNamespace(desc=SimpleNamespace(DesktopCoordinates=box)) for box in boxes]]
        self.__dict__["__factory"] = SimpleNamespace(outputs=outputs)

    def create(self, *, device_idx, output_idx, output_color):
        assert output_color == "BGRA"
        camera = SimpleNamespace(released=False)
        camera.grab = lambda region: self.grab(output_idx, region)
        camera.release = lambda: setattr(camera, "released", True)
        self.cameras[device_idx, output_idx] = camera
        return camera

    def grab(self, output, region):
        self.asked.append((output, region))
        if len(self.asked) % 2 == 0:
            return None
        left, top, right, bottom = region
        return np.full((bottom - top, right - left, 4), 10 + output, np.uint8)


@pytest.fixture
def dxcam(monkeypatch):
    fake = FakeDxcam()
    monkeypatch.setitem(sys.modules, "dxcam", fake)
    return fake


def test_dxcam_is_asked_in_the_coordinates_of_the_output_and_none_stays_none(dxcam):
    with DxcamGrabber().open(Box(10, 20, 50, 60)) as grabber:
        assert (grabber.grab() == 10).all()
        assert grabber.grab() is None
        grabber.aim(Box(-150, 30, -50, 80))
        assert (grabber.grab() == 11).all()
        grabber.grab()
        grabber.aim(Box(190, 80, 220, 110))
        corner = grabber.grab()
    assert dxcam.asked[::2] == [(0, (10, 20, 50, 60)), (1, (10, 10, 110, 60)), (0, (190, 80, 200, 100))]
    assert corner.shape == (30, 30, 4)
    assert (corner[:20, :10] == 10).all()
    assert not corner[20:].any()
    assert not corner[:, 10:].any()
    assert all(camera.released for camera in dxcam.cameras.values())


def test_a_box_on_two_outputs_is_grabbed_with_mss(dxcam, display):
    with DxcamGrabber().open(Box(-20, 30, 40, 90)) as grabber:
        assert grabber.grab().shape == (60, 60, 4)
    assert dxcam.cameras == {}


def test_a_dxcam_that_fails_ends_the_source_or_says_what_to_do(dxcam, monkeypatch):
    def fail(*_, **__):
        raise OSError("no adapter")

    with DxcamGrabber().open(Box(10, 20, 50, 60)) as grabber:
        dxcam.cameras[0, 0].grab = fail
        with pytest.raises(SourceEnd, match="no adapter"):
            grabber.grab()
    dxcam.create = fail
    with pytest.raises(UnavailableError, match="uninstall dxcam"), DxcamGrabber().open(Box(10, 20, 50, 60)):
        pass
    monkeypatch.setitem(sys.modules, "dxcam", None)
    with pytest.raises(UnavailableError, match=r"rushes\[desktop\]"), DxcamGrabber().open(Box(10, 20, 50, 60)):
        pass
