"""The planted world says the same thing twice: in its pixels and in its description."""

import cv2
import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.worlds.synthetic import Synthetic, draw_counter, read_counter


@pytest.mark.parametrize("number", [0, 1, 299, 65_535, 2**24 - 1])
def test_the_number_in_the_picture_survives_a_lossy_codec(number):
    picture = np.zeros((120, 160, 3), np.uint8)
    draw_counter(picture, number)
    assert read_counter(picture) == number
    lossy = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    assert read_counter(lossy) == number


def test_readings_come_in_the_order_of_time_and_hold_every_frame_and_input():
    world = Synthetic(frames=90, segments=3)
    readings = list(world.readings())
    frames = [r for r in readings if isinstance(r, Frame)]
    assert [read_counter(f.pixels) for f in frames] == list(range(90))
    assert [f.t_ns for f in frames] == world.times_ns().tolist()
    assert [r for r in readings if isinstance(r, Event)] == list(world.events())
    times = [r.t_ns for r in readings]
    assert times == sorted(times)
    assert [sum(isinstance(r, kind) for r in readings) for kind in (Start, Gap)] == [3, 3]


def test_between_segments_lies_a_second_of_pause():
    times = Synthetic(frames=60, segments=2, rate_hz=30.0).times_ns()
    assert times[30] - times[29] == pytest.approx(1_033_333_333, abs=2)


def test_there_are_taps_shorter_than_a_frame_and_overlapping_holds():
    down, taps, overlaps = {}, 0, 0
    for event in Synthetic(frames=600).events():
        if event.kind == "press":
            overlaps += bool(down)
            down[event.control] = event.t_ns
        elif event.kind == "release":
            taps += event.t_ns - down.pop(event.control) < 33_000_000
    assert taps > 10
    assert overlaps > 10


def test_the_same_seed_gives_the_same_inputs_and_another_one_others():
    assert Synthetic(seed=1).events() == Synthetic(seed=1).events()
    assert Synthetic(seed=1).events() != Synthetic(seed=2).events()


def test_more_segments_than_frames_are_refused():
    with pytest.raises(BadInputError, match="segments=9"):
        Synthetic(frames=3, segments=9)
