"""The live recorder when something goes wrong: the session ends cleanly with its reason, or goes on and says so."""

import subprocess
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from rushes.capture import live
from rushes.capture.child import record_live
from rushes.capture.live import LiveRecorder
from rushes.capture.live_synthetic import LiveSynthetic
from rushes.capture.process import Recorder
from rushes.capture.settings import Settings
from rushes.capture.source import SourceEnd
from rushes.errors import BadInputError, OccupiedError, RushesError, StorageError, UnavailableError
from rushes.model.clock import NS
from rushes.model.readings import Event, Frame, Sound
from rushes.qa.base import run_checks
from rushes.store.reader import open_session
from rushes.store.recover import recover
from rushes.worlds.synthetic import read_counter

RATE = 30.0


@dataclass
class Scripted:
    """A source that does what a function says, a tick after another."""

    name: str
    act: object
    essential: bool = True

    def run(self, clock, emit, stop):
        tick = 0
        while not stop.wait(1 / RATE):
            self.act(tick, clock, emit)
            tick += 1


@dataclass(frozen=True)
class Stage(LiveSynthetic):
    """The synthetic world with other sources beside it, or in the place of its own."""

    more: tuple = field(default=())
    own: bool = True

    def sources(self, say=print):
        return [*(LiveSynthetic.sources(self, say) if self.own else ()), *self.more]


def record(path, backend=None, **more):
    given = {"rate_hz": RATE, "paused": False, "chunk_frames": 20} | more
    return LiveRecorder(backend or LiveSynthetic(rate_hz=RATE, sound=True), path, **given).run()


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def sound(path):
    session = open_session(path)
    assert [f for f in run_checks(session) if f.severity == "error"] == []
    assert session.ledger.balances
    return session


def ends_after(ticks, error):
    def act(tick, clock, emit):
        del clock, emit
        if tick == ticks:
            raise error

    return act


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceEnd("display_lost", "the display is gone"), "display_lost"),
        (SourceEnd("window_closed", "the window was closed"), "window_closed"),
        (OSError("the driver fell over"), "failed"),
    ],
)
def test_when_the_screen_is_lost_the_session_ends_cleanly_with_its_reason(tmp_path, error, reason):
    screen = Scripted("screen", ends_after(15, error))
    result = record(tmp_path / "s", Stage(rate_hz=RATE, more=(screen,)))
    assert result.reason == reason
    assert str(error) in result.sentence
    assert result.sentence != str(error) or isinstance(error, SourceEnd), "a bare exception says nothing"
    assert result.error is None
    session = sound(tmp_path / "s")
    assert session.segments[-1].end_reason == reason
    assert session.frame_count > 5


def test_without_a_sound_device_it_goes_on_and_says_so(tmp_path):
    def act(tick, clock, emit):
        emit(Sound(clock.now_ns(), np.zeros((10, 2), np.int16), 48_000, "mic"))
        if tick == 8:
            raise SourceEnd("device_lost", "the microphone is gone")

    mic = Scripted("mic", act, essential=False)
    result = record(tmp_path / "s", Stage(rate_hz=RATE, more=(mic,)), max_frames=45)
    assert result.reason == "max_frames"
    assert result.notes == ("mic: the microphone is gone; the recording went on without it",)
    session = sound(tmp_path / "s")
    assert session.frame_count == 45
    assert session.ledger["mic"].marked == {"device_lost": 1}


def test_a_device_that_cannot_be_opened_leaves_nothing_behind(tmp_path):
    def act(tick, clock, emit):
        raise UnavailableError("no screen", accepts="a screen", fix="log in")

    result = record(tmp_path / "s", Stage(rate_hz=RATE, own=False, more=(Scripted("screen", act),)))
    assert isinstance(result.error, UnavailableError)
    assert result.frames == 0
    assert not (tmp_path / "s").exists()


def test_low_disk_ends_it_while_there_is_room_to_seal(tmp_path):
    result = record(tmp_path / "s", low_disk_bytes=1 << 60)
    assert result.reason == "low_disk"
    assert "MB left" in result.sentence
    if result.frames:
        assert sound(tmp_path / "s").segments[-1].end_reason == "low_disk"


def test_a_full_disk_keeps_all_that_was_written_for_recover(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", folder]
    if (made := subprocess.run(mount, capture_output=True, check=False)).returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.decode().strip()}")
    try:
        result = record(folder / "s", LiveSynthetic(rate_hz=RATE, codec="png"), codec="png", low_disk_bytes=0)
        assert isinstance(result.error, StorageError)
        assert "disk is full" in str(result.error)
        subprocess.run(["mount", "-o", "remount,size=20M", folder], check=True)
        recover(folder / "s")
        session = sound(folder / "s")
        assert session.frame_count > 10
        counters = [read_counter(p) for p in session.frames(0, session.frame_count)]
        assert counters == session.index()["tick"].tolist()
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_machine_that_slept_gets_a_new_segment_with_the_new_wall_time(tmp_path, monkeypatch):
    real, jump = time.time_ns, [0]

    class Time:
        perf_counter = staticmethod(time.perf_counter)
        time_ns = staticmethod(lambda: real() + jump[0])

    monkeypatch.setattr(live, "time", Time)
    monkeypatch.setattr("rushes.model.clock.time.time_ns", Time.time_ns)
    threading.Timer(1.2, lambda: jump.__setitem__(0, 3600 * NS)).start()
    record(tmp_path / "s", max_seconds=2.5)
    first, second = sound(tmp_path / "s").segments
    assert first.end_reason == "clock_jump"
    assert second.wall_ns - first.wall_ns - (second.start_ns - first.start_ns) == pytest.approx(3600 * NS, abs=0.1 * NS)


def test_what_the_encoder_has_no_room_for_is_dropped_and_counted_and_nothing_shifts(tmp_path, monkeypatch):
    monkeypatch.setattr("rushes.capture.encoding._WAIT_S", 0.02)
    real = live.Encoding.submit
    waits = iter([0, 0, 0, 0.4, 0, 0, 0, 0, 0.3, *[0] * 1000])

    def slow(self, pixels, *, key=False):
        self._pool.submit(time.sleep, next(waits))
        return real(self, pixels, key=key)

    monkeypatch.setattr(live.Encoding, "submit", slow)
    record(tmp_path / "s", max_seconds=2.0)
    session = sound(tmp_path / "s")
    index = session.index()
    assert index["dropped_before"].sum() > 3
    assert session.ledger["frames"].lost["dropped_tick"] == index["dropped_before"].sum()
    assert (np.diff(index["tick"]) == 1 + index["dropped_before"][1:]).all()
    counters = [read_counter(p) for p in session.frames(0, session.frame_count)]
    assert counters == index["tick"].tolist()


def test_repeated_pictures_are_kept_once_and_every_chunk_opens_alone(tmp_path):
    picture = [np.full((64, 64, 3), 40 * k, np.uint8) for k in range(6)]

    def act(tick, clock, emit):
        emit(Frame(clock.now_ns(), picture[tick // 12] if tick % 12 == 0 else None, tick=tick))
        emit(Event(clock.now_ns(), "keyboard", "KeyW", "press" if tick % 2 else "release", float(tick % 2)))

    backend = Stage(rate_hz=RATE, size=(64, 160), own=False, more=(Scripted("screen", act),))
    object.__setattr__(backend, "size", (64, 64))
    record(tmp_path / "s", backend, max_frames=50, chunk_frames=7, codec="lossless")
    session = sound(tmp_path / "s")
    assert session.ledger["frames"].marked["duplicate"] == 50 - 5
    for number, shown in enumerate(session.frames(0, 50)):
        assert (shown == picture[number // 12]).all(), number
    for number in (49, 20, 7, 6, 13):
        assert (session.frame(number) == picture[number // 12]).all()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("mine")
    asked = Settings(backend="synthetic", out=str(tmp_path / "s"), start_immediately=True)
    with pytest.raises(OccupiedError, match="exists already"):
        record_live(asked)
    with Recorder(asked) as recorder:
        assert recorder.wait(60)
        with pytest.raises(RushesError, match="exists already"):
            recorder.result()
    assert (tmp_path / "s" / "thesis.txt").read_text() == "mine"


def test_the_recorder_starts_paused_and_follows_commands(tmp_path):
    asked = Settings(backend="synthetic", out=str(tmp_path / "s"), chunk_size=30)
    with Recorder(asked, pictures=True) as recorder:
        assert recorder.begun()
        time.sleep(0.5)
        until(lambda: recorder.status["state"] == "paused")
        assert recorder.status["frames"] == 0
        recorder.resume()
        until(lambda: recorder.status["frames"] > 3)
        recorder.pause()
        until(lambda: recorder.status["state"] == "paused")
        until(lambda: recorder.picture)
        assert recorder.picture.startswith(b"\xff\xd8")
        before = recorder.status["frames"]
        recorder.resume()
        until(lambda: recorder.status["frames"] > before + 3)
        with pytest.raises(BadInputError, match="resume, pause, toggle, stop"):
            recorder.command("erase")
        assert recorder.stop()["reason"] == "stop"
    assert [s.end_reason for s in sound(tmp_path / "s").segments] == ["pause", "stop"]


def test_going_on_with_other_options_is_refused(tmp_path):
    asked = Settings(backend="synthetic", out=str(tmp_path / "s"), start_immediately=True, max_frames=5)
    record_live(asked)
    other = Settings(backend="synthetic", out=str(tmp_path / "s"), resume=True, codec="png")
    with pytest.raises(OccupiedError, match=r"other options .*streams \(codec"):
        record_live(other)
    assert sound(tmp_path / "s").frame_count == 5
