"""The recorder and whoever started it: neither waits for the other, whatever happens to one of them."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rushes.capture import child, live
from rushes.capture.child import record_live
from rushes.capture.live_synthetic import LiveSynthetic
from rushes.capture.process import Recorder
from rushes.capture.settings import Settings
from rushes.errors import BusyError, OccupiedError, StoppedError
from rushes.model.actions import ActionSpace
from rushes.model.readings import Frame
from rushes.qa.base import run_checks
from rushes.store.journal import read_journal
from rushes.store.reader import open_session
from rushes.worlds.synthetic import read_counter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are stopped and continued by POSIX signals")


def asked(path, **more):
    given = {"backend": "synthetic", "chunk_size": 500, "start_immediately": True} | more
    return Settings(out=str(path), **given)


def begin(path, **more):
    recorder = Recorder(asked(path, **more), pictures=True)
    until = time.monotonic() + 90
    while not recorder.status.get("frames") and time.monotonic() < until:
        time.sleep(0.01)
    return recorder


class Deaf:
    """A front that does not read: its listening thread is held up in the middle of a line."""

    def __init__(self, monkeypatch):
        self.go_on = threading.Event()
        real = __import__("json").loads

        def loads(text):
            if threading.current_thread().name == "rushes-recorder" and self.deaf:
                self.go_on.wait(30)
            return real(text)

        self.deaf = False
        monkeypatch.setattr("rushes.capture.process.json.loads", loads)


def resident_mb(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def journal_bytes(path):
    return sum(p.stat().st_size for p in path.glob("chunks/*/journal.bin"))


def test_a_front_that_does_not_read_costs_no_frame_and_no_memory_and_may_still_stop_it(tmp_path, monkeypatch):
    front = Deaf(monkeypatch)
    recorder = begin(tmp_path / "s")
    front.deaf = True
    time.sleep(0.5)
    first, memory = journal_bytes(tmp_path / "s"), resident_mb(recorder.pid)
    time.sleep(3)
    assert journal_bytes(tmp_path / "s") > 1.5 * first, "the journal goes on growing"
    assert resident_mb(recorder.pid) < memory + 40
    os.kill(recorder.pid, signal.SIGTERM)
    until = time.monotonic() + 60
    while not (tmp_path / "s" / "chunks" / "0001" / "chunk.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    front.go_on.set()
    assert recorder.wait(60)
    monkeypatch.undo()
    session = open_session(tmp_path / "s")
    assert session.segments[-1].end_reason == "stop"
    assert session.index()["dropped_before"].sum() == 0
    assert [f for f in run_checks(session) if f.severity == "error"] == []


def test_a_recorder_that_dies_while_the_front_is_behind_is_noticed(tmp_path, monkeypatch):
    front = Deaf(monkeypatch)
    recorder = begin(tmp_path / "s")
    front.deaf = True
    time.sleep(1.5)
    os.kill(recorder.pid, signal.SIGKILL)
    time.sleep(0.2)
    front.go_on.set()
    assert recorder.wait(30)
    with pytest.raises(StoppedError, match="recover"):
        recorder.result()


def test_sigterm_ends_it_whole(tmp_path):
    recorder = begin(tmp_path / "s")
    os.kill(recorder.pid, signal.SIGTERM)
    assert recorder.wait(60)
    assert recorder.result()["reason"] == "stop"
    assert open_session(tmp_path / "s").problems == ()


def test_what_a_kill_of_the_very_first_write_leaves_is_gone_on_with(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / ".session.json.partial").write_text("{")
    record_live(asked(tmp_path / "s", resume=True, max_frames=5))
    session = open_session(tmp_path / "s")
    assert session.frame_count == 5
    assert session.segments[0].clock == ""


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"audio": ("system",)}, "streams"),
        ({"fps": 20.0}, "streams"),
        ({"codec": "lossless"}, "streams"),
    ],
)
def test_a_session_is_not_gone_on_with_under_another_description(tmp_path, other, named):
    record_live(asked(tmp_path / "s", max_frames=3))
    with pytest.raises(OccupiedError, match=named):
        record_live(asked(tmp_path / "s", resume=True, **other))
    assert open_session(tmp_path / "s").frame_count == 3


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("game", "Two", "game"),
        ("action_space", ActionSpace.from_layout("capture20"), "layout"),
        ("provenance", {"keys": "anywhere"}, "privacy"),
        ("source", {"kind": "desktop", "name": "linux"}, "backend"),
    ],
)
def test_neither_with_other_keys_nor_another_privacy(name, value, named):
    info = replace(LiveSynthetic().describe(), provenance={"keys": "none"})
    child._check_same(Path("s"), info, info)
    with pytest.raises(OccupiedError, match=named):
        child._check_same(Path("s"), info, replace(info, **{name: value}))


def test_an_output_folder_that_vanishes_ends_it_with_a_sentence_and_lets_everything_go(tmp_path):
    recorder = begin(tmp_path / "s")
    until = time.monotonic() + 60
    journals = tmp_path.joinpath("s").glob
    while not any(list(read_journal(j, b"F")) for j in journals("chunks/*/journal.bin")) and time.monotonic() < until:
        time.sleep(0.01)  # it is counted, and still to be encoded
    (tmp_path / "s").rename(tmp_path / "moved")
    assert recorder.wait(20)
    with pytest.raises(Exception, match=r"gone|no such|No such|recover"):
        recorder.result()
    assert open_session(tmp_path / "moved").info.game == "Synthetic"
    until = time.monotonic() + 3
    while time.monotonic() < until:
        try:
            from rushes.store.recover import recover

            assert recover(tmp_path / "moved").frames > 0
            break
        except BusyError:
            time.sleep(0.1)


def test_a_clock_that_jumps_during_a_slow_grab_makes_two_segments_and_no_error(tmp_path, monkeypatch):
    real, jump = time.time_ns, [0]

    class Time:
        perf_counter = staticmethod(time.perf_counter)
        time_ns = staticmethod(lambda: real() + jump[0])

    monkeypatch.setattr(live, "time", Time)
    monkeypatch.setattr("rushes.model.clock.time.time_ns", Time.time_ns)

    class Slow:
        name, essential = "screen", True

        def run(self, clock, emit, stop):
            inner = LiveSynthetic(rate_hz=30.0).sources()[0]

            def late(reading):
                if isinstance(reading, Frame) and reading.tick == 30:
                    jump[0] = 3600 * 10**9
                    time.sleep(0.8)  # stamped before the jump is noticed, here after it
                emit(reading)

            inner.run(clock, late, stop)

    class Stage(LiveSynthetic):
        def sources(self, say=print):
            return [Slow(), *LiveSynthetic.sources(self, say)[1:]]

    result = live.LiveRecorder(Stage(rate_hz=30.0), tmp_path / "s", rate_hz=30.0, paused=False, max_seconds=2.5).run()
    assert result.error is None
    session = open_session(tmp_path / "s")
    assert "clock_jump" in {s.end_reason for s in session.segments}
    assert session.ledger.balances
    counters = [read_counter(p) for p in session.frames(0, session.frame_count)]
    assert counters == session.index()["tick"].tolist()
