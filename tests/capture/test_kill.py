"""Killed at any moment, a recording opens again: at most the last second is gone, and nothing is shifted.

The world is planted (`LiveSynthetic`): a picture carries the number of its tick, the k-th input follows from the
seed and is due every 4 ms, and the tone is known sample by sample. So a session alone tells whether anything is
missing, doubled, altered or moved in time; `check` says so, and further down it is shown that it notices.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rushes.capture.live import LiveRecorder
from rushes.capture.live_synthetic import (
    EVENT_NS,
    TONE_PERIOD_S,
    TONE_RATE_HZ,
    LiveSynthetic,
    planted_event,
    planted_tone,
)
from rushes.capture.process import Recorder
from rushes.capture.settings import Settings
from rushes.errors import BusyError, StoppedError
from rushes.model.clock import NS, Clock
from rushes.model.readings import Event, Frame, Sound
from rushes.qa.base import run_checks
from rushes.store.layout import is_session
from rushes.store.reader import open_session
from rushes.store.recover import recover
from rushes.worlds.synthetic import read_counter

IN_CI, IN_FULL, AT_ONCE = 12, 200, 3
FPS = 30.0
MS = 1_000_000
STARTS_MS = 75
"""Screen, hand and tone are threads that start together: this far apart at most, on a machine that does much else."""
LATE_MS, TIMES = 150, 5
"""The machine may hold up a thread for longer than this so many times; what is overdue then follows at once."""
PATIENCE_S = 4.0
"""Several recordings at once, most of them just beginning: a sealer that still starts up goes later than usual."""
needs_proc = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="processes are looked up in /proc")


def settings(path, seed=0, **more):
    given = {"fps": FPS, "chunk_size": 20, "start_immediately": True, "audio": ("system",)} | more
    return Settings(backend="synthetic", out=str(path), game="Killed", seed=seed, **given)


# --- what must be true of any session of the planted world ---


def check(path, seed):
    """All that is there is what was planted, in its place and at its time; returns the session."""
    session = open_session(path)
    assert session.ledger.balances
    index = session.index()
    assert index["frame_index"].tolist() == list(range(session.frame_count))
    counters = [read_counter(picture) for picture in session.frames(0, session.frame_count)]
    assert counters == index["tick"].tolist()
    assert (np.diff(index["t_ns"]) > 0).all()
    for segment in session.segments:
        here = session.index(segment.index)
        assert np.diff(here["tick"]).tolist() == (1 + here["dropped_before"][1:]).tolist(), "every tick is counted"
    events = session.events()
    events = events[events["kind"] != "state"]
    assert (np.diff(events["t_ns"]) >= 0).all()
    blocks = list(session.sound("system"))
    # Each process that recorded began the planted world anew.
    starts = [s.start_ns for number, s in enumerate(session.segments) if not number or s.clock == "rejoined"]
    ends = [*starts[1:], np.inf]
    for start, first, stop in zip(starts, [-np.inf, *starts[1:]], ends, strict=False):
        screen_ns = check_screen(index[(index["t_ns"] >= first) & (index["t_ns"] < stop)])
        check_hand(events[(events["t_ns"] >= first) & (events["t_ns"] < stop)], seed, start)
        check_tone([block for block in blocks if first <= block.t_ns < stop], start, screen_ns)
    assert starts or not len(events)
    return session


def check_screen(frames):
    """Frames stand on the grid of ticks or are flagged; returns the time of tick 0."""
    due = frames["t_ns"].to_numpy() - np.rint(frames["tick"].to_numpy() * (NS / FPS)).astype(np.int64)
    behind_ms = (due - due.min()) / MS
    assert np.median(behind_ms) < 15, "the frames stand on the grid of ticks"
    on_time = behind_ms[~frames["late"].to_numpy()]
    assert on_time.size == 0 or on_time.max() < 0.5 * 1000 / FPS + 5, "a frame that is late says so"
    return int(due.min())


def check_hand(events, seed, first_frame_ns):
    """The k-th event is the k-th that was planted, 4 ms after the one before, from the first picture on."""
    for k, row in enumerate(events.itertuples()):
        planned = planted_event(seed, k)
        assert (row.control, row.kind) == (planned.control, planned.kind), k
        if planned.kind == "move":
            assert (row.dx, row.dy) == (planned.dx, planned.dy), k
    if len(events):
        due = events["t_ns"].to_numpy() - EVENT_NS * np.arange(len(events))
        behind_ms = (due - due.min()) / MS
        after_ms = (due.min() - first_frame_ns) / MS
        assert 0 <= after_ms < STARTS_MS, f"the hand began {after_ms:.1f} ms after the first picture"
        assert np.median(behind_ms) < 5, "the events stand on the grid of the hand"
        held_up = (np.diff(events["t_ns"]) > LATE_MS * MS).sum()
        assert held_up <= TIMES, "the events stand on the grid of the hand"


def check_tone(blocks, first_frame_ns, screen_ns):
    """Block follows block without a gap; each stands where its samples do, and the tone began with the screen."""
    if not blocks:
        return
    whole = np.concatenate([block.samples for block in blocks])
    counts = np.cumsum([0, *(len(block.samples) for block in blocks[:-1])])
    times = np.array([block.t_ns for block in blocks])
    assert np.abs(times - (times[0] + counts * NS // TONE_RATE_HZ)).max() < 0.01 * MS, "sound stands at its samples"
    wait_ms = (times[0] - first_frame_ns) / MS
    assert 0 <= wait_ms < 20 + STARTS_MS, f"the sound begins {wait_ms:.1f} ms after the first picture"
    period = TONE_PERIOD_S * TONE_RATE_HZ
    found = [at for at in range(0, period, 960) if (whole == planted_tone(at, len(whole))).all()]
    assert found, "the samples are those that were planted"
    apart_ms = min(abs(times[0] - at * NS // TONE_RATE_HZ - screen_ns) for at in found) / MS
    assert apart_ms < STARTS_MS, f"the tone began {apart_ms:.1f} ms beside the screen"


# --- the check notices ---


class Spoilt(LiveRecorder):
    """The recorder with a fault between its merge and its director."""

    spoil = None

    def _direct(self, reading, *rest):
        changed = self.spoil(reading)
        if changed is not None:
            super()._direct(changed, *rest)


def shifted(kind, by_ms):
    def spoil(self, reading):
        del self
        return reading._replace(t_ns=reading.t_ns + by_ms * MS) if isinstance(reading, kind) else reading

    return spoil


def drifting(kind, share):
    def spoil(self, reading):
        del self
        return reading._replace(t_ns=round(reading.t_ns * share)) if isinstance(reading, kind) else reading

    return spoil


def without_the_tenth(kind):
    def spoil(self, reading):
        self.met = getattr(self, "met", 0) + isinstance(reading, kind)
        return None if isinstance(reading, kind) and self.met == 10 else reading

    return spoil


FAULTS = {
    "events 100 ms later": (shifted(Event, 100), "the hand began 1"),
    "events 100 ms earlier": (shifted(Event, -100), "the hand began -"),
    "sound 100 ms later": (shifted(Sound, 100), "the sound begins 1"),
    "sound 100 ms earlier": (shifted(Sound, -100), "the sound begins -"),
    "pictures 100 ms later": (shifted(Frame, 100), "the hand began -"),
    "pictures 100 ms earlier": (shifted(Frame, -100), "the hand began 1"),
    "events on a slow clock": (drifting(Event, 0.95), "the grid of the hand|the hand began -"),
    "pictures on a slow clock": (drifting(Frame, 0.9), "the grid of ticks|says so|the hand began"),
    "sound on a fast clock": (drifting(Sound, 1.02), "sound stands at its samples"),
    "an event is lost": (without_the_tenth(Event), r"assert \("),
    "a block is lost": (without_the_tenth(Sound), "sound stands at its samples"),
    "a picture is lost": (without_the_tenth(Frame), "every tick is counted"),
    "nothing": (shifted(Frame, 0), ""),
}
"""Name -> (what it does to a reading, what the check says of it)."""


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """Recordings with each of the faults."""
    root = tmp_path_factory.mktemp("spoilt")

    def record(name):
        recorder = type("Fault", (Spoilt,), {"spoil": FAULTS[name][0]})
        frames = 45 if name == "nothing" else 21  # with some of the tone; all of it silent
        backend = LiveSynthetic(rate_hz=FPS, sound=True, seed=3)
        given = {"rate_hz": FPS, "paused": False, "chunk_frames": 20, "max_frames": frames, "clock": Clock(start_ns=NS)}
        assert recorder(backend, root / name, **given).run().error is None
        return root / name

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(FAULTS, pool.map(record, FAULTS), strict=True))


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "nothing"])
def test_the_check_notices_what_is_shifted_or_lost(spoilt, name):
    with pytest.raises(AssertionError, match=FAULTS[name][1]):
        check(spoilt[name], 3)


def test_the_check_is_content_where_nothing_is_spoilt(spoilt):
    assert check(spoilt["nothing"], 3).frame_count == 45


# --- kills ---


def now_ns():
    return time.perf_counter_ns()


def begin(path, seed, **more):
    """Begin a recording and wait for its first frame."""
    recorder = Recorder(settings(path, seed, **more))
    _until(lambda: recorder.status.get("frames") or not recorder.running, 30)
    assert recorder.running
    return recorder


def _until(true, limit_s):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.005)
    return False


def kill(recorder):
    """Kill a recorder where it still runs; returns when that was."""
    at_ns = now_ns()
    with contextlib.suppress(ProcessLookupError):
        os.kill(recorder.pid, signal.SIGKILL)
    assert recorder.wait(30)
    return at_ns


def last_ns(session):
    """Until when each stream of the last segment's process is there, perf_counter_ns: the earliest of them."""
    segment = session.segments[-1]
    index, events = session.index(), session.events()
    sound = [b.t_ns + len(b.samples) * NS // b.rate_hz for b in session.sound("system")]
    ends = [index["t_ns"].iloc[-1], *([events["t_ns"].max()] if len(events) else []), *sound[-1:]]
    return segment.attrs["monotonic_zero_ns"] + max(int(min(ends)), segment.start_ns)


def lost_seconds(path, seed, until_ns, reasons=("killed",)):
    """Recover and check a session; say how much is gone of what happened until then."""
    recover(path, patience_s=PATIENCE_S)
    session = check(path, seed)
    if not session.segments:  # killed before the first picture was there
        return 0.0
    assert not [f for f in run_checks(session) if f.severity == "error"]
    assert session.segments[-1].end_reason in reasons
    return (until_ns - last_ns(session)) / NS


def killed_anywhere(path, seed, part):
    began_ns = now_ns()
    recorder = begin(path, seed)
    time.sleep(2.2 * part)
    killed_ns = kill(recorder)
    with pytest.raises(StoppedError, match="rushes recover"):
        recorder.result()
    lost = lost_seconds(path, seed, killed_ns)
    session = open_session(path)
    zero_ns = session.segments[0].attrs["monotonic_zero_ns"]
    assert began_ns < zero_ns < zero_ns + session.segments[-1].start_ns < killed_ns
    assert last_ns(session) <= killed_ns, "nothing is stamped later than it was"
    return lost


def goes_on(path, seed, before=0):
    """Whatever is left, `--resume` goes on with it; where there is not even a folder one begins anew."""
    again = Recorder(settings(path, seed, resume=path.exists(), max_frames=5))
    assert again.wait(30)
    assert again.result()["reason"] == "max_frames"
    session = check(path, seed)
    assert session.frame_count >= before + 5
    assert session.problems == ()


def killed_early(path, seed, part):
    """Before there is anything, or just when there is."""
    recorder = Recorder(settings(path, seed))
    time.sleep(0.8 * part)
    killed_ns = kill(recorder)
    lost = lost_seconds(path, seed, killed_ns) if is_session(path) else 0.0
    goes_on(path, seed)
    return lost


def killed_in_a_resume(path, seed, part):
    recorder = begin(path, seed)
    time.sleep(0.3)
    kill(recorder)
    recover(path, patience_s=PATIENCE_S)
    whole = open_session(path)
    again = Recorder(settings(path, seed, resume=True))
    time.sleep(1.2 * part)
    killed_ns = kill(again)
    recover(path, patience_s=PATIENCE_S)
    session = check(path, seed)
    assert session.frame_count >= whole.frame_count
    assert session.segments[0] == whole.segments[0], "what was there stays"
    lost = lost_seconds(path, seed, killed_ns) if len(session.segments) > 1 else 0.0
    if part < 0.5:
        goes_on(path, seed, session.frame_count)
    return lost


def killed_in_the_final_seal(path, seed, part):
    recorder = begin(path, seed)
    time.sleep(0.3 + part)
    stopped_ns = now_ns()
    recorder.command("stop")
    time.sleep(0.15 * part)
    if recorder.running:
        kill(recorder)
    recorder.wait(30)
    return lost_seconds(path, seed, stopped_ns, ("killed", "stop"))


def sealer_killed(path, seed, part):
    recorder = begin(path, seed)
    time.sleep(1.5 * part)
    (sealer,) = _children(recorder.pid)
    return ends_whole(path, seed, sealer, recorder.pid, "sealer_died")[0]


def front_killed(path, seed, part):
    front, child = start_front(settings(path, seed))
    with front:
        time.sleep(1.5 * part)
        return ends_whole(path, seed, front.pid, child, "stop")[0]


KINDS = (
    *[killed_anywhere] * 8,
    *[killed_early] * 4,
    *[killed_in_a_resume] * 3,
    *[killed_in_the_final_seal] * 2,
    *[sealer_killed] * 2,
    front_killed,
)


@needs_proc
def test_a_kill_at_a_random_moment_takes_at_most_the_last_second_and_shifts_nothing(tmp_path, full, capsys):
    count = IN_FULL if full else IN_CI
    rng = np.random.default_rng(20261121)
    kinds = rng.permutation([number % len(KINDS) for number in range(count)])
    parts = rng.uniform(0, 1, count)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        takes = [
            pool.submit(KINDS[kind], tmp_path / f"take_{number}_{KINDS[kind].__name__}", number, part)
            for number, (kind, part) in enumerate(zip(kinds, parts, strict=True))
        ]
        lost = [take.result() for take in takes]
    with capsys.disabled():
        sys.stdout.write(f"\n{len(lost)} kills took {np.median(lost):.3f} s at the median, {max(lost):.3f} s at most\n")
    assert max(lost) <= 1.0, f"lost {np.median(lost):.3f} s at the median, {max(lost):.3f} s at the most"


def test_a_killed_recording_goes_on_in_a_new_segment(tmp_path):
    path = tmp_path / "take"
    recorder = begin(path, 5)
    time.sleep(0.5)
    kill(recorder)
    before = open_session(path).frame_count
    with Recorder(settings(path, 5, resume=True, max_frames=20)) as again:
        assert again.wait(30)
        assert again.result()["reason"] == "max_frames"
    session = check(path, 5)
    first, second = session.segments
    assert first.end_reason == "killed"
    assert second.clock == "rejoined"
    assert second.frames == 20
    assert session.frame_count >= before + 20
    assert second.start_ns > first.end_ns
    # placed by wall time: what the wall clock says lies between the two starts
    apart_ns = second.wall_ns - first.wall_ns
    assert abs((second.start_ns - first.start_ns) - apart_ns) < 0.2 * NS


# --- one process of three dies ---

FRONT = """
import json, sys, time
from rushes.capture.process import Recorder
from rushes.capture.settings import Settings
recorder = Recorder(Settings.from_json(json.loads(sys.argv[1])), pictures=sys.argv[2] == "pictures")
while not recorder.status.get("frames"): time.sleep(0.01)
print(recorder.pid, flush=True)
time.sleep(60)
"""


def start_front(asked, *, pictures=False):
    """Start a front with its recorder, and wait for the first frame: (front, process id of the recorder)."""
    command = [sys.executable, "-c", FRONT, json.dumps(asked.to_json()), "pictures" if pictures else "none"]
    front = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return front, int(front.stdout.readline())


def ends_whole(path, seed, victim, recorder, reason):
    """Kill one process; the recorder's ends the session whole. Says the loss, the last stamp and the end, in s."""
    os.kill(victim, signal.SIGKILL)
    killed_ns = now_ns()
    assert _wait_gone(recorder, 30.0), "the recorder ends"
    gone_s = (now_ns() - killed_ns) / NS
    session = check(path, seed)
    assert session.segments[-1].end_reason == reason
    assert session.problems == ()
    zero_ns = session.segments[-1].attrs["monotonic_zero_ns"]
    last_s = (zero_ns + int(session.index()["t_ns"].iloc[-1]) - killed_ns) / NS
    assert last_s <= 1.0, "nothing is taken a second after"
    return (killed_ns - last_ns(session)) / NS, last_s, gone_s


def _children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def _gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _wait_gone(pid, limit_s):
    return _until(lambda: _gone(pid), limit_s)


@needs_proc
def test_when_the_recorder_dies_its_sealer_ends_within_a_second_and_the_front_knows(tmp_path):
    recorder = begin(tmp_path / "take", 1)
    (sealer,) = _children(recorder.pid)
    os.kill(recorder.pid, signal.SIGKILL)
    assert recorder.wait(1.0)
    assert _wait_gone(sealer, 1.0)


@needs_proc
def test_when_the_sealer_dies_the_recording_ends_whole_within_a_second(tmp_path):
    recorder = begin(tmp_path / "take", 2, chunk_size=500)
    time.sleep(1.0)
    (sealer,) = _children(recorder.pid)
    lost_s, _, gone_s = ends_whole(tmp_path / "take", 2, sealer, recorder.pid, "sealer_died")
    assert lost_s <= 0.2
    assert gone_s <= 1.0
    assert recorder.wait(1.0)
    assert recorder.result()["reason"] == "sealer_died"


@needs_proc
def test_when_the_front_dies_the_recording_ends_whole_within_a_second(tmp_path):
    front, child = start_front(settings(tmp_path / "take", 3, chunk_size=500))
    with front:
        time.sleep(1.0)
        lost_s, _, gone_s = ends_whole(tmp_path / "take", 3, front.pid, child, "stop")
    assert lost_s <= 0.2
    assert gone_s <= 1.0


@needs_proc
def test_a_front_that_stands_still_stops_no_recording(tmp_path):
    """Nobody reads what the recorder says, pictures and all; it writes on, and a kill then takes no more than ever."""
    path = tmp_path / "take"
    front, child = start_front(settings(path, 6, chunk_size=500), pictures=True)
    with front:
        os.kill(front.pid, signal.SIGSTOP)
        sizes = []
        for _ in range(7):
            sizes.append(sum(file.stat().st_size for file in path.glob("chunks/*/journal.bin")))
            time.sleep(0.5)
        killed_ns = now_ns()
        os.kill(child, signal.SIGKILL)
        assert _wait_gone(child, 1.0)
        front.kill()
    assert (np.diff(sizes) > 0).all(), sizes
    assert lost_seconds(path, 6, killed_ns) <= 1.0
    assert open_session(path).segments[-1].frames > 3 * FPS * 0.8


def test_a_session_that_is_still_being_written_is_not_recovered(tmp_path):
    recorder = begin(tmp_path / "take", 4)
    with pytest.raises(BusyError, match="being written"):
        recover(tmp_path / "take")
    assert recorder.stop()["reason"] == "stop"
    check(tmp_path / "take", 4)
