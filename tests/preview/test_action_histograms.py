"""Histograms of actions: what the squares and bars say, whichever way a layout has up, from rows made by hand."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection, QuadMesh

from rushes.errors import BadInputError
from rushes.model.layouts import layout
from rushes.preview.action_columns import columns_of
from rushes.preview.action_histograms import action_histograms, presses

CAPTURE20 = [
    *("lx", "ly", "rx", "ry", "space", "ctrl", "shift", "e", "lmb", "rmb"),
    *("q", "r", "f", "g", "c", "v", "1", "2", "3", "4"),
]


def panels(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_title(loc="left")}


def bars(axes):
    labels = [t.get_text() for t in axes.get_yticklabels()]
    return dict(zip(labels, [bar.get_width() for bar in axes.patches], strict=True))


def texts(figure):
    return " ".join(t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")))


def dots(axes):
    (found,) = [c for c in axes.collections if isinstance(c, PathCollection)]
    shares = [t.get_text() for t in axes.texts]
    return {tuple(map(float, xy)): share for xy, share in zip(found.get_offsets(), shares, strict=True)}


def cell(axes, x, y):
    """Rows that the density shows at a place, None where it is white."""
    (mesh,) = [c for c in axes.collections if isinstance(c, QuadMesh)]
    grid = np.asarray(mesh.get_coordinates())
    column = int(np.searchsorted(grid[0, :, 0], x)) - 1
    row = int(np.searchsorted(grid[:, 0, 1], y)) - 1
    value = mesh.get_array()[row, column]
    return None if value is np.ma.masked else int(value)


def rows20(count):
    return np.zeros((count, 20), np.float32)


def test_a_bar_is_the_share_of_rows_and_beside_it_stand_the_presses():
    rows = rows20(10)
    rows[2:5, CAPTURE20.index("space")] = 1
    rows[7, CAPTURE20.index("space")] = 1
    rows[:, CAPTURE20.index("1")] = 1
    figure = action_histograms(rows, CAPTURE20)
    buttons = panels(figure)["Buttons"]
    assert bars(buttons) == {"1": pytest.approx(100), "space": pytest.approx(40)}
    assert [t.get_text() for t in buttons.texts] == ["1", "2", "presses"]
    assert "n = 10 rows" in texts(figure)
    assert "Never held: ctrl, shift, e, lmb, rmb, q, r, f, g, c, v, 2, 3, 4" in texts(figure)


def test_nine_places_of_two_pairs_of_keys_are_named_with_their_shares():
    rows = rows20(8)
    rows[:2, 0] = -1
    rows[2, 1] = 1
    left = panels(action_histograms(rows, CAPTURE20))["Left stick"]
    assert dots(left) == {(-1.0, 0.0): "25.0 %", (0.0, 0.0): "62.5 %", (0.0, 1.0): "12.5 %"}
    assert "rest 62.5 %, full 37.5 % of rows" in left.get_xlabel()


def test_up_is_up_on_the_picture_whichever_sign_the_layout_gives_it():
    capture = panels(action_histograms(rows20(4), CAPTURE20))["Left stick"]
    assert "up +1" in capture.get_ylabel()
    assert capture.get_ylim()[0] < capture.get_ylim()[1]
    names = [s.name for s in layout("nitrogen25").slots]
    release = panels(action_histograms(np.zeros((4, 25)), names))["Left stick"]
    assert "J_LEFT_Y: up -1" in release.get_ylabel()
    assert release.get_ylim()[0] > release.get_ylim()[1], "the axis is turned over, so that -1 stands above"


def test_a_stick_with_many_places_is_a_density_from_minus_one_to_one():
    rows = rows20(100)
    rows[:, 2] = np.linspace(-1, 1, 100)
    rows[:40, 2] = 0.5
    rows[:40, 3] = -1
    right = panels(action_histograms(rows, CAPTURE20))["Right stick"]
    assert cell(right, 0.5, -1) == 40
    assert cell(right, -0.5, 0.5) is None
    assert right.get_xlim() == pytest.approx((-1.025, 1.025))
    assert "rows in a cell" in texts(right.figure)


def test_motion_beside_keys_has_a_square_of_its_own_in_its_unit():
    names = [s.name for s in layout("capture28").slots]
    motion = np.zeros((50, 2))
    motion[:10] = (40, -15)
    figure = action_histograms(np.zeros((50, 28), np.int8), names, motion=motion, unit="px")
    mouse = panels(figure)["Mouse"]
    assert cell(mouse, 40, -15) == 10
    assert cell(mouse, 0, 0) == 40
    assert "px a row, right +" in mouse.get_xlabel()
    assert "down +" in mouse.get_ylabel()
    assert mouse.get_ylim()[0] > mouse.get_ylim()[1], "up on the picture is up"
    assert "no button was held" in texts(figure)


def test_a_press_does_not_go_on_behind_the_edge_of_a_segment():
    held = np.ones((4, 1))
    assert presses(held).tolist() == [1]
    assert presses(held, segment=[0, 0, 3, 3]).tolist() == [2]
    assert presses([[1.0], [0.4], [0.5], [1.0]]).tolist() == [2]
    assert "in 2 segments" in texts(action_histograms(rows20(4), CAPTURE20, segment=[0, 0, 3, 3]))


@pytest.mark.parametrize("name", ["capture20", "capture25", "capture28", "capture85", "nitrogen21", "nitrogen25"])
def test_every_layout_can_be_shown(name):
    names = [s.name for s in layout(name).slots]
    rng = np.random.default_rng(0)
    png, size = action_histograms((rng.random((300, len(names))) > 0.7).astype(float), names)._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert size["width"] == 900
    assert "held" in size["alt"]


def test_the_columns_of_a_layout_fall_into_sticks_and_buttons():
    found = columns_of(CAPTURE20)
    assert [(s.title, s.x, s.y, s.up) for s in found.sticks] == [
        ("Left stick", "lx", "ly", 1), ("Right stick", "rx", "ry", 1),
    ]  # fmt: skip
    assert found.buttons == tuple(CAPTURE20[4:])
    assert columns_of(["MouseDX", "MouseDY"]).sticks[0].limit == 0
    assert columns_of(["lx", "a"]).buttons == ("lx", "a"), "half a stick is none"


@pytest.mark.parametrize(
    ("values", "names", "given", "said"),
    [
        (np.zeros((3, 4)), ["a", "b"], {}, "2 names"),
        (np.zeros((0, 2)), ["a", "b"], {}, "at least one row"),
        (np.array([[0.0, np.nan]]), ["a", "b"], {}, "(0, 1)"),
        (np.zeros((3, 2)), ["a", "a"], {}, "a twice"),
        (np.zeros((3, 2)), ["a", "b"], {"motion": np.zeros((2, 2))}, "2 motions for 3 rows"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(values, names, given, said):
    with pytest.raises(BadInputError) as caught:
        action_histograms(values, names, **given)
    assert said in str(caught.value)
