"""`rushes qa` as a user and a build server meet it."""

import json
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.qa.base import every_rule
from rushes.store.facts import read_facts
from rushes.store.fingerprint import of_tree
from rushes.store.reader import open_session
from rushes.store.validity import honour
from rushes.store.writer import SessionWriter
from rushes.worlds.matrix import WORLDS

sys.path.insert(0, str(Path(__file__).parent))
from typed import rushes


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return record(SyntheticBackend(frames=60), tmp_path_factory.mktemp("model") / "one").path


@pytest.fixture(scope="module")
def gaps(tmp_path_factory):
    """30 frames a second, of which ticks 7 to 11 and 30 to 59 have none: gaps of 200 and of 1,033 ms."""
    path = tmp_path_factory.mktemp("gaps") / "one"
    world = WORLDS["drops_in_bursts"]
    with SessionWriter(path, world.describe()) as writer:
        for reading in world.readings():
            writer.write(reading)
    return path


def test_limits_are_in_the_findings_and_a_wrong_one_is_refused(session, gaps):
    for limit, many in ((150, 2), (500, 1), (2000, 0)):
        done = rushes("qa", gaps, "--quick", "--json", "--limit", f"timing.gap={limit}")
        found = [f for f in json.loads(done.out)["findings"] if f["check"] == "timing.gap"]
        assert [f["limit"] for f in found] == [limit] * many
    done = rushes("qa", gaps, "--quick", "--json")
    (found,) = [f for f in json.loads(done.out)["findings"] if f["check"] == "timing.gap"]
    assert found["value"] == pytest.approx(31 * 1000 / 30, abs=1)
    assert "did you mean 'timing.gap'" in rushes("qa", session, "--limit", "timing.gpa=20").error
    assert "RULE=NUMBER" in rushes("qa", session, "--limit", "timing.gap").error
    assert "has a limit" in rushes("qa", session, "--limit", "structure.missing_file=1").error
    for nonsense in ("nan", "inf", "-5"):
        refused = rushes("qa", gaps, "--quick", "--limit", f"timing.gap={nonsense}")
        assert (refused.status, "a number from 0 on, in ms" in refused.error) == (1, True)
    assert rushes("qa", gaps, "--quick", "--limit", "sound.quiet=-60").status == 0


def test_what_is_expected_is_held_against_what_is_there(session, tmp_path):
    done = rushes("qa", session, "--quick", "--json", "--expect-rate-hz", "60")
    found = {f["check"]: f["severity"] for f in json.loads(done.out)["findings"]}
    assert found["timing.rate"] in ("warning", "error")
    done = rushes("qa", session, "--json", "--check", "content", "--expect-size", "640x360")
    assert any(f["check"] == "content.size" and f["severity"] != "info" for f in json.loads(done.out)["findings"])
    assert "640x360" in rushes("qa", session, "--expect-size", "large").error
    for option, nonsense in (
        ("--expect-size", "0x0"), ("--expect-rate-hz", "0"), ("--expect-rate-hz", "nan"), ("--game-latency-ms", "inf"),
        ("--expect-picture", tmp_path / "none.png"), ("--expect-picture", session / "session.json"),
    ):  # fmt: skip
        refused = rushes("qa", session, "--quick", option, nonsense)
        assert (refused.status, refused.out, "accepted:" in refused.error) == (1, "", True), option
    shutil.copytree(session, tmp_path / "two" / "a")
    record(SyntheticBackend(frames=5, seed=1), tmp_path / "two" / "b")
    assert "one recording" in rushes("qa", session, "--reference", tmp_path / "two").error


def test_a_build_server_gets_a_case_for_each_rule_and_a_failure_for_each_error(session, tmp_path):
    copy = shutil.copytree(session, tmp_path / "copy")
    path = copy / "chunks" / "0001" / "events.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    done = rushes("qa", copy, "--check", "structure", "--junit")
    assert done.status == 1
    root = ET.fromstring(done.out)
    (suite,) = root.findall("testsuite")
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert {rule for rule in every_rule() if rule.startswith("structure.")} <= set(cases)
    failures = [name for name, case in cases.items() if case.find("failure") is not None]
    assert failures == ["structure.changed_file"]
    assert suite.get("failures") == "1"
    assert "restore it from a copy" in cases["structure.changed_file"].find("failure").get("message")
    assert "one of them" in rushes("qa", copy, "--junit", "--json").error


def test_rules_of_a_check_that_came_to_no_end_do_not_pass(gaps, tmp_path):
    copy = shutil.copytree(gaps, tmp_path / "copy")
    (copy / "chunks" / "0001" / "index.parquet").write_bytes(b"PAR1")
    root = ET.fromstring(rushes("qa", copy, "--check", "timing", "--quick", "--junit").out)
    said = {case.get("name"): [part.tag for part in case] for case in root.iter("testcase")}
    assert said.pop("timing.failed") == ["failure"]
    assert said
    assert all(parts == ["skipped"] for parts in said.values())


def test_a_repair_is_a_side_fact_with_a_backup_and_touches_nothing_else(gaps, tmp_path):
    copy = shutil.copytree(gaps, tmp_path / "copy")
    before = of_tree(copy / "chunks"), (copy / "session.json").read_bytes()
    first = rushes("qa", copy, "--check", "timing", "--fix")
    (fact,) = read_facts(copy)
    assert (fact.kind, fact.author) == ("validity", "rushes qa: timing.gap")
    assert fact.t_end_ns - fact.t_start_ns == pytest.approx(31 / 30 * 1e9, abs=1e6)
    assert not list(copy.glob("facts.backup*")), "there was nothing to back up"
    assert "repairs noted: 1" in first.error
    again = json.loads(rushes("qa", copy, "--check", "timing", "--json").out)
    (gap,) = [f for f in again["findings"] if f["check"] == "timing.gap"]
    assert (gap["severity"], "marked invalid" in gap["sentence"]) == ("info", True)
    assert "repairs noted: 0" in rushes("qa", copy, "--check", "timing", "--fix").error
    said = (copy / "facts.jsonl").read_bytes()
    more = rushes("qa", copy, "--check", "timing", "--limit", "timing.gap=150", "--fix")
    assert "repairs noted: 1, there already: 0; before: facts.backup-0001.jsonl" in more.error
    assert (copy / "facts.backup-0001.jsonl").read_bytes() == said
    assert (of_tree(copy / "chunks"), (copy / "session.json").read_bytes()) == before
    assert len(list(honour(open_session(copy)).segments)) == 3, "no window crosses what is marked"


def test_a_copy_that_was_damaged_does_nothing_to_the_one_beside_it(gaps, tmp_path):
    sound, damaged = (shutil.copytree(gaps, tmp_path / "both" / name) for name in "ab")
    table = damaged / "chunks" / "0001" / "index.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"X")
    done = rushes("qa", tmp_path / "both", "--junit", "--keep", "--fix")
    suites = ET.fromstring(done.out).findall("testsuite")
    assert [suite.get("failures") != "0" for suite in suites] == [False, True]
    assert [fact.kind for fact in read_facts(sound)] == ["validity", "verdict"]
    kept = [read_facts(path)[-1].value for path in (sound, damaged)]
    assert [value["verdict"] for value in kept] == ["WARN", "FAIL"]
    assert [reason.partition(":")[0] for reason in kept[0]["reasons"]] == ["timing.dropped"], "the gap is repaired"


def test_a_verdict_is_kept_with_what_was_measured(session, tmp_path):
    copy = shutil.copytree(session, tmp_path / "copy")
    assert rushes("qa", copy, "--keep").status == 0
    assert read_facts(copy)[-1].value["figures"]["rate_hz"] == pytest.approx(30, rel=0.01)


def test_every_rule_is_listed_with_its_limit_and_unit():
    rules = json.loads(rushes("qa", "--rules", "--json").out)["rules"]
    assert [rule["id"] for rule in rules] == list(every_rule())
    assert len(rules) >= 40
    for rule in rules:
        assert rule["what"]
        assert rule["limit"] is None or rule["unit"], rule["id"]
    listed = rushes("qa", "--rules").out
    assert "timing.gap" in listed
    assert "250 ms" in listed


def test_a_quick_look_is_no_verdict_to_keep(session):
    assert "a verdict of all checks" in rushes("qa", session, "--quick", "--keep").error
    assert rushes("qa").status == 2
