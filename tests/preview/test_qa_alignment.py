"""The curve and the drift of an alignment: what is drawn for numbers that are made up here."""

import numpy as np
import pytest

from rushes.preview.html import Html
from rushes.preview.qa_alignment import alignment_curve, drift_plot
from rushes.preview.qa_offsets import offsets_table
from rushes.qa.alignment.measured import Curve, Measured, Offset
from rushes.qa.rules import Limits

LAGS = np.arange(-400.0, 401.0, 4.0)
CURVE = Curve(LAGS, np.exp(-(((LAGS - 200) / 40) ** 2)))
WHOLE = Offset("input_picture", ms=200.0, low_ms=190.0, high_ms=212.0, drift_ppm=100.0, drift_low_ppm=60.0,
               drift_high_ppm=140.0, at_ns=50_000_000_000, start_ns=0, end_ns=100_000_000_000, curve=CURVE)  # fmt: skip
NOTHING = Offset("input_picture", reason="nothing was pressed")


def upright(axes):
    return {round(float(line.get_xdata()[0]), 3) for line in axes.lines if len(set(map(float, line.get_xdata()))) == 1}


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_the_curve_has_the_offset_its_interval_and_the_limits():
    figure = alignment_curve(WHOLE, Limits({"alignment.offset": 40.0}), planted_ms=195.0)
    (axes,) = figure.axes
    assert {200.0, 195.0, 40.0, -40.0, 0.0} <= upright(axes)
    assert {"measured +200.0 ms", "planted +195.0 ms", "alignment.offset 40 ms"} <= set(words(axes))
    (band,) = axes.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((190.0, 212.0))
    assert figure.alt.startswith("Inputs against pictures: +200.0 ms (90 % within +190.0 to +212.0)")
    assert "ms" in axes.get_xlabel()


def test_all_that_matters_is_inside_the_picture():
    low, high = alignment_curve(WHOLE, Limits()).axes[0].get_xlim()
    assert low <= -150
    assert high >= 212
    far = Offset("input_picture", ms=30.0, low_ms=20.0, high_ms=40.0, curve=CURVE)
    assert alignment_curve(far, Limits({"alignment.offset": 20.0})).axes[0].get_xlim()[1] < 150, "no wider than needed"


def test_a_slider_marks_its_own_place():
    axes = alignment_curve(WHOLE, Limits(), at_ms=-35.0).axes[0]
    assert -35.0 in upright(axes)
    assert "-35 ms" in words(axes)


def test_what_cannot_be_told_is_said_in_words():
    said = alignment_curve(NOTHING, Limits())
    assert isinstance(said, Html)
    assert "cannot tell, nothing was pressed" in repr(said)
    assert "nothing was pressed" in repr(drift_plot(Measured(NOTHING), Limits()))
    vague = Offset("input_picture", reason="two peaks", curve=CURVE)
    assert "cannot tell, two peaks" in alignment_curve(vague, Limits()).axes[0].get_title(loc="left")


def test_what_is_known_exactly_is_a_sentence_and_no_empty_picture():
    exact = Offset("input_picture", ms=0.0, low_ms=0.0, high_ms=0.0, evidence={"replayed_steps": 99.0})
    said = repr(alignment_curve(exact, Limits()))
    assert "exactly +0.0 ms, known from 99 steps played again; limit alignment.offset 150 ms" in said


def test_a_curve_stands_where_its_offset_does_when_the_game_s_own_latency_was_taken_off():
    offset = Offset("input_picture", ms=150.0, low_ms=140.0, high_ms=162.0, game_latency_ms=50.0, curve=CURVE)
    axes = alignment_curve(offset, Limits()).axes[0]
    curve = max(axes.lines, key=lambda line: len(line.get_xdata()))
    assert float(curve.get_xdata()[int(np.argmax(curve.get_ydata()))]) == pytest.approx(150.0)


def test_the_drift_line_rises_as_the_drift_says_and_segments_have_their_intervals():
    parts = (
        Offset("input_picture", ms=197.0, low_ms=190.0, high_ms=205.0, at_ns=20_000_000_000, end_ns=40_000_000_000),
        Offset("input_picture", reason="nothing moves"),
    )
    figure = drift_plot(Measured(WHOLE, parts), Limits({"alignment.drift": 30.0}), planted_ms=200.0)
    (axes,) = figure.axes
    line = axes.lines[0]
    ends = [(line.get_xdata()[k], line.get_ydata()[k]) for k in (0, -1)]
    assert ends == [pytest.approx((0.0, 195.0)), pytest.approx((100.0, 205.0))], "100 ppm are 5 ms in 50 s"
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(195 - np.hypot(10, 2)), "40 ppm of doubt are 2 ms in 50 s"
    bar = axes.collections[-1].get_segments()[0]
    assert bar[:, 1].tolist() == pytest.approx([190.0, 205.0])
    title = axes.get_title(loc="left")
    assert "+100.0 ppm (90 % within +60.0 to +140.0), limit 30 ppm" in title
    assert "1 segments" in figure.alt
    assert any("alignment.offset 150 ms" in text for text in words(axes)), "the limit is in view"


def test_every_offset_has_a_row_with_its_interval_or_why_there_is_none():
    sounds = (("system", Offset("sound_picture", ms=-12.0, low_ms=-20.0, high_ms=-4.0, evidence={"onsets": 31.0})),)
    segments = (WHOLE, Offset("input_picture", reason="nothing was pressed", start_ns=60_000_000_000))
    rows = repr(offsets_table(Measured(WHOLE, segments, sounds))).splitlines()
    assert rows[2].startswith("inputs, pictures  all")
    assert "+190.0 to +212.0" in rows[2]
    assert "+60.0 to +140.0" in rows[2]
    assert "0 to 100 s" in rows[3]
    assert "cannot tell" in rows[4]
    assert rows[4].endswith("nothing was pressed")
    assert rows[5].startswith("sound, pictures   system")
    assert rows[5].endswith("31 onsets")
    assert len(rows) == 6
