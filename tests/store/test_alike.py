"""Which pictures look most alike: against brute force, and fairly among the positives."""

import numpy as np
import pytest

from rushes.store.alike import nearest


def tiny(*levels):
    return np.broadcast_to(np.array(levels, np.uint8)[:, None, None, None], (len(levels), 16, 16, 3)).copy()


def test_distances_are_those_of_brute_force():
    rng = np.random.default_rng(3)
    positives, candidates = (rng.integers(0, 256, (n, 16, 16, 3)).astype(np.uint8) for n in (7, 40))
    every = np.sqrt(((positives[:, None].astype(float) - candidates[None]) ** 2).mean(axis=(2, 3, 4))) / 255
    found = nearest(positives, candidates, 21)
    assert len({match.candidate for match in found}) == 21
    for match in found:
        assert match.distance == pytest.approx(every[match.positive, match.candidate], abs=1e-4)
    best = np.unravel_index(every.argmin(), every.shape)
    assert (found[0].positive, found[0].candidate) == best
    assert np.bincount([match.positive for match in found]).tolist() == [3] * 7


def test_every_positive_takes_one_before_any_takes_two():
    found = nearest(tiny(100, 200), tiny(101, 102, 103, 240), 4)
    assert [(m.positive, m.candidate) for m in found] == [(0, 0), (1, 3), (0, 1), (1, 2)]


def test_all_are_found_where_all_are_wanted():
    found = nearest(tiny(0, 10, 20), tiny(*range(60)), 100)
    assert sorted(match.candidate for match in found) == list(range(60))


@pytest.mark.parametrize(("positives", "candidates", "wanted"), [((), (1, 2), 2), ((1,), (), 2), ((1,), (2,), 0)])
def test_nothing_is_found_where_there_is_nothing(positives, candidates, wanted):
    def some(levels):
        return tiny(*levels) if levels else np.zeros((0, 16, 16, 3), np.uint8)

    assert nearest(some(positives), some(candidates), wanted) == []
