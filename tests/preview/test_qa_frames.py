"""Plots of the frames' clock: counts, rates and limits worked out by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from qa_play import Play, evenly

from rushes.preview.html import Html
from rushes.preview.qa_frames import interval_histogram, rate_over_time, rates
from rushes.qa.rules import Limits


def words(axes):
    return [text.get_text() for text in axes.texts]


def bars(axes):
    """Sum the heights of the bars by colour."""
    found = {}
    for patch in (one for one in axes.patches if one.get_zorder() == 3 and one.get_height()):
        found[patch.get_facecolor()] = found.get(patch.get_facecolor(), 0) + round(patch.get_height())
    return sorted(found.values())


def test_rates_count_the_intervals_of_each_window_and_those_over_holes_where_they_end():
    t_ns, hz = rates(np.array([0, 100, 200, 300, 400, 1400, 1500]) * 1_000_000, window_s=0.5)
    assert hz.tolist() == pytest.approx([10.0, 2 / 1.1])
    assert (t_ns / 1e6).tolist() == pytest.approx([200.0, 950.0])
    assert rates([5], window_s=1.0)[1].tolist() == []


def test_every_interval_is_counted_and_those_beyond_the_gap_limit_are_red():
    times = [*evenly(20), *evenly(20, start_ms=1450.0)]  # 950 to 1450: one gap of 500 ms
    figure = interval_histogram(Play([times, evenly(10, start_ms=5000.0)]), Limits())
    left, right = figure.axes
    assert bars(left) == [1, 47], "one gap, 19 + 19 + 9 steps; the pause is none"
    assert "1 beyond the limit" in left.get_title(loc="left")
    assert "timing.gap 250 ms" in words(left)
    assert left.get_yscale() == "log"
    assert "50.0 to 500.0 ms" in figure.alt
    assert bars(right)[-1] == 50
    assert figure._repr_png_()[0].startswith(b"\x89PNG")


def test_a_limit_that_was_given_is_the_line_that_is_drawn():
    play = Play([[*evenly(20), 1450.0]])
    figure = interval_histogram(play, Limits({"timing.gap": 600.0, "timing.rate": 2.0}))
    assert "timing.gap 600 ms" in words(figure.axes[0])
    assert any(line.get_xdata()[0] == 600.0 for line in figure.axes[0].lines)
    assert bars(figure.axes[0]) == [20], "nothing lies beyond it"
    rate = rate_over_time(play, Limits({"timing.rate": 2.0})).axes[0]
    assert {"timing.rate 2 % more", "timing.rate 2 % less"} <= set(words(rate))
    assert {19.6, 20.4} <= {round(float(line.get_ydata()[0]), 6) for line in rate.lines if len(line.get_ydata()) == 2}


def test_seconds_are_those_of_the_session_and_the_words_of_two_limits_stand_apart():
    axes = rate_over_time(Play([[*evenly(40, start_ms=7000.0), 9700.0]]), Limits()).axes[0]
    assert axes.get_xlim() == pytest.approx((7.0, 9.75))
    assert {t.get_text(): t.get_va() for t in axes.texts} == {
        "timing.rate 5 % more": "bottom", "timing.rate 5 % less": "top",
    }  # fmt: skip


def test_the_rate_is_drawn_for_each_segment_and_pauses_are_shaded():
    figure = rate_over_time(Play([evenly(61), evenly(41, start_ms=8000.0, step_ms=60.0)]), Limits(), expect_hz=20.0)
    lines = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_ydata().round(1).tolist() for line in lines] == [[20.0] * 3, [16.7] * 3]
    assert lines[1].get_xdata().min() > 8.0
    assert any(patch.get_x() == pytest.approx(3.05) for patch in figure.axes[0].patches), "the pause begins there"
    assert "from 16.67 to 20 Hz" in figure.alt


def test_one_frame_has_no_interval_and_the_sentence_says_what_to_do():
    for said in (interval_histogram(Play([[0.0]]), Limits()), rate_over_time(Play([[0.0]]), Limits())):
        assert isinstance(said, Html)
        assert "rushes info" in repr(said)
