"""What is counted of rows and pictures, against numbers worked out by hand and by NumPy."""

import numpy as np
import pytest

from rushes.model.actions import ActionSpace
from rushes.store.statistics import Statistics, spaced

ROWS = np.array([[1, 0, 2.0], [1, 0, -4.0], [0, 0, 0.0], [1, 0, 0.0]], np.float32)


def counted(rows=ROWS, space=None):
    found = Statistics(space or ActionSpace.from_names(["w", "e", "dx"]))
    found.add_rows(rows)
    return found


def test_columns_say_how_often_and_how_much():
    w, e, dx = counted().to_json()["columns"]
    assert (w["count"], w["share"], w["role"]) == (3, 0.75, "button")
    assert (dx["count"], dx["mean"], dx["min"], dx["max"]) == (2, -0.5, -4.0, 2.0)
    assert dx["std"] == pytest.approx(np.sqrt((2.5**2 + 3.5**2 + 0.5**2 + 0.5**2) / 4))
    assert e["count"] == 0


def test_weights_are_those_of_scikit_learn_and_null_on_a_side_that_never_occurs():
    w, e, dx = counted().to_json()["columns"]
    assert (w["weight_used"], w["weight_unused"]) == (pytest.approx(4 / (2 * 3)), pytest.approx(4 / (2 * 1)))
    assert (e["weight_used"], e["weight_unused"]) == (None, 0.5)
    assert (dx["weight_used"], dx["weight_unused"]) == (None, None)
    pong = counted(np.eye(3, dtype=np.float32)[[0, 0, 0, 1]], ActionSpace.discrete(["a", "b", "c"], world="ALE"))
    assert [c["weight_used"] for c in pong.to_json()["columns"]] == [pytest.approx(4 / 9), pytest.approx(4 / 3), None]


def test_parts_add_up_to_the_whole():
    rng = np.random.default_rng(1)
    rows = (rng.normal(1000, 3, (500, 3)) * [0, 1, 1]).astype(np.float32)
    whole = Statistics(ActionSpace.from_names(["w", "dx", "dy"]))
    for part in np.split(rows, [1, 7, 400]):
        one = counted(part, whole.space)
        whole.join(one)
    found = whole.arrays()
    np.testing.assert_allclose(found["inputs_mean"], rows.astype(float).mean(0), rtol=1e-6)
    np.testing.assert_allclose(found["inputs_std"], rows.astype(float).std(0), rtol=1e-6)
    assert whole.rows == 500


def test_pictures_have_the_mean_and_deviation_that_numpy_says():
    pictures = np.random.default_rng(2).integers(0, 256, (5, 9, 7, 3)).astype(np.uint8)
    one = counted()
    for part in np.split(pictures, [2]):
        one.add_pictures(part)
    mean, std = one.channels
    np.testing.assert_allclose(mean, (pictures / 255).mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(std, (pictures / 255).std((0, 1, 2)), rtol=1e-12)


def test_sound_that_was_not_heard_does_not_count():
    one = Statistics(ActionSpace.from_names(["w"]), features=2)
    one.add_sound(np.array([[1, 3], [9, 9], [3, 5]], np.float32), np.array([True, False, True]))
    said = one.to_json()["sound"]
    assert (said["rows"], said["heard"], said["mean"]) == (3, 2, 3.0)
    assert said["std"] == pytest.approx(np.std([1, 3, 3, 5]))


def test_nothing_counted_says_nothing():
    said = Statistics(ActionSpace.from_names(["w"])).to_json()
    assert said["columns"][0]["share"] is None
    assert said["pictures"]["mean"] == [None] * 3
    assert said["sound"]["std"] is None


def test_places_are_spaced_evenly_and_never_twice():
    assert spaced(10, 3).tolist() == [1, 5, 8]
    assert spaced(3, 10).tolist() == [0, 1, 2]
    assert len(spaced(0, 4)) == 0
