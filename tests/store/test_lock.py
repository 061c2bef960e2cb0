"""One writer a session, from its first byte to its last."""

import json
import subprocess
import sys

import pytest

from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.errors import BusyError, RushesError
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
