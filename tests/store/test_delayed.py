"""Inputs moved to where they take effect, and what is stored about a recording: by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rushes.capture.env.sample import sample
from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.errors import BadInputError
from rushes.formats.base import convert
from rushes.loaders.windows import GameplayWindows
from rushes.model.recording import Sessions
from rushes.store.checked import checked_of
from rushes.store.delayed import delayed, delayed_all
from rushes.store.facts import add_fact
from rushes.store.pairing import delay_of
from rushes.store.reader import open_session, open_sessions
from rushes.store.validity import honour

OFFSET = {"ms": 100.0, "low": 95.0, "high": 105.0, "drift_ppm": 0.0}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    out = tmp_path_factory.mktemp("played")
    return sample(out / "s", "Pong", frames_per_env=12, max_episodes=1, policy="uniform", workers=1).sessions[0]


@pytest.mark.parametrize("by", [2, -2])
def test_the_actions_of_an_environment_move_by_whole_steps_and_outcomes_stay(played, by):
    view = delayed(played, by * 1000 / 15)  # four frames of 1/60 s a step
    steps, before = view.steps(), played.steps()
    count = len(before) - 2
    first = max(by, 0)
    assert steps["action"].tolist() == before["action"].tolist()[max(-by, 0) :][:count]
    for name in ("frame_index", "t_ns", "reward", "lives", "terminated"):
        assert steps[name].tolist() == before[name].tolist()[first:][:count]
    assert view.index()["frame_index"].tolist() == played.index()["frame_index"].tolist()[first:][: count + 1]
    assert view.segments[0].frames == len(steps) + 1
    assert view.ledger["actions"].lost["moved_out"] == 2
    assert view.ledger.balances
    assert np.array_equal(view.frame(first), played.frame(first))


def test_half_a_step_moves_nothing_of_an_environment_and_too_many_are_refused(played):
    assert delayed(played, 30.0).steps().equals(played.steps())
    assert delayed(played, 0) is played
    with pytest.raises(BadInputError, match="moved by 300 steps"):
        delayed(played, 20_000)


def test_events_of_recorded_play_move_and_sums_stay(tmp_path):
    session = record(SyntheticBackend(frames=30, segments=2), tmp_path / "s")
    view = delayed(session, 50)
    assert (view.events()["t_ns"].to_numpy() - session.events()["t_ns"].to_numpy() == 50_000_000).all()
    moved = session.events()
    moved = moved[moved["kind"] != "state"]
    segment = session.segments[1]
    inside = moved["t_ns"].add(50_000_000).between(segment.start_ns, segment.end_ns - 1)
    ours = view.events(1)
    assert len(ours[ours["kind"] != "state"]) == inside.sum()


def test_every_format_takes_what_was_measured_and_its_card_says_so(tmp_path):
    session = record(SyntheticBackend(frames=12), tmp_path / "s")
    with pytest.raises(BadInputError, match="nobody measured"):
        convert(session, tmp_path / "a.npz", format="npz", action_delay_ms="measured")
    add_fact(session.path, "offset", OFFSET, author="test")
    session = open_session(session.path)
    report = convert(session, tmp_path / "b.npz", format="npz", action_delay_ms="measured")
    by_option = convert(session, tmp_path / "c.npz", format="npz", options=["action_delay_ms=measured"])
    card = json.loads((tmp_path / "b.npz.card.json").read_text())
    assert card["action_delay_ms"] == 100.0
    with np.load(report.target) as ours, np.load(by_option.target) as theirs:
        name = next(n for n in ours.files if n.endswith("inputs"))
        assert np.array_equal(ours[name], theirs[name])
    with pytest.raises(BadInputError, match="one of the two"):
        convert(session, tmp_path / "d", format="npz", options=["action_delay_ms=5"], action_delay_ms=7)
    assert not (tmp_path / "d").exists()


def test_a_card_carries_what_was_said_of_each_session_and_nothing_else(tmp_path):
    sessions = [record(SyntheticBackend(frames=6, seed=seed), tmp_path / f"s{seed}") for seed in (0, 1)]
    assert checked_of(sessions[0]) is None
    figures = {"offset_ms": 1.0, "offset_low_ms": 0.5, "offset_high_ms": 1.5, "drift_ppm": None, "rate_hz": 30.0}
    value = {"verdict": "WARN", "reasons": ["timing.gap: x"], "figures": figures}
    for one in sessions:
        add_fact(one.path, "verdict", value, author="rushes qa")
    add_fact(sessions[1].path, "offset", OFFSET, author="me")
    sessions = [open_session(one.path) for one in sessions]
    both = Sessions(sessions, format="rushes")
    convert(both, tmp_path / "both.npz", format="npz")
    card = json.loads((tmp_path / "both.npz.card.json").read_text())
    assert card["figures"] == {**dict.fromkeys(figures), "rate_hz": 30.0}
    assert [one["figures"]["offset_ms"] for one in card["checked"]] == [1.0, 100.0]
    assert [one["verdict"] for one in card["checked"]] == ["WARN", "WARN"]
    assert "offset_ms 100" in (tmp_path / "both.npz.card.md").read_text()
    assert checked_of(delayed_all(both, "1")[1])["figures"]["offset_ms"] == 100.0


def test_pictures_of_a_moved_environment_are_those_of_its_numbers(played, tmp_path):
    session = Sessions([played], format="session")
    whole = convert(session, tmp_path / "whole.npz", format="npz", options=["size=32"])
    later = convert(session, tmp_path / "later.npz", format="npz", options=["size=32"], action_delay_ms=2000 / 15)
    with np.load(whole.target) as before, np.load(later.target) as after:
        assert after["action"].tolist() == before["action"].tolist()[:-2]
        assert np.array_equal(after["video"], before["video"][2:])
    assert delayed(honour(played), 2000 / 15).whole is played


def test_what_moves_by_times_refuses_an_environment_that_moves_by_steps(played, tmp_path):
    assert delay_of(played, "30") == 0.0
    with pytest.raises(BadInputError, match=r"by 2 steps.*--action-delay-ms 133"):
        GameplayWindows(played, sequence_length=4, size=32, action_delay_ms=133).fetch([0])
    with pytest.raises(BadInputError, match="an environment"):
        convert(played, tmp_path / "a.npz", format="npz", options=["action_delay_ms=-133"])
    convert(played, tmp_path / "moved", format="session", action_delay_ms=133)
    (first,) = GameplayWindows(tmp_path / "moved", sequence_length=4, size=32).fetch([0])
    assert first["action"].tolist() == played.steps()["action"].tolist()[:4]
    (moved,) = open_sessions(tmp_path / "moved")
    assert moved.steps()["frame_index"].tolist() == list(range(len(moved.steps())))
    assert np.array_equal(moved.frame(0), played.frame(2))


def test_a_moved_session_keeps_its_marks_and_notes_and_no_offset(tmp_path):
    session = record(SyntheticBackend(frames=12), tmp_path / "s")
    mark = add_fact(session.path, "validity", {"valid": False}, author="me", t_start_ns=0, t_end_ns=100_000_000)
    add_fact(session.path, "offset", OFFSET, author="me")
    report = convert(session.path, tmp_path / "moved", format="session", action_delay_ms="measured")
    (moved,) = Sessions(open_sessions(report.target), format="session")
    assert moved.facts == (mark,)
    assert moved.info.provenance["inputs_moved_ms"] == 100.0
    assert honour(moved).frame_count == 9  # 30 a second
