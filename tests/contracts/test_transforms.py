"""The contract of transforms, over every row of the table."""

import numpy as np
import pytest

from rushes.errors import BadDataError
from rushes.model.actions import ActionSpace
from rushes.prepare.augment.base import TRANSFORMS, Action, Drawn, World, apply, family, read, steps_back, written
from rushes.prepare.augment.recipe import parse_recipe

WORLD = World(ActionSpace.from_names(["KeyA", "KeyD", "MouseDX", "MouseWheel", "J_LEFT_X"]))


@pytest.fixture(params=list(TRANSFORMS))
def name(request):
    return request.param


def draws(name, *, length=4, count=12):
    made = family(name).parse(family(name).example)
    found = [made.draw(np.random.default_rng([3, k]), length) for k in range(count)]
    return [one for one in found if one is not None]


def window(frames=3, side=24):
    return np.random.default_rng(5).integers(0, 256, (frames, side, side, 3)).astype(np.uint8)


def test_a_recipe_names_it(name):
    values = f":{family(name).example}" if family(name).example else ""
    (part,) = parse_recipe(f"{name}=0.25{values}")
    assert (part.name, part.probability) == (name, 0.25)


def test_the_same_source_of_randomness_draws_the_same(name):
    assert draws(name) == draws(name) != []


def test_what_it_draws_comes_back_from_the_text_of_a_row(name):
    for parameters in draws(name):
        assert read(written([Drawn(name, parameters)])) == (Drawn(name, parameters),)


def test_it_keeps_shape_and_type_at_any_size_and_length(name):
    for parameters in draws(name, count=3):
        for frames, side in ((1, 1), (1, 227), (4, 33)):
            made = apply(window(frames, side), [Drawn(name, parameters)])
            assert (made.shape, made.dtype) == ((frames, side, side, 3), np.uint8)


def test_it_acts_alike_on_every_frame(name):
    for parameters in draws(name, count=3):
        several = window()
        made = apply(several.copy(), [Drawn(name, parameters)])
        for k in range(len(several)):
            np.testing.assert_array_equal(made[k], apply(several[k : k + 1].copy(), [Drawn(name, parameters)])[0])
        still = apply(several[:1].repeat(3, axis=0), [Drawn(name, parameters)])
        assert (still == still[0]).all()


def test_the_same_numbers_make_the_same_pixels(name):
    for parameters in draws(name, count=3):
        np.testing.assert_array_equal(*(apply(window(), [Drawn(name, parameters)]) for _ in range(2)))


def test_it_shows_rising_frames_that_end_with_the_last(name):
    for parameters in draws(name):
        back = steps_back(4, [Drawn(name, parameters)])
        assert back[-1] == 0
        assert (np.diff(back) <= 0).all()


def test_an_action_stays_an_action_and_the_given_one_is_not_changed(name):
    for parameters in draws(name):
        action = Action(np.array([1, 0, 4, 1, 0.5], np.float32), "KeyA", 0.3)
        made = family(name).action(action, parameters, WORLD)
        assert (made.keys.shape, made.keys.dtype) == ((5,), np.float32)
        assert np.isfinite(made.keys).all()
        assert made.control in {"KeyA", "KeyD"}
        assert made.hold_s > 0
        assert (action.keys.tolist(), action.control, action.hold_s) == ([1, 0, 4, 1, 0.5], "KeyA", 0.3)


def test_numbers_that_it_does_not_know_are_refused(name):
    for parameters in draws(name, count=2):
        odd = [{**parameters, "more": 1}, *({k: v for k, v in parameters.items() if k != gone} for gone in parameters)]
        odd += [{**parameters, known: wrong} for known in parameters for wrong in ("text", None, True, 1e9, -1e9, [1])]
        for wrong in odd:
            with pytest.raises(BadDataError, match="make the rows anew"):
                read(written([Drawn(name, wrong)]))


def test_it_has_a_line_for_the_readme(name):
    assert TRANSFORMS[name].summary


@pytest.mark.parametrize("text", ["{}", "[1]", "[{}]", "flip", '[{"name":"gone"}]', '[{"name":1}]', "null", "7"])
def test_a_text_that_is_no_list_of_transforms_is_refused(text):
    with pytest.raises(BadDataError, match="transform"):
        read(text)
