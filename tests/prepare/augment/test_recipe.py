"""Recipes: one line that says which transforms, how often and how far."""

import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.prepare.augment.flip import Flip
from rushes.prepare.augment.light import Brightness
from rushes.prepare.augment.mask import Mask
from rushes.prepare.augment.noise import Noise
from rushes.prepare.augment.place import Crop, Shift
from rushes.prepare.augment.recipe import PRESETS, parse_recipe
from rushes.prepare.augment.stretch import Stretch


def said(text):
    return [(part.name, part.probability, part.transform) for part in parse_recipe(text)]


def test_the_reference_preset_has_the_numbers_of_its_script():
    assert said("jumpnet") == [
        ("flip", 0.5, Flip()),
        ("brightness", 0.5, Brightness(0.7, 1.3)),
        ("noise", 0.3, Noise(0.02, 0.02)),
        ("shift", 0.3, Shift(5, 0)),
    ]
    assert said("jumpnet_no_flip") == said("jumpnet")[1:]
    assert said("none") == said("") == []


def test_ranges_are_read_and_those_left_out_take_the_usual():
    assert said("crop=0.3:0.8, stretch=0.5:0.8..1.25, shift=1:5 2, noise=0.1") == [
        ("crop", 0.3, Crop(0.8, 0.8)),
        ("stretch", 0.5, Stretch(0.8, 1.25)),
        ("shift", 1.0, Shift(5, 2)),
        ("noise", 0.1, Noise(0.02, 0.02)),
    ]


@pytest.mark.parametrize(
    "text", [*PRESETS.values(), "mask=1:0 0 1 0.1; 0.9 0 1 1, crop = 0.3 : 0.8", "mask=all:0 0 1 0.1"]
)
def test_blanks_say_the_same_since_notebook_parameters_hold_no_equals_sign(text):
    assert said(text.replace("=", " ").replace(":", " ")) == said(text)


def test_a_mask_for_every_row_is_told_from_one_for_every_copy():
    (everywhere,), (copies,) = parse_recipe("mask=all:0 0 1 0.1"), parse_recipe("mask=1:0 0 1 0.1")
    assert (everywhere.everywhere, copies.everywhere) == (True, False)
    assert everywhere.transform == copies.transform == Mask(((0, 0, 1, 0.1),))


def test_what_stands_beside_a_preset_adds_to_it_and_changes_it():
    assert said("jumpnet, shift=0.3:9, crop=0.2") == [
        *said("jumpnet")[:3],
        ("shift", 0.3, Shift(9, 0)),
        ("crop", 0.2, Crop(0.8, 1.0)),
    ]
    assert said("shift=0.3:9, jumpnet_no_flip")[0] == ("shift", 0.3, Shift(9, 0))


def test_a_probability_of_nothing_leaves_a_transform_out():
    assert said("jumpnet, flip=0") == said("jumpnet_no_flip")


@pytest.mark.parametrize(
    ("text", "near"), [("brightnes=0.5", "brightness"), ("jumpnett", "jumpnet"), ("flop=1", "flip")]
)
def test_a_name_that_does_not_exist_is_answered_with_the_nearest(text, near):
    with pytest.raises(BadNameError, match=f"did you mean .*'{near}'"):
        parse_recipe(text)


@pytest.mark.parametrize(
    "text",
    ["flip", "flip=2", "flip=-0.1", "flip=often", "flip=nan", "flip=all", "flip=0.5:", "=0.5", "brightness=0.5:0.7:1.3",
     "flip=0.5 brightness=0.5"],
)  # fmt: skip
def test_a_part_that_does_not_read_is_refused_with_how_to_write_it(text):
    with pytest.raises(BadInputError, match="accepted"):
        parse_recipe(text)


def test_a_transform_that_stands_twice_is_refused():
    with pytest.raises(BadInputError, match="shift twice"):
        parse_recipe("shift=0.5:3, shift=0.5:9")
