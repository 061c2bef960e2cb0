"""Noise: what NumPy draws from the row's seed, once a window."""

from statistics import NormalDist

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.prepare.augment.noise import Noise


def test_it_is_the_pixel_plus_quantiles_that_the_seed_draws():
    window = np.random.default_rng(1).integers(0, 256, (2, 20, 30, 3)).astype(np.uint8)
    numbers = np.random.default_rng(77).integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    noise = np.vectorize(lambda k: NormalDist(sigma=0.1 * 255).inv_cdf((int(k) + 0.5) / 65536))(numbers)
    wanted = np.clip(window + np.round(noise), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(Noise.pixels(window.copy(), {"sigma": 0.1, "seed": 77}), wanted)


def test_it_is_gaussian():
    noise = Noise.pixels(np.full((1, 227, 227, 3), 128, np.uint8), {"sigma": 0.02, "seed": 5}).ravel() - 128.0
    for below in (-10.5, -5.5, -0.5, 2.5, 7.5, 12.5):
        assert (noise < below).mean() == pytest.approx(NormalDist(sigma=5.1).cdf(below), abs=0.005)


def test_it_has_the_asked_size_and_no_direction():
    noisy = Noise.pixels(np.full((1, 227, 227, 3), 128, np.uint8), {"sigma": 0.02, "seed": 5}).astype(float)
    assert noisy.mean() == pytest.approx(128, abs=0.1)
    assert noisy.std() == pytest.approx(0.02 * 255, rel=0.02)


def test_what_stands_still_in_a_window_stands_still_with_its_noise():
    noisy = Noise.pixels(np.full((3, 9, 9, 3), 128, np.uint8), {"sigma": 0.2, "seed": 5})
    assert (noisy == noisy[0]).all()
    assert len(np.unique(noisy)) > 20


def test_each_draw_has_a_seed_of_its_own():
    rng = np.random.default_rng(3)
    drawn = [Noise.parse("").draw(rng, 1) for _ in range(20)]
    assert {one["sigma"] for one in drawn} == {0.02}
    assert len({one["seed"] for one in drawn}) == 20
    assert Noise.parse("0").draw(rng, 1) is None


@pytest.mark.parametrize("text", ["-0.1", "2", "a lot"])
def test_a_sigma_that_makes_no_sense_is_refused(text):
    with pytest.raises(BadInputError, match=r"noise of .*from 0 to 1"):
        Noise.parse(text)
