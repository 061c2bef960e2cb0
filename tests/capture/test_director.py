"""What belongs to a session: pure logic on readings, so every case can be said in times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.capture.director import Director
from rushes.model.readings import OF_FRAME_BEFORE, Event, Frame, Gap, Lost, Sound, Start, Telemetry

PICTURE = np.zeros((2, 2, 3), np.uint8)
TICK = 100_000_000  # 10 Hz


def key(t_ns, control, kind, flag=""):
    return Event(t_ns, "keyboard", control, kind, float(kind == "press"), flag=flag)


def hotkey(t_ns, control="F8"):
    return key(t_ns, control, "press", "hotkey")


def run(readings, **more):
    director = Director(rate_hz=10, **more)
    return director, [out for reading in readings for out in director.take(reading)]


def kinds(readings):
    return [type(r).__name__ for r in readings]


def test_it_starts_paused_and_keeps_nothing_until_the_hotkey():
    readings = [Frame(0, PICTURE), key(1, "KeyW", "press"), key(2, "KeyW", "release"), hotkey(150), Frame(200, PICTURE)]
    _, out = run(readings)
    assert kinds(out) == ["Event", "Lost", "Start", "Frame"]
    assert out[0].flag == "hotkey"
    assert out[1] == Lost(150, "events", "paused", 2)
    assert (out[2].t_ns, out[3].t_ns) == (200, 200)


def test_a_segment_says_what_holds_at_its_begin_beside_what_holds_for_all():
    readings = [Frame(0, PICTURE), Gap(1, "hidden"), Frame(TICK, PICTURE)]
    _, out = run(readings, paused=False, attrs={"all": 1}, attrs_at=lambda t_ns: {"at": t_ns})
    starts = [dict(reading.attrs) for reading in out if isinstance(reading, Start)]
    assert starts == [{"all": 1, "at": 0}, {"all": 1, "at": TICK}]


def test_a_pause_ends_the_segment_at_the_press_that_completes_the_chord():
    readings = [Frame(0, PICTURE), Frame(TICK, PICTURE), hotkey(150_000_000, "F7"), Frame(2 * TICK, PICTURE)]
    _, out = run(readings, paused=False)
    assert kinds(out) == ["Start", "Frame", "Frame", "Event", "Gap"]
    assert out[-1] == Gap(150_000_000, "pause")


def test_what_changed_during_a_pause_is_told_at_the_next_start_and_nothing_is_stuck():
    readings = [
        Frame(0, PICTURE),
        key(1, "KeyW", "press"),
        key(2, "KeyD", "press"),
        hotkey(50),
        key(60, "KeyW", "release"),
        key(70, "KeyA", "press"),
        key(80, "Space", "press"),
        key(90, "Space", "release"),
        hotkey(100),
        Frame(TICK, PICTURE),
    ]
    _, out = run(readings, paused=False)
    told = {r.control: r.value for r in out if isinstance(r, Event) and r.kind == "state"}
    assert told == {"KeyW": 0.0, "KeyA": 1.0}  # KeyD is held as before, Space is up as before
    assert all(r.t_ns == 100 for r in out if isinstance(r, Event) and r.kind == "state")
    assert [r.count for r in out if isinstance(r, Lost)] == [4]


@pytest.mark.parametrize(
    ("control", "paused", "after"),
    [("F8", True, False), ("F8", False, True), ("F6", True, False), ("F6", False, False), ("F7", False, True),
     ("F7", True, True), ("KeyT", True, False), ("KeyP", False, True)],
)  # fmt: skip
def test_each_hotkey_does_what_it_says(control, paused, after):
    director, _ = run([hotkey(5, control)], paused=paused)
    assert director.paused == after


def test_it_ends_after_max_frames_at_the_end_of_the_last_one():
    director, out = run([Frame(k * TICK, PICTURE) for k in range(6)], paused=False, max_frames=4)
    assert sum(isinstance(r, Frame) for r in out) == 4
    assert out[-1] == Gap(4 * TICK, "max_frames")
    assert director.ended == "max_frames"


def test_inputs_in_the_interval_of_the_last_frame_are_kept():
    readings = [Frame(0, PICTURE), key(TICK - 1, "KeyW", "press"), key(TICK, "KeyW", "release"), Frame(TICK, PICTURE)]
    _, out = run(readings, paused=False, max_frames=1)
    assert kinds(out) == ["Start", "Frame", "Event", "Gap"]


def test_max_seconds_counts_recorded_time_over_pauses():
    readings = [Frame(k * TICK, PICTURE) for k in range(5)]
    readings += [hotkey(450_000_000), *(Frame(k * TICK, PICTURE) for k in range(5, 9)), hotkey(880_000_000)]
    readings += [Frame(k * TICK, PICTURE) for k in range(9, 30)]
    director, out = run(readings, paused=False, max_seconds=1.0)
    gaps = [r for r in out if isinstance(r, Gap)]
    starts = [r for r in out if isinstance(r, Start)]
    assert sum(g.t_ns - s.t_ns for s, g in zip(starts, gaps, strict=True)) == 1_000_000_000
    assert [g.reason for g in gaps] == ["pause", "max_seconds"]
    assert director.ended == "max_seconds"


def test_it_ends_when_nobody_does_anything():
    readings = [Frame(0, PICTURE), key(10, "KeyW", "press"), *(Frame(k * TICK, PICTURE) for k in range(1, 60))]
    director, out = Director(rate_hz=10, paused=False, idle_stop_s=2.0), []
    for reading in readings:
        out += [*director.tick(reading.t_ns), *director.take(reading)]
    assert director.ended == "idle"
    assert 2_000_000_000 < out[-1].t_ns <= 2_100_000_010


def test_a_stretch_without_frames_ends_the_segment_and_its_ticks_are_counted():
    readings = [Frame(0, PICTURE), Frame(TICK, PICTURE), Frame(20 * TICK, PICTURE, dropped_before=18)]
    director, out = run(readings, paused=False)
    assert kinds(out) == ["Start", "Frame", "Frame", "Gap", "Start", "Frame"]
    assert out[3] == Gap(2 * TICK, "drop")
    assert out[-1].dropped_before == 18
    assert director.counters.dropped == 18


def test_a_screen_that_gives_nothing_any_more_ends_its_segment_where_the_last_picture_ended():
    director = Director(rate_hz=10, paused=False)
    out = [*director.take(Frame(0, PICTURE)), *director.take(Frame(TICK, PICTURE))]
    out += director.tick(TICK + 1_000_000_000)
    assert not any(isinstance(r, Gap) for r in out)
    out += director.tick(TICK + 1_000_000_001)
    assert out[-1] == Gap(2 * TICK, "drop")
    assert list(director.take(key(15 * TICK, "KeyW", "press")))
    out += director.take(Frame(20 * TICK, PICTURE))
    assert kinds(out) == ["Start", "Frame", "Frame", "Gap", "Start", "Frame"]


def test_a_frame_that_was_grabbed_before_the_segment_ended_and_comes_after_is_counted_and_nothing_runs_back():
    readings = [Frame(0, PICTURE), Gap(TICK, "clock_jump"), Frame(TICK // 2, PICTURE), Frame(2 * TICK, PICTURE)]
    director, out = run(readings, paused=False)
    assert kinds(out) == ["Start", "Frame", "Gap", "Lost", "Start", "Frame"]
    assert out[3] == Lost(TICK, "frames", "between_segments", 1)
    assert director.counters.dropped == 1


def test_a_row_between_two_segments_is_counted_and_one_in_a_pause_or_before_the_first_picture_is_not_offered():
    director, out = run([Telemetry(0, {}), Frame(1, PICTURE), Telemetry(2, {})], paused=False)
    out += director.tick(1 + 11 * TICK)
    assert out[-1] == Gap(1 + TICK, "drop")
    for t_ns in (3 * TICK, 12 * TICK):  # the first was on its way when the segment was ended
        out += director.take(Telemetry(t_ns, {}))
    out += director.take(Frame(13 * TICK, PICTURE))
    out += director.take(Telemetry(13 * TICK, {}))
    out += director.command("pause", 14 * TICK)
    out += director.take(Telemetry(15 * TICK, {}))
    assert kinds(out) == ["Start", "Frame", "Telemetry", "Gap", "Lost", "Lost", "Start", "Frame", "Telemetry", "Gap"]
    assert {reading[1:] for reading in out if isinstance(reading, Lost)} == {("telemetry", "between_segments", 1)}


def test_what_a_source_counted_up_to_its_end_is_kept_after_the_end():
    director, _ = run([Frame(0, PICTURE)], paused=False)
    list(director.command("stop", 5))
    last = Lost(6, "events", "not_in_layout", 3)
    assert list(director.take(last)) == [last]


def test_a_frame_without_room_is_counted_at_the_next_one_or_at_the_end():
    director = Director(rate_hz=10, paused=False)
    out = list(director.take(Frame(0, PICTURE)))
    director.drop(Frame(TICK, PICTURE))
    out += director.take(Frame(2 * TICK, PICTURE))
    director.drop(Frame(3 * TICK, PICTURE))
    out += director.finish(4 * TICK, "stop")
    assert [r.dropped_before for r in out if isinstance(r, Frame)] == [0, 1]
    assert [r for r in out if isinstance(r, Lost)] == [Lost(4 * TICK, "frames", "dropped_tick", 1)]
    assert director.counters.dropped == 2


def test_a_jump_of_the_clock_makes_a_new_segment_with_its_own_wall_time():
    walls = iter([1000, 2000])
    readings = [Frame(0, PICTURE), Gap(TICK, "clock_jump"), Frame(2 * TICK, PICTURE)]
    _, out = run(readings, paused=False, wall_ns=lambda _: next(walls))
    assert [r.wall_ns for r in out if isinstance(r, Start)] == [1000, 2000]
    assert [r.reason for r in out if isinstance(r, Gap)] == ["clock_jump"]


def test_sound_outside_a_segment_is_not_kept():
    block = Sound(5, np.zeros((4, 2), np.int16), 48_000, "system")
    _, out = run(
        [block, Frame(10, PICTURE), block._replace(t_ns=11), hotkey(12), block._replace(t_ns=13)], paused=False
    )
    assert [r.t_ns for r in out if isinstance(r, Sound)] == [11]


def test_nothing_comes_after_the_end():
    director = Director(rate_hz=10, paused=False)
    list(director.take(Frame(0, PICTURE)))
    list(director.command("stop", 5))
    assert list(director.take(Frame(TICK, PICTURE))) == []
    assert list(director.take(key(TICK, "KeyW", "press"))) == []
    assert director.ended == "stop"


steps = st.lists(
    st.one_of(
        st.just(("frame",)),
        st.just(("toggle",)),
        st.tuples(st.just("key"), st.sampled_from(["KeyW", "KeyA"])),
        st.just(("gap",)),
    ),
    max_size=60,
)


@given(steps, st.booleans())
def test_any_play_gives_closed_segments_true_states_and_a_full_account(plan, paused):  # noqa: C901
    down, readings, t_ns = {"KeyW": False, "KeyA": False}, [], 0
    offered = 0
    for step in plan:
        t_ns += TICK // 2
        if step[0] == "frame":
            readings.append(Frame(t_ns, PICTURE))
        elif step[0] == "toggle":
            readings.append(hotkey(t_ns))
        elif step[0] == "gap":
            readings.append(Gap(t_ns, "resize"))
        else:
            down[step[1]] = not down[step[1]]
            readings.append(key(t_ns, step[1], "press" if down[step[1]] else "release"))
            offered += 1
    director = Director(rate_hz=10, paused=paused)
    out = [o for reading in readings for o in director.take(reading)]
    was_paused = director.paused
    out += director.finish(t_ns + TICK, "stop")
    inside, known = False, {"KeyW": False, "KeyA": False}
    for reading in out:
        if isinstance(reading, Start):
            assert not inside
            inside = True
        elif isinstance(reading, Gap):
            assert inside
            inside = False
        elif isinstance(reading, Frame):
            assert inside
        elif isinstance(reading, Event) and not reading.flag:
            known[reading.control] = bool(reading.value)
    assert not inside
    if not was_paused:
        assert known == down
    kept = sum(isinstance(r, Event) and not r.flag and r.kind != "state" for r in out)
    assert kept + sum(r.count for r in out if isinstance(r, Lost) and r.stream == "events") == offered


def test_a_row_of_a_frame_that_was_left_out_belongs_to_none():
    row = Telemetry(0, {}, OF_FRAME_BEFORE)
    director, out = run([Frame(0, PICTURE), row], paused=False)
    director.drop(Frame(TICK, PICTURE))
    out += director.take(row._replace(t_ns=TICK))
    assert [reading.frame_index for reading in out if isinstance(reading, Telemetry)] == [OF_FRAME_BEFORE, None]
