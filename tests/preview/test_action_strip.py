"""The strip of samples: pictures as they were given, bars where buttons are held, arrows where sticks stand."""

import numpy as np
import pytest
from matplotlib.quiver import Quiver

from rushes.errors import BadInputError
from rushes.preview.action_strip import MOST_BUTTONS, action_strip

NAMES = ["lx", "ly", "rx", "ry", "space", "lmb"]


def lines(figure):
    """(axes of the picture, axes of the roll), a pair a sample."""
    return list(zip(figure.axes[::2], figure.axes[1::2], strict=True))


def bars(roll):
    """Row and length of each bar with the lane that it lies in."""
    found = []
    for collection in roll.collections:
        if isinstance(collection, Quiver) or not hasattr(collection, "get_paths"):
            continue
        for path in collection.get_paths():
            box = path.get_extents()
            ticks = dict(zip(roll.get_yticks(), [t.get_text() for t in roll.get_yticklabels()], strict=True))
            lane = min(ticks, key=lambda y: abs(y - (box.y0 + box.y1) / 2))
            found.append((ticks[lane], round(box.x0), round(box.width)))
    return found


def arrows(roll):
    """Row -> (right, up) of every arrow, the lanes from above one after the other."""
    return [
        {round(x - 0.5): (round(float(u), 3), round(float(v), 3)) for x, u, v in zip(q.X, q.U, q.V, strict=True)}
        for q in roll.collections
        if isinstance(q, Quiver)
    ]


def samples(count=2, length=4):
    pictures = np.zeros((count, 3, 8, 8), np.float32)
    pictures[1:, 0] = 1.0
    return pictures, np.zeros((count, length, len(NAMES)), np.float32)


def test_each_line_shows_its_picture_as_the_trainer_gets_it():
    pictures, actions = samples()
    figure = action_strip(pictures, actions, NAMES, captions=["first", "second"])
    shown = [picture.images[0].get_array() for picture, _ in lines(figure)]
    assert np.asarray(shown[0]).max() == 0
    assert np.asarray(shown[1])[3, 3].tolist() == [255, 0, 0]
    assert [picture.get_xlabel() for picture, _ in lines(figure)] == ["first", "second"]


def test_bars_lie_where_a_button_is_held_and_only_held_buttons_have_a_lane():
    pictures, actions = samples(length=6)
    actions[1, 1:3, NAMES.index("space")] = 1
    actions[1, 5, NAMES.index("space")] = 1
    (_, first), (_, second) = lines(action_strip(pictures, actions, NAMES))
    assert bars(first) == []
    assert "no button is held" in [t.get_text() for t in first.texts]
    assert bars(second) == [("space", 1, 2), ("space", 5, 1)]
    assert [t.get_text() for t in second.get_yticklabels()] == ["left stick", "right stick", "space"]


def test_arrows_point_up_where_the_stick_is_up_whichever_sign_that_has():
    pictures, actions = samples(1, 3)
    actions[0, 1, :2] = (0, 1)
    actions[0, 2, :2] = (-1, 0)
    ((_, roll),) = lines(action_strip(pictures[:1], actions, NAMES))
    assert arrows(roll)[0] == {1: (0, 1), 2: (-1, 0)}
    names = ["J_LEFT_X", "J_LEFT_Y", "SOUTH"]
    pad = np.zeros((1, 3, 3), np.float32)
    pad[0, 1, :2] = (0, -1)
    ((_, roll),) = lines(action_strip(pictures[:1], pad, names))
    assert arrows(roll)[0] == {1: (0, 1)}


def test_a_small_motion_fills_its_lane_and_the_lane_says_how_far_that_is():
    pictures, actions = samples(1, 3)
    actions[0, 0, 2:4] = (0.25, 0)
    actions[0, 2, 2:4] = (0, -0.125)
    ((_, roll),) = lines(action_strip(pictures[:1], actions, NAMES))
    assert arrows(roll)[1] == {0: (1, 0), 2: (0, -0.5)}
    assert "right stick\nto 0.25" in [t.get_text() for t in roll.get_yticklabels()]


def test_the_scale_says_how_long_a_row_is_and_the_roll_begins_at_the_picture():
    pictures, actions = samples(length=16)
    figure = action_strip(pictures, actions, NAMES, rate_hz=25)
    rolls = [roll for _, roll in lines(figure)]
    assert rolls[-1].get_xlabel() == "rows of 40 ms after the picture"
    assert rolls[0].get_xlim() == (0, 16)


def test_too_many_buttons_are_counted_and_not_drawn():
    names = [f"unused_{k}" for k in range(2)] + [f"Digit{k}" for k in range(10)] + ["KeyA", "KeyB"]
    actions = np.ones((1, 4, len(names)))
    actions[0, :3, names.index("KeyA")] = 0
    ((_, roll),) = lines(action_strip(np.zeros((1, 8, 8, 3), np.uint8), actions, names))
    assert len(bars(roll)) == MOST_BUTTONS
    assert "KeyA" not in [t.get_text() for t in roll.get_yticklabels()]
    assert "2 more buttons" in [t.get_text() for t in roll.texts]


def test_it_is_a_picture_as_wide_as_the_page_with_words_for_who_does_not_see_it():
    pictures, actions = samples()
    actions[0, 0, 5] = 1
    png, size = action_strip(pictures, actions, NAMES, captions=["a", "b"])._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert size["width"] == 900
    assert "a: lmb within 4 rows; b: no button" in size["alt"]


@pytest.mark.parametrize(
    ("pictures", "actions", "captions", "said"),
    [
        (np.zeros((1, 8, 8, 3), np.uint8), np.zeros((2, 4, 6)), (), "1 pictures"),
        (np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 4, 6)), ("a",), "1 captions"),
        (np.zeros((2, 8, 8), np.uint8), np.zeros((2, 4, 6)), (), "(2, 8, 8)"),
        (np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 4, 5)), (), "6 names"),
        (np.zeros((0, 8, 8, 3), np.uint8), np.zeros((0, 4, 6)), (), "at least one row"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_a_sentence(pictures, actions, captions, said):
    with pytest.raises(BadInputError) as caught:
        action_strip(pictures, actions, NAMES, captions=captions)
    assert said in str(caught.value)
