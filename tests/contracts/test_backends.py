"""The contract of capture backends, over every row of the table."""

import os
import queue
import subprocess
import threading
import time

import numpy as np
import pytest

from rushes.capture.base import BACKENDS, Backend
from rushes.capture.browser.clock_join import Sample
from rushes.capture.browser.messages import Hello, Picture
from rushes.capture.env.play import Play
from rushes.capture.live import LiveRecorder
from rushes.capture.recorder import record
from rushes.capture.screen.target import resolve_target
from rushes.capture.settings import Settings
from rushes.capture.source import LiveBackend, Source
from rushes.model.clock import Clock
from rushes.model.readings import Event, Frame, Gap, Start, Step, Telemetry
from rushes.qa.base import run_checks
from rushes.store.fingerprint import of_tree
from rushes.store.reader import open_session
from rushes.worlds.catalog import make_world


def env_backend(kind):
    play = Play("ALE/Pong-v5", frames_per_env=12, max_episodes=2, policy="uniform")
    return kind(make_world("ALE/Pong-v5"), play)


SMALL = {"env": env_backend, "synthetic": lambda kind: kind(frames=12, segments=2)}
"""How to make a small one; a new row needs a line here, else its tests fail."""


LIVE = [name for name in BACKENDS if hasattr(BACKENDS.load(name), "sources")]


@pytest.fixture(params=[name for name in BACKENDS if name not in LIVE])
def backend(request):
    return SMALL[request.param](BACKENDS.load(request.param))


def test_it_follows_the_protocol_and_describes_itself_before_anything_is_opened(backend):
    assert isinstance(backend, Backend)
    info = backend.describe()
    assert info.streams == backend.specs()
    assert info.stream("frames").width > 0
    assert len(info.action_space) > 0


def test_segments_open_and_close_and_no_frame_or_step_stands_outside(backend):
    inside = False
    with backend.open(Clock()) as readings:
        for reading in readings:
            if isinstance(reading, Start):
                assert not inside
                inside = True
            elif isinstance(reading, Gap):
                assert inside
                assert reading.reason
                inside = False
            elif isinstance(reading, Frame | Step):
                assert inside
    assert not inside


def test_times_are_whole_nanoseconds_that_never_run_back(backend):
    with backend.open(Clock()) as readings:
        times = [r.t_ns for r in readings if isinstance(r, Frame | Event)]
    assert all(isinstance(t, int) for t in times)
    assert times == sorted(times)
    assert times[0] >= 0


def test_what_it_yields_becomes_a_sound_session_that_says_what_it_is(backend, tmp_path):
    session = record(backend, tmp_path / "s")
    assert [f for f in run_checks(session) if f.severity != "info"] == []
    assert session.frame_count == 12
    assert session.info == backend.describe()
    frames = session.info.stream("frames")
    assert next(session.frames(0, 1)).shape == (frames.height, frames.width, 3)
    assert {p.codec for p in session.pictures(0, 12)} == {frames.codec}
    assert session.ledger.balances


def test_the_same_play_gives_the_same_bytes(backend, tmp_path, request):
    name = request.node.callspec.params["backend"]
    record(backend, tmp_path / "a")
    record(SMALL[name](BACKENDS.load(name)), tmp_path / "b")
    assert of_tree(tmp_path / "a") == of_tree(tmp_path / "b")


# --- backends that live in real time ---


@pytest.fixture
def small_display(monkeypatch, require):
    """A display server of this test alone."""
    require("display")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "320x240x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as file:
        monkeypatch.setenv("DISPLAY", f":{file.readline().strip()}")
    yield
    server.terminate()
    server.wait()


def desktop_backend(kind):
    settings = Settings(region=(0, 0, 160, 120), keys_anywhere=True)
    return kind(settings, resolve_target(region=settings.region), (120, 160))


class PlantedPage:
    """A connection whose page sends a picture and a row of telemetry at 30 Hz, on a clock of its own."""

    def __init__(self):
        self.inbox = queue.SimpleQueue()

    def go(self):
        threading.Thread(target=self.play, daemon=True).start()

    def refuse(self, error):
        raise AssertionError(error)

    def play(self):
        sent_ns = time.perf_counter_ns()
        self.inbox.put(Sample(sent_ns, 1000 * time.perf_counter() + 777, time.perf_counter_ns()))
        for tick in range(300):
            time.sleep(1 / 30)
            pixels = np.full((120, 160, 3), tick % 256, np.uint8)
            self.inbox.put(Picture(1000 * time.perf_counter() + 777, tick, False, 0, pixels, {"k": tick}))


def browser_backend(kind):
    hello = Hello("Planted", "Ada", "http://localhost/", (240, 320), {"seed": 7})
    return kind(hello, PlantedPage(), size=(120, 160), rate_hz=30.0, codec="h264")


SMALL_LIVE = {
    "browser": browser_backend,
    "desktop": desktop_backend,
    "synthetic_live": lambda kind: kind(rate_hz=30.0, size=(120, 160), sound=True),
}
"""How to make a small one; a new row needs a line here or above, else its tests fail."""


@pytest.fixture(params=LIVE)
def live(request):
    if request.param == "desktop":
        request.getfixturevalue("small_display")
    return SMALL_LIVE[request.param](BACKENDS.load(request.param))


def test_a_live_one_follows_the_protocol_and_describes_itself(live):
    assert isinstance(live, LiveBackend)
    assert live.describe().streams == live.specs()
    assert live.describe().time_source == "measured"
    sources = live.sources()
    assert all(isinstance(source, Source) for source in sources)
    assert sources[0].essential, "the screen comes first"


def test_its_sources_stamp_in_order_and_stop_when_told(live):
    clock, stop, found = Clock(), threading.Event(), {}
    threads = []
    for source in live.sources():
        readings = found.setdefault(source.name, [])
        threads.append(threading.Thread(target=source.run, args=(clock, readings.append, stop), daemon=True))
    for thread in threads:
        thread.start()
    time.sleep(0.8)
    stop.set()
    asked = time.monotonic()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert time.monotonic() - asked < 2
    for readings in found.values():
        times = [r.t_ns for r in readings]
        assert times == sorted(times)
        assert all(type(t) is int and 0 <= t <= clock.now_ns() for t in times)
    frames = [r for r in found["screen"] if isinstance(r, Frame)]
    assert frames[0].pixels.shape[:2] == (120, 160)
    assert {type(r) for r in found["screen"]} <= {Frame, Gap, Telemetry}, "segments are the recorder's business"


def test_what_it_emits_becomes_a_sound_session(live, tmp_path):
    result = LiveRecorder(live, tmp_path / "s", rate_hz=30, paused=False, max_frames=12, chunk_frames=5).run()
    assert (result.error, result.reason, result.frames) == (None, "max_frames", 12)
    session = open_session(tmp_path / "s")
    assert [f for f in run_checks(session) if f.severity == "error"] == []
    assert session.info == live.describe()
    assert session.ledger.balances
    assert [frame.shape for frame in session.frames(0, 12)] == [(120, 160, 3)] * 12
