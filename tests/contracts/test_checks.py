"""The contract of checks, over every row of the table."""

import shutil

import pytest

from rushes.capture.env.sample import sample
from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.errors import BadNameError
from rushes.formats.base import convert, open_any
from rushes.model.findings import Finding, Problem
from rushes.model.recording import Sessions
from rushes.prepare.press_release import press_release
from rushes.qa.base import CHECKS, SAMPLE_CHECKS, every_rule, run_checks
from rushes.store.fingerprint import of_tree
from rushes.store.reader import open_session

SEES_PICTURES = {"files", "pictures", "environment"}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    out = tmp_path_factory.mktemp("checked")
    played = sample(out / "s", "Pong,Alien", frames_per_env=12, max_episodes=2, policy="uniform", workers=1)
    return [*played.sessions, record(SyntheticBackend(frames=12), out / "synthetic")]


@pytest.fixture(params=list(CHECKS))
def check(request):
    return request.param


def test_sound_sessions_get_no_warning_from_it(check, sessions):
    assert [f for f in run_checks(sessions, [check]) if f.severity != "info"] == []


def test_its_findings_carry_its_name_its_session_and_a_sentence(check, sessions):
    for finding in run_checks(sessions, [check]):
        assert isinstance(finding, Finding)
        assert finding.check.startswith(f"{check}.")
        assert finding.session in {s.info.id for s in sessions}
        assert len(finding.sentence) > 10


def test_it_changes_nothing(check, sessions):
    before = [of_tree(s.path) for s in sessions]
    run_checks(sessions, [check])
    assert [of_tree(s.path) for s in sessions] == before


def test_it_finds_something_in_a_session_whose_pictures_are_gone(check, sessions, tmp_path):
    if not {rule.sees for rule in every_rule().values() if rule.id.startswith(f"{check}.")} & SEES_PICTURES:
        pytest.skip(f"{check} looks at no picture and no file")
    copy = shutil.copytree(sessions[0].path, tmp_path / "copy")
    (copy / "chunks" / "0001" / "images.parquet").unlink()
    found = run_checks(open_session(copy), [check])
    assert any(f.severity == "error" for f in found) or all("cannot tell" in f.sentence for f in found)
    assert found


def test_it_has_a_line_for_the_readme(check):
    assert CHECKS[check].summary


@pytest.fixture(params=list(SAMPLE_CHECKS))
def sample_check(request):
    return request.param


@pytest.fixture(scope="module")
def labelled(sessions):
    """Every press of FIRE, split by session, as a table over its recordings."""
    played = sessions[:2]
    found, _ = press_release(played, "ALE/FIRE")
    assert len(found) > 1
    first = found.rows["session"].iloc[0]
    rows = found.rows.assign(split=["train" if name == first else "test" for name in found.rows["session"]])
    return Sessions(played, format="samples", samples=found.then(rows.astype({"split": "str"}), found.steps[0]))


def test_sound_samples_get_no_warning_from_it(sample_check, labelled):
    assert [f for f in run_checks(labelled, [sample_check]) if f.severity != "info"] == []


def test_its_findings_about_samples_carry_its_name_and_a_sentence(sample_check, labelled):
    findings = run_checks(labelled, [sample_check])
    assert findings
    for finding in findings:
        assert isinstance(finding, Finding)
        assert finding.check.startswith(f"{sample_check}.")
        assert finding.stream == "samples"
        assert len(finding.sentence) > 10


def test_it_changes_no_sample(sample_check, labelled):
    before = labelled.samples.rows.copy()
    run_checks(labelled, [sample_check])
    assert labelled.samples.rows.equals(before)


def test_it_reads_rows_whose_recordings_are_gone(sample_check, labelled):
    alone = Sessions([], format="samples", samples=labelled.samples)
    findings = run_checks(alone, [sample_check])
    assert findings
    assert {f.severity for f in findings} == {"info"}


def test_pictures_that_are_damaged_hide_no_finding_about_samples(sample_check, labelled, tmp_path):
    copy = shutil.copytree(labelled[0].path, tmp_path / "copy")
    (copy / "chunks" / "0001" / "images.parquet").unlink()
    findings = run_checks(labelled.over([open_session(copy), labelled[1]]), [sample_check])
    assert [f.check for f in findings if f.severity == "error"] == [f"{sample_check}.failed"]
    assert any(f.severity == "info" for f in findings)


def test_where_there_are_no_samples_it_runs_only_when_asked_and_is_no_pass(sample_check, sessions):
    assert [(f.check, f.severity) for f in run_checks(sessions, [sample_check])] == [
        (f"{sample_check}.nothing", "error")
    ]
    assert not [f for f in run_checks(sessions[2:], []) if f.check.startswith(sample_check)]


def test_it_has_a_line_for_the_readme_too(sample_check):
    assert SAMPLE_CHECKS[sample_check].summary
    assert sample_check not in CHECKS


def test_having_nothing_to_check_is_no_pass(tmp_path):
    assert [(f.check, f.severity) for f in run_checks([])] == [("read.nothing", "error")]
    problem = Problem("missing_action", "episode_000", 2, "two actions are not there")
    findings = run_checks(Sessions([], format="atari_folders", problems=[problem]))
    assert [f.check for f in findings] == ["read.missing_action", "read.nothing"]


def test_a_picture_of_a_foreign_file_that_is_damaged_inside_is_found(tmp_path, sessions):
    convert(sessions[0], tmp_path / "f", format="folders")
    path = min((tmp_path / "f").rglob("frame_000003.png"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    errors = [f for f in run_checks(open_any(tmp_path / "f"), ["structure"]) if f.severity == "error"]
    assert [(f.check, f.frame_index) for f in errors] == [("structure.picture", 3)]


def test_an_unknown_check_is_refused_with_the_near_one(sessions):
    with pytest.raises(BadNameError, match="did you mean 'replay'"):
        run_checks(sessions, ["relpay"])
    with pytest.raises(BadNameError, match="did you mean 'leakage'"):
        run_checks(sessions, ["leakige"])
