"""Splits on the disk: read back as written, and nothing else is taken for them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rushes.errors import BadDataError, MissingError, OccupiedError
from rushes.store.splits import Splits, read_splits, write_splits

MADE = Splits({"b/1": "test", "a/0": "train"}, {"by": "time", "block_s": 30.0})


def test_they_are_read_back_as_they_were_written(tmp_path):
    write_splits(MADE, tmp_path / "x.splits.parquet")
    assert read_splits(tmp_path / "x.splits.parquet") == MADE
    assert pq.read_table(tmp_path / "x.splits.parquet").to_pydict() == {
        "group": ["a/0", "b/1"],
        "split": ["train", "test"],
    }


def test_the_same_splits_are_the_same_bytes_whatever_their_order(tmp_path):
    write_splits(MADE, tmp_path / "one")
    write_splits(Splits(dict(reversed(MADE.parts.items())), dict(MADE.made)), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_nothing_is_overwritten(tmp_path):
    write_splits(MADE, tmp_path / "x")
    with pytest.raises(OccupiedError):
        write_splits(MADE, tmp_path / "x")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(MissingError):
        read_splits(tmp_path / "none")
    pq.write_table(pa.table({"group": ["a"], "split": ["train"]}), tmp_path / "bare")
    with pytest.raises(BadDataError, match="which holds no splits"):
        read_splits(tmp_path / "bare")
    (tmp_path / "text").write_text("group,split")
    with pytest.raises(BadDataError, match="cut or damaged"):
        read_splits(tmp_path / "text")


@pytest.mark.parametrize(("schema", "groups"), [("rushes/splits/9", ["a", "b"]), ("rushes/splits/1", ["a", "a"])])
def test_another_schema_or_a_group_twice_is_refused(tmp_path, schema, groups):
    table = pa.table({"group": groups, "split": ["x", "y"]})
    about = f'{{"schema": "{schema}", "by": "session"}}'
    pq.write_table(table.replace_schema_metadata({b"rushes.splits": about.encode()}), tmp_path / "x")
    with pytest.raises(BadDataError, match="splits of schema"):
        read_splits(tmp_path / "x")
