"""Bytes of raw events, the server's ms, and distances of devices that report positions; no server is needed."""

import struct
from types import SimpleNamespace

import pytest

from rushes.capture.input.x11_focus import passed
from rushes.capture.input.x11_motion import Motion, are_positions
from rushes.capture.input.x11_raw import KEY_DOWN, MOTION, Generic, Raw, parse_raw, unwrapped_ns


def display(name, mode, low=0.0, high=0.0):
    """A screen of 800 x 600 px with one device, as python-xlib tells of it."""
    axes = [SimpleNamespace(type=2, number=n, mode=mode, min=low, max=high) for n in (0, 1)]
    device = SimpleNamespace(name=name, classes=[SimpleNamespace(type=1), *axes])
    screen = SimpleNamespace(width_in_pixels=800, height_in_pixels=600)
    return SimpleNamespace(screen=lambda: screen, xinput_query_device=lambda _: SimpleNamespace(devices=[device]))


def raw(values):
    return Raw(MOTION, 0, 0, 9, values, repeat=False)


def test_a_raw_event_is_read_as_the_server_wrote_it():
    # an XTEST motion of (9, -4) by device 4, as Xvfb 21.1 sent it: accelerated values first, then raw ones
    body = struct.pack("<HIIHHI4xI", 2, 1409389, 0, 4, 1, 0, 0b11) + struct.pack("<iIiI", 18, 0, -8, 0)
    body += struct.pack("<iIiI", 9, 2**31, -4, 0)
    assert parse_raw(MOTION, body) == Raw(MOTION, 1409389, 0, 4, {0: 9.5, 1: -4.0}, repeat=False)
    head = struct.pack("<BBHIH", 35, 131, 77, 12, MOTION)
    event = Generic(binarydata=head + body)
    assert (event.type, event.evtype, event.sequence_number) == (35, 17, 77)
    assert event.raw.values == {0: 9.5, 1: -4.0}


def test_a_wheel_beside_the_motion_keeps_its_own_axis():
    body = struct.pack("<HIIHHI4xI", 2, 5, 0, 9, 1, 0, 0b1001) + struct.pack("<iIiI", 1, 0, 15, 0) * 2
    assert parse_raw(MOTION, body).values == {0: 1.0, 3: 15.0}


def test_a_repeat_is_told_by_its_flag():
    assert parse_raw(KEY_DOWN, struct.pack("<HIIHHI4x", 3, 5, 25, 5, 0, 1 << 16)).repeat


def test_a_time_in_ms_is_unwrapped_next_to_now_or_refused():
    ms = 1_000_000
    turn = 2**32 * ms
    assert unwrapped_ns(7, low_ns=turn, high_ns=turn + 9 * ms) == turn + 7 * ms + ms // 2
    assert unwrapped_ns(2**32 - 1, low_ns=turn - 5 * ms, high_ns=turn + ms) == turn - ms // 2
    assert unwrapped_ns(500, low_ns=turn, high_ns=turn + 9 * ms) is None


@pytest.mark.parametrize(("sequence", "mark", "behind"), [(5, 5, True), (4, 5, False), (2, 65535, True)])
def test_events_behind_an_answer_are_known_by_their_number(sequence, mark, behind):
    assert passed(sequence, mark) is behind


def test_a_mouse_reports_distances():
    motion = Motion(display("some mouse", 0))
    assert [motion.distance(raw({0: 3.0, 1: -2.0})), motion.distance(raw({1: 5.0}))] == [(3.0, -2.0), (0.0, 5.0)]


def test_a_tablet_reports_positions_whose_difference_counts_in_px():
    motion = Motion(display("some tablet", 1, low=0.0, high=8000.0))
    motion.place((400, 300))
    # 8000 units are 800 px across and 600 px down
    found = [motion.distance(raw(values)) for values in ({0: 4100.0, 1: 4000.0}, {1: 4400.0}, {0: 4000.0, 1: 4400.0})]
    assert sum(found, ()) == pytest.approx((10.0, 0.0, 0.0, 30.0, -10.0, 0.0))


def test_xtest_is_told_by_where_the_pointer_stands_afterwards():
    motion = Motion(display("Virtual core XTEST pointer", 0))
    motion.place((100, 100))
    jumps = [raw({0: 120.0, 1: 100.0}), raw({0: 300.0, 1: 200.0})]
    motion.begin(jumps, (300, 200))
    assert [motion.distance(one) for one in jumps] == [(20.0, 0.0), (180.0, 100.0)]
    motion.place((300, 200))
    steps = [raw({0: 5.0, 1: 5.0}), raw({0: 1.0, 1: 0.0})]
    motion.begin(steps, (306, 205))
    assert [motion.distance(one) for one in steps] == [(5.0, 5.0), (1.0, 0.0)]
    # a game that locks the pointer puts it back: neither fits, so they are distances
    assert not are_positions([{0: 9.0, 1: -4.0}], (300, 200), (300, 200))
