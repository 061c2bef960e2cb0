"""One writer a session, from its first byte to its last."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.errors import BusyError, MissingError, RushesError, StorageError
from rushes.model.readings import Frame, Gap, Start
from rushes.store.lock import hold
from rushes.store.reader import open_session
from rushes.store.recover import discard_unfinished, recover
from rushes.store.writer import SessionWriter

OTHER = "import sys, pathlib; from rushes.store.lock import hold; hold(pathlib.Path(sys.argv[1]))"


def refused_elsewhere(path):
    done = subprocess.run([sys.executable, "-c", OTHER, path], capture_output=True, text=True, check=False)
    return "BusyError" in done.stderr


def test_a_session_is_held_between_chunks_too(tmp_path):
    """The journal of a chunk is closed before it is sealed; the session stays held all the while."""
    backend = SyntheticBackend(frames=4, segments=2)
    writer = SessionWriter(tmp_path / "s", backend.describe())
    assert refused_elsewhere(tmp_path / "s")
    frame = Frame(0, next(iter_frames()))
    for reading in (Start(0), frame, Gap(10, "pause")):
        writer.write(reading)
    assert (tmp_path / "s" / "chunks" / "0001" / "chunk.json").is_file()
    assert refused_elsewhere(tmp_path / "s")
    for attempt in (recover, discard_unfinished, lambda p: SessionWriter(p, backend.describe(), resume=True)):
        with pytest.raises(BusyError, match="being written by another process"):
            attempt(tmp_path / "s")
    writer.close()
    assert not refused_elsewhere(tmp_path / "s")


def iter_frames():
    from rushes.worlds.synthetic import Synthetic

    yield Synthetic(frames=1).picture(0)


def test_a_writer_that_fails_lets_go(tmp_path):
    backend = SyntheticBackend(frames=4)
    with pytest.raises(ZeroDivisionError), SessionWriter(tmp_path / "s", backend.describe()):
        raise ZeroDivisionError
    with hold(tmp_path / "s"):
        pass


def test_a_recording_that_is_stopped_is_what_a_kill_would_leave(tmp_path):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(RushesError, match="stopped"):
        record(SyntheticBackend(frames=200), tmp_path / "s", stop=stop)
    recover(tmp_path / "s")
    session = open_session(tmp_path / "s")
    assert 0 < session.frame_count < 60
    assert session.segments[-1].end_reason == "killed"


def test_a_session_of_which_only_the_first_write_was_begun_is_begun_again(tmp_path):
    backend = SyntheticBackend(frames=4)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / ".session.json.partial").write_text(json.dumps({"id": "half"})[:5])
    assert record(backend, tmp_path / "s", resume=True).frame_count == 4
    assert not (tmp_path / "s" / ".session.json.partial").exists()


def test_a_folder_of_which_only_the_first_write_was_begun_is_emptied_by_a_recovery(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / ".session.json.partial").write_text('{"id')
    with hold(tmp_path / "s"), pytest.raises(BusyError):
        recover(tmp_path / "s", patience_s=0)
    found = recover(tmp_path / "s")
    assert (found.chunks, found.frames, found.records) == (0, 0, 0)
    assert list((tmp_path / "s").iterdir()) == []
    assert record(SyntheticBackend(frames=4), tmp_path / "s").frame_count == 4


def test_a_folder_with_anything_else_in_it_is_no_session_and_stays(tmp_path):
    (tmp_path / ".session.json.partial").write_text('{"id')
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(MissingError, match="no session"):
        recover(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".session.json.partial", "thesis.txt"]


@pytest.mark.parametrize("way", ["abandon", "close", "with"])
def test_a_writer_whose_disk_fails_lets_go_all_the_same(tmp_path, monkeypatch, way):
    def full(_):
        raise OSError(28, "No space left on device")

    backend = SyntheticBackend(frames=4)
    writer = SessionWriter(tmp_path / "s", backend.describe(), sync_s=30)
    writer.write(Start(0))
    writer.write(Frame(0, next(iter_frames())))
    monkeypatch.setattr(os, "fsync", full)
    if way == "close":
        with pytest.raises(StorageError, match="the disk is full"):
            writer.close()
        writer.abandon()
    elif way == "with":
        with pytest.raises(StorageError, match="the disk is full"), writer:
            pass
    else:
        writer.abandon()
    monkeypatch.undo()
    with hold(tmp_path / "s"):
        pass
    assert recover(tmp_path / "s").frames == 1


def test_where_no_folder_can_be_locked_a_file_is_as_long_as_the_session_is_held(tmp_path, monkeypatch):
    """The way of Windows, whose `msvcrt.locking` is played by a lock of this system: the steps, not the system."""

    def locking(handle, mode, count):
        assert (mode, count) == (2, 1)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setattr("rushes.store.lock.sys", SimpleNamespace(platform="win32"))
    first = hold(tmp_path)
    assert (first.handle, [p.name for p in tmp_path.iterdir()]) == (-1, [".session.json.lock"])
    with pytest.raises(BusyError, match="being written by another process"):
        hold(tmp_path)
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".session.json.lock").write_bytes(b"")  # left by a kill
    hold(tmp_path).release()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".session.json.partial").write_text("{")
    (tmp_path / ".session.json.lock").write_bytes(b"")
    assert recover(tmp_path).frames == 0
    assert list(tmp_path.iterdir()) == []
