"""Delays: by hand."""

from __future__ import annotations

import json
import pickle

from rushes.model.delay import Delay, Piece, moved
from rushes.model.events import events_frame
from rushes.model.grid import to_grid
from rushes.model.readings import Event

S = 1_000_000_000


def test_a_number_moves_every_time_alike_to_the_nanosecond():
    assert moved([0, 7], 2.5).tolist() == [2_500_000, 2_500_007]
    assert moved([0, 7], -0.000001).tolist() == [-1, 6]


def test_a_drift_grows_from_where_it_was_measured():
    delay = Delay(40.0, (Piece(None, None, 40.0, 200.0, 300 * S),))
    # 200 ppm over 300 s are 60 ms to both sides
    assert moved([0, 300 * S, 600 * S], delay).tolist() == [-20_000_000, 300 * S + 40_000_000, 600 * S + 100_000_000]


def test_the_last_piece_that_holds_a_time_counts_and_elsewhere_the_number_itself():
    delay = Delay(1.0, (Piece(10, 20, 2.0), Piece(15, 30, 3.0)))
    assert (moved([9, 10, 14, 15, 29, 30], delay) - [9, 10, 14, 15, 29, 30]).tolist() == [
        1_000_000, 2_000_000, 2_000_000, 3_000_000, 3_000_000, 1_000_000,
    ]  # fmt: skip


def test_it_is_a_number_for_programs_and_survives_the_way_to_another_process():
    delay = Delay(1.5, (Piece(None, None, 1.5, 7.0, 9),))
    assert json.dumps([delay]) == "[1.5]"
    back = pickle.loads(pickle.dumps(delay))
    assert (back, back.pieces) == (1.5, delay.pieces)


def test_a_grid_moves_each_event_by_its_own_delay():
    taps = [Event(t, "k", "Space", "press") for t in (0, 600 * S - 5)]
    delay = Delay(0.0, (Piece(None, None, 0.0, 100.0, 0),))  # 60 ms at the end
    grid = to_grid(events_frame(taps), [0, 600 * S, 600 * S + 50_000_000], end_ns=601 * S, action_delay_ms=delay)
    assert grid.held["Space"].tolist() == [True, True, True]
    assert grid.pressed["Space"].tolist() == [1, 0, 0]  # a press of what is down is no press
