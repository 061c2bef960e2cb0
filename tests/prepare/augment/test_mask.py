"""Masks: rectangles as parts of the picture, at any size."""

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.prepare.augment.mask import Mask


def black(side, *boxes):
    return Mask.pixels(np.full((2, side, side, 3), 9, np.uint8), {"boxes": [list(box) for box in boxes]}) == 0


def test_the_upper_tenth_is_black_on_every_frame_and_nothing_else_is():
    for side, rows in ((30, 3), (227, 23), (10, 1)):  # every row that the rectangle touches
        found = black(side, (0, 0, 1, 0.1))
        assert found[:, :rows].all()
        assert not found[:, rows:].any()


def test_several_rectangles_are_painted():
    found = black(10, (0, 0, 0.2, 0.2), (0.5, 0.9, 1, 1))
    assert found[0, :, :, 0].sum() == 4 + 5
    assert found[0, 0, 1].all()
    assert found[0, 9, 5].all()


def test_it_draws_nothing_and_is_the_same_for_every_row():
    mask = Mask.parse("0 0 1 0.1; 0.9 0 1 1")
    drawn = [mask.draw(np.random.default_rng(seed), 1) for seed in (1, 2)]
    assert drawn == [{"boxes": [[0, 0, 1, 0.1], [0.9, 0, 1, 1]]}] * 2


@pytest.mark.parametrize(
    "text", ["", "0 0 1", "0 0 1 1 1", "0 0.5 1 0.5", "1 0 0 1", "0 0 1 2", "0 0 1 ten", "0 0 1 1;"]
)
def test_rectangles_that_make_no_sense_are_refused(text):
    with pytest.raises(BadInputError, match=r"write mask=1:0 0 1 0\.1"):
        Mask.parse(text)
