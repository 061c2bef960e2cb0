"""Findings and limits as tables: order, place, value and unit."""

import pytest

from rushes.model.findings import Finding
from rushes.preview.qa_findings import beyond, counted, findings_sheet, where, worst_first
from rushes.preview.qa_limits import limit_of, limits_table, with_unit
from rushes.qa.rules import Limits

NS = 1_000_000_000
GAP = Finding("timing.gap", "warning", "look at it", "s", frame_index=1200, t_ns=41 * NS, value=800.0, limit=250.0)
OFFSET = Finding("alignment.offset", "warning", "store it", "s", value=-200.0, limit=150.0)
BROKEN = Finding("structure.ledger", "error", "restore it", "s")
CANNOT = [Finding(f"content.{name}", "info", "cannot tell: no reference", "s") for name in ("mirrored", "levels")]


def test_errors_come_before_warnings_and_what_is_farthest_beyond_its_limit_first():
    ordered = worst_first([*CANNOT, OFFSET, GAP, BROKEN])
    assert [f.check for f in ordered[:3]] == ["structure.ledger", "timing.gap", "alignment.offset"]
    assert beyond(GAP) == pytest.approx(3.2)
    assert beyond(Finding("a.b", "warning", "", value=5.0, limit=20.0)) == pytest.approx(4.0), "too little is as bad"
    assert beyond(BROKEN) == 0.0


def test_a_place_is_told_by_frame_and_by_the_seconds_of_the_session_as_sentences_do():
    assert where(GAP) == "frame 1,200, 41.00 s"
    assert where(Finding("a.b", "info", "", t_ns=3 * NS, t_end_ns=5 * NS)) == "3.00 to 5.00 s"
    assert where(OFFSET) == "all of it"


def test_the_table_says_value_and_limit_with_the_units_of_the_rule_and_remarks_alike_once():
    text = repr(findings_sheet([*CANNOT, OFFSET, GAP]))
    lines = text.splitlines()
    assert lines[0] == "Findings: 2 warnings, 2 remarks"
    assert "800 ms" in lines[2]
    assert "250 ms" in lines[2]
    assert "-200 ms" in lines[3]
    assert lines[4].split()[1:3] == ["2", "rules"]
    assert "content.mirrored, content.levels" in lines[4]
    assert len(lines) == 5
    assert "every check passed" in repr(findings_sheet([]))
    assert counted([BROKEN]) == "1 error"


def test_the_table_of_limits_says_what_was_given_and_what_each_rule_said():
    rows = {line.split()[0]: line for line in repr(limits_table(Limits({"timing.gap": 400.0}), [GAP])).splitlines()}
    assert "400 ms" in rows["timing.gap"]
    assert "given" in rows["timing.gap"]
    assert rows["timing.gap"].endswith("warning")
    assert rows["alignment.offset"].endswith("nothing")
    assert "leakage.near" not in rows, "labelled rows are another matter"
    some = repr(limits_table(Limits(), checks=["timing"]))
    assert "alignment.offset" not in some
    assert "content.black" not in repr(limits_table(Limits(), quick=True)), "a rule that did not run found not nothing"
    assert limit_of("no.such", Limits()) is None
    assert with_unit(-0.25, "%") == "-0.25 %"
