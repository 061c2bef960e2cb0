"""What is marked invalid is left out everywhere, counted, and never bridged."""

import pytest

from rushes.capture.env.sample import sample
from rushes.qa.base import run_checks
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.validity import honour

STEP = 4 * 1_000_000_000 // 60


@pytest.fixture
def path(tmp_path):
    sample(tmp_path / "s", "Pong", frames_per_env=20, max_episodes=2, policy="uniform", workers=1)
    return tmp_path / "s" / "atari_pong"


def mark(path, first, stop):
    t_ns = open_session(path).index()["t_ns"].tolist()
    return add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=t_ns[first], t_end_ns=t_ns[stop])


def test_without_marks_the_session_is_what_it_is(path):
    session = open_session(path)
    assert honour(session) is session


def test_a_marked_stretch_splits_its_segment_and_is_counted(path):
    mark(path, 3, 6)
    left = honour(open_session(path))
    spans = [(s.index, s.first_frame, s.frames, s.end_reason) for s in left.segments]
    assert spans == [(0, 0, 3, "invalid"), (1, 6, 4, "budget"), (2, 10, 10, "budget")]
    assert left.index()["frame_index"].tolist() == [0, 1, 2, *range(6, 20)]
    assert left.steps()["frame_index"].tolist() == [0, 1, *range(6, 9), *range(10, 19)], "2 led into the marked stretch"
    assert left.steps(1)["segment"].unique().tolist() == [1]
    frames = left.ledger["frames"]
    assert (frames.offered, frames.kept, dict(frames.lost)) == (20, 17, {"marked_invalid": 3})
    actions = left.ledger["actions"]
    assert (actions.offered, actions.kept, dict(actions.lost)) == (18, 14, {"marked_invalid": 4})
    assert left.ledger.balances


def test_pictures_stay_with_their_frame_index(path):
    mark(path, 3, 6)
    session = open_session(path)
    left = honour(session)
    for segment in left.segments:
        for mine, theirs in zip(
            left.frames(segment.first_frame, segment.stop_frame),
            session.frames(segment.first_frame, segment.stop_frame),
            strict=True,
        ):
            assert (mine == theirs).all()


def test_a_stretch_that_does_not_start_at_a_reset_is_not_replayed_as_if_it_did(path):
    mark(path, 3, 6)
    findings = [f.check for f in run_checks(honour(open_session(path)), ["replay", "structure"])]
    assert "replay.differs" not in findings
    assert "replay.cannot_tell" in findings
    assert not [f for f in findings if f.startswith("structure")]


def test_a_mark_that_is_taken_back_holds_no_more(path):
    fact = mark(path, 3, 6)
    add_fact(
        path,
        "validity",
        {"valid": True},
        author="me",
        t_start_ns=fact.t_start_ns,
        t_end_ns=fact.t_end_ns,
        replaces=fact.id,
    )
    assert honour(open_session(path)).frame_count == 20


def test_a_whole_session_can_be_marked(path):
    add_fact(path, "validity", {"valid": False}, author="me")
    left = honour(open_session(path))
    assert (left.frame_count, len(left.segments), len(left.steps()), len(left.events())) == (0, 0, 0, 0)
    assert left.ledger.balances
