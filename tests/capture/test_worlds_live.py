"""The planted worlds recorded live: through the merge, the director, the encoder and the writer, as devices would be.

A world's readings come as its devices deliver them, out of order and all; what stands between its segments becomes a
gap of the screen, or the commands that a person would give. A clock that the feed moves replaces the real one, so no
time passes and every run is the same. What must be true is counted in `tests/worlds/test_matrix.py`, from the planted
world alone; here stands only what a live recorder makes of a world by its own rules (`as_recorded`, `as_paused`).
"""

import importlib.util
import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rushes.capture import live
from rushes.capture.live import LiveRecorder
from rushes.capture.merge import HOLD_NS, Command, Merge
from rushes.capture.sealer import Sealer
from rushes.model.clock import NS, Clock
from rushes.model.readings import Event, Frame, Gap, Lost, Sound, Start
from rushes.model.session import StreamSpec
from rushes.store.reader import open_session
from rushes.worlds.devices import deliver, mouse, one, plain, press, screen, stretch, stretches
from rushes.worlds.matrix import WORLDS
from rushes.worlds.planted import PlantedWorld

MS = 1_000_000
WALL_NS = 1_700_000_000 * NS
"""Unix time at which the clock of these tests shows 0."""
BY_COMMANDS = ("hotkeys",)
"""Worlds whose segments end by what the hands do; `test_a_chord_...` has it."""
SOUND_HZ, BLOCK = 48_000, 960


def _matrix():
    path = Path(__file__).parents[1] / "worlds" / "test_matrix.py"
    spec = importlib.util.spec_from_file_location("planted_truths", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


matrix = _matrix()


# --- a recorder whose time is the feed's ---


class FedClock(Clock):
    """Shows what the feed says."""

    def __init__(self):
        super().__init__()
        self.t_ns = 0

    def now_ns(self):
        return self.t_ns

    def wall_ns(self, t_ns):
        return WALL_NS + t_ns


class FedMerge(Merge):
    """The merge, given the next reading whenever it is asked for what is due."""

    def __init__(self, feed, clock, has_room):
        super().__init__((), clock)
        self.feed, self.fed_clock, self.has_room, self.given = iter(feed), clock, has_room, []

    def take(self, timeout_s):
        del timeout_s
        while not self.has_room():
            time.sleep(0.0002)
        at_ns, reading = next(self.feed)
        self.fed_clock.t_ns = max(self.fed_clock.t_ns, at_ns)
        self.put(reading)
        due = super().take(0.0)
        self.given += due
        return due


@dataclass(frozen=True)
class Devices:
    """The backend: it describes the world and leaves the rest to the feed."""

    world: PlantedWorld
    codec: str
    sound: bool = False

    def describe(self):
        return replace(self.world.describe(), streams=self.specs())

    def specs(self):
        frames, events = self.world.describe().streams
        frames = replace(frames, codec=self.codec, exact=self.codec == "lossless")
        return (frames, events, *([StreamSpec("system", "sound", "flac", rate_hz=SOUND_HZ)] if self.sound else []))

    def sources(self, say=print):
        del say
        return ()


def record(world, path, feed, *, codec="lossless", chunk_frames=40, sound=False, recorder=LiveRecorder, sealer=False):
    """Record a feed of (when it arrives, reading); returns the session and the merge."""
    clock = FedClock()
    given = {"rate_hz": world.rate_hz, "codec": codec, "chunk_frames": chunk_frames, "clock": clock, "paused": False}
    made = recorder(Devices(world, codec, sound), path, **given)
    made._merge = merge = FedMerge(feed, clock, lambda: made._unwritten < 3 or made._failure)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "CLOCK_JUMP_NS", 1 << 62)  # the wall clock is the real one
        if not sealer:
            patch.setattr(Sealer, "start", lambda *_: None)  # then the chunk is sealed here
        result = made.run()
    assert result.error is None
    return open_session(path), merge


def by_gaps(world, sound=()):
    """The feed of a world whose screen says itself where a stretch ends."""
    found = []
    clock_ns = 0
    arrives = {id(g.reading): g.at_ns for g in world.given}
    for reading in world.readings():
        if not isinstance(reading, Start):
            clock_ns = max(clock_ns, arrives.get(id(reading), reading.t_ns))
            found.append((clock_ns, reading))
    return _with_an_end([*found, *sound])


def by_commands(world):
    """The same where somebody pauses and goes on: no `Gap`, but commands."""
    found = []
    arrives = {id(g.reading): g.at_ns for g in world.given}
    clock_ns = 0
    for reading in world.readings():
        clock_ns = max(clock_ns, arrives.get(id(reading), reading.t_ns))
        name = {Start: "resume", Gap: "pause"}.get(type(reading))
        found.append((clock_ns, Command(reading.t_ns, name) if name else reading))
    return _with_an_end(found)


def _with_an_end(feed):
    feed = sorted(feed, key=lambda item: item[0])
    end_ns = max(max(at, reading.t_ns) for at, reading in feed) + 1
    late = Command(end_ns, "stop")
    return [*feed, (end_ns + HOLD_NS, late)]


# --- what the recorder makes of a world by its own rules ---


def as_recorded(world):
    """A world as a live recorder segments it.

    A stretch without frames is none. One is over where no picture came for a second and three ticks; what was missed
    before a first frame belongs to no segment. Segments begin with their first frame, at the wall time of the clock.
    """
    period = round(NS / world.rate_hz)
    parts = []
    for part in world.segments:
        frames = [[part.frames[0]]]
        for before, after in pairwise(part.frames):
            if after.t_ns - before.t_ns > max(NS, 3 * period):
                frames.append([])
            frames[-1].append(after)
        for number, shown in enumerate(frames):
            last = number == len(frames) - 1
            parts.append(
                replace(
                    part,
                    frames=(replace(shown[0], dropped_before=0), *shown[1:]),
                    start_ns=shown[0].t_ns,
                    end_ns=part.end_ns if last else shown[-1].t_ns + period,
                    reason=part.reason if last else "drop",
                    clock="",
                    wall_ns=WALL_NS + shown[0].t_ns,
                )
            )
    return replace(world, stretches=tuple(parts))


def as_paused(world):
    """What is kept of a world whose stretches end by a pause: (the world, what happened in pauses)."""
    told = as_recorded(replace(world, stretches=tuple(replace(s, reason="pause") for s in world.stretches)))
    pauses = [(a.end_ns, b.start_ns) for a, b in pairwise(world.stretches)]
    pauses.append((world.stretches[-1].end_ns, 1 << 62))

    def in_a_pause(given):
        return isinstance(given.reading, Event) and any(a <= given.reading.t_ns < b for a, b in pauses)

    lost = [g for g in told.given if in_a_pause(g)]
    return told, lost


def shortly(world, most_ns=HOLD_NS - MS):
    """The world with devices that are never later than the merge waits."""
    return replace(world, given=tuple(replace(g, at_ns=min(g.at_ns, g.reading.t_ns + most_ns)) for g in world.given))


def check(world, session):
    """All truths of the matrix."""
    matrix.check(as_recorded(world), session)


# --- every world ---


@pytest.mark.parametrize("name", [name for name in WORLDS if name not in BY_COMMANDS])
def test_a_world_that_is_recorded_live_reads_back_as_it_was_planted(tmp_path, name):
    world, codec = WORLDS[name], ("lossless", "h264")[len(name) % 2]
    session, _ = record(world, tmp_path / "take", by_gaps(world), codec=codec)
    check(world, session)


@pytest.mark.parametrize("name", ["everything", "pictures_repeated"])
def test_the_sealer_process_seals_a_world_as_it_was_planted(tmp_path, name):
    world = WORLDS[name]
    session, _ = record(world, tmp_path / "take", by_gaps(world), codec="h264", chunk_frames=7, sealer=True)
    check(world, session)


def test_png_files_hold_a_world_too(tmp_path):
    world = WORLDS["everything"]
    session, _ = record(world, tmp_path / "take", by_gaps(world), codec="png", chunk_frames=7)
    check(world, session)


@pytest.mark.parametrize(
    "name",
    [
        *("pause_storm", "held_over_pauses", "events_in_pauses", "two_pads", "stuck_key", "everything", "withheld"),
        *("reordered_over_pauses", "segments_without_frames", "segments_of_one_frame"),
    ],
)
def test_pauses_keep_nothing_of_what_happens_in_them_and_leave_no_key_stuck(tmp_path, name):
    world = shortly(WORLDS[name])
    session, _ = record(world, tmp_path / "take", by_commands(world), chunk_frames=30)
    told, lost = as_paused(world)
    matrix.check_segments(told, session)
    matrix.check_frames(told, session)
    gone = {id(g) for g in lost}
    matrix.check_events(replace(told, given=tuple(g for g in told.given if id(g) not in gone)), session)
    for number, part in enumerate(told.segments[:40]):
        matrix.check_steps(told, part, session, number)
    withheld = Counter()
    for given in world.given:
        if isinstance(given.reading, Lost):
            withheld[given.reading.reason] += given.reading.count
    withheld["paused"] += len(lost)
    assert session.ledger.balances
    events = session.ledger["events"]
    assert events.kept == world.counters.events - len(lost)
    assert Counter(dict(events.lost)) == +withheld


def test_a_chord_of_the_recorder_ends_a_segment_and_begins_the_next_at_its_own_time(tmp_path):
    world = WORLDS["hotkeys"]
    first, second = world.segments
    feed = [item for item in by_gaps(world) if not isinstance(item[1], Gap)]
    session, _ = record(world, tmp_path / "take", feed)
    told = session.segments
    assert [(s.end_ns, s.end_reason, s.frames) for s in told] == [
        (first.end_ns - 1, "pause", 20),
        (feed[-1][1].t_ns, "stop", 20),
    ]
    assert told[1].start_ns == second.frames[0].t_ns
    go_ns = second.start_ns - MS
    kept = session.events()
    inside = kept[(kept["t_ns"] > first.end_ns) & (kept["t_ns"] < go_ns)]
    assert set(inside["flag"]) <= {"hotkey"}
    for segment, part in zip(told, world.segments, strict=True):
        moves = [e for e in world.events if e.kind == "move" and part.frames[0].t_ns <= e.t_ns < segment.end_ns]
        mine = kept[(kept["t_ns"] >= segment.start_ns) & (kept["t_ns"] < segment.end_ns) & (kept["kind"] == "move")]
        assert (mine["dx"].sum(), mine["dy"].sum()) == (sum(e.dx for e in moves), sum(e.dy for e in moves))


# --- order ---


def test_the_merge_puts_readings_that_come_late_into_the_order_of_time(tmp_path):
    world = shortly(WORLDS["reordered"])
    feed = by_gaps(world)
    times = [reading.t_ns for _, reading in feed]
    assert times != sorted(times)
    _, merge = record(world, tmp_path / "take", feed)
    given = [reading.t_ns for reading in merge.given]
    assert given == sorted(given)
    assert len(given) > 300


def test_a_press_and_its_release_around_a_frame_come_on_their_own_sides_of_it(tmp_path):
    """The shortest form: the keyboard tells of both 25 ms later, after the frame between them."""
    part = one(frames=3)
    middle = part.frames[1].t_ns
    world = PlantedWorld("late", (part,), deliver(press("KeyW", middle - MS, middle + MS), delays_ns=(25 * MS,)))
    session, merge = record(world, tmp_path / "take", by_gaps(world))
    order = [type(r).__name__ for r in merge.given if middle - MS <= r.t_ns <= middle + MS]
    assert order == ["Event", "Frame", "Event"]
    check(world, session)


# --- sound ---


def blocks(end_ns, samples_of):
    """Blocks of 20 ms from 0 on, which arrive when they are over: (when, block)."""
    count = end_ns * SOUND_HZ // NS // BLOCK
    times = [
        (first * NS // SOUND_HZ, (first + BLOCK) * NS // SOUND_HZ, first) for first in range(0, count * BLOCK, BLOCK)
    ]
    return [(end, Sound(start, samples_of(first), SOUND_HZ, "system")) for start, end, first in times]


def ramp(first):
    """Samples that say their own number, modulo 2**15."""
    return np.repeat((np.arange(first, first + BLOCK) % 32_768).astype(np.int16)[:, None], 2, axis=1)


def silent(first):
    del first
    return np.zeros((BLOCK, 2), np.int16)


@pytest.mark.parametrize("samples_of", [ramp, silent], ids=["a ramp", "silence"])
def test_every_sample_in_a_segment_is_kept_at_its_time(tmp_path, samples_of):
    world = plain(np.random.default_rng(0), *stretches(3, 20, pause_ns=300 * MS, start_ns=100 * MS))
    sound = blocks(world.stretches[-1].end_ns + NS, samples_of)
    session, _ = record(world, tmp_path / "take", by_gaps(world, sound), sound=True, chunk_frames=7)
    check(world, session)
    wanted = [s for _, s in sound if any(part.holds(s.t_ns) for part in world.stretches)]
    found = list(session.sound("system"))
    assert len(wanted) > 60
    for block in found:
        assert block.rate_hz == SOUND_HZ
    stored = [
        (b.t_ns + at * NS // SOUND_HZ, b.samples[at : at + BLOCK])
        for b in found
        for at in range(0, len(b.samples), BLOCK)
    ]
    assert len(stored) == len(wanted)
    for (t_ns, samples), block in zip(stored, wanted, strict=True):
        assert abs(t_ns - block.t_ns) <= 1
        assert (samples == block.samples).all()


def test_a_sound_device_that_gives_nothing_leaves_a_session_without_sound(tmp_path):
    world = WORLDS["silence"]
    session, _ = record(world, tmp_path / "take", by_gaps(world), sound=True)
    check(world, session)
    assert list(session.sound("system")) == []


# --- the truths notice a faulty recorder ---


def faulty(change):
    """A recorder with a fault between its merge and its director: `change` gives what becomes of a reading."""

    class Faulty(LiveRecorder):
        def _direct(self, reading, *rest):
            for item in change(self, reading):
                super()._direct(item, *rest)

    return Faulty


def _loses_a_release(self, reading):
    lost = getattr(self, "lost", False)
    if isinstance(reading, Event) and reading.kind == "release" and not lost and reading.t_ns > NS:
        self.lost = True
        return ()
    return (reading,)


def _keeps_a_picture(self, reading):
    """Each frame gets the picture of the one before."""
    if isinstance(reading, Frame):
        before, self.before = getattr(self, "before", reading.pixels), reading.pixels
        return (reading._replace(pixels=before),)
    return (reading,)


def _delays_events(_, reading):
    return (reading._replace(t_ns=reading.t_ns + 40 * MS) if isinstance(reading, Event) else reading,)


def _rounds_motion(_, reading):
    moved = isinstance(reading, Event) and reading.kind == "move"
    return (reading._replace(dx=reading.dx * 0.999) if moved else reading,)


def _counts_no_drops(_, reading):
    return (reading._replace(dropped_before=0) if isinstance(reading, Frame) else reading,)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("steady", _loses_a_release),
        ("steady", _keeps_a_picture),
        ("steady", _delays_events),
        ("steady", _rounds_motion),
        ("drops_isolated", _counts_no_drops),
    ],
)
def test_a_live_recorder_with_a_fault_is_found_out(tmp_path, name, change):
    world = WORLDS[name]
    session, _ = record(world, tmp_path / "take", by_gaps(world), recorder=faulty(change))
    with pytest.raises(AssertionError):
        check(world, session)


def test_what_happens_in_a_stall_is_counted_as_outside(tmp_path):
    """The shortest form of what `as_recorded` says: a second and a half without a picture."""
    part = stretch(screen(60, start_ns=0, drops=range(10, 55)))
    world = PlantedWorld("stall", (part,), deliver(mouse(np.random.default_rng(1), 0, 3 * NS)))
    session, _ = record(world, tmp_path / "take", by_gaps(world))
    assert [(s.frames, s.end_reason) for s in session.segments] == [(10, "drop"), (50, "end")]
    matrix.check(as_recorded(world), session)
