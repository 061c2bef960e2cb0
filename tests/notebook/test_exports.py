"""Samples, exports and what comes back, with a real emulator's play."""

import json

import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.formats.base import open_any
from rushes.model.recording import Sessions
from rushes.notebook.bar import Bar
from rushes.notebook.compare import compare
from rushes.notebook.exports import Exports
from rushes.notebook.provenance import emulator
from rushes.notebook.run import begin
from rushes.notebook.samples import sample_source
from rushes.store.fingerprint import of_tree


@pytest.fixture
def run(project, ran):
    return begin("tour", ran('out_dir: str = ""'))


def test_a_sample_is_made_once_and_then_used_again(project):
    told = []
    first = sample_source("tour", progress=lambda *state: told.append(state))
    assert first == project / "outputs" / "samples" / "tour"
    assert told[-1][0] == told[-1][1] == 720
    assert sorted(p.name for p in first.iterdir()) == ["atari_breakout", "atari_pong", "atari_seaquest"]
    stamp = of_tree(first)
    assert sample_source("tour") == first
    assert of_tree(first) == stamp
    for name in ("", "../tour", "a/b"):
        with pytest.raises(BadInputError):
            sample_source(name)


def test_exports_have_fixed_names_and_come_back_the_same(project, run):
    sessions = Sessions(open_any(sample_source("tour"))[:1], format="session")
    exports = Exports("interleaved, simple,folders")
    shown = exports.write(run, sessions)
    names = {"atari_interleaved.parquet", "atari_simple.parquet", "frames"}
    assert names <= {p.name for p in run.folder.iterdir()}
    assert "atari_simple.parquet" in shown.html
    found = compare(sessions, exports.reports)
    assert found.findings == ()
    assert [row[1:3] for row in found.rows] == [(2, 240)] * 3
    assert {row[3] for row in found.rows} == {row[4] for row in found.rows} == {"2 of 2"}
    run.finish()
    assert names <= set(json.loads((run.folder / "run.json").read_text())["outputs"])


def test_a_difference_is_found(project, run):
    sessions = open_any(sample_source("tour"))
    exports = Exports("simple")
    exports.write(run, sessions)
    (finding,) = compare(Sessions(sessions[:2], format="session"), exports.reports).findings
    assert finding.severity == "error"
    assert "720 of 480 frames" in finding.sentence


def test_exports_are_checked_before_the_work_begins():
    with pytest.raises(BadNameError, match="atari_simple"):
        Exports("interleaved,atari_simpel")
    with pytest.raises(BadInputError, match="twice"):
        Exports("simple,atari_simple")
    assert Exports("").targets == {}


def test_the_emulator_and_its_game_files_are_named():
    found = emulator(["ALE/Pong-v5", "CartPole-v1"])
    assert set(found["roms"]) == {"ALE/Pong-v5"}
    assert len(found["roms"]["ALE/Pong-v5"]["sha256"]) == 64
    assert emulator(["CartPole-v1"]) == {}


def test_a_bar_is_silent_outside_of_a_notebook(capsys):
    bar = Bar("counting")
    for k in range(4):
        bar(k, 3, "Alien")
    assert bar.text.startswith("counting: 3 of 3, ")
    bar(0, 0)
    assert capsys.readouterr() == ("", "")
