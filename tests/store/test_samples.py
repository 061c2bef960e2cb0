"""A table of samples on the disk: read back as written, moved as a whole, refused when it is no such table."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rushes.errors import BadDataError, MissingError, OccupiedError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples, Source, Step, step_ledger
from rushes.model.samples import COLUMNS, samples_frame
from rushes.store.samples import holds_samples, read_samples, write_samples

SPACE = ActionSpace.from_names(["Space", "MouseDX"])
ROW = {"session": "s", "control": "Space", "label": 1.0, "keys": [1.0, -2.5], "frame_index": 3, "t_ns": 9}


def table(count=3, **other):
    rows = [ROW | {"sample_id": f"{k}", "hold_s": [0.25, np.nan][k % 2]} for k in range(count)]
    step = Step("pairs", {"controls": ["Space"], "seed": 1}, step_ledger("presses", 5, {"edge": 5 - count}))
    return Samples(samples_frame(rows), SPACE, (step,), **other)


def test_a_set_is_read_back_as_it_was_written(tmp_path):
    samples = table(sources={"s": Source(str(tmp_path / "s"), ("video=x.mp4",))})
    write_samples(samples, tmp_path / "a.parquet")
    found = read_samples(tmp_path / "a.parquet")
    plain = [t.rows.drop(columns="keys") for t in (samples, found)]
    assert plain[0].equals(plain[1])
    assert found.rows.dtypes.astype(str).to_dict() == samples.rows.dtypes.astype(str).to_dict()
    assert found.keys.tolist() == samples.keys.tolist()
    assert (found.space, found.steps, found.sources) == (samples.space, samples.steps, samples.sources)


def test_an_open_hold_is_null_in_the_file(tmp_path):
    write_samples(table(), tmp_path / "a.parquet")
    plain = pq.read_table(tmp_path / "a.parquet")
    assert plain.column_names == list(COLUMNS)
    assert plain["hold_s"].to_pylist() == [0.25, None, 0.25]
    assert plain["keys"].to_pylist()[0] == [1.0, -2.5]


def test_an_empty_set_is_one_too(tmp_path):
    write_samples(table(0), tmp_path / "a.parquet")
    found = read_samples(tmp_path / "a.parquet")
    assert len(found) == 0
    found.validate()


def test_the_same_set_is_the_same_bytes(tmp_path):
    for name in "ab":
        write_samples(table(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_folder_with_table_and_session_can_be_moved_as_a_whole(tmp_path):
    folder = tmp_path / "here" / "data"
    (folder / "tables").mkdir(parents=True)
    write_samples(table(sources={"s": Source(str(folder / "sessions" / "s"))}), folder / "tables" / "a.parquet")
    shutil.move(tmp_path / "here", tmp_path / "there")
    found = read_samples(tmp_path / "there" / "data" / "tables" / "a.parquet")
    assert found.sources["s"].path == str(tmp_path / "there" / "data" / "sessions" / "s")


def test_a_session_elsewhere_is_named_in_full(tmp_path):
    write_samples(table(sources={"s": Source("/elsewhere/s")}), tmp_path / "a" / "b" / "a.parquet")
    about = json.loads(pq.read_schema(tmp_path / "a" / "b" / "a.parquet").metadata[b"rushes.samples"])
    assert about["sources"]["s"]["path"] == "/elsewhere/s"


def test_a_relative_source_is_found_from_where_the_table_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_samples(table(sources={"s": Source("s")}), "a.parquet")
    monkeypatch.chdir(tmp_path.parent)
    assert read_samples(tmp_path / "a.parquet").sources["s"].path == str(tmp_path / "s")


def test_a_table_is_known_by_its_key(tmp_path):
    write_samples(table(), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_text("PAR")
    assert [holds_samples(tmp_path / f"{name}.parquet") for name in "abcd"] == [True, False, False, False]
    assert not holds_samples(tmp_path)


def test_nothing_is_overwritten_and_nothing_half_written_stays(tmp_path):
    write_samples(table(), tmp_path / "a.parquet")
    with pytest.raises(OccupiedError):
        write_samples(table(), tmp_path / "a.parquet")
    wrong = table()
    wrong.rows.loc[1, "label"] = 2.0
    with pytest.raises(BadDataError, match="row 1: label"):
        write_samples(wrong, tmp_path / "b.parquet")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet"]


def rewritten(path, change=None, table=None):
    """Write the file again with another footer or other columns."""
    whole = pq.read_table(path)
    about = json.loads(whole.schema.metadata[b"rushes.samples"])
    (change or (lambda _: None))(about)
    whole = table(whole) if table else whole
    pq.write_table(whole.replace_schema_metadata({b"rushes.samples": json.dumps(about).encode()}), path)


@pytest.mark.parametrize(
    ("change", "columns", "match"),
    [
        (lambda about: about.update(schema="rushes/samples/9"), None, "schema 'rushes/samples/9'"),
        (lambda about: about.pop("action_space"), None, "does not read"),
        (lambda about: about.pop("schema"), None, "which is no table of samples"),
        (lambda about: about.update(steps=[{"name": "x"}]), None, "does not read"),
        (lambda about: about["action_space"]["slots"].pop(), None, "a.parquet, row 0: keys"),
        (None, lambda t: t.drop_columns(["group"]), "with the columns"),
        (None, lambda t: t.set_column(9, "label", pa.array([1.0, 7.0, 1.0], pa.float32())), "a.parquet, row 1: label"),
        (None, lambda t: t.set_column(3, "frame_index", pa.array([3, 3, None])), "a.parquet, row 2: no frame_index"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_its_name(tmp_path, change, columns, match):
    write_samples(table(), tmp_path / "a.parquet")
    rewritten(tmp_path / "a.parquet", change, columns)
    with pytest.raises(BadDataError, match=match):
        read_samples(tmp_path / "a.parquet")


def test_a_missing_a_cut_and_another_file_are_refused(tmp_path):
    with pytest.raises(MissingError):
        read_samples(tmp_path / "none.parquet")
    write_samples(table(), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadDataError, match="cut or damaged"):
        read_samples(tmp_path / "cut.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "b.parquet")
    with pytest.raises(BadDataError, match="which is no table of samples"):
        read_samples(tmp_path / "b.parquet")


def test_a_source_named_through_another_folder_is_one_place(tmp_path, monkeypatch):
    """`../s` from one folder and `s` from the one above are the same, or two tables of it do not join."""
    for name in ("work", "out"):
        (tmp_path / name / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "deep")
    write_samples(table(sources={"s": Source("../s")}), tmp_path / "out" / "deep" / "a.parquet")
    found = read_samples(tmp_path / "out" / "deep" / "a.parquet")
    assert found.sources["s"].path == str(tmp_path / "work" / "s")


def test_paths_in_options_move_with_the_folder_and_other_options_stay(tmp_path):
    folder = tmp_path / "here" / "data"
    (folder / "tables").mkdir(parents=True)
    options = (f"video={folder}/recordings/x.mp4", "keys=/,w")
    source = Source(str(folder / "collected" / "x.npz"), options)
    write_samples(table(sources={"s": source}), folder / "tables" / "a.parquet")
    assert read_samples(folder / "tables" / "a.parquet").sources["s"] == source
    shutil.move(tmp_path / "here", tmp_path / "there")
    found = read_samples(tmp_path / "there" / "data" / "tables" / "a.parquet").sources["s"]
    assert found.options == (f"video={tmp_path}/there/data/recordings/x.mp4", "keys=/,w")
