"""The live synthetic backend: what it emits in real time is what the seed says, and nothing is skipped unsaid."""

import pickle
import threading
import time

import numpy as np
import pytest

from rushes.capture.live_synthetic import EVENT_NS, KEYS, ROUND, LiveSynthetic, planted_event, planted_tone
from rushes.capture.source import Source
from rushes.errors import BadInputError
from rushes.model.clock import Clock
from rushes.model.readings import Event, Frame, Sound
from rushes.store.video import read_video, write_video
from rushes.worlds.scenery import Scenery
from rushes.worlds.synthetic import read_counter

SECONDS = 1.5


class Stalling(Clock):
    """A clock that stands still for the sources and then jumps, as after a machine that slept."""

    def __init__(self):
        super().__init__()
        self.ahead_ns = 0

    def now_ns(self):
        return super().now_ns() + self.ahead_ns


def gather(backend, seconds, clock=None, during=None):
    """Run the sources of a backend, each on its thread; what each emitted, and how long stopping took."""
    clock, stop = clock or Clock(), threading.Event()
    sources = backend.sources()
    got = {source.name: [] for source in sources}
    threads = [threading.Thread(target=s.run, args=(clock, got[s.name].append, stop)) for s in sources]
    for thread in threads:
        thread.start()
    if during:
        during(clock)
    time.sleep(seconds)
    stop.set()
    began = time.monotonic()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return got, time.monotonic() - began


@pytest.fixture(scope="module")
def taken():
    return gather(LiveSynthetic(seed=7, size=(96, 160), sound=True), SECONDS)


def contents(event):
    return tuple(event)[1:]


def test_every_source_keeps_the_contract_of_a_live_device(taken):
    got, stopping = taken
    assert all(isinstance(source, Source) for source in LiveSynthetic(sound=True).sources())
    assert stopping < 2, "0.2 s, on a machine that has nothing else to do"
    for readings in got.values():
        times = [r.t_ns for r in readings]
        assert times == sorted(times)
        assert times[0] >= 0


def test_each_frame_carries_the_number_of_its_tick_and_the_ticks_that_are_missing_are_said(taken):
    frames = taken[0]["screen"]
    assert all(isinstance(f, Frame) for f in frames)
    assert len(frames) > 10
    assert [read_counter(f.pixels) for f in frames] == [f.tick for f in frames]
    expected = -1
    for frame in frames:
        expected += 1 + frame.dropped_before
        assert frame.tick == expected


def test_frames_stand_on_an_absolute_grid(taken):
    """Lateness does not add up: no frame is before its tick, and the mean delay is small even on a busy machine."""
    frames = taken[0]["screen"]
    due = [frames[0].t_ns + round((f.tick - frames[0].tick) * 1e9 / 30) for f in frames]
    delays_ms = np.array([(f.t_ns - d) / 1e6 for f, d in zip(frames, due, strict=True)])
    assert np.median(np.abs(delays_ms)) < 30


def test_the_kth_event_is_the_kth_planted_one(taken):
    events = taken[0]["input"]
    assert all(isinstance(e, Event) for e in events)
    assert len(events) > 100
    assert [contents(e) for e in events] == [contents(planted_event(7, k)) for k in range(len(events))]


def test_no_event_lies_before_the_first_frame(taken):
    got, _ = taken
    assert got["input"][0].t_ns >= got["screen"][0].t_ns


def test_the_tone_is_on_its_grid_and_sounds_when_it_is_said_to(taken):
    blocks = taken[0]["system"]
    assert all(isinstance(b, Sound) and b.stream == "system" and b.rate_hz == 48_000 for b in blocks)
    whole = np.concatenate([b.samples for b in blocks])
    at = np.cumsum([0, *(len(b.samples) for b in blocks)])[:-1]
    assert [b.t_ns - blocks[0].t_ns for b in blocks] == [int(n) * 10**9 // 48_000 for n in at]
    assert (whole[:48_000] == 0).all()
    assert np.flatnonzero(whole[:, 0])[0] in (48_000, 48_001), "the onset is one second after the first sample"
    assert (whole == planted_tone(0, len(whole))).all()


def test_the_tone_has_440_periods_a_second():
    second = planted_tone(48_000, 48_000)[:, 0].astype(float)
    assert int(np.argmax(np.abs(np.fft.rfft(second)))) == 440
    assert second.max() > 10_000


def test_after_a_stall_the_missing_ticks_are_counted_and_no_event_is_left_out():
    def stall(clock):
        time.sleep(0.3)
        clock.ahead_ns = 2_000_000_000

    got, _ = gather(LiveSynthetic(seed=3, size=(64, 144)), 0.4, Stalling(), stall)
    frames, events = got["screen"], got["input"]
    assert max(f.dropped_before for f in frames) in range(55, 65), "two seconds at 30 Hz"
    assert frames[-1].tick + 1 == len(frames) + sum(f.dropped_before for f in frames)
    assert len(events) > 500, "what was overdue was made up for"
    assert [contents(e) for e in events] == [contents(planted_event(3, k)) for k in range(len(events))]


def test_planted_presses_and_releases_alternate_and_every_round_ends_with_all_keys_up():
    for seed in range(20):
        down, seen, taps = {}, set(), 0
        for k in range(8 * ROUND):
            if k % ROUND == 0:
                assert not down
            event = planted_event(seed, k)
            assert event.t_ns == k * EVENT_NS
            if event.kind == "press":
                assert event.control not in down
                down[event.control] = k
                seen.add(event.control)
            elif event.kind == "release":
                taps += k - down.pop(event.control) == 1
            else:
                assert event.kind == "move"
                assert max(abs(event.dx), abs(event.dy)) <= 9
        assert seen == set(KEYS)
        assert taps > 5, "there are taps shorter than a frame"


def test_events_depend_on_the_seed_and_on_their_number_alone():
    backwards = [planted_event(1, k) for k in reversed(range(1000))]
    assert backwards[::-1] == [planted_event(1, k) for k in range(1000)]
    assert backwards[::-1] != [planted_event(2, k) for k in range(1000)]


def test_it_is_described_before_anything_is_opened_and_travels_to_another_process():
    backend = pickle.loads(pickle.dumps(LiveSynthetic(rate_hz=60, codec="png", sound=True)))
    info = backend.describe()
    assert (info.time_source, info.source["kind"]) == ("measured", "synthetic")
    assert info.streams == backend.specs()
    frames = info.stream("frames")
    assert (frames.codec, frames.exact, frames.width, frames.height, frames.rate_hz) == ("png", True, 640, 360, 60)
    assert info.stream("sound").name == "system"
    assert not LiveSynthetic().describe().stream("frames").exact
    assert len(info.action_space) == 30
    assert info.action_space.names[:4] == ("w", "a", "s", "d")
    assert info.action_space.names[-2:] == ("MouseDX", "MouseDY")


def test_the_picture_moves_and_is_not_flat():
    scenery = Scenery((360, 640), seed=5)
    first, second = scenery.picture(100), scenery.picture(101)
    assert first.std() > 20
    assert (first != second).mean() > 0.2
    assert (scenery.picture(100) == first).all()
    assert (Scenery((360, 640), seed=6).picture(100) != first).any()
    assert read_counter(scenery.picture(2**24 - 1)) == 2**24 - 1


def test_the_number_in_the_picture_survives_h264(tmp_path):
    scenery = Scenery((180, 320), seed=2)
    numbers = [*range(40), *range(65_500, 65_540)]
    write_video(tmp_path / "clip.mp4", (scenery.picture(n) for n in numbers), rate_hz=30, crf=28)
    assert [read_counter(frame.pixels) for frame in read_video(tmp_path / "clip.mp4")] == numbers


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"rate_hz": 0}, "rate_hz=0"),
        ({"codec": "h246"}, "codec='h246'"),
        ({"size": (361, 640)}, r"size=\(361, 640\)"),
        ({"size": (360, 80)}, r"size=\(360, 80\)"),
    ],
)
def test_what_cannot_be_shown_or_stored_is_refused(given, part):
    with pytest.raises(BadInputError, match=part):
        LiveSynthetic(**given)
