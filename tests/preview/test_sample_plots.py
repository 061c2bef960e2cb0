"""Class balance, holds and splits, read from the figures' own bars, words and alternative texts."""

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.preview.sample_plots import MOST_CONTROLS, class_balance, hold_histogram, splits_table

SPACE = ActionSpace.from_names(["Space"])


def rows(kind, count, *, control="Space", holds=(), split="", group="g", parent=""):
    positive = kind == "positive"
    holds = holds or [0.2 if positive else np.nan] * count
    return [
        {
            "sample_id": f"{kind}{control}{split}{parent}{k}", "session": "s", "frame_index": k, "t_ns": k,
            "control": control, "label": float(positive), "keys": [0.0], "kind": kind, "hold_s": holds[k],
            "reason": "" if positive else "why", "phase": "open" if positive and np.isnan(holds[k]) else "press",
            "split": split, "group": group, "parent": parent,
        }
        for k in range(count)
    ]  # fmt: skip


def samples(*parts):
    return Samples(samples_frame([row for part in parts for row in part]), SPACE)


def test_the_balance_has_a_bar_and_its_number_for_each_class_kind_and_stage():
    found = samples(rows("positive", 7), rows("uniform", 30), rows("hard", 12))
    balanced = samples(rows("positive", 7), rows("uniform", 5), rows("hard", 2))
    figure = class_balance({"found": found, "balanced": balanced})
    (axes,) = figure.axes
    assert [label.get_text().strip() for label in axes.get_yticklabels()] == [
        "positives",
        "negatives",
        "uniform",
        "hard",
    ]
    assert [round(patch.get_width()) for patch in axes.patches] == [7, 42, 30, 12, 7, 7, 5, 2]
    assert [text.get_text() for text in axes.texts] == ["7", "42", "30", "12", "7", "7", "5", "2"]
    assert axes.get_xlabel() == "rows"
    assert "found: positives 7, negatives 42" in figure.alt


def test_a_balance_of_nothing_or_of_too_many_stages_is_refused():
    with pytest.raises(BadInputError, match="without a row"):
        class_balance({"found": samples()})
    with pytest.raises(BadInputError, match="5 stages"):
        class_balance(dict.fromkeys("abcde", samples(rows("positive", 1))))


def test_holds_are_counted_in_seconds_with_those_left_open_beside():
    one = rows("positive", 5, holds=[0.1, 0.1, 0.3, 0.4, np.nan])
    other = rows("positive", 1, control="KeyW", holds=[np.nan])
    copies = rows("positive", 3, parent="positiveSpace0", holds=[9.0, 9.0, 9.0])
    figure = hold_histogram(samples(one, other, copies))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["KeyW", "Space"]
    keyw, space = figure.axes
    assert sum(patch.get_height() for patch in space.patches) == 4, "copies and open ones are no bars"
    assert sum(patch.get_height() for patch in keyw.patches) == 0
    assert space.texts[0].get_text() == "5 presses, 1 left open\nmedian 0.200 s"
    assert keyw.texts[0].get_text() == "1 presses, 1 left open"
    assert space.get_xlabel() == "held, s"
    assert space.get_xlim()[1] < 0.5


def test_more_controls_than_fit_are_said_to_be_left_out():
    many = [rows("positive", 1, control=f"Digit{k}") for k in range(MOST_CONTROLS + 2)]
    figure = hold_histogram(samples(*many))
    assert len(figure.axes) == MOST_CONTROLS
    assert any("2 more controls not shown" in text.get_text() for text in figure.texts)


def test_holds_of_no_positive_are_refused():
    with pytest.raises(BadInputError, match="no positive"):
        hold_histogram(samples(rows("uniform", 2)))


def test_splits_are_counted_in_their_usual_order():
    made = samples(
        rows("positive", 2, split="test", group="b"), rows("uniform", 2, split="test", group="b"),
        rows("positive", 3, split="train", group="a"), rows("positive", 1, split="train", group="a", parent="p"),
    )  # fmt: skip
    text = repr(splits_table(made)).splitlines()
    assert text[2].split() == ["train", "4", "4", "0", "100", "%", "1", "a"]
    assert text[3].split() == ["test", "4", "2", "2", "50", "%", "0", "b"]
