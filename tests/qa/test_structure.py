"""The structure check finds each planted fault, and nothing in a sound session."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rushes.capture.env.sample import sample
from rushes.qa.base import run_checks
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
    assert [(f.check, f.frame_index) for f in findings] == [("structure.time", 4)]


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
    findings = run_checks([open_session(copy), open_session(sound)])
    told = [f.check for f in findings if f.check.startswith(("structure.", "replay."))]
    assert told == ["structure.failed", "replay.failed", "replay.exact"]
