"""Each world of the matrix is recorded, read back, and compared with what was planted.

What is expected is counted here by plain loops over the planted frames and events; the grid, the store and the order of
delivery have no part in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest

from rushes.errors import BadNameError
from rushes.model.clock import NS
from rushes.model.grid import to_grid
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.store.reader import open_session
from rushes.store.recover import recover
from rushes.store.writer import SessionWriter
from rushes.worlds.devices import deliver, press, stretches
from rushes.worlds.matrix import WORLDS, plant
from rushes.worlds.planted import PlantedWorld
from rushes.worlds.screens import many_chunks
from rushes.worlds.synthetic import read_counter

MOTIONS = {"MouseDX": "dx", "MouseDY": "dy"}
WHEELS = ("MouseWheel", "MouseWheelX")
TRIGGER_DOWN = 0.5
SIZES = {"pause_storm": (50,), "many_chunks": (1,), "reordered": (0, 7), "reordered_far": (0, 3)}
"""Frames a chunk, where not 7 and, for worlds of several segments, one chunk a segment."""
FULL_SIZES = {"pause_storm": (0, 1, 3), "many_chunks": (2,)}


def pytest_generate_tests(metafunc):
    if {"name", "chunk_frames"} <= set(metafunc.fixturenames):
        full = metafunc.config.getoption("--full")
        pairs = [
            (name, size)
            for name, world in WORLDS.items()
            for size in (
                *SIZES.get(name, (0, 7) if len(world.stretches) > 1 else (7,)),
                *(FULL_SIZES.get(name, (1, 2, 25)) if full else ()),
            )
        ]
        metafunc.parametrize(("name", "chunk_frames"), pairs, ids=[f"{name}-{size}" for name, size in pairs])


def write(world, path, chunk_frames):
    with SessionWriter(path, world.describe(), chunk_frames=chunk_frames, sync_s=0) as writer:
        for reading in world.readings():
            writer.write(reading)
    return open_session(path)


def steps_of(stretch):
    """(start, end) of each step: the next frame's time, or the end of the segment."""
    times = [frame.t_ns for frame in stretch.frames]
    return list(zip(times, [*times[1:], stretch.end_ns], strict=True))


def step_at(steps, t_ns):
    """Number of the step that contains a time; None outside. Of two that begin together it is the second."""
    found = None
    for number, (start, end) in enumerate(steps):
        if start <= t_ns < end:
            found = number
    return found


def holds_of(world):
    """(control, device) -> [down, up or None] from the planted events, in the order of time."""
    holds, down = defaultdict(list), {}
    for event in world.events:
        key = event.control, event.device
        if event.kind == "axis" and event.control.endswith("TRIGGER"):
            goes_down = event.value >= TRIGGER_DOWN
        elif event.kind in ("press", "release"):
            goes_down = event.kind == "press"
        else:
            continue
        if event.flag == "hotkey" and goes_down:
            continue
        if goes_down and key not in down:
            down[key] = [event.t_ns, None, event.flag]
            holds[key].append(down[key])
        elif not goes_down and key in down:
            down[key][1:] = event.t_ns, event.flag
            del down[key]
    return holds


def expected_buttons(world, stretch):
    """Held, pressed and released of each control and step."""
    steps = steps_of(stretch)
    zero = [0] * len(steps)
    held, pressed, released = defaultdict(zero.copy), defaultdict(zero.copy), defaultdict(zero.copy)
    for (control, _), stretches_down in holds_of(world).items():
        for down, up, flag in stretches_down:
            if (at := step_at(steps, down)) is not None:
                pressed[control][at] += 1
            if up is not None and not flag and (at := step_at(steps, up)) is not None:
                released[control][at] += 1
            for number, (start, end) in enumerate(steps):
                over = down <= start and (up is None or up > start)
                held[control][number] |= over or start <= down < end
    return held, pressed, released


def expected_motion(world, stretch):
    steps = steps_of(stretch)
    sums = {name: [0.0] * len(steps) for name in (*MOTIONS, *WHEELS)}
    for event in world.events:
        at = step_at(steps, event.t_ns)
        if at is None or event.flag:
            continue
        if event.kind == "move":
            sums["MouseDX"][at] += event.dx
            sums["MouseDY"][at] += event.dy
        elif event.kind == "scroll":
            sums[event.control][at] += event.value
    return sums


def expected_axes(world, stretch):
    """Where each stick and trigger stands at the end of each step: the last report before it, 0 before any."""
    found = {}
    for control in sorted({e.control for e in world.events if e.kind == "axis"}):
        reports = [e for e in world.events if e.kind == "axis" and e.control == control]
        found[control] = [
            next((e.value for e in reversed(reports) if e.t_ns < end), 0.0) for _, end in steps_of(stretch)
        ]
    return found


def check_frames(world, session):
    index = session.index()
    frames = world.frames
    assert list(index["frame_index"]) == list(range(len(frames)))
    assert list(index["t_ns"]) == [f.t_ns for f in frames]
    assert list(index["tick"]) == [f.tick for f in frames]
    assert list(index["late"]) == [f.late for f in frames]
    assert list(index["duplicate"]) == [f.repeats for f in frames]
    assert list(index["dropped_before"]) == [f.dropped_before for f in frames]
    assert [read_counter(p) for p in session.frames(0, len(frames))] == [f.shows for f in frames], "nothing is shifted"


def check_segments(world, session):
    told = [(s.start_ns, s.end_ns, s.frames, s.end_reason, s.clock, s.wall_ns, s.first_frame) for s in session.segments]
    first, planted = 0, []
    for s in world.segments:
        planted.append((s.frames[0].t_ns, s.end_ns, len(s.frames), s.reason, s.clock, s.wall_ns, first))
        first += len(s.frames)
    assert told == planted


def check_ledger(world, session):
    planted, ledger = world.counters, session.ledger
    assert ledger.balances
    frames = ledger["frames"]
    assert (frames.offered, frames.kept) == (planted.frames + planted.dropped, planted.frames)
    assert dict(frames.lost) == ({"dropped_tick": planted.dropped} if planted.dropped else {})
    marks = {"duplicate": planted.repeated, "late": planted.late}
    assert dict(frames.marked) == {name: count for name, count in marks.items() if count}
    lost = {reason: count for (stream, reason), count in planted.lost.items() if stream == "events"}
    if planted.events or lost:
        events = ledger["events"]
        assert (events.kept, dict(events.lost)) == (planted.events, lost)
        marks = {"outside_segment": planted.outside, "hotkey": planted.hotkey}
        assert dict(events.marked) == {name: count for name, count in marks.items() if count}
    if planted.empty:
        assert ledger["segments"].lost["without_frames"] == planted.empty


def check_events(world, session):
    """Every event that was delivered is there with all that it carried, once, in the order of time."""
    table = session.events()
    assert list(table["t_ns"]) == sorted(table["t_ns"])
    plain = table.astype(object).where(table.notna(), None)
    stored = Counter(Event(*row) for row in plain.itertuples(index=False) if row.kind != "state")
    assert stored == Counter(g.reading for g in world.given if isinstance(g.reading, Event))


def check_steps(world, stretch, session, number):
    segment = session.segments[number]
    steps = steps_of(stretch)
    index = session.index(segment.index)
    grid = to_grid(session.events(segment.index), index["t_ns"], end_ns=segment.end_ns)
    motion = expected_motion(world, stretch)
    for name, sums in motion.items():
        assert grid.motion[name].tolist() == sums, name
        assert grid.motion[name].sum() == sum(sums)
    held, pressed, released = expected_buttons(world, stretch)
    zero = [0] * len(steps)
    for control in held.keys() | set(grid.held):
        none = control not in grid.held
        assert (zero if none else grid.pressed[control].tolist()) == pressed[control], control
        assert (zero if none else grid.released[control].tolist()) == released[control], control
        assert (zero if none else grid.held[control].astype(int).tolist()) == held[control], control
        for row, presses in enumerate(pressed[control]):
            assert held[control][row] or not presses, "what is pressed in a step is held in it, however short"
    for control, places in expected_axes(world, stretch).items():
        assert (grid.axes[control].tolist() if control in grid.axes else [0.0] * len(steps)) == places, control
    inside = [g for g in world.given if isinstance(g.reading, Event) and step_at(steps, g.reading.t_ns) is not None]
    plain = [g for g in inside if not g.reading.flag]
    assert grid.ledger["used"] == sum(not g.echo for g in plain)
    assert grid.ledger["repeat"] == sum(g.echo for g in plain)
    assert grid.ledger["hotkey"] >= len(inside) - len(plain)
    assert grid.ledger["outside_segment"] == 0


def check(world, session):
    assert session.problems == ()
    check_segments(world, session)
    check_frames(world, session)
    check_events(world, session)
    chosen = range(len(world.segments))
    if len(chosen) > 50:
        chosen = [*chosen[:5], *chosen[5::16]]
    for number in chosen:
        check_steps(world, world.segments[number], session, number)
    check_ledger(world, session)


def test_a_recorded_world_reads_back_as_it_was_planted(tmp_path, name, chunk_frames):
    world = WORLDS[name]
    check(world, write(world, tmp_path / "take", chunk_frames))


@pytest.mark.parametrize("name", ["everything", "held_over_pauses", "reordered_far", "pictures_repeated"])
def test_a_world_whose_writer_died_is_recovered_as_it_was_planted(tmp_path, name):
    world, path = WORLDS[name], tmp_path / "take"
    writer = SessionWriter(path, world.describe(), chunk_frames=7)
    for reading in world.readings():
        writer.write(reading)
    writer.abandon()
    recover(path)
    check(world, open_session(path))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 9))
def test_worlds_from_other_seeds_read_back_too(tmp_path, seed):
    for number, name in enumerate(WORLDS):
        world = plant(name, seed)
        check(world, write(world, tmp_path / name, (50, 5, 13)[(number + seed) % 3]))


@pytest.mark.full
@pytest.mark.parametrize("chunk_frames", [1, 2])
def test_thousands_of_chunks_read_back_as_one_session(tmp_path, chunk_frames):
    world = many_chunks(np.random.default_rng([0, 1]), frames=2500 * chunk_frames)
    session = write(world, tmp_path / "take", chunk_frames)
    assert len(list((tmp_path / "take" / "chunks").iterdir())) >= 2500
    check(world, session)


def test_there_are_at_least_thirty_worlds_and_each_says_what_it_is():
    assert len(WORLDS) >= 30
    for name, world in WORLDS.items():
        assert world.name == name
        assert world.what.endswith(".")
        assert world.describe().id == f"planted-{name}"


@pytest.mark.parametrize("name", ["steady", "everything", "reordered", "two_pads"])
def test_the_same_seed_plants_the_same_world_and_another_one_another(name):
    first, again, other = plant(name, 3), plant(name, 3), plant(name, 4)
    assert first == again
    assert first.given != other.given


def test_an_unknown_world_is_answered_with_near_names():
    with pytest.raises(BadNameError, match="did you mean 'reordered'"):
        plant("reorderd")
    assert "reorderd" not in WORLDS


def most_late_ns(world):
    return max(g.at_ns - g.reading.t_ns for g in world.given)


TROUBLES = {
    "jitter_small": lambda w: 0 < max(f.t_ns % (NS // 30) for f in w.frames) < 3_000_000,
    "drops_in_bursts": lambda w: max(f.dropped_before for f in w.frames) == 30,
    "drops_at_edges": lambda w: all(s.frames[0].dropped_before and s.start_ns < s.frames[0].t_ns for s in w.segments),
    "frames_late": lambda w: w.counters.late == 12,
    "pictures_repeated": lambda w: w.counters.repeated == 29,
    "rate_varies": lambda w: max(gaps(w)) > 15 * min(gaps(w)),
    "stamps_equal": lambda w: min(gaps(w)) == 0,
    "segments_without_frames": lambda w: w.counters.empty == 4,
    "events_in_pauses": lambda w: w.counters.outside > 500,
    "pause_storm": lambda w: len(w.segments) == 200,
    "segments_that_touch": lambda w: all(a.end_ns == b.start_ns for a, b in pairwise(w.segments)),
    "clock_jumps": lambda w: max(gaps(w)) > 3600 * NS,
    "silence": lambda w: not w.events,
    "reordered": lambda w: overtaken(w) > 200,
    "reordered_far": lambda w: most_late_ns(w) > 280_000_000,
    "presses_doubled": lambda w: w.counters.echoes == len(w.events),
    "two_pads": lambda w: {e.device for e in w.events} == {"pad0", "pad1"},
    "two_keyboards": lambda w: len({e.device for e in w.events if e.control == "KeyW"}) == 3,
    "taps": lambda w: sum(0 <= b.t_ns - a.t_ns < 4_000_000 for a, b in pairwise(w.events)) > 40,
    "events_on_edges": lambda w: len({e.t_ns for e in w.events} & {f.t_ns for f in w.frames}) == 60,
    "motion_huge": lambda w: sum(abs(e.dx) for e in w.events) > 30_000_000,
    "motion_fractional": lambda w: sum(e.dx % 1 != 0 for e in w.events) > 200,
    "hotkeys": lambda w: w.counters.hotkey == 5,
    "withheld": lambda w: sum(w.counters.lost.values()) == 63,
}


def gaps(world):
    return [b.t_ns - a.t_ns for a, b in pairwise(world.frames)]


def overtaken(world):
    """How many readings come after one that happened later."""
    newest, count = 0, 0
    for reading in world.readings():
        count += reading.t_ns < newest
        newest = max(newest, reading.t_ns)
    return count


@pytest.mark.parametrize("name", TROUBLES)
def test_a_world_has_the_trouble_that_its_name_promises(name):
    assert TROUBLES[name](WORLDS[name])


def test_what_one_device_reports_never_overtakes_itself():
    for world in WORLDS.values():
        last = {}
        for given in sorted(world.given, key=lambda g: g.at_ns):
            if isinstance(given.reading, Event) and not given.echo:
                device = given.reading.device
                assert last.get(device, -1) <= given.reading.t_ns, world.name
                last[device] = given.reading.t_ns


def test_readings_hold_every_frame_and_event_once_between_starts_and_gaps():
    world = WORLDS["everything"]
    readings = list(world.readings())
    counts = Counter(type(r) for r in readings)
    assert (counts[Start], counts[Gap], counts[Frame]) == (4, 4, world.counters.frames)
    assert Counter(r for r in readings if isinstance(r, Event)) == Counter(
        g.reading for g in world.given if isinstance(g.reading, Event)
    )
    drawn = [r for r in readings if isinstance(r, Frame) and r.pixels is not None]
    assert [read_counter(f.pixels) for f in drawn] == [f.tick for f in drawn]


def spoil(world, change):
    """The world as a faulty recorder would store it: its readings changed, its truth as before."""

    class Spoilt(PlantedWorld):
        def readings(self):
            return change(list(super().readings()))

    return Spoilt(world.name, world.stretches, world.given, world.what)


def nth(readings, kind, number):
    return [i for i, r in enumerate(readings) if isinstance(r, Event) and r.kind == kind][number]


def without(readings, kind):
    del readings[nth(readings, kind, 12)]
    return readings


def twice(readings):
    at = nth(readings, "move", 12)
    return [*readings[: at + 1], readings[at], *readings[at + 1 :]]


def a_step_later(readings):
    """Move one event that has company in its step by a thirtieth of a second: only the sums of the steps differ."""
    at = nth(readings, "move", 12)
    readings[at] = readings[at]._replace(t_ns=readings[at].t_ns + NS // 30)
    return readings


def pictures_shifted(readings):
    at = [i for i, r in enumerate(readings) if isinstance(r, Frame)]
    pixels = [readings[i].pixels for i in at]
    for i, shown in zip(at[1:], pixels, strict=False):
        readings[i] = readings[i]._replace(pixels=shown)
    return readings


@pytest.mark.parametrize(
    "change",
    [
        *(pytest.param(lambda r, k=k: without(r, k), id=f"a lost {k}") for k in ("press", "release", "move")),
        pytest.param(twice, id="a doubled motion"),
        pytest.param(a_step_later, id="an event a step later"),
        pytest.param(pictures_shifted, id="pictures one frame later"),
    ],
)
def test_a_recorder_with_a_fault_is_found_out(tmp_path, change):
    world = WORLDS["steady"]
    session = write(spoil(world, change), tmp_path / "take", 7)
    with pytest.raises(AssertionError):
        check(world, session)


def test_what_is_held_over_many_pauses_stands_at_the_start_of_each_segment(tmp_path):
    """The shortest form: one key, two segments, one chunk a segment; its events carry no value."""
    parts = stretches(2, 3)
    hold = press("KeyW", parts[0].start_ns + 1, parts[1].end_ns - 1, bare=True)
    session = write(PlantedWorld("held", parts, deliver(hold)), tmp_path / "take", 0)
    grid = to_grid(session.events(1), session.index(1)["t_ns"], end_ns=session.segments[1].end_ns)
    assert grid.held["KeyW"].tolist() == [True, True, True]
    assert grid.pressed["KeyW"].tolist() == [0, 0, 0]
    assert grid.released["KeyW"].tolist() == [0, 0, 1]


def test_a_release_that_comes_late_over_a_pause_leaves_no_key_stuck(tmp_path):
    """The shortest form: the release happened in the first segment and is delivered after its end."""
    parts = stretches(2, 3)
    end = parts[0].end_ns
    hold = press("KeyW", parts[0].start_ns + 1, end - 5)
    world = PlantedWorld("stuck", parts, deliver(hold, delays_ns=(0, 50)))
    for chunk_frames in (0, 1, 2):
        session = write(world, tmp_path / str(chunk_frames), chunk_frames)
        grid = to_grid(session.events(1), session.index(1)["t_ns"], end_ns=session.segments[1].end_ns)
        assert not any(held.any() for held in grid.held.values())
