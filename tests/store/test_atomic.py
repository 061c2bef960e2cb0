"""Places where nothing can be written: each is told as what it is, with what to do."""

import errno
import os
from pathlib import Path

import pytest

from rushes.errors import OccupiedError, StorageError
from rushes.store.atomic import new_file, new_folder, replace_text, storage_errors


def test_a_file_in_the_way_is_named_and_access_is_not_blamed(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("mine")
    for make in (new_file, new_folder):
        with pytest.raises(StorageError, match=f"the file {blocker} stands in the way.*move away") as caught:
            make(blocker / "deep" / "out").__enter__()
        assert "may write" not in str(caught.value)
    assert blocker.read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(StorageError, match=r"the folder .*a\.json stands in the way"):
        replace_text(tmp_path / "a.json", "{}")
    with pytest.raises(StorageError, match="stands in the way"), storage_errors(tmp_path / "x"):
        raise OSError(errno.EEXIST, "File exists")


@pytest.mark.parametrize("make", [new_file, new_folder])
def test_a_place_where_no_folder_can_be_made_is_told(make):
    with pytest.raises(StorageError, match=r"/proc/none/out: nothing can be made.*accepted: a folder on a disk"):
        make(Path("/proc/none/out")).__enter__()


def test_an_input_that_is_missing_is_not_said_of_the_output(tmp_path):
    with pytest.raises(FileNotFoundError, match="source"), new_file(tmp_path / "out"):
        (tmp_path / "source").read_bytes()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "the disk is full; accepted: .*free some space.*--resume"),
        (errno.EDQUOT, "the disk is full; accepted: .*free some space"),
        (errno.EACCES, "cannot be written .*; accepted: a folder that you may write to.*choose another"),
        (errno.EROFS, "cannot be written .*; accepted: a folder that you may write to.*choose another"),
    ],
)
def test_what_the_system_says_becomes_three_parts(tmp_path, number, says):
    with pytest.raises(StorageError, match=says), storage_errors(tmp_path):
        raise OSError(number, os.strerror(number))


def test_errors_of_ours_and_others_pass_as_they_are(tmp_path):
    with pytest.raises(OccupiedError), storage_errors(tmp_path):
        raise OccupiedError("a", accepts="b", fix="c")
    with pytest.raises(OSError, match="odd"), storage_errors(tmp_path):
        raise OSError(errno.EIO, "odd")
