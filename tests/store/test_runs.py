"""Where runs lie, and which folders a run may go into."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rushes.errors import BusyError, OccupiedError, StorageError
from rushes.store.lock import lock
from rushes.store.runs import name_latest, new_run_folder, project_root, refuse_busy, run_hash, tidy, unfinished_run


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


def test_a_folder_is_named_by_time_and_hash_and_is_latest_only_when_somebody_says_so(tmp_path):
    folder = new_run_folder("tour", {"frames": 3, "out_dir": "x"}, root=tmp_path)
    assert re.fullmatch(r"\d{8}T\d{6}Z-" + run_hash("tour", {"frames": 3}), folder.name)
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
    name_latest(folder)
    assert (tmp_path / "outputs" / "tour" / "latest").read_text() == folder.name + "\n"


def test_runs_that_begin_at_once_have_a_folder_each(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_run_folder("tour", {}, root=tmp_path), range(40)))
        list(pool.map(name_latest, folders))
    assert len(set(folders)) == 40
    assert (tmp_path / "outputs" / "tour" / "latest").read_text().strip() in {f.name for f in folders}


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises((StorageError, FileExistsError)):
        new_run_folder("tour", {}, root=Path(tmp_path))


def lay(folder, *files, **record):
    folder.mkdir()
    for name in files:
        (folder / name).write_text("mine")
    if record:
        (folder / "run.json").write_text(json.dumps({"name": "tour", "parameters": {"frames": 3}, **record}))
    return folder


def test_new_empty_and_unfinished_folders_may_be_run_in(tmp_path):
    assert unfinished_run(tmp_path / "new", {"frames": 3}) is None
    assert not (tmp_path / "new").exists()
    assert unfinished_run(lay(tmp_path / "empty", ".hidden"), {"frames": 3}) is None
    begun = lay(tmp_path / "begun", "a.txt", "report.html", "report.ipynb", ended=None, outputs={"a.txt": None})
    assert unfinished_run(begun, {"frames": 3, "out_dir": "x"}, name="tour")["outputs"] == {"a.txt": None}


@pytest.mark.parametrize(
    ("files", "record", "words"),
    [
        (["report.html"], {}, "report.html"),
        (["report.ipynb"], {}, "report.ipynb"),
        (["a.txt"], {}, "a.txt"),
        (["report.html"], {"ended": "2026-01-01T00:00:00Z", "outputs": {}}, "finished run of tour"),
        (["a.txt"], {"ended": None, "outputs": {"a.txt": None}, "parameters": {"frames": 4}}, "frames=4"),
        (["a.txt"], {"ended": None, "outputs": {"a.txt": None}, "name": "other"}, "the name 'other'"),
    ],
)
def test_everything_else_is_refused(tmp_path, files, record, words):
    folder = lay(tmp_path / "mine", *files, **record)
    with pytest.raises(OccupiedError, match=words):
        unfinished_run(folder, {"frames": 3}, name="tour")


def test_a_report_that_somebody_else_made_is_content_even_while_a_notebook_is_executed(tmp_path):
    folder = lay(tmp_path / "mine")
    (folder / "report.ipynb").write_text('{"metadata": {"papermill": {}}, "cells": []}')
    assert unfinished_run(folder, {}, executing=True) is None
    (folder / "report.html").write_text("mine")
    with pytest.raises(OccupiedError, match=r"report\.html"):
        unfinished_run(folder, {}, executing=True)


def test_a_run_that_wrote_nothing_is_in_nobodys_way(tmp_path):
    folder = lay(tmp_path / "a", "report.html", "report.ipynb", ended=None, outputs={}, parameters={"frames": -1})
    assert unfinished_run(folder, {"frames": 3}, name="tour") is None
    (folder / "b.txt").write_text("something")
    with pytest.raises(OccupiedError, match="frames=-1"):
        unfinished_run(folder, {"frames": 3}, name="tour")


def test_a_folder_is_busy_while_somebody_holds_its_lock_and_is_tidied_only_afterwards(tmp_path):
    folder = lay(tmp_path / "a", ".run.lock")
    handle = os.open(folder / ".run.lock", os.O_RDWR)
    lock(handle, folder)
    with pytest.raises(BusyError, match="a run is going on"):
        refuse_busy(folder)
    tidy(folder)
    assert (folder / ".run.lock").exists()
    os.close(handle)
    refuse_busy(folder)
    tidy(folder)
    assert not folder.exists()
    refuse_busy(folder)
