"""Nearest positives and negatives, against distances that are worked out by hand."""

import math

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.preview.sample_pairs import nearest, nearest_pairs, pairs_sheet

SPACE = ActionSpace.from_names(["Space"])


def samples(frames, kind, control="KeyW", session="doom-1"):
    positive = kind == "positive"
    return [
        {
            "sample_id": f"{kind}{control}{frame}", "session": session, "frame_index": frame, "t_ns": frame,
            "control": control, "label": float(positive), "keys": [0.0], "kind": kind,
            "reason": "" if positive else "why", "hold_s": np.nan,
        }
        for frame in frames
    ]  # fmt: skip


def test_each_row_stands_in_one_pair_and_the_nearest_come_first():
    first, second = [[0.0], [10.0], [100.0]], [[11.0], [1.0], [0.5]]
    assert nearest(first, second, most=3) == [(0, 2, 0.5), (1, 0, 1.0), (2, 1, 99.0)]
    assert nearest(first, second, most=1) == [(0, 2, 0.5)]
    assert nearest(first, np.zeros((0, 1)), most=3) == []


def test_pairs_are_found_within_a_control_over_the_last_frames_of_windows(alien):
    """Frame k of the session in memory is grey 7 k."""
    rows = samples([1], "positive") + samples([4, 7], "uniform") + samples([2], "uniform", control="KeyA")
    made = Samples(samples_frame([row | {"session": alien.info.id} for row in rows]), SPACE)
    pairs = nearest_pairs(made, [alien])
    assert pairs.found == {"KeyW": ((0, 1, 21.0),)}, "KeyA has no positive; 7 * (4 - 1) grey levels"
    assert (pairs.positives, pairs.negatives, pairs.equal) == (1, 3, 0)
    assert pairs.nearest == 21.0
    longer = Samples(made.rows.assign(length=[3, 1, 1, 1]), SPACE)
    assert nearest_pairs(longer, [alien]).nearest == 7.0, "frame 3 against frame 4"
    same = samples([5], "positive") + samples([5], "hard")
    twice = Samples(samples_frame([row | {"session": alien.info.id} for row in same]), SPACE)
    assert nearest_pairs(twice, [alien]).equal == 1


def test_a_sheet_of_pairs_shows_both_and_refuses_where_there_is_none(alien):
    rows = samples([1], "positive", session=alien.info.id) + samples([4], "uniform", session=alien.info.id)
    made = Samples(samples_frame(rows), SPACE)

    def load(some):
        return np.stack(
            [np.full((1, 40, 40, 3), 40 + 100 * (name[0] == "u"), np.uint8) for name in some.rows["sample_id"]]
        )

    sheet = pairs_sheet(nearest_pairs(made, [alien]), load)
    assert (sheet == 40).all(-1).sum() > 10_000
    assert (sheet == 140).all(-1).sum() > 10_000
    alone = nearest_pairs(Samples(made.rows.iloc[:1], SPACE), [alien])
    assert math.isnan(alone.nearest)
    with pytest.raises(BadInputError, match="one class"):
        pairs_sheet(alone, load)


def test_a_session_that_was_not_passed_is_named(alien):
    made = Samples(samples_frame(samples([1], "positive", session="elsewhere")), SPACE)
    with pytest.raises(BadInputError, match="elsewhere"):
        nearest_pairs(made, [alien])
