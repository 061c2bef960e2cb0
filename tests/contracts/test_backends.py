"""The contract of capture backends, over every row of the table."""

import pytest

from rushes.capture.base import BACKENDS, Backend
from rushes.capture.env.play import Play
from rushes.capture.recorder import record
from rushes.model.clock import Clock
from rushes.model.readings import Event, Frame, Gap, Start, Step
from rushes.qa.base import run_checks
from rushes.store.fingerprint import of_tree
from rushes.worlds.catalog import make_world


def env_backend(kind):
    play = Play("ALE/Pong-v5", frames_per_env=12, max_episodes=2, policy="uniform")
    return kind(make_world("ALE/Pong-v5"), play)


SMALL = {"env": env_backend, "synthetic": lambda kind: kind(frames=12, segments=2)}
"""How to make a small one; a new row needs a line here, else its tests fail."""


@pytest.fixture(params=list(BACKENDS))
def backend(request):
    return SMALL[request.param](BACKENDS.load(request.param))


def test_it_follows_the_protocol_and_describes_itself_before_anything_is_opened(backend):
    assert isinstance(backend, Backend)
    info = backend.describe()
    assert info.streams == backend.specs()
    assert info.stream("frames").width > 0
    assert len(info.action_space) > 0


def test_segments_open_and_close_and_no_frame_or_step_stands_outside(backend):
    inside = False
    with backend.open(Clock()) as readings:
        for reading in readings:
            if isinstance(reading, Start):
                assert not inside
                inside = True
            elif isinstance(reading, Gap):
                assert inside
                assert reading.reason
                inside = False
            elif isinstance(reading, Frame | Step):
                assert inside
    assert not inside


def test_times_are_whole_nanoseconds_that_never_run_back(backend):
    with backend.open(Clock()) as readings:
        times = [r.t_ns for r in readings if isinstance(r, Frame | Event)]
    assert all(isinstance(t, int) for t in times)
    assert times == sorted(times)
    assert times[0] >= 0


def test_what_it_yields_becomes_a_sound_session_that_says_what_it_is(backend, tmp_path):
    session = record(backend, tmp_path / "s")
    assert [f for f in run_checks(session) if f.severity != "info"] == []
    assert session.frame_count == 12
    assert session.info == backend.describe()
    frames = session.info.stream("frames")
    assert next(session.frames(0, 1)).shape == (frames.height, frames.width, 3)
    assert {p.codec for p in session.pictures(0, 12)} == {frames.codec}
    assert session.ledger.balances


def test_the_same_play_gives_the_same_bytes(backend, tmp_path, request):
    name = request.node.callspec.params["backend"]
    record(backend, tmp_path / "a")
    record(SMALL[name](BACKENDS.load(name)), tmp_path / "b")
    assert of_tree(tmp_path / "a") == of_tree(tmp_path / "b")
