"""Rules about times: each planted fault is found at its place, a sound take says nothing, short ones neither."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rushes.model.readings import Event
from rushes.qa.subject import Expected, Subject
from rushes.qa.timing.check import RULES, check_timing


def load(name):
    spec = importlib.util.spec_from_file_location(f"timing_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


t = load("take")
MS, STEP = t.MS, t.STEP


def take(*lengths, **more):
    seconds = sum(lengths or (90,)) / 30
    return t.Take(lengths or (90,), t.playing(seconds), **more)


def found(recording, **more):
    return t.found(check_timing, recording, **more)


def bad(recording, **more):
    return t.bad(check_timing, recording, **more)


def without(recording, rows, *, counted):
    """Take rows out as drops that are counted, or that nobody noticed."""
    table = recording.table.drop(index=rows).reset_index(drop=True)
    if counted:
        table["dropped_before"] = np.diff(table["tick"], prepend=-1) - 1
    else:
        table["tick"] = np.arange(len(table))
    recording.table = table
    return recording


@pytest.mark.parametrize("lengths", [(90,), (10,), (1,), (40, 60, 30), (2, 200)])
def test_a_sound_take_of_any_length_has_no_fault(lengths):
    assert bad(take(*lengths)) == []


def test_what_nobody_measured_is_said_and_no_fault():
    for source, words in (("nominal", "declared"), ("assumed", "taken for granted")):
        told = found(take(time_source=source))
        assert told["time_source"].severity == "info"
        assert words in told["time_source"].sentence
    assert "time_source" not in found(take())


def test_the_rate_is_noted_as_a_figure():
    subject = Subject(take(90), quick=True)
    list(check_timing(subject))
    assert subject.figures["rate_hz"] == pytest.approx(30, rel=1e-6)


@pytest.mark.parametrize(("factor", "value"), [(1.08, 7.41), (0.9, 11.11)])
def test_another_rate_than_is_stated_is_found(factor, value):
    slow = take(150)
    slow.table["t_ns"] = (slow.table["t_ns"] * factor).astype("int64")
    finding = found(slow)["rate"]
    assert finding.value == pytest.approx(value, abs=0.01)
    assert (finding.limit, finding.severity) == (5.0, "warning")
    assert "rate" not in found(slow, limits={"timing.rate": 12})


def test_the_rate_that_a_person_expects_goes_before_the_stated_one_and_none_cannot_be_told():
    assert bad(take(), expected=Expected(rate_hz=60.0)) == ["rate"]
    assert "cannot tell" in found(take(rate_hz=0.0))["rate"].sentence


def test_drops_that_are_counted_change_no_rate_and_make_no_jitter():
    dropped = without(take(300), range(7, 300, 12), counted=True)  # 25 of 300
    assert bad(dropped) == ["dropped"]
    assert found(dropped)["dropped"].value == pytest.approx(100 * 25 / 300)
    assert found(dropped)["dropped"].frame_index == 8
    few = without(take(30), [5, 9], counted=True)  # two of thirty happen
    assert bad(few) == []


def test_a_gap_is_found_with_its_stretch():
    gap = without(take(90), range(40, 52), counted=True)
    finding = found(gap)["gap"]
    assert finding.value == pytest.approx(13 * 33.333, abs=0.1)
    assert (finding.t_ns, finding.t_end_ns, finding.frame_index) == (39 * STEP, 52 * STEP, 52)
    assert RULES["timing.gap"].repair == "invalid"
    assert "gap" not in found(gap, limits={"timing.gap": 500})
    several = check_timing(Subject(without(take(300), [*range(40, 52), *range(90, 105)], counted=True)))
    assert [round(f.value) for f in several if f.check == "timing.gap"] == [433, 533]


def test_a_slow_rate_and_a_pause_are_no_gaps():
    slow = t.Take([60], rate_hz=1.0)
    slow.table["t_ns"] *= 30
    slow.segments = (replace(slow.segments[0], end_ns=slow.segments[0].end_ns * 30),)
    assert bad(slow) == []
    assert bad(take(60, 60)) == []


def test_uneven_steps_are_found_and_a_little_unevenness_is_not():
    rng = np.random.default_rng(3)
    for share, faults in ((0.9, ["jitter"]), (0.2, [])):
        uneven = take(200)
        uneven.table["t_ns"] += (rng.uniform(0, share, 200) * STEP).astype("int64")
        assert bad(uneven) == faults


def test_equal_and_falling_times_are_counted():
    equal = take(90)
    equal.table.loc[[30, 60], "t_ns"] = equal.table["t_ns"][[29, 59]].to_numpy()
    assert (found(equal)["duplicates"].value, found(equal)["duplicates"].frame_index) == (2, 30)
    falling = take(90)
    falling.table.loc[[30, 31], "t_ns"] = falling.table["t_ns"][[31, 30]].to_numpy()
    finding = found(falling)["non_monotonic"]
    assert (finding.value, finding.frame_index, finding.severity) == (1, 31, "error")


@pytest.mark.parametrize(("column", "many", "faults"), [
    ("late", 20, ["late"]), ("late", 8, []), ("duplicate", 90, ["repeated"]), ("duplicate", 60, []),
])  # fmt: skip
def test_shares_of_late_and_repeated_frames_are_held_against_their_limits(column, many, faults):
    flagged = take(100)
    flagged.table.loc[5 : 4 + many, column] = True
    assert bad(flagged) == faults
    for name in faults:
        assert (found(flagged)[name].value, found(flagged)[name].frame_index) == (many, 5)


def test_ticks_that_do_not_go_with_what_was_dropped_are_found():
    moved = take(90)
    moved.table.loc[50:, "tick"] += 1
    assert bad(moved) == ["tick"]
    assert (found(moved)["tick"].value, found(moved)["tick"].frame_index) == (1, 50)
    foreign = take(90, time_source="assumed")
    foreign.table["tick"] = 7
    assert bad(foreign) == []


def test_pictures_that_were_kept_at_moments_are_no_film():
    few = take(90)
    few.table["t_ns"] = np.sort(np.random.default_rng(0).integers(0, 90 * STEP, 90))
    few.kept_at_moments = True
    assert bad(few) == []
    assert found(few)["rate"].tells_nothing


def test_segments_that_overlap_or_end_before_they_begin_are_found():
    over = take(60, 60)
    one, other = over.segments
    over.segments = (replace(one, end_ns=other.start_ns + 5 * MS), other)
    finding = found(over)["pause_map"]
    assert (finding.value, finding.severity, finding.t_ns) == (1, "error", other.start_ns)
    over.segments = (replace(one, end_ns=one.start_ns - 1), other)
    assert "pause_map" in bad(over)


@pytest.mark.parametrize(("step_ms", "faults"), [(0, []), (400, []), (-400, []), (1500, ["wall_clock"]),
                                                 (-86_400_000, ["wall_clock"])])  # fmt: skip
def test_a_wall_clock_that_leaves_session_time_is_found(step_ms, faults):
    wall = 1_700_000_000_000 * MS
    two = take(60, 60)
    one, other = two.segments
    two.segments = (
        replace(one, wall_ns=wall + one.start_ns),
        replace(other, wall_ns=wall + other.start_ns + step_ms * MS),
    )
    assert bad(two) == faults
    for name in faults:
        assert (found(two)[name].value, found(two)[name].t_ns) == (abs(step_ms), other.start_ns)


def test_a_restart_is_said():
    two = take(60, 60)
    two.segments = (two.segments[0], replace(two.segments[1], clock="rejoined"))
    assert found(two)["rejoined"].severity == "info"
    assert bad(two) == []


def test_a_take_in_pieces_is_found_but_not_a_short_end_or_short_episodes():
    assert bad(take(60, 8, 9, 5)) == ["short_segment"]
    assert found(take(60, 8, 9, 5))["short_segment"].value == pytest.approx(5 / 30, abs=1e-4)
    assert bad(take(60, 60, 5)) == []
    assert bad(t.Take([8, 9, 5], actions=[0] * 22, space=t.ActionSpace.discrete(["NOOP", "FIRE"], world="ALE"))) == []


def test_a_lump_of_inputs_is_found_and_keys_that_are_let_go_together_are_not():
    lump = take(90)
    mouse = np.flatnonzero(lump.done["device"] == "mouse")[50:80]
    lump.done.loc[mouse, "t_ns"] = lump.done["t_ns"][mouse[-1]]
    finding = found(lump)["event_burst"]
    assert (finding.value, finding.limit, finding.t_ns) == (30, 16, lump.done["t_ns"][mouse[-1]])
    keys = take(90)
    for number in range(10):
        keys.done.loc[len(keys.done)] = Event(1500 * MS, "keyboard", f"Digit{number}", "release")
    assert "event_burst" not in found(keys)


def test_inputs_on_the_times_of_frames_are_said_to_be_known_by_the_frame_only():
    rows = take(90)
    rows.done["t_ns"] = rows.done["t_ns"] // STEP * STEP
    assert found(rows)["event_grid"].severity == "info"
    assert bad(rows) == []
    middle = take(90)
    middle.done["t_ns"] = middle.done["t_ns"] // STEP * STEP + STEP // 2
    assert "event_grid" in found(middle)
    assert "event_grid" not in found(take(90))


def test_inputs_outside_of_every_segment_are_found():
    assert bad(t.Take([90], t.playing(6.0))) == ["events_outside"]
    early = t.Take([90], [*t.taps(0.2, 3.0), *(Event(-k * MS, "keyboard", "KeyQ", "press") for k in range(1, 5))])
    assert bad(early) == []
