"""The model's 25 numbers: golden vectors counted by hand, by name, for every setting that the sources leave open."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rushes.errors import BadDataError, BadInputError
from rushes.model.nitrogen import COLUMNS, ORDERS, PUBLISHED, TOKENS, Settings, by_name, named, pack, unpack

# MineDojo/NitroGen at 3260844, nitrogen/shared.py, as it stands there.
REPOSITORY = [
    "BACK", "DPAD_DOWN", "DPAD_LEFT", "DPAD_RIGHT", "DPAD_UP", "EAST", "GUIDE", "LEFT_SHOULDER", "LEFT_THUMB",
    "LEFT_TRIGGER", "NORTH", "RIGHT_BOTTOM", "RIGHT_LEFT", "RIGHT_RIGHT", "RIGHT_SHOULDER", "RIGHT_THUMB",
    "RIGHT_TRIGGER", "RIGHT_UP", "SOUTH", "START", "WEST",
]  # fmt: skip
# The maintainer's answer of 2026-02-09 in issue #43.
ISSUE_43 = [
    "DPAD_DOWN", "DPAD_LEFT", "DPAD_RIGHT", "DPAD_UP", "LEFT_SHOULDER", "LEFT_THUMB", "LEFT_TRIGGER",
    "RIGHT_SHOULDER", "RIGHT_THUMB", "RIGHT_TRIGGER", "SOUTH", "WEST", "EAST", "NORTH", "BACK", "START",
    "RIGHT_BOTTOM", "RIGHT_LEFT", "RIGHT_RIGHT", "RIGHT_UP", "GUIDE",
]  # fmt: skip
# The card of the data set: 17 columns.
CARD = [
    "back", "dpad_down", "dpad_left", "dpad_right", "dpad_up", "east", "guide", "left_shoulder", "left_thumb",
    "left_trigger", "north", "right_shoulder", "right_thumb", "right_trigger", "south", "start", "west",
]  # fmt: skip
# Where each of the 17 stands among the 21, counted by hand.
PLACES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 18, 19, 20]


def test_the_orders_are_those_of_the_sources():
    assert list(TOKENS) == REPOSITORY
    assert {name: list(tokens) for name, tokens in ORDERS.items()} == {
        "repository-3260844": REPOSITORY,
        "issue-43": ISSUE_43,
    }
    assert list(COLUMNS) == CARD


@pytest.mark.parametrize(("column", "place"), list(enumerate(PLACES)))
def test_each_column_of_the_release_goes_to_its_token_by_name(column, place):
    found = by_name(np.eye(17)[column], CARD)
    assert np.flatnonzero(found).tolist() == [place]
    assert REPOSITORY[place] == CARD[column].upper()
    assert named(found, CARD).tolist() == np.eye(17)[column].tolist()


def test_columns_in_any_order_and_any_case_give_the_same():
    assert by_name([[1, 0, 1]], ["West", "guide", "BACK"])[0].tolist() == [1.0, *[0.0] * 19, 1.0]


def test_a_vector_packed_by_hand():
    buttons = np.zeros((2, 21), np.float32)
    buttons[0, 18], buttons[1, 0] = 1, 1  # SOUTH, BACK
    found = pack(buttons, [[-1, 1], [0, 0.5]], [[0.25, -0.5], [1, -1]])
    assert found.dtype == np.float32
    assert found[0].tolist() == [*[0.0] * 18, 1.0, 0.0, 0.0, 0.0, 1.0, 0.625, 0.25]
    assert found[1].tolist() == [1.0, *[0.0] * 20, 0.5, 0.75, 1.0, 0.0]


def test_sticks_first_is_the_old_layout():
    found = pack(np.eye(21)[20], [-1, 1], [0.5, 0], Settings(layout="sticks_first"))
    assert found.tolist() == [0.0, 1.0, 0.75, 0.5, *[0.0] * 20, 1.0]


def test_up_may_be_plus_one_and_sticks_may_stay_as_they_are():
    found = pack(np.zeros(21), [0.5, -1], [-0.25, 0.75], Settings(vertical="up=+1", stick_range="-1..1"))
    assert found[21:].tolist() == [0.5, 1.0, -0.25, -0.75]
    both = pack(np.zeros(21), [0.5, -1], [-0.25, 0.75], Settings(vertical="up=+1"))
    assert both[21:].tolist() == [0.75, 1.0, 0.375, 0.125]


def test_what_a_model_says_is_clipped_and_a_button_is_down_above_a_half():
    vector = np.zeros(25)
    vector[[0, 1, 2]] = [0.5, 0.500001, 7]
    vector[21:] = [-0.5, 2, 0.75, 0.5]
    found = unpack(vector)
    assert np.flatnonzero(found.buttons).tolist() == [1, 2]
    assert found.j_left.tolist() == [-1.0, 1.0]
    assert found.j_right.tolist() == [0.5, 0.0]


# Where each of the 17 stands in the quoted order, counted by hand.
QUOTED_PLACES = [14, 0, 1, 2, 3, 12, 20, 4, 5, 6, 13, 7, 8, 9, 10, 15, 11]


@pytest.mark.parametrize(("column", "place"), list(enumerate(QUOTED_PLACES)))
def test_the_quoted_order_has_its_own_places(column, place):
    settings = Settings(order="issue-43")
    found = by_name(np.eye(17)[column], CARD, settings)
    assert np.flatnonzero(found).tolist() == [place]
    assert named(found, CARD, settings).tolist() == np.eye(17)[column].tolist()


def test_an_order_of_ones_own_is_named_and_used():
    mine = (*REPOSITORY[1:6], *REPOSITORY[7:], "BACK", "GUIDE")
    settings = Settings(order="mine-1", tokens=mine)
    found = pack(by_name([1, 1, 1], ["guide", "dpad_down", "back"], settings), [0, 0], [0, 0], settings)
    assert np.flatnonzero(found[:21]).tolist() == [0, 19, 20]
    assert named(unpack(found, settings).buttons, ["south", "guide"], settings).tolist() == [0.0, 1.0]


def test_settings_survive_json_and_are_all_in_it():
    settings = Settings(order="mine", tokens=tuple(REPOSITORY[::-1]), vertical="up=+1", horizon=18, action_shift=3)
    text = json.dumps(settings.to_json())
    assert Settings.from_json(json.loads(text)) == settings
    assert set(settings.to_json()) == {
        "order", "tokens", "vertical", "stick_range", "layout", "action_shift", "horizon", "frame_per_sample",
        "frame_spacing", "action_per_chunk",
    }  # fmt: skip


def test_the_defaults_are_those_of_the_code_and_the_checkpoint_has_its_own():
    found = Settings()
    assert (found.action_shift, found.horizon, found.frame_per_sample, found.frame_spacing) == (1, 16, 1, 8)
    assert Settings(action_per_chunk=5).frame_spacing == 5
    assert (PUBLISHED.action_shift, PUBLISHED.horizon, PUBLISHED.frame_spacing) == (3, 18, 18)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order": "repository-326084"}, "did you mean 'repository-3260844'"),
        ({"order": "issue-44"}, "21 tokens"),
        ({"order": "mine", "tokens": ("BACK",)}, "lacking"),
        ({"order": "mine", "tokens": (*REPOSITORY[:-1], "WST")}, "did you mean 'WEST'"),
        ({"tokens": tuple(REPOSITORY[::-1])}, "with other tokens"),
        ({"vertical": "down"}, "up=-1"),
        ({"stick_range": "0..2"}, "-1..1"),
        ({"layout": "buttons"}, "buttons_first"),
        ({"action_shift": 0}, "from 1 on"),
        ({"horizon": 2.5}, "whole number"),
        ({"frame_spacing": 0}, "from 1 on"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change, said):
    with pytest.raises(BadInputError, match=said.replace("+", r"\+")):
        Settings(**change)


@pytest.mark.parametrize("value", [{"horizn": 3}, {"horizon": 0}, {"tokens": 5}, {"order": ["x"]}])
def test_settings_that_do_not_read_are_refused(value):
    with pytest.raises(BadDataError, match="do not read"):
        Settings.from_json(value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1.01])
def test_a_stick_that_is_none_is_refused_with_its_place(bad):
    sticks = np.zeros((3, 2))
    sticks[2, 1] = bad
    with pytest.raises(BadDataError, match=r"j_right\[2, 1\]"):
        pack(np.zeros((3, 21)), np.zeros((3, 2)), sticks)


def test_shapes_that_do_not_fit_and_names_that_are_none_are_refused():
    with pytest.raises(BadInputError, match="one shape"):
        pack(np.zeros((3, 21)), np.zeros((2, 2)), np.zeros((3, 2)))
    with pytest.raises(BadInputError, match=r"\(17,\)"):
        pack(np.zeros(17), np.zeros(2), np.zeros(2))
    with pytest.raises(BadInputError, match="24"):
        unpack(np.zeros(24))
    with pytest.raises(BadInputError, match="did you mean 'SOUTH'"):
        by_name([1], ["soth"])
    with pytest.raises(BadInputError, match="twice"):
        by_name([1, 0], ["south", "SOUTH"])
    with pytest.raises(BadInputError, match="2 names"):
        by_name([1], ["south", "east"])


SETTINGS = st.builds(
    Settings,
    vertical=st.sampled_from(["up=-1", "up=+1"]),
    stick_range=st.sampled_from(["0..1", "-1..1"]),
    layout=st.sampled_from(["buttons_first", "sticks_first"]),
)
STICK = arrays(np.float32, (4, 2), elements=st.floats(-1, 1, width=32))


@given(SETTINGS, arrays(np.bool_, (4, 21)), STICK, STICK)
def test_what_is_packed_is_unpacked(settings, buttons, left, right):
    found = unpack(pack(buttons, left, right, settings), settings)
    assert np.array_equal(found.buttons, buttons)
    np.testing.assert_allclose(found.j_left, left, atol=1e-6)
    np.testing.assert_allclose(found.j_right, right, atol=1e-6)


@given(arrays(np.float32, (2, 3, 25), elements=st.floats(-2, 2, width=32)), st.booleans())
def test_unpacking_is_the_arithmetic_of_the_repository(vectors, old):
    actions = torch.tensor(vectors)  # restated: unpack_actions at 3260844
    first = 4 if old else 0
    sticks = actions[..., :4] if old else actions[..., -4:]
    sticks = torch.clamp(sticks * 2.0 - 1.0, -1, 1)
    buttons = (actions[..., first : first + 21] > 0.5).float()
    found = unpack(vectors, Settings(layout="sticks_first" if old else "buttons_first"))
    assert np.array_equal(found.buttons, buttons.numpy())
    assert np.array_equal(np.concatenate([found.j_left, found.j_right], -1), sticks.numpy())


@given(arrays(np.bool_, (1, 5, 21)), arrays(np.float32, (2, 1, 5, 2), elements=st.floats(-1, 1, width=32)))
def test_packing_is_the_arithmetic_of_the_repository(buttons, sticks):
    wanted = np.concatenate([buttons, (sticks[0] + 1) / 2.0, (sticks[1] + 1) / 2.0], axis=-1, dtype=np.float32)
    assert np.array_equal(pack(buttons, *sticks), wanted)
