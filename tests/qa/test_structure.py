"""The structure check finds each planted fault, and nothing in a sound session."""

import importlib.util
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rushes.capture.env.sample import sample
from rushes.qa.base import examine, run_checks
from rushes.qa.structure import tables as structure_tables
from rushes.qa.structure.check import RULES, check_structure
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    out = tmp_path_factory.mktemp("sound") / "s"
    sample(out, "Pong", frames_per_env=12, max_episodes=2, policy="uniform", workers=1)
    return out / "atari_pong"


@pytest.fixture
def copy(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "copy")


def found(path):
    return {(f.check, f.severity) for f in run_checks(open_session(path), ["structure"])}


def reseal(chunk, name):
    """Make a change honest to the hashes, so that only its meaning is wrong."""
    from hashlib import sha256

    summary = json.loads((chunk / "chunk.json").read_text())
    data = (chunk / name).read_bytes()
    summary["files"][name] = {"bytes": len(data), "sha256": sha256(data).hexdigest()}
    (chunk / "chunk.json").write_text(json.dumps(summary))


def test_a_sound_session_has_no_findings(sound):
    assert found(sound) == set()


def test_a_changed_byte_is_found(copy):
    path = copy / "chunks" / "0002" / "images.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert found(copy) == {("structure.changed_file", "error")}


def test_a_missing_file_and_a_missing_chunk_are_found(copy):
    (copy / "chunks" / "0002" / "steps.parquet").unlink()
    assert found(copy) == {("structure.missing_file", "error")}
    shutil.rmtree(copy / "chunks" / "0001")
    assert ("structure.missing_chunk", "error") in found(copy)


def test_a_session_whose_writer_died_is_found(copy, sound):
    info = open_session(sound).info
    writer = SessionWriter(copy, info, resume=True)
    from rushes.model.readings import Start

    writer.write(Start(10**10))
    writer.abandon()
    assert ("structure.unfinished_chunk", "error") in found(copy)


def test_segments_that_the_manifest_does_not_list_are_found(copy):
    stored = json.loads((copy / "session.json").read_text())
    stored["segments"].pop()
    (copy / "session.json").write_text(json.dumps(stored))
    assert found(copy) == {("structure.not_closed", "error")}


def test_a_ledger_that_does_not_balance_is_found(copy):
    path = copy / "chunks" / "0001" / "chunk.json"
    summary = json.loads(path.read_text())
    summary["ledger"]["frames"]["offered"] += 2
    path.write_text(json.dumps(summary))
    assert found(copy) == {("structure.ledger", "error")}


def test_time_that_runs_back_is_found_with_its_frame(copy):
    path = copy / "chunks" / "0001" / "index.parquet"
    table = pq.read_table(path)
    t_ns = table["t_ns"].to_pylist()
    t_ns[3], t_ns[4] = t_ns[4], t_ns[3]
    pq.write_table(table.set_column(3, "t_ns", pa.array(t_ns)), path)
    reseal(path.parent, "index.parquet")
    findings = run_checks(open_session(copy), ["structure"])
    assert [(f.check, f.frame_index) for f in findings] == [("structure.time", 4), ("structure.step_keys", 3)]


def test_a_step_too_few_or_too_many_is_found(copy):
    path = copy / "chunks" / "0001" / "steps.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, len(table) - 1), path)
    reseal(path.parent, "steps.parquet")
    assert ("structure.count", "error") in found(copy)
    pq.write_table(pa.concat_tables([table, table.slice(len(table) - 1)]), path)
    reseal(path.parent, "steps.parquet")
    assert ("structure.action_without_outcome", "warning") in found(copy)


def test_a_damaged_table_becomes_a_finding_and_hides_no_other_recording(copy, sound):
    path = copy / "chunks" / "0001" / "index.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    reseal(path.parent, "index.parquet")
    findings = run_checks([open_session(copy), open_session(sound)], ["structure", "replay"])
    told = [f.check for f in findings if f.check.startswith(("structure.", "replay."))]
    assert told == ["structure.failed", "replay.failed", "replay.exact"]


def load(name):
    spec = importlib.util.spec_from_file_location(f"structure_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


t = load("take")
GAME = t.ActionSpace.discrete(["NOOP", "FIRE"], world="ALE")


def take():
    return t.Take([60, 30], t.playing(3))


def episodes():
    return t.Take([20, 10], actions=[k % 2 for k in range(30)], space=GAME, time_source="emulated")


def told(recording):
    return t.found(check_structure, recording)


@pytest.mark.parametrize("made", [take, episodes])
def test_sound_tables_have_no_findings(made):
    assert told(made()) == {}


@pytest.mark.parametrize(("change", "words"), [
    (lambda x: setattr(x, "table", x.table.drop(columns="tick")), "tick is not there"),
    (lambda x: setattr(x, "table", x.table.astype({"t_ns": float})), "t_ns is float64"),
    (lambda x: setattr(x, "table", x.table.astype({"late": int})), "late is int64"),
    (lambda x: setattr(x, "done", x.done.rename(columns={"control": "key"})), "control is not there"),
    (lambda x: setattr(x, "done", x.done.assign(kind="click")), "kind 'click' is none"),
])  # fmt: skip
def test_columns_that_are_missing_or_of_another_type_are_found(change, words):
    changed = take()
    change(changed)
    finding = told(changed)["schema"]
    assert finding.severity == "error"
    assert words in finding.sentence
    everything = examine(changed, quick=True).findings
    assert "structure.schema" in {f.check for f in everything}, "no other check stumbles over it"


def test_steps_without_a_column_are_found_too():
    played = episodes()
    played.said = played.said.drop(columns="reward")
    assert list(told(played)) == ["schema"]


def test_frames_that_are_not_numbered_as_the_segments_say_are_found():
    swapped = take()
    swapped.table.loc[[7, 8], "frame_index"] = [8, 7]
    assert (told(swapped)["frames"].value, told(swapped)["frames"].frame_index) == (2, 8)
    moved = take()
    moved.table.loc[60, "segment"] = 0
    assert told(moved)["frames"].value == 1
    short = take()
    short.table = short.table.drop(index=[5]).reset_index(drop=True)
    assert (told(short)["frames"].value, "89 frames" in told(short)["frames"].sentence) == (1, True)
    shared = take()
    shared.segments = (shared.segments[0], replace(shared.segments[1], first_frame=59))
    assert told(shared)["frames"].severity == "error"


def test_frames_outside_of_their_segment_are_found():
    late = take()
    late.segments = (replace(late.segments[0], end_ns=57 * t.STEP), late.segments[1])
    finding = told(late)["segment_time"]
    assert (finding.value, finding.frame_index, finding.t_ns) == (3, 57, 57 * t.STEP)
    early = take()
    early.segments = (replace(early.segments[0], start_ns=1), early.segments[1])
    assert told(early)["segment_time"].value == 1


@pytest.mark.parametrize(("column", "value"), [("frame_index", 500), ("t_ns", 1), ("segment", 1), ("frame_index", 3)])
def test_steps_that_stand_on_no_frame_or_on_another_ones_time_are_found(column, value):
    played = episodes()
    played.said.loc[4, column] = value
    assert told(played)["step_keys"].value == 1
    assert told(played)["step_keys"].severity == "error"


def test_equal_times_are_counted_in_one_finding():
    still = take()
    still.table.loc[[10, 70], "t_ns"] = still.table["t_ns"][[9, 69]].to_numpy()
    assert (told(still)["time"].value, told(still)["time"].frame_index) == (2, 10)


def test_every_id_that_it_yields_of_its_own_has_a_rule():
    used = set(re.findall(r'RULES\["(structure\.\w+)"\]|, "(structure\.\w+)",', "".join(
        path.read_text() for path in Path(structure_tables.__file__).parent.glob("structure*.py")
    )))  # fmt: skip
    assert {one or other for one, other in used} <= set(RULES)
    assert len(RULES) >= 10
