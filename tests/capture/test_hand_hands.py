"""What is held at each step follows from the edges: no tap is lost, none is doubled, and each knows its times."""

import io

import numpy as np
import pytest
from PIL import Image

from rushes.capture.hand.bindings import Bindings
from rushes.capture.hand.hands import Hands
from rushes.capture.hand.outlet import UNDER_WAY, Outlet
from rushes.capture.hand.pace import Pace
from rushes.capture.hand.page_clock import PageClock
from rushes.capture.hand.wire import read
from rushes.model.actions import ActionSpace

MS = 1_000_000


def hands():
    return Hands({"Space", "KeyA", "SOUTH", "J_LEFT_X", "LEFT_TRIGGER"})


def key(of, code, down, at_ms):
    of.key(code, down, edge_ns=at_ms * MS, received_ns=(at_ms + 1) * MS)


def pad(of, at_ms, *, x=0.0, south=0.0, trigger=0.0):
    buttons = [south, 0, 0, 0, 0, 0, trigger]
    of.pad([x, 0.0, 0.0, 0.0], buttons, edge_ns=at_ms * MS, received_ns=at_ms * MS)


def test_taps_within_one_step_count_for_one_step_each():
    one = hands()
    for at_ms in (1, 3):
        key(one, "Space", True, at_ms)
        key(one, "Space", False, at_ms + 1)
    grips = [one.take() for _ in range(5)]
    assert [grip.held.down for grip in grips] == [("Space",), (), ("Space",), (), ()]
    assert [[edge.edge_ns // MS for edge in grip.used] for grip in grips] == [[1], [2], [3], [4], []]
    assert [len(grip.fresh) for grip in grips] == [4, 0, 0, 0, 0]


def test_a_key_that_repeats_itself_is_one_edge_and_an_unbound_one_is_counted_only():
    one = hands()
    for at_ms in range(5):
        key(one, "KeyA", True, at_ms)
    key(one, "KeyZ", True, 9)
    grip = one.take()
    assert ([e.control for e in grip.fresh], grip.ignored, grip.pressed) == (["KeyA"], 1, {"KeyA"})


def test_the_order_of_pressing_stays_whatever_is_let_go_of():
    one = hands()
    key(one, "KeyA", True, 1)
    key(one, "Space", True, 2)
    pad(one, 3, south=1.0)
    assert one.take().held.down == ("KeyA", "Space", "SOUTH")
    key(one, "KeyA", False, 4)
    assert one.take().held.down == ("Space", "SOUTH")


def test_a_stick_beyond_half_its_way_is_pressed_with_its_side_and_its_noise_is_nothing():
    one = hands()
    for at_ms, x in ((1, 0.003), (2, -0.4), (3, -0.9)):
        pad(one, at_ms, x=x)
    grip = one.take()
    assert (grip.held.down, grip.held.axes) == (("J_LEFT_X-",), {"J_LEFT_X": -0.9})
    assert [edge.value for edge in grip.fresh] == [-0.4, -0.9]
    pad(one, 4, x=0.9, trigger=0.7)
    assert one.take().held.down == ("J_LEFT_X+", "LEFT_TRIGGER+")


def test_letting_go_and_going_on_from_the_truth():
    one = hands()
    key(one, "KeyA", True, 1)
    one.take()
    one.release(5 * MS)
    grip = one.take()
    assert grip.held.down == ()
    assert [(e.control, e.value, e.edge_ns) for e in grip.fresh] == [("KeyA", 0.0, 5 * MS)]
    for down in (True, False, True):
        key(one, "Space", down, 6)
    assert (one.settle(), one.take().held.down, one.take().held.down) == (3, ("Space",), ("Space",))


def test_somebody_is_at_it_while_something_is_held_and_a_while_longer():
    one = hands()
    assert not one.busy(0, quiet_ns=100 * MS)
    key(one, "KeyA", True, 10)
    one.take()
    assert one.busy(10_000 * MS, quiet_ns=100 * MS)
    key(one, "KeyA", False, 20)
    one.take()
    assert [one.busy(t * MS, quiet_ns=100 * MS) for t in (119, 122)] == [True, False]


class Planted:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += round(seconds * 1e9) or 50_000


def test_nothing_drifts_however_long_steps_take():
    clock = Planted()
    pace = Pace(60.0, clock, sleep=clock.sleep)
    pace.begin()
    rng = np.random.default_rng(0)
    for _ in range(6000):
        at_ns = pace.tick().at_ns
        clock.now += int(rng.integers(0, 16 * MS))
    assert at_ns == pytest.approx(100_000 * MS, abs=MS)
    assert (pace.late, pace.slips) == (0, 0)


def test_a_late_step_is_made_up_for_at_double_speed_and_none_is_left_out():
    clock = Planted()
    pace = Pace(50.0, clock, sleep=clock.sleep)
    pace.begin()
    pace.tick()
    clock.now += 70 * MS
    at = [pace.tick().at_ns / MS for _ in range(6)]
    assert at == pytest.approx([90, 100, 110, 120, 130, 140], abs=0.2)
    assert pace.tick().due_ns == 160 * MS


def test_a_hold_up_is_a_stall_and_a_slow_world_is_none():
    clock = Planted()
    pace = Pace(50.0, clock, sleep=clock.sleep)
    pace.begin()
    pace.tick()
    clock.now += 400 * MS
    assert pace.tick().stalled_ns == pytest.approx(400 * MS, abs=MS)
    for _ in range(100):
        clock.now += 30 * MS  # 33 Hz where 50 are asked for
        assert pace.tick().stalled_ns == 0
    assert pace.slips == 3  # 10 ms a step, moved on by a quarter of a second


def test_the_pages_clock_is_followed_and_never_runs_ahead_of_receipt():
    page = PageClock()
    assert page.at(5.0, received_ns=7 * MS) == 7 * MS  # nothing is known yet
    page.answered(100 * MS, 5100.0, 120 * MS)  # a slow answer: 110 ms here is 5100 there
    page.answered(200 * MS, 5201.0, 202 * MS)  # a quick one: 201 ms here is 5201 there
    assert page.at(5250.0, received_ns=260 * MS) == 250 * MS
    assert page.at(5300.0, received_ns=290 * MS) == 290 * MS
    assert page.at(5270.0, received_ns=295 * MS) == 290 * MS  # times do not run back
    assert page.attrs()["round_trip_ms"] == 2.0


def test_a_page_that_reloads_has_another_clock_at_once_and_two_windows_have_two():
    clock = PageClock()
    assert clock.is_new
    for number in range(5):
        clock.answered(number * 100 * MS, 9000.0 + number * 100, (number * 100 + 4) * MS, page="old")  # 2 ms is 9000
    assert not clock.is_new
    assert clock.at(9598.0, received_ns=604 * MS, page="old") == 600 * MS
    clock.spoke("new")
    assert clock.is_new
    assert clock.attrs() == {}
    assert clock.at(13.0, received_ns=700 * MS, page="new") == 700 * MS  # not known, so as received
    clock.answered(800 * MS, 51.0, 802 * MS, page="new")  # 801 ms is 51
    assert clock.at(100.0, received_ns=860 * MS, page="new") == 850 * MS
    assert clock.at(9868.0, received_ns=890 * MS, page="old") == 870 * MS
    assert clock.at(140.0, received_ns=895 * MS, page="new") == 890 * MS


def test_of_two_presses_that_no_action_has_together_the_later_one_waits_a_step():
    breakout = Bindings(ActionSpace.discrete(["NOOP", "FIRE", "RIGHT", "LEFT"], world="ALE"))
    one = Hands(breakout.controls, together=breakout.together)
    key(one, "Space", True, 1)
    key(one, "ArrowRight", True, 2)
    key(one, "Space", False, 3)
    grips = [one.take() for _ in range(4)]
    assert [breakout.action(grip.held) for grip in grips] == [1, 2, 2, 2], "fires, then goes right"
    assert [[edge.edge_ns // MS for edge in grip.used] for grip in grips] == [[1], [2, 3], [], []]
    assert one.held_over == 1
    key(one, "KeyD", True, 70)
    key(one, "ArrowRight", False, 71)
    assert breakout.action(one.take().held) == 2
    assert one.held_over == 1, "two keys of one meaning go together"
    pong = Bindings(ActionSpace.discrete(["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"], world="ALE"))
    assert pong.together({"Space", "ArrowRight"})
    assert not pong.together({"ArrowLeft", "ArrowRight"})


def test_pictures_that_a_front_does_not_take_are_replaced_by_newer_ones():
    out = io.BytesIO()
    outlet = Outlet(out)
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[:, 160:] = (255, 0, 0)
    for number in range(30):
        outlet.show({"is": "frame", "number": number}, picture)
    outlet.end({"is": "ended"})
    out.seek(0)
    found = []
    while (one := read(out)) is not None:
        found.append(one)
    frames = [(m["number"], m["type"], data) for m, data in found if m["is"] == "frame"]
    assert found[-1][0] == {"is": "ended"}
    assert len(frames) <= UNDER_WAY + 1
    assert frames[0][1] == "jpeg"
    shown = np.asarray(Image.open(io.BytesIO(frames[0][2])).convert("RGB")).astype(int)
    assert np.abs(shown - picture)[:, [40, 280]].max() < 8
