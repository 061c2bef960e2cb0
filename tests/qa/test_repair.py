"""Repairs: side facts from findings and measurements that are made by hand."""

from dataclasses import replace

import pytest

from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.model.findings import Finding
from rushes.qa.alignment.measured import Measured, Offset
from rushes.qa.repair import measured_offsets, repairs, store_repairs
from rushes.qa.rules import Rule
from rushes.qa.settled import settled
from rushes.qa.subject import Subject
from rushes.store.facts import add_fact, read_facts
from rushes.store.pairing import delay_of
from rushes.store.reader import open_session

S = 1_000_000_000
KNOWN = Offset(
    "input_picture", ms=80.0, low_ms=78.0, high_ms=82.0, drift_ppm=100.0, at_ns=0, confidence=0.99,
    evidence={"edges": 41, "motion_s": 12.5},
)  # fmt: skip


@pytest.fixture
def session(tmp_path):
    return record(SyntheticBackend(frames=90, segments=2), tmp_path / "s")


def subject_of(session, measured):
    subject = Subject(session)
    subject.__dict__["measured"] = measured
    return subject


def test_a_measured_offset_becomes_a_fact_that_holds_in_the_middle(session):
    (fact,) = measured_offsets(subject_of(session, Measured(KNOWN)))
    middle_s = (session.segments[0].start_ns + session.segments[-1].end_ns) / 2 / S
    assert fact.value["ms"] == pytest.approx(80 + 0.1 * middle_s, abs=0.001)  # 100 ppm are 0.1 ms each second
    assert fact.value["high"] - fact.value["low"] == pytest.approx(4)
    assert "12.5 s of motion, 41 edges" in fact.author
    (less,) = measured_offsets(subject_of(session, Measured(replace(KNOWN, game_latency_ms=50.0))))
    assert less.author == f"{fact.author}; 50 ms of the game's own taken off"
    store_repairs(session.path, [fact])
    delay = delay_of(open_session(session.path), "measured")
    assert delay.pieces[0].drift_ppm == 100.0
    assert float(delay) == fact.value["ms"]


def test_a_newer_measurement_takes_the_place_of_an_older_one_and_a_backup_has_the_older(session):
    add_fact(session.path, "tag", {"tag": "x"}, author="me")
    for ms in (80.0, 20.0):
        measured = Measured(Offset("input_picture", ms=ms, low_ms=ms - 1, high_ms=ms + 1))
        stored = store_repairs(session.path, measured_offsets(subject_of(session, measured)))
    assert [f.value["ms"] for f in read_facts(session.path) if f.kind == "offset"] == [20.0]
    assert stored.backup.name == "facts.backup-0002.jsonl"
    assert '"ms":80.0' in stored.backup.read_text().replace(" ", "")
    again = store_repairs(session.path, measured_offsets(subject_of(session, measured)))
    assert (again.facts, again.known, again.backup) == ((), 1, None)


def test_segments_that_differ_get_facts_of_their_own(session):
    parts = tuple(Offset("input_picture", ms=ms, low_ms=ms, high_ms=ms, segment=k) for k, ms in enumerate((10.0, 90.0)))
    measured = Measured(Offset("input_picture", ms=50.0, low_ms=0.0, high_ms=99.0), parts, segments_differ=True)
    found = measured_offsets(subject_of(session, measured))
    edges = [(s.start_ns, s.end_ns) for s in session.segments]
    assert [(f.t_start_ns, f.t_end_ns) for f in found] == [(None, None), *edges]
    assert [f.value["ms"] for f in found] == [50.0, 10.0, 90.0]


def test_offsets_are_stored_anew_together_since_a_whole_one_hides_those_of_segments_before_it(session):
    parts = tuple(Offset("input_picture", ms=ms, low_ms=ms, high_ms=ms, segment=k) for k, ms in enumerate((10.0, 90.0)))
    for whole in (50.0, 60.0):
        measured = Measured(Offset("input_picture", ms=whole, low_ms=0.0, high_ms=99.0), parts, segments_differ=True)
        found = measured_offsets(subject_of(session, measured))
        assert len(store_repairs(session.path, found).facts) == 3
        assert store_repairs(session.path, found).known == 3
        assert [piece.ms for piece in delay_of(open_session(session.path), "measured").pieces] == [whole, 10.0, 90.0]


def test_what_cannot_be_told_is_not_stored(session):
    subject = subject_of(session, Measured(Offset("input_picture", reason="nothing moves")))
    assert measured_offsets(subject) == []
    assert repairs(subject, [Finding("alignment.offset", "info", "cannot tell")]) == []


def test_findings_in_a_marked_stretch_or_of_a_stored_offset_are_settled(session):
    rules = {
        "timing.gap": Rule("timing.gap", "a gap", repair="invalid"),
        "alignment.offset": Rule("alignment.offset", "an offset", repair="offset"),
    }
    add_fact(session.path, "validity", {"valid": False}, author="me", t_start_ns=10, t_end_ns=50)
    add_fact(session.path, "offset", {"ms": 80.0, "low": 78.0, "high": 82.0, "drift_ppm": None}, author="me")
    findings = [
        Finding("timing.gap", "warning", "inside", t_ns=10, t_end_ns=50),
        Finding("timing.gap", "warning", "beyond", t_ns=10, t_end_ns=51),
        Finding("timing.gap", "error", "nowhere"),
        Finding("alignment.offset", "warning", "stored", value=81.0),
        Finding("alignment.offset", "warning", "another", value=95.0),
    ]
    found = settled(findings, read_facts(session.path), rules)
    assert [f.severity for f in found] == ["info", "warning", "error", "info", "warning"]
    assert [f.sentence.partition(" ")[0] for f in found] == ["inside", "beyond", "nowhere", "stored", "another"]
