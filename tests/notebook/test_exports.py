"""Samples, exports and what comes back, with a real emulator's play."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.formats.base import open_any
from rushes.model.findings import Problem
from rushes.model.recording import Sessions
from rushes.notebook.bar import Bar
from rushes.notebook.compare import as_findings, compare
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
    assert shown.text.startswith("Each keeps frames (exact), times, rewards, names; loses ")
    found = compare(sessions, exports.reports)
    assert found.findings == ()
    assert [row[1:3] for row in found.rows] == [(2, 240)] * 3
    assert {row[3:] for row in found.rows} == {("2 of 2",) * 3}
    assert found.figures == {"episodes": 2, "frames": 240, "exports": 3, "exports_equal": 3}
    run.finish()
    assert names <= set(json.loads((run.folder / "run.json").read_text())["outputs"])


def test_a_difference_is_found(project, run):
    sessions = open_any(sample_source("tour"))
    exports = Exports("simple")
    exports.write(run, sessions)
    (finding,) = compare(Sessions(sessions[:2], format="session"), exports.reports).findings
    assert finding.severity == "error"
    assert "720 of 480 frames" in finding.sentence


ROW = 7
DOCTORED = {
    "reward": (777.0, "reward 777.0 instead of"),
    "t_ns": (123, "t_ns 123 instead of"),
    "lives": (55, "lives 55 instead of"),
    "terminated": (True, "terminated True instead of False"),
    "random_action": (True, "random_action True instead of False"),
    "seed": (9, "seed '"),
    "end_reason": ("nonsense", 'end_reason "'),
}


@pytest.mark.parametrize("column", DOCTORED)
def test_a_doctored_column_of_an_export_is_found_and_the_first_difference_named(project, run, column):
    value, words = DOCTORED[column]
    sessions = Sessions(open_any(sample_source("tour"))[:1], format="session")
    exports = Exports("simple")
    exports.write(run, sessions)
    path = exports.reports[0].target
    table = pq.read_table(path)
    values = table[column].to_pylist()
    assert values[ROW] != value
    values[ROW] = value
    field = table.schema.field(column)
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, field, pa.array(values, field.type)), path)
    found = compare(sessions, exports.reports)
    (finding,) = found.findings
    assert finding.severity == "error"
    assert words in finding.sentence
    assert "Breakout, episode_000" in finding.sentence
    assert found.rows[0][3:] == ("2 of 2", "2 of 2", "1 of 2")
    assert found.figures["exports_equal"] == 0


def test_a_doctored_picture_action_and_setting_of_a_folder_are_found(project, run):
    sessions = Sessions(open_any(sample_source("tour"))[:1], format="session")
    exports = Exports("folders")
    exports.write(run, sessions)
    first, second = sorted(p.parent for p in exports.reports[0].target.rglob("episode.json"))
    assert compare(sessions, exports.reports).findings == ()
    about = json.loads((second / "episode.json").read_text())
    (second / "episode.json").write_text(json.dumps({**about, "sticky": 0.25}))
    assert "sticky 0.25 instead of" in compare(sessions, exports.reports).findings[0].sentence
    (first / "frame_000003.png").write_bytes((first / "frame_000090.png").read_bytes())
    found = compare(sessions, exports.reports)
    assert "frame 3: the picture" in found.findings[0].sentence
    assert found.findings[0].frame_index == 3
    assert found.rows[0][3:] == ("1 of 2", "2 of 2", "1 of 2")


def test_problems_of_reading_become_warnings():
    (finding,) = as_findings([Problem("missing_action", "row 3", 2, "two actions are missing")])
    assert (finding.check, finding.severity, finding.value) == ("read.missing_action", "warning", 2.0)
    assert finding.sentence == "row 3: two actions are missing"


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
