"""The reference's faults: each does what it says, and the long form shows what they are worth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rushes.model.targets import parse_targets
from rushes.notebook.jump.dataset import Choices
from rushes.notebook.jump.faults import (
    Faults,
    compare_faults,
    faults_table,
    faulty,
    preview_pictures,
    rows_f1,
)
from rushes.notebook.jump.full import familiar_share, study_atari
from rushes.notebook.jump.scores import Stretch, small
from rushes.notebook.jump.sessions import expert_sessions, trial_seeds

CHOICES = Choices(parse_targets("Jump/JUMP")[0], epochs=1)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return list(expert_sessions(tmp_path_factory.mktemp("jump"), range(3), frames=240))


def test_rows_are_scored_as_such_pipelines_print_it():
    said, true = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert rows_f1(said, true) == 0.5
    assert rows_f1(true, true) == 1.0
    assert np.isnan(rows_f1(said & ~said, true & ~true))


def test_the_preview_names_the_key_in_green_while_it_is_down_and_is_not_the_picture_itself(known):
    found = preview_pictures(known[:1], CHOICES)
    steps = known[0].steps()
    pressed = dict(zip(steps["frame_index"], steps["action"] == 1, strict=True))
    assert {frame for _, frame in found} == set(pressed)
    down, up = [], []
    for (_, frame), picture in found.items():
        plain = small(small(known[0].frame(frame), 227), 64).astype(int)
        away = picture.astype(int) - plain
        assert 0 < np.abs(away).mean() < 25, "the same scene, through a codec"
        greener = (away[:8, :20, 1] - away[:8, :20, 0]).max()
        (down if pressed[frame] else up).append(greener)
    assert np.median(down) > 60 > np.median(up)


def test_with_the_leak_copies_are_made_of_presses_and_no_part_is_decided(known):
    rows = faulty(known, CHOICES, Faults(leak=True)).rows
    assert set(rows["split"]) == {""}
    assert (rows["label"] == 1).sum() == 3 * ((rows["label"] == 1) & (rows["parent"] == "")).sum()
    assert set(rows.loc[rows["parent"] != "", "label"]) == {1.0}


def test_with_the_fault_of_holds_frames_of_a_hold_count_as_no_jump_like_any_other(known):
    rows = faulty(known, CHOICES, Faults(holds=True)).rows
    others = rows[(rows["label"] == 0) & (rows["parent"] == "")]
    assert len(others) == min(500, len(others))
    assert set(others["kind"]) == {"uniform"}
    for recording in known:
        steps = recording.steps()
        down = (steps["action"] == 1).to_numpy()
        presses = steps["frame_index"][down & ~np.r_[False, down[:-1]]].to_numpy()
        mine = others.loc[others["session"] == recording.info.id, "frame_index"].to_numpy()
        assert np.abs(mine[:, None] - presses[None]).min() > 2
    steps = {r.info.id: r.steps() for r in known}
    held = {(name, frame) for name, table in steps.items() for frame in table["frame_index"][table["action"] == 1]}
    assert held & set(zip(others["session"], others["frame_index"], strict=True))


def test_each_pipeline_is_measured_twice_and_the_table_says_both(known):
    study = (Faults(), Faults(leak=True, holds=True, overlay=True))
    outcomes = compare_faults(known[:2], known[2:], CHOICES, seeds=trial_seeds(0, 1), study=study, limit=40)
    assert [str(one.faults) for one in outcomes] == ["none: this recipe", "all, as the reference"]
    for one in outcomes:
        assert 0 <= one.printed <= 1
        assert one.true.frames == 238, "every frame of the unseen session that has an action"
        assert one.survival is not None
    shown = repr(faults_table(outcomes))
    assert "all, as the reference" in shown
    assert f"{outcomes[1].printed:.3f}" in shown


def test_presses_whose_picture_was_seen_before_are_counted(known):
    frames, none = np.arange(100), np.zeros(100)
    one = Stretch(known[0].info.id, 0, frames, none, none, np.array([3, 50]), np.full(2, 0.1), 1 / 30)
    assert familiar_share([one], known[1:], known[:1]) == 0.0
    assert familiar_share([one], known, known[:1]) == 1.0
    assert np.isnan(familiar_share([one._replace(true_row=np.zeros(0, int))], known, known[:1]))


@pytest.mark.full
def test_the_reference_prints_a_score_that_its_net_does_not_keep(tmp_path: Path):
    known = list(expert_sessions(tmp_path, range(6), frames=1200))
    unseen = list(expert_sessions(tmp_path, range(500, 504), frames=1200))
    study = (Faults(), Faults(leak=True, holds=True, overlay=True))
    choices = Choices(parse_targets("Jump/JUMP")[0])
    clean, reference = compare_faults(known, unseen, choices, study=study)
    assert reference.printed > 0.95
    assert reference.printed - reference.true.f1 > 0.3
    assert abs(clean.printed - clean.true.f1) < 0.2


@pytest.mark.full
def test_fire_of_an_atari_game_is_learnt_too(tmp_path: Path):
    atari = study_atari(replace(CHOICES, epochs=8), root=tmp_path)
    assert atari.score.true > 50
    assert atari.score.f1 >= 0.9, "the bar of the recipe, with the recipe's epochs"
