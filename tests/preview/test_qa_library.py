"""A library's tables and its figure of offsets, for sessions that are made up here."""

import pytest

from rushes.model.findings import Finding
from rushes.preview.html import Html
from rushes.preview.qa_library import SessionLine, attention_table, by_need, offsets_plot, rules_table
from rushes.qa.rules import Limits


def found(check, severity, value=None, limit=None, session=""):
    return Finding(check, severity, "mend it", session, value=value, limit=limit)


def known(ms):
    return {"offset_ms": ms, "offset_low_ms": ms - 5, "offset_high_ms": ms + 5, "drift_ppm": None, "rate_hz": 30.0}


LINES = [
    SessionLine("calm", "Doom", 60.0, 1800, figures=known(12.0), findings=(found("content.dark", "info"),)),
    SessionLine("gap", "Doom", findings=(found("timing.gap", "warning", 300.0, 250.0),), figures=known(-30.0)),
    SessionLine("long_gap", "Doom", findings=(found("timing.gap", "warning", 900.0, 250.0),)),
    SessionLine("broken", "Doom", findings=(found("structure.time", "error"), found("timing.gap", "warning"))),
    SessionLine("late", "Doom", findings=(found("alignment.offset", "warning", 200.0, 150.0),), figures=known(200.0)),
]


def test_what_needs_attention_most_stands_first():
    assert [line.session for line in by_need(LINES)] == ["broken", "long_gap", "late", "gap", "calm"]


def test_the_table_says_verdict_worst_finding_and_figures():
    rows = repr(attention_table(LINES)).splitlines()
    assert rows[0] == "4 of 5 sessions need attention"
    assert rows[2].split()[:2] == ["FAIL", "broken"]
    assert "1 error, 1 warning" in rows[2]
    assert "structure.time: mend it" in rows[2]
    assert "+200.0 ± 5.0" in rows[4]
    assert "cannot tell" in rows[3]
    assert "planted" not in rows[1]
    told = [SessionLine("a", "x", planted=""), SessionLine("b", "x", planted="timing.gap")]
    assert "planted" in repr(attention_table(told)).splitlines()[1]


def test_rules_are_counted_by_sessions_and_their_worst_place_is_named():
    rows = repr(rules_table(LINES)).splitlines()
    assert rows[0] == "3 rules found something"
    assert [row.split()[1] for row in rows[2:]] == ["structure.time", "timing.gap", "alignment.offset"], "errors first"
    assert "long_gap" in rows[3]
    assert "900 ms" in rows[3]
    assert "250 ms" in rows[3]
    assert "No rule has anything" in repr(rules_table(LINES[:1]))


def test_offsets_stand_with_their_intervals_between_the_limits():
    figure = offsets_plot(LINES, Limits({"alignment.offset": 50.0}))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["late", "gap", "calm"]
    assert [float(bar.lines[0].get_xdata()[0]) for bar in axes.containers] == pytest.approx([200.0, -30.0, 12.0])
    assert any("alignment.offset 50 ms" in text.get_text() for text in axes.texts)
    assert "of 2 it cannot be told" in axes.get_title(loc="left")
    assert isinstance(offsets_plot(LINES[2:4], Limits()), Html)
