"""Brightness and contrast: the formulas, their way back, and their limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rushes.errors import BadInputError
from rushes.prepare.augment.light import Brightness, Contrast

WINDOWS = arrays(np.uint8, (2, 6, 5, 3))


@given(WINDOWS, st.floats(0, 3))
def test_brightness_is_every_value_times_the_factor(window, factor):
    wanted = np.clip(np.round(window.astype(float) * factor), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(Brightness.pixels(window.copy(), {"factor": factor}), wanted)


@given(WINDOWS, st.floats(0, 3))
def test_contrast_is_the_distance_from_mid_grey_times_the_factor(window, factor):
    wanted = np.clip(np.round(127.5 + (window - 127.5) * factor), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(Contrast.pixels(window.copy(), {"factor": factor}), wanted)


@given(arrays(np.uint8, (1, 6, 5, 3), elements=st.integers(0, 196)), st.floats(0.7, 1.3))
def test_brighter_and_back_is_the_same_within_rounding(window, factor):
    there = Brightness.pixels(window.copy(), {"factor": factor})
    back = Brightness.pixels(there, {"factor": 1 / factor})
    assert np.abs(back.astype(int) - window).max() <= 0.5 / factor + 0.5


@given(arrays(np.uint8, (1, 6, 5, 3), elements=st.integers(30, 225)), st.floats(0.7, 1.3))
def test_more_contrast_and_back_is_the_same_within_rounding(window, factor):
    there = Contrast.pixels(window.copy(), {"factor": factor})
    back = Contrast.pixels(there, {"factor": 1 / factor})
    assert np.abs(back.astype(int) - window).max() <= 0.5 / factor + 0.5


def test_black_stays_black_when_it_gets_brighter_and_grey_stays_grey_with_more_contrast():
    assert Brightness.pixels(np.zeros((1, 2, 2, 3), np.uint8), {"factor": 3})[0, 0, 0].tolist() == [0, 0, 0]
    grey = np.full((1, 2, 2, 3), 127, np.uint8)
    assert Contrast.pixels(grey, {"factor": 1.2})[0, 0, 0].tolist() == [127, 127, 127]  # 127.5 - 0.6 = 126.9


def test_factors_lie_in_the_range_and_a_factor_of_one_changes_nothing():
    rng = np.random.default_rng(3)
    drawn = [Brightness.parse("0.7..1.3").draw(rng, 1) for _ in range(300)]
    factors = [one["factor"] for one in drawn if one]
    assert 0.7 <= min(factors) < 0.72
    assert 1.28 < max(factors) <= 1.3
    assert Contrast.parse("1").draw(rng, 1) is None


@pytest.mark.parametrize("text", ["-1", "1.3..0.7", "much", "0.7..", "11", "nan", "1..2..3"])
def test_a_range_that_makes_no_sense_is_refused(text):
    with pytest.raises(BadInputError, match=r"brightness of .*from 0 to 10.*write brightness=0\.5:0\.7\.\.1\.3"):
        Brightness.parse(text)
