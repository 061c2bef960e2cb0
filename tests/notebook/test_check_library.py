"""The recipe about a library beside its cells: faults that are planted, workers, verdicts that are kept."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from rushes.model.findings import Finding
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.notebook.alignment.settings import Settings
from rushes.notebook.check_library.checking import MOST_FINDINGS, Checked, check_library, check_one, tasks_of
from rushes.notebook.check_library.sample import FAULTS, dark, gap, make_library, repeated, still
from rushes.notebook.check_library.verdict import figures_of, judge
from rushes.preview.qa_library import SessionLine
from rushes.store.facts import read_facts

MS = 1_000_000
NS = 1_000_000_000
TABLES = Settings(checks=("timing", "actions"), quick=True)


def film():
    """Twenty seconds at 10 Hz; each picture has the grey of its number."""
    yield Start(0)
    for k in range(200):
        yield Frame(k * 100 * MS, np.full((2, 2, 3), k, np.uint8), tick=k)
    yield Gap(20 * NS, "end")


def greys(readings):
    return {r.t_ns // (100 * MS): int(r.pixels[0, 0, 0]) for r in readings if isinstance(r, Frame)}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    make_library(folder, [f for f in FAULTS if f.name in ("nothing_wrong", "pictures_missing")], seconds=16.0)
    return folder


def test_each_fault_is_what_its_name_says():
    missing = [r for r in gap(film()) if isinstance(r, Frame)]
    assert len(missing) == 193
    assert [(r.t_ns // MS, r.dropped_before) for r in missing if r.dropped_before] == [(9_700, 7)]
    assert [k for k, grey in greys(dark(film())).items() if not grey] == [0, *range(90, 147)]
    frozen = greys(still(film()))
    assert {frozen[k] for k in range(90, 180)} == {90}
    assert (frozen[89], frozen[180]) == (89, 180)
    down = Event(1000 * MS, "keyboard", "KeyW", "press", 1.0)
    up = Event(1700 * MS, "keyboard", "KeyW", "release", 0.0)
    again = [e.t_ns // MS for e in repeated([down, up, Gap(3 * NS, "end")]) if isinstance(e, Event)]
    assert again[:4] == [1000, 1250, 1283, 1316]
    assert (len(again), again[-1]) == (1 + 14 + 1, 1700)


def test_the_librarys_own_faults_are_named_by_rules_that_are_there():
    from rushes.qa.base import every_rule

    assert {fault.rule for fault in FAULTS} - set(every_rule()) == {""}
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) == 6


def test_every_session_is_a_line_and_its_planted_fault_is_found(library):
    tasks = tasks_of(library, planted=True)
    seen = []
    with ThreadPoolExecutor(2) as threads:
        checked = check_library(tasks, TABLES, executor=threads, progress=lambda *said: seen.append(said[:2]))
    lines = {line.session: line for line in checked.lines}
    assert [task.name for task in tasks.each] == list(lines) == ["nothing_wrong", "pictures_missing"]
    assert [f.check for f in lines["pictures_missing"].serious] == ["timing.gap"]
    assert lines["nothing_wrong"].serious == []
    assert lines["nothing_wrong"].frames == 480
    assert (lines["nothing_wrong"].planted, lines["pictures_missing"].planted) == ("", "timing.gap")
    assert seen == [(1, 2), (2, 2)]
    said = judge(checked)
    assert [(f.check, f.severity) for f in said] == [("read.left_out", "info")] * 2 + [("planted.found", "info")]
    assert said[2].sentence.endswith("in pictures_missing, 733.3 ms, limit 250 ms")
    figures = figures_of(checked)
    assert (figures["sessions"], figures["sessions_warn"], figures["planted_found"]) == (2, 1, 1)


def test_verdicts_are_kept_beside_the_sessions_when_asked(library):
    tasks = tasks_of(library)
    settings = Settings(checks=("timing",), quick=True)
    assert check_library(tasks, settings, workers=1).kept == 0
    assert read_facts(library / "nothing_wrong") == ()
    assert check_library(tasks, settings, keep=True, workers=1).kept == 2
    (fact,) = read_facts(library / "pictures_missing")
    assert fact.value["verdict"] == "WARN"
    assert fact.value["reasons"][0].startswith("timing.gap")


def test_what_goes_to_a_worker_and_comes_back_can_be_sent(library):
    (task, *_), settings = tasks_of(library).each, Settings.of({"limits": "timing.gap 300", "expect_rate_hz": 30.0})
    line = check_one(*pickle.loads(pickle.dumps((task, replace(settings, checks=("timing",), quick=True)))))
    assert pickle.loads(pickle.dumps(line)) == line
    assert line.session == "nothing_wrong"
    assert line.planted is None, "in a library of somebody's own nothing was planted"


def test_a_session_that_cannot_be_opened_is_a_line_that_says_so(tmp_path):
    from rushes.notebook.check_library.checking import Task

    line = check_one(Task(tmp_path / "gone", 0, "gone", own=True), TABLES)
    assert (line.session, line.verdict) == ("gone", "FAIL")
    assert line.findings[0].check == "read.failed"


def test_a_missed_fault_and_one_that_nobody_planted_are_no_pass():
    wrong = Finding("timing.late", "warning", "look", "b")
    lines = (SessionLine("a", "x", planted="timing.gap"), SessionLine("b", "x", planted="", findings=(wrong,)))
    assert [(f.check, f.severity) for f in judge(Checked(lines, ()))] == [
        ("timing.late", "warning"), ("planted.missed", "error"),
    ]  # fmt: skip
    own = SessionLine("c", "x", findings=tuple(Finding("timing.gap", "warning", str(k), "c") for k in range(9)))
    said = judge(Checked((own,), ()))
    assert [f.severity for f in said] == ["warning"] * 3 + ["info"], "the worst of each session"
    assert said[-1].sentence.startswith("6 more of c")
    assert MOST_FINDINGS >= 20
