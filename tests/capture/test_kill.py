"""Killed at any moment, a recording opens again: at most the last second is gone, and nothing is shifted.

The world is planted (`LiveSynthetic`): a picture carries the number of its tick, and the k-th input follows from the
seed, so a session alone tells whether anything is missing, doubled, altered or moved.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rushes.capture.live_synthetic import planted_event, planted_tone
from rushes.capture.process import Recorder
from rushes.capture.settings import Settings
from rushes.errors import BusyError, StoppedError
from rushes.model.clock import NS
from rushes.qa.base import run_checks
from rushes.store.reader import open_session
from rushes.store.recover import recover
from rushes.worlds.synthetic import read_counter

IN_CI, IN_FULL, AT_ONCE = 20, 200, 4


def settings(path, seed=0, **more):
    given = {"fps": 30.0, "chunk_size": 20, "start_immediately": True, "audio": ("system",)} | more
    return Settings(backend="synthetic", out=str(path), game="Killed", seed=seed, **given)


def check(path, seed):
    """All that is there is what was planted, in its place; returns the session."""
    session = open_session(path)
    index = session.index()
    assert index["frame_index"].tolist() == list(range(session.frame_count))
    counters = [read_counter(picture) for picture in session.frames(0, session.frame_count)]
    assert counters == index["tick"].tolist()
    assert (np.diff(index["t_ns"]) > 0).all()
    events = session.events()
    events = events[events["kind"] != "state"].reset_index(drop=True)
    for k, row in enumerate(events.itertuples()):
        planned = planted_event(seed, k)
        assert (row.control, row.kind) == (planned.control, planned.kind), k
        if planned.kind == "move":
            assert (row.dx, row.dy) == (planned.dx, planned.dy), k
    assert (np.diff(events["t_ns"]) >= 0).all()
    sound = [block.samples for block in session.sound("system")]
    if sound:
        whole = np.concatenate(sound)
        assert any((whole == planted_tone(first, len(whole))).all() for first in range(0, 96000, 960))
    assert session.ledger.balances
    return session


def kill_one(path, seed, wait_s):
    """Begin a recording; return it, and when it is to be killed: `wait_s` after its first frame."""
    recorder = Recorder(settings(path, seed))
    deadline = time.monotonic() + 30
    while not recorder.status.get("frames") and time.monotonic() < deadline:
        time.sleep(0.005)
    return recorder, time.perf_counter() + wait_s


def lost_seconds(path, seed, killed_ns):
    recover(path)
    session = check(path, seed)
    zero_ns = session.segments[0].attrs["monotonic_zero_ns"]
    last = session.segments[-1]
    assert last.end_reason == "killed"
    frame_ns = int(session.index()["t_ns"].iloc[-1])
    event_ns = int(session.events()["t_ns"].max())
    assert not [f for f in run_checks(session) if f.severity == "error"]
    return (killed_ns - zero_ns - min(frame_ns, event_ns)) / NS


def test_a_kill_at_a_random_moment_takes_at_most_the_last_second_and_shifts_nothing(tmp_path, full, capsys):
    rng = np.random.default_rng(20261121)
    moments = rng.uniform(0.0, 2.2, IN_FULL if full else IN_CI)
    lost = []
    for start in range(0, len(moments), AT_ONCE):
        running = []
        for number in range(start, min(start + AT_ONCE, len(moments))):
            path = tmp_path / f"take_{number}"
            running.append((path, number, *kill_one(path, number, moments[number])))
        for path, number, recorder, due in sorted(running, key=lambda one: one[3]):
            time.sleep(max(0.0, due - time.perf_counter()))
            killed_ns = time.perf_counter_ns()
            os.kill(recorder.pid, signal.SIGKILL)
            assert recorder.wait(5)
            with pytest.raises(StoppedError, match="rushes recover"):
                recorder.result()
            lost.append(lost_seconds(path, number, killed_ns))
    with capsys.disabled():
        sys.stdout.write(f"\n{len(lost)} kills took {np.median(lost):.3f} s at the median, {max(lost):.3f} s at most\n")
    assert max(lost) <= 1.0, f"lost {np.median(lost):.3f} s at the median, {max(lost):.3f} s at the most"


def test_a_killed_recording_goes_on_in_a_new_segment(tmp_path):
    path = tmp_path / "take"
    recorder, due = kill_one(path, 5, 0.5)
    time.sleep(max(0.0, due - time.perf_counter()))
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait(5)
    before = (open_session(path).frame_count, time.time_ns())
    with Recorder(settings(path, 5, resume=True, max_frames=20)) as again:
        assert again.wait(30)
        assert again.result()["reason"] == "max_frames"
    session = open_session(path)
    first, second = session.segments
    assert first.end_reason == "killed"
    assert second.clock == "rejoined"
    assert second.frames == 20
    assert session.frame_count >= before[0] + 20
    assert second.start_ns > first.end_ns
    # placed by wall time: what the wall clock says lies between the two starts
    apart_ns = second.wall_ns - first.wall_ns
    assert abs((second.start_ns - first.start_ns) - apart_ns) < 0.2 * NS
    counters = [read_counter(p) for p in session.frames(second.first_frame, second.stop_frame)]
    assert counters == session.index(1)["tick"].tolist()


def _children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def _gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def _wait_gone(pid, limit_s):
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError):
            if _gone(pid):
                return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="processes are looked up in /proc")
def test_when_the_recorder_dies_its_sealer_ends_within_a_second_and_the_front_knows(tmp_path):
    recorder, _ = kill_one(tmp_path / "take", 1, 0)
    (sealer,) = _children(recorder.pid)
    os.kill(recorder.pid, signal.SIGKILL)
    assert recorder.wait(1.0)
    assert _wait_gone(sealer, 1.0)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="processes are looked up in /proc")
def test_when_the_sealer_dies_the_recording_ends_whole_within_a_second(tmp_path):
    recorder, _ = kill_one(tmp_path / "take", 2, 0)
    (sealer,) = _children(recorder.pid)
    os.kill(sealer, signal.SIGKILL)
    assert recorder.wait(2.0)  # a second, and the time to seal what was open
    assert recorder.result()["reason"] == "sealer_died"
    session = check(tmp_path / "take", 2)
    assert session.segments[-1].end_reason == "sealer_died"
    assert session.problems == ()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="processes are looked up in /proc")
def test_when_the_front_dies_the_recording_ends_whole_within_a_second(tmp_path):
    path = tmp_path / "take"
    code = (
        "import json, sys, time\n"
        "from rushes.capture.process import Recorder\n"
        "from rushes.capture.settings import Settings\n"
        "recorder = Recorder(Settings.from_json(json.loads(sys.argv[1])))\n"
        "while not recorder.status.get('frames'): time.sleep(0.01)\n"
        "print(recorder.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    asked = json.dumps(settings(path, 3).to_json())
    front = subprocess.Popen([sys.executable, "-c", code, asked], stdout=subprocess.PIPE, text=True)
    child = int(front.stdout.readline())
    front.kill()
    front.wait()
    assert _wait_gone(child, 2.0)
    session = check(path, 3)
    assert session.segments[-1].end_reason == "stop"
    assert session.problems == ()


def test_a_session_that_is_still_being_written_is_not_recovered(tmp_path):
    recorder, _ = kill_one(tmp_path / "take", 4, 0)
    with pytest.raises(BusyError, match="being written"):
        recover(tmp_path / "take")
    assert recorder.stop()["reason"] == "stop"
    check(tmp_path / "take", 4)
