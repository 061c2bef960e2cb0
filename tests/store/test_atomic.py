"""Places where nothing can be written: each is told as what it is, with what to do."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rushes.errors import BusyError, OccupiedError, StorageError
from rushes.store.atomic import new_file, new_folder, replace_text, resumed_file, storage_errors


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


HOLDS = """
import sys, time
from pathlib import Path
from rushes.store.atomic import resumed_file
with resumed_file(Path(sys.argv[1])) as partial:
    partial.write_text("first")
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be renamed on Windows, so nothing is held there")
def test_two_processes_do_not_write_the_same_long_file(tmp_path):
    target = tmp_path / "a.pt"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(BusyError, match=r"a\.pt, which another process is writing"), resumed_file(target):
            raise AssertionError
        assert [p.name for p in tmp_path.iterdir()] == [".a.pt.partial"]
        other.communicate("")
    assert target.read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]
