"""Scores beside chance, held against numbers worked out by hand."""

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.notebook.train.scores import score

NAMES = ("KeyA", "KeyD")


def test_the_score_of_a_key_is_the_mean_of_both_kinds_of_right_answers():
    truth = np.array([[1], [1], [1], [1], [0], [0], [0], [0], [0], [0]], bool)
    said = np.array([[1], [1], [1], [0], [1], [1], [0], [0], [0], [0]], bool)
    found = score(said, truth, names=("KeyA",))
    (key,) = found.keys
    assert key.balanced == pytest.approx((3 / 4 + 4 / 6) / 2)
    assert key.f1 == pytest.approx(2 * 3 / (5 + 4))
    assert key.share == 0.4
    assert key.always_f1 == pytest.approx(2 * 4 / (10 + 4))
    assert (found.right, found.majority) == (0.7, 0.6)


@pytest.mark.parametrize("always", [True, False])
def test_whoever_always_says_the_same_is_at_chance_however_rare_the_key_is(always):
    truth = np.zeros((100, 2), bool)
    truth[:3, 0] = truth[:60, 1] = True
    found = score(np.full_like(truth, always), truth, names=NAMES)
    assert found.balanced == found.luck == 0.5


def test_luck_reaches_far_on_few_rows_and_not_on_many():
    rng = np.random.default_rng(5)
    few, many = (
        score(rng.random((n, 1)) < 0.5, np.arange(n)[:, None] % 2 == 0, names=("KeyA",)).luck for n in (16, 4000)
    )
    assert few > 0.7
    assert 0.5 < many < 0.55


def test_a_key_that_is_never_used_does_not_count():
    truth = np.array([[1, 0], [0, 0]], bool)
    found = score(truth, truth, names=NAMES)
    assert [key.name for key in found.keys] == ["KeyA"]
    with pytest.raises(BadInputError, match="no key of KeyA, KeyD"):
        score(np.zeros((2, 2), bool), np.zeros((2, 2), bool), names=NAMES)
    with pytest.raises(BadInputError, match="one shape"):
        score(truth, truth[:1], names=NAMES)
