"""What the notebook about samples does, on a small copy of its own planted play."""

import json
import math
import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.formats.base import open_any
from rushes.notebook.negatives.edit import asked, edit_by_hand
from rushes.notebook.negatives.examples import alone, each_alone
from rushes.notebook.negatives.play import make_play, plan_course, play_source
from rushes.notebook.negatives.road import Road, Thing
from rushes.notebook.negatives.sliders import amounts, knobs, look, planned
from rushes.notebook.negatives.steps import (
    Plan,
    check,
    checked,
    figures_of,
    listed,
    make_samples,
    play_of,
    steps_table,
)
from rushes.prepare.augment.base import TRANSFORMS
from rushes.store.facts import read_facts
from rushes.widgets.sample_sliders import SampleSliders

SECONDS = (5.0, 3.0)
KINDS = "uniform=1x, near_miss=1x, during_hold=0.5x, swapped=0.5x"


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """Three sessions, and what was planted in them."""
    folder = tmp_path_factory.mktemp("play") / "sessions"
    courses = {f"play{n}": make_play(folder / f"play{n}", n, seconds=SECONDS, size=(64, 112)) for n in (1, 2, 3)}
    return folder, courses


@pytest.fixture(scope="module")
def made(play):
    plan = checked(Plan(source=str(play[0]), kinds=KINDS, ratio=1.0, parts="train=1, val=1, test=1"))
    return make_samples(plan, open_any(play[0]))


class Run:
    """As much of a run as an edit needs."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return self.folder / name

    def input(self, path):
        return path


def test_planted_presses_come_back_with_their_holds_and_those_left_open(play, made):
    acts = [act for segments in play[1].values() for course in segments for act in course]
    assert (made.counts.press_seen, made.counts.malformed) == (len(acts), 0)
    left_open = [act for act, end in _with_ends(play[1]) if act.up_s > end]
    assert made.counts.unmatched_final_press == len(left_open) == 3
    holds = sorted(act.up_s - act.down_s for act, end in _with_ends(play[1]) if act.up_s <= end)
    np.testing.assert_allclose(np.sort(made.pairs.rows["hold_s"].dropna()), holds, atol=1e-6)
    assert set(made.pairs.rows["control"]) == {act.control for act in acts}


def _with_ends(courses):
    return [(act, SECONDS[k]) for segments in courses.values() for k, course in enumerate(segments) for act in course]


def test_pictures_show_a_press_only_after_it(play):
    road = Road((64, 112), seed=3)
    bar = road.picture(4, ahead=(Thing("bar", 3.0),))
    left, right = road.picture(4, ahead=(Thing("left", 3.0),)), road.picture(4, ahead=(Thing("right", 3.0),))
    empty = road.picture(4)
    middle = 112 // 2
    assert (bar != empty).any(-1).sum() > 100
    assert (left != empty).any(-1)[:, :middle].sum() > 4 * (left != empty).any(-1)[:, middle + 2 :].sum()
    assert (right != empty).any(-1)[:, middle:].sum() > 4 * (right != empty).any(-1)[:, : middle - 2].sum()
    assert (road.picture(5) != empty).any(), "no two pictures are equal"


def test_acts_of_one_control_never_overlap():
    for seed in range(10, 30):
        course = plan_course(seed=seed, seconds=12.0)
        for first, second in pairwise(course):
            assert second.down_s > first.up_s
        assert (course[-1].up_s > 12.0) == (seed % 2 == 0)


def test_each_step_is_kept_and_its_account_balances(made):
    assert len(made.pairs) < len(made.found) > len(made.balanced) <= len(made.parts) < len(made.whole)
    for step in made.whole.steps:
        assert all(account.balances for _, account in step.ledger.items()), step.name
    positives = int((made.balanced.rows["label"] > 0).sum())
    assert positives == len(made.pairs)
    assert len(made.balanced) == 2 * positives
    shown = repr(steps_table(made))
    for name in ("pairs", "negatives", "merge", "balance", "split", "augment", "final"):
        assert name in shown
    assert "NO" not in shown.split()


def test_the_check_finds_no_leak_and_a_planted_one(made):
    assert {finding.severity for finding in check(made)} == {"info"}
    rows = made.whole.rows.copy()
    rows["split"] = np.where(np.arange(len(rows)) % 2, "train", "test")
    rows["group"] = ""
    leaky = replace(made, whole=replace(made.whole, rows=rows))
    assert any(finding.severity == "error" for finding in check(leaky))


def test_figures_are_numbers_or_words_for_a_program(made):
    figures = figures_of(made, nearest=math.inf, equal=0)
    assert figures["positives"] == len(made.pairs)
    assert figures["left_open"] == 3
    assert figures["copies"] == int((made.whole.rows["parent"] != "").sum())
    json.dumps({name: str(value) for name, value in figures.items()})


def test_each_transform_is_shown_by_itself(made):
    examples = each_alone(made)
    assert list(examples.sets) == list(TRANSFORMS)
    assert examples.first == ("stretch",)
    for name, some in examples.sets.items():
        assert not isinstance(some, str), some
        copies = some.rows[some.rows["parent"] != ""]
        assert len(copies), name
        for text in copies["transform"]:
            assert [one["name"] for one in json.loads(text)] == [name]
    assert "in 50% of the copies" in examples.notes["flip"]
    assert "not in this recipe" in examples.notes["crop"]
    assert alone("mask=1:0 0 1 0.1; 0.9 0 1 1") == "mask=1:0 0 1 0.1; 0.9 0 1 1"


def test_a_plan_that_means_nothing_is_refused_before_any_work():
    with pytest.raises(BadNameError, match="near_miss"):
        checked(Plan(kinds="near_mis=1x"))
    with pytest.raises(BadNameError, match="brightness"):
        checked(Plan(recipe="brigtness=1"))
    with pytest.raises(BadInputError, match="length=0"):
        checked(Plan(length=0))
    with pytest.raises(BadInputError, match="leave swapped out of kinds"):
        checked(Plan(controls="space", kinds="uniform=1x, swapped=1x"))
    checked(Plan(controls="space, a", kinds="uniform=1x, swapped=1x"))
    assert listed("train 0.8,val 0.2") == "train=0.8, val=0.2"
    assert listed("uniform, hard=2x") == "uniform, hard=2x"


def test_nobody_pressing_is_said(play):
    with pytest.raises(BadInputError, match="nobody pressed"):
        make_samples(Plan(controls="q"), open_any(play[0]))


def test_one_session_is_refused_where_negatives_come_from_another_before_any_work(play, tmp_path):
    one = str(play[0] / "play1")
    with pytest.raises(BadInputError, match="leave cross_session out of kinds"):
        play_of(Run(tmp_path), Plan(source=one, kinds="uniform=1x, cross_session=1x"))
    assert len(play_of(Run(tmp_path), Plan(source=one, kinds="uniform=1x"))) == 1


def test_sliders_stand_where_the_parameters_do_and_change_the_plan():
    plan = Plan(exclusion="3", kinds="uniform=0.5x, idle=20, hard=all", recipe="jumpnet", ratio=2.0, copies=1)
    found = {knob.name: knob.value for knob in knobs(plan)}
    assert found == {"exclusion": 3, "kind_uniform": 0.5, "ratio": 2.0, "copies": 1, "brightness": (0.7, 1.3)}
    moved = planned(plan, found | {"exclusion": 5, "kind_uniform": 0.0, "brightness": (0.5, 0.6)})
    assert moved.exclusion == "5"
    assert moved.kinds == "idle=20, hard=all"
    assert moved.recipe.endswith("brightness=0.5:0.5..0.6")
    assert [part.split("=")[0] for part in moved.recipe.split(", ")] == ["flip", "noise", "shift", "brightness"]
    in_ms = Plan(exclusion="80ms", kinds="uniform=1x")
    assert "exclusion" not in {knob.name for knob in knobs(in_ms)}
    assert planned(in_ms, {knob.name: knob.value for knob in knobs(in_ms)}).exclusion == "80ms"
    assert amounts("uniform=1x, idle=5") == {"uniform": 1.0}


def test_a_slider_reaches_as_far_as_its_parameter():
    plan = Plan(exclusion="40", kinds="uniform=7x", recipe="brightness=1:0.1..3", ratio=9.0, copies=8)
    found = {knob.name: knob for knob in knobs(plan)}
    stands = {"exclusion": 40, "kind_uniform": 7, "ratio": 9, "copies": 8, "brightness": (0.1, 3.0)}
    assert {name: knob.value for name, knob in found.items()} == stands
    assert SampleSliders(list(found.values()), lambda *_: []).values == stands


def test_sliders_draw_what_the_notebook_shows(made):
    said = []
    values = {knob.name: knob.value for knob in knobs(made.plan)} | {"ratio": 0.5}
    drawn = look(made, values, lambda done, total, what: said.append((done, total, what)))
    assert [hasattr(one, "_repr_png_") for one in drawn] == [True] * 3
    assert said[0] == (0, 6, "presses")
    assert said[-1][:2] == (6, 6)
    assert "balanced: positives" in drawn[0].alt


def test_edits_as_they_are_written():
    assert (asked("play1 5.3 a drop").session, asked("5.3 a drop").session) == ("play1", "")
    assert asked("5.3 a note a slip of the hand").value == "a slip of the hand"
    for text in ("a drop", "5.3 a", "5.3 a raise", "5.3 a label", "5.3 a label x", "5.3 a note", "x y 5.3 a drop"):
        with pytest.raises(BadInputError, match="edit="):
            asked(text)


def test_an_edit_survives_a_rebuild_and_the_notebooks_own_sample_stays_as_it_is(play, tmp_path):
    folder, courses = play
    act = next(act for act in courses["play2"][0] if act.control == "Space")
    text = f"play2 {act.down_s + 0.0001:.4f} space drop"
    plan = Plan(edit=text, kinds=KINDS)
    by_hand = edit_by_hand(Run(tmp_path), plan, open_any(folder))
    before, after, anew = by_hand.rows
    assert "Space, label 1, positive" in before[2]
    assert (before[3], after[3], anew[3]) == ("no edit", "dropped_by_hand 1", "dropped_by_hand 1")
    assert (after[2], anew[2]) == ("none", "none")
    assert int(before[1]) - int(after[1]) == 1
    assert read_facts(folder / "play2") == (), "the notebook's own sample has no fact"
    assert len(read_facts(tmp_path / "sessions" / "play2")) == 1
    assert len(make_samples(Plan(kinds=KINDS, parts="train=1, val=1"), by_hand.sessions).pairs) == int(after[1])


def test_the_cell_of_an_edit_runs_again(play, tmp_path):
    folder, courses = play
    act = next(act for act in courses["play2"][0] if act.control == "Space")
    plan = Plan(edit=f"play2 {act.down_s + 0.0001:.4f} space drop")
    first, second = (edit_by_hand(Run(tmp_path), plan, open_any(folder)).rows for _ in range(2))
    assert first == second


def test_an_edit_of_a_control_without_samples_is_refused_and_leaves_the_source_as_it_is(play, tmp_path):
    source = tmp_path / "sessions"
    shutil.copytree(play[0], source)
    for control in ("f", "space|a"):
        with pytest.raises(BadInputError, match="no sample is labelled for"):
            edit_by_hand(Run(tmp_path), Plan(source=str(source), edit=f"play1 1 {control} drop"), open_any(source))
    assert read_facts(source / "play1") == ()


def test_an_edit_that_meets_no_press_is_said(play, tmp_path):
    first = min(act.down_s for act in play[1]["play1"][0])
    assert first > 0.2
    rows = edit_by_hand(Run(tmp_path), Plan(edit="play1 0.1 space drop"), open_any(play[0])).rows
    assert [row[2:] for row in rows] == [("none", "no edit"), *[("none", "no_such_sample 1")] * 2]


def test_a_label_by_hand_is_shown_in_whole_words(play, tmp_path):
    act = next(act for act in play[1]["play2"][0] if act.control == "Space")
    plan = Plan(edit=f"play2 {act.down_s + 0.0001:.4f} space label 0")
    rows = edit_by_hand(Run(tmp_path), plan, open_any(play[0])).rows
    assert rows[1][2] == "Space, label 0, uniform"


def test_without_an_edit_nothing_is_copied_and_an_example_is_named(play, tmp_path):
    folder, courses = play
    sessions = open_any(folder)
    by_hand = edit_by_hand(Run(tmp_path), Plan(), sessions)
    assert by_hand.sessions is sessions
    assert list(tmp_path.iterdir()) == []
    first = min((act for act in courses["play1"][0] if act.control == "Space"), key=lambda act: act.down_s)
    assert f'play1 {first.down_s:.3f} Space drop"' in repr(by_hand)
    with pytest.raises(BadInputError, match="no session play9"):
        edit_by_hand(Run(tmp_path), Plan(edit="play9 1 space drop"), sessions)


def test_its_own_sessions_are_made_once(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(
        "rushes.notebook.negatives.play.make_play", lambda path, number: (made.append(number), path.mkdir())
    )
    (tmp_path / "outputs").mkdir()
    folder = play_source("03_augment_and_negatives", root=tmp_path)
    assert play_source("03_augment_and_negatives", root=tmp_path) == folder
    assert made == [1, 2, 3, 4]
