"""The jump recipe's table: from sessions to rows, its parameters, what is set aside, and the verdict."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.model.recording import Sessions
from rushes.model.targets import parse_targets
from rushes.notebook.jump.atari import Gunner, ships
from rushes.notebook.jump.dataset import Choices, choices_of, prepared, steps_table
from rushes.notebook.jump.players import Played
from rushes.notebook.jump.scores import Score
from rushes.notebook.jump.sessions import Play, expert_sessions, seeds_of, split_off, trial_seeds
from rushes.notebook.jump.training import train
from rushes.notebook.jump.verdict import judge
from rushes.qa.leakage.check import check_leakage

TARGET = parse_targets("Jump/JUMP")[0]
DEFAULTS = {
    "controls": "Jump/JUMP", "length": 1, "exclusion": "0", "band": "4", "uniform": 2.0, "near_miss": 2.0, "hard": 1.0,
    "during_hold": 1.0, "ratio": 6.0, "split_by": "session", "recipe": "jumpnet_no_flip", "copies": 1, "size": 64,
    "epochs": 8, "seed": 0, "courses": 20,
}  # fmt: skip


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return expert_sessions(tmp_path_factory.mktemp("jump"), range(3), frames=240)


def test_sessions_are_made_once_and_used_again(tmp_path):
    first = expert_sessions(tmp_path, [4], frames=100)[0]
    stamp = (first.path / "session.json").stat().st_mtime_ns
    again = expert_sessions(tmp_path, [4], frames=100)[0]
    assert (again.path / "session.json").stat().st_mtime_ns == stamp
    assert (again.frame_count, len(again.segments)) == (100, 2)
    assert expert_sessions(tmp_path, [5], frames=100)[0].info.id != first.info.id


def test_no_seed_is_learnt_from_and_measured_on():
    for seed in (0, 7):
        learn, test = seeds_of(seed, 400)
        courses = trial_seeds(seed, 90)
        assert not (set(learn) & set(test)) | (set(test) & set(courses)) | (set(learn) & set(courses))
    assert not set(trial_seeds(0, 90)) & set(seeds_of(1, 400)[0])


def test_the_last_fifth_of_given_sessions_is_set_aside_and_too_few_are_refused(known):
    play = split_off(list(known))
    assert [len(play.known), len(play.unseen)] == [2, 1]
    assert play.unseen[0].info.id == known[2].info.id
    assert len(split_off(list(known) * 5).unseen) == 3
    assert Play(known, known).is_jump
    with pytest.raises(BadInputError, match="three or more"):
        split_off(list(known)[:2])


def test_a_control_that_nobody_pressed_is_said_before_any_picture_is_read(known):
    with pytest.raises(BadInputError, match="none of them a press") as said:
        train(prepared(known, Choices(parse_targets("space")[0])), known)
    assert "rushes info" in str(said.value)
    samples = prepared(known, Choices(TARGET))
    rows = samples.rows[(samples.rows["label"] == 0) | (samples.rows["split"] == "val")]
    with pytest.raises(BadInputError, match="none of them a press"):
        train(replace(samples, rows=rows.reset_index(drop=True)), known)


def test_the_table_is_split_by_session_before_it_is_copied_and_leaks_nothing(known):
    samples = prepared(known, Choices(TARGET))
    samples.validate()
    rows = samples.rows
    assert rows.groupby("session")["split"].nunique().max() == 1
    assert set(rows["split"]) == {"train", "val"}
    children = rows[rows["parent"] != ""]
    assert set(children["split"]) == {"train"}
    assert len(children) == (rows[rows["parent"] == ""]["split"] == "train").sum()
    assert not any("flip" in transform for transform in rows["transform"])
    assert set(rows["kind"]) == {"positive", "uniform", "near_miss", "hard", "during_hold"}
    errors = [f for f in check_leakage(samples, list(known)) if f.severity == "error"]
    assert errors == []
    assert [step.name for step in samples.steps][-1] == "final"
    assert "augment" in repr(steps_table(samples))


def test_near_misses_stand_beside_the_press_and_during_holds_in_it(known):
    rows = prepared(known, Choices(TARGET, copies=0)).rows
    for recording in known:
        steps = recording.steps()
        down = dict(zip(steps["frame_index"], steps["action"] == 1, strict=True))
        mine = rows[rows["session"] == recording.info.id]
        for kind, frame in zip(mine["kind"], mine["frame_index"], strict=True):
            assert down[frame] == (kind in {"positive", "during_hold"})


def test_the_same_choices_give_the_same_rows_for_any_order_of_sessions(known):
    first = prepared(known, Choices(TARGET)).rows
    other = prepared(Sessions(list(known)[::-1], format="session"), Choices(TARGET)).rows
    assert sorted(first["sample_id"]) == sorted(other["sample_id"])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("controls", "w, space", "one target"),
        ("split_by", "time", "split_by"),
        ("epochs", 0, "epochs=0"),
        ("courses", 3, "courses=3"),
        ("length", 0, "length=0"),
        ("hard", -1.0, "hard=-1"),
    ],
)
def test_parameters_that_mean_nothing_are_refused_before_any_work(name, value, said):
    with pytest.raises(BadInputError, match=said):
        choices_of(SimpleNamespace(parameters=DEFAULTS | {name: value}))


def test_kinds_that_are_not_wanted_are_left_out():
    found = choices_of(SimpleNamespace(parameters=DEFAULTS | {"hard": 0.0, "uniform": 1.5}))
    assert found.kinds == "uniform=1.5x,near_miss=2x,during_hold=1x"


def result(right, *, hold=0.1):
    return Score(100, 100, right, 3000, np.full(50, hold), np.zeros(right, int))


@pytest.mark.parametrize(
    ("right", "hold", "net", "failed"),
    [
        (90, 0.1, 80, set()),
        (89, 0.1, 80, {"jump.f1"}),
        (95, 0.2, 100, {"jump.hold"}),
        (95, 0.1, 79, {"jump.survival"}),
    ],
)
def test_a_bar_that_is_missed_is_an_error_and_one_that_is_met_is_not(right, hold, net, failed):
    found = judge(result(right, hold=hold), Played({"expert": (100,), "net": (net,)}))
    assert {f.check for f in found if f.severity == "error"} == failed
    assert {f.check for f in found} == {"jump.f1", "jump.hold", "jump.survival"}


def test_what_was_not_measured_fails_and_what_cannot_be_played_is_said():
    nothing = Score(0, 0, 0, 10, np.zeros(0), np.zeros(0, int))
    found = {f.check: f.severity for f in judge(nothing, Played({}))}
    assert found == {"jump.f1": "error", "jump.hold": "error", "jump.survival": "info"}


def test_ships_are_found_in_their_lanes_and_shots_are_none():
    sky = np.zeros((210, 160, 3), np.uint8)
    sky[22:28, 20:36] = 90
    sky[40:44, 100:116, 0] = 200
    sky[40:44, 106:108] = 0  # a gap within a ship
    sky[60:70, 80:82] = 200  # a shot
    assert ships(sky) == [(0, 27.5), (1, 107.5)]


def test_the_gunner_fires_when_a_ship_comes_within_reach_holds_by_its_lane_and_fires_once():
    gunner, rng, done = Gunner(), np.random.default_rng(0), []
    names = ("ALE/NOOP", "ALE/FIRE", "ALE/RIGHTFIRE", "ALE/LEFTFIRE")
    for column in range(0, 140, 4):  # in the lowest lane: reach 20 px around column 76, held for 3 steps
        sky = np.zeros((210, 160, 3), np.uint8)
        sky[84:90, column : column + 16] = 200
        done.append(gunner(SimpleNamespace(action_names=names, rng=rng, rgb=lambda sky=sky: sky)))
    middles = np.arange(0, 140, 4) + 7.5
    first = int(np.flatnonzero(np.abs(middles - 76) <= 20)[0])
    assert [k for k, action in enumerate(done) if action] == [first, first + 1, first + 2]
    with pytest.raises(BadInputError, match="Atlantis"):
        gunner(SimpleNamespace(action_names=("ALE/NOOP", "ALE/FIRE"), rng=rng, rgb=lambda: sky))
