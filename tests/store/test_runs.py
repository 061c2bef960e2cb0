"""Where runs lie."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rushes.errors import StorageError
from rushes.store.runs import new_run_folder, project_root, run_hash


def test_the_root_is_the_nearest_folder_with_recipes_or_outputs(tmp_path):
    (tmp_path / "a" / "recipes").mkdir(parents=True)
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert project_root(deep) == tmp_path / "a"
    (tmp_path / "a" / "b" / "outputs").mkdir()
    assert project_root(deep) == tmp_path / "a" / "b"


def test_without_a_sign_the_folder_itself_is_the_root(tmp_path):
    if not any((p / sign).is_dir() for p in tmp_path.parents for sign in ("recipes", "outputs")):
        assert project_root(tmp_path) == tmp_path


def test_a_folder_is_named_by_time_and_hash_and_named_as_latest(tmp_path):
    folder = new_run_folder("tour", {"frames": 3, "out_dir": "x"}, root=tmp_path)
    assert re.fullmatch(r"\d{8}T\d{6}Z-" + run_hash("tour", {"frames": 3}), folder.name)
    assert (tmp_path / "outputs" / "tour" / "latest").read_text() == folder.name + "\n"


def test_runs_that_begin_at_once_have_a_folder_each(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_run_folder("tour", {}, root=tmp_path), range(40)))
    assert len(set(folders)) == 40
    assert (tmp_path / "outputs" / "tour" / "latest").read_text().strip() in {f.name for f in folders}


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises((StorageError, FileExistsError)):
        new_run_folder("tour", {}, root=Path(tmp_path))
