"""The planted rescue plants what it says: expected values come from its own inputs, from geometry, or by hand."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from rushes.capture.recorder import record
from rushes.capture.rescue import RescueBackend, record_rescue
from rushes.errors import BadInputError, BadNameError
from rushes.model.readings import OF_FRAME_BEFORE, Event, Frame, Gap, Start, Telemetry
from rushes.worlds.rescue.city import City, Spot
from rushes.worlds.rescue.hand import route
from rushes.worlds.rescue.picture import Painter
from rushes.worlds.rescue.play import View
from rushes.worlds.rescue.rescuer import Doing, Rescuer
from rushes.worlds.rescue.world import Rescue

SMALL = {"seconds": 12.0, "size": (16, 16), "pauses": 1}
NS = 1_000_000_000


@pytest.fixture(scope="module")
def planted():
    """Everything that a short play without an offset yields."""
    return list(Rescue(**SMALL).readings())


def rows(readings):
    """The telemetry of each frame, with the frame's time."""
    return [
        (frame.t_ns, told.fields)
        for frame, told in pairwise(readings)
        if isinstance(frame, Frame) and isinstance(told, Telemetry)
    ]


@pytest.mark.parametrize("offset_ms", [90.0, -70.0])
def test_each_frame_has_turned_by_the_mouse_as_far_as_its_offset_lets_it_be_seen(offset_ms):
    readings = list(Rescue(**SMALL, offset_ms=offset_ms).readings())
    moves = [(r.t_ns + offset_ms * 1e6, r.dx) for r in readings if isinstance(r, Event) and r.kind == "move"]
    assert len(moves) > 200
    for t_ns, fields in rows(readings):
        pixels = sum(dx for effect_ns, dx in moves if effect_ns <= t_ns)
        assert fields["camera_yaw"] == pytest.approx(-0.002 * pixels, abs=1e-9)
    assert len(rows(readings)) >= 110


def test_every_frame_is_followed_by_its_own_row_and_segments_end_as_they_should(planted):
    readings = planted
    after = [b for a, b in pairwise(readings) if isinstance(a, Frame)]
    assert {type(r) for r in after} == {Telemetry}
    assert {r.frame_index for r in after} == {OF_FRAME_BEFORE}
    assert [r.reason for r in readings if isinstance(r, Gap)] == ["pause", "stop"]
    start, end = [r.t_ns for r in readings if isinstance(r, Start)], [r.t_ns for r in readings if isinstance(r, Gap)]
    assert 3.0 <= (start[1] - end[0]) / NS < 3.02, "a pause of 3 s, then the next animation frame"
    times = [r.t_ns for r in readings]
    assert times == sorted(times)
    told = [r.fields["event"] for r in readings if isinstance(r, Telemetry) and r.frame_index is None]
    assert (told[0], told[-1]) == ("game_start", "game_end")


def test_no_key_is_down_in_a_pause_and_no_input_is_outside_the_play(planted):
    readings = planted
    (pause,) = [r.t_ns for r in readings if isinstance(r, Gap) and r.reason == "pause"]
    edges = [r for r in readings if isinstance(r, Event) and r.kind in ("press", "release")]
    down = [sum(1 if e.kind == "press" else -1 for e in edges if e.t_ns < t) for t in (pause, pause + 3 * NS)]
    assert down == [0, 0]
    assert not [r for r in readings if isinstance(r, Event) and pause < r.t_ns < pause + 3 * NS]


def test_frames_come_in_the_first_animation_frame_after_their_tick_and_missed_ticks_are_counted():
    captured = Rescue(seconds=120.0, seed=1).captured
    assert len(captured.t_s) + captured.dropped_before.sum() == captured.tick[-1] + 1 == 1200
    assert (np.diff(captured.tick) - 1 == captured.dropped_before[1:]).all()
    assert captured.dropped_before.sum() >= 1
    usual = captured.late_ms[captured.late_ms < 20]
    assert len(usual) > 1150
    assert 0 <= usual.min() < 2
    assert 14 < usual.max() < 19, "an animation frame at 60 Hz takes 16.7 ms"
    assert (np.diff(captured.t_s) < 0.25).all()


def test_the_same_numbers_give_the_same_play_and_another_seed_another():
    short = {"seconds": 5.0, "size": (16, 16)}
    one, two, other = Rescue(**short, seed=3), Rescue(**short, seed=3), Rescue(**short, seed=5)
    assert one.events() == two.events() != other.events()
    assert (one.picture(40) == two.picture(40)).all()
    assert one.telemetry(40) == two.telemetry(40)


def test_a_turn_to_the_right_moves_what_is_seen_to_the_left_by_the_focal_length():
    city = City.drawn(7)
    painter = Painter(city, (128, 128), seed=7)
    greys = [
        cv2.cvtColor(painter.picture(View(12.0, 1.68, 12.0, yaw, 0.0)), cv2.COLOR_RGB2GRAY).astype(np.float32)
        for yaw in (0.3, 0.25)
    ]
    middle = slice(32, 96)  # near the middle a turn is a shift
    (dx, dy), _ = cv2.phaseCorrelate(*(np.ascontiguousarray(g[middle, middle]) for g in greys))
    focus_px = 64 / np.tan(np.radians(75 / 2))
    assert dx == pytest.approx(-0.05 * focus_px, abs=0.8)
    assert abs(dy) < 0.5


def test_a_ray_ends_at_the_wall():
    empty = City.drawn(0)
    facade = np.full_like(empty.facade, -1)
    facade[0, :] = facade[-1, :] = facade[:, 0] = facade[:, -1] = 0
    facade[17, 20] = 3  # from 12 to 16 to the east, 0 to 4 to the south
    hits = replace(empty, facade=facade).rays(
        0.0, 1.0, np.array([1.0, -1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, -1.0])
    )
    assert hits.far.tolist() == pytest.approx([12.0, 64.0, 63.0, 65.0])
    assert hits.along[0] == pytest.approx(0.25)
    assert hits.east_west.tolist() == [True, True, False, False]


def test_walking_drains_two_points_a_second_and_velocity_is_the_way_that_was_gone():
    rescuer = Rescuer(City.drawn(7))
    places = []
    for _ in range(120):
        rescuer.step(Doing(frozenset({"KeyW"})))
        places.append((rescuer.x, rescuer.z, rescuer.velocity, rescuer.acceleration))
    assert rescuer.battery == pytest.approx(100 - 2 * 2.0)
    for (x0, z0, v0, _), (x1, z1, v1, a1) in pairwise(places):
        assert ((x1 - x0) * 60, (z1 - z0) * 60) == pytest.approx((v1[0], v1[2]), abs=1e-9)
        assert (v1[2] - v0[2]) * 60 == pytest.approx(a1[2], abs=1e-9)
    assert rescuer.z < 12, "yaw 0 looks north"


def test_a_victim_is_inspected_in_a_second_and_saved_in_14_tenths_more():
    rescuer = Rescuer(City.drawn(7))
    rescuer.victims[0].x, rescuer.victims[0].z = rescuer.x + 1, rescuer.z
    health, told = rescuer.victims[0].health, {}
    for step in range(1, 160):
        rescuer.step(Doing(frozenset({"KeyE"})))
        told |= dict.fromkeys(rescuer.told, step)
    assert told.keys() == {"inspect", "rescue"}
    assert told["inspect"] == pytest.approx(60, abs=1)
    assert told["rescue"] == pytest.approx(144, abs=1)
    assert rescuer.score == pytest.approx(10 + 100 + health, abs=2)
    assert [v.state for v in rescuer.victims].count("saved") == 1


def test_a_red_zone_hurts_once_a_second():
    city = City.drawn(7)
    rescuer = Rescuer(replace(city, hazards=((*Spot(12.0, 12.0), 3.0),)))
    told = []
    for _ in range(150):
        rescuer.step(Doing())
        told += rescuer.told
    assert told == ["damage_from_zone"] * 2
    assert rescuer.health == 96.0


def test_a_way_never_leads_through_a_house():
    city = City.drawn(3)
    way = route(city, (19, 19), (1, 32))
    assert (way[0], way[-1]) == ((19, 19), (1, 32))
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in pairwise(way))
    assert all(city.facade[row, column] < 0 for column, row in way)


def test_what_is_written_is_what_was_planted(tmp_path):
    world = Rescue(seconds=5.0, size=(32, 32), seed=2)
    session = record(RescueBackend(world), tmp_path / "play")
    same = record_rescue(tmp_path / "again", seconds=5.0, seed=2)
    assert same.events().equals(session.events())
    told = session.telemetry()
    of_frames = told[told["frame_index"].notna()]
    assert of_frames["frame_index"].tolist() == list(range(session.frame_count))
    assert of_frames["t_ns"].tolist() == session.index()["t_ns"].tolist()
    assert (session.frame(40) == world.picture(40)).all()
    assert session.info.action_space.names[:4] == ("w", "a", "s", "d")
    assert len(session.events()) == len(world.events())


def test_numbers_out_of_range_and_unknown_environments_are_refused():
    with pytest.raises(BadInputError, match=r"offset_ms(.|\n)*-400 to 400"):
        Rescue(offset_ms=900.0)
    with pytest.raises(BadInputError, match="seconds"):
        Rescue(seconds=8.0, pauses=1)
    with pytest.raises(BadNameError, match="wildfire"):
        City.drawn(0, "wildfires")
