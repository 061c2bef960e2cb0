"""Sheets of samples: what stands where, said from rows and pictures that are planted here."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from rushes.errors import BadInputError, OccupiedError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import SampleKind, samples_frame
from rushes.preview.sample_augment import before_and_after, families
from rushes.preview.sample_grid import chosen_rows, sample_cell, sample_grid
from rushes.preview.sample_sheet import PAGE_PX, Cell, Line, Row, paint, shown
from rushes.preview.sample_words import action_of, hold_words, place_words, transform_names, transform_words
from rushes.preview.style import GREEN, ORANGE

SPACE = ActionSpace.from_names(["Space", "KeyA", "KeyD", "MouseDX", "MouseDY"])
COLOURS = {"p1": (10, 200, 30), "p2": (20, 30, 220), "n1": (240, 10, 10), "n2": (250, 250, 0), "p1+1": (0, 250, 250)}


def row(name, frame, *, kind="positive", control="Space", parent="", transform="", session="s", **more):
    positive = kind == "positive"
    return {
        "sample_id": name, "session": session, "frame_index": frame, "t_ns": frame * 100, "control": control,
        "label": float(positive), "keys": [1.0, 0.0, 0.0, -12.0, 5.0], "kind": kind, "parent": parent,
        "hold_s": 0.25 if positive else np.nan, "transform": transform, "group": "s",
        "reason": "" if positive else f"{kind}: 3 frames (100 ms) after the nearest press of {control}; {control} up",
    } | more  # fmt: skip


def samples(*rows):
    return Samples(samples_frame(rows), SPACE)


@dataclass
class Load:
    """Gives each sample a picture of its own colour, and remembers what was asked for."""

    asked: list

    def __call__(self, some):
        self.asked.append(some.rows["sample_id"].tolist())
        pictures = np.zeros((len(some), 2, 40, 40, 3), np.uint8)
        for k, name in enumerate(some.rows["sample_id"]):
            pictures[k, 0], pictures[k, 1] = 77, COLOURS[name]
        return pictures


@pytest.fixture
def load():
    return Load([])


def has(sheet, colour):
    return (np.abs(sheet.astype(int) - np.array(colour)).max(-1) <= 3).sum() > 1000


def has_frame(sheet, colour):
    wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return (sheet == np.array(wanted, np.uint8)).all(-1).sum() > 1500


def test_a_row_of_each_kind_with_a_positive_beside_each_negative(load):
    made = samples(row("p1", 10), row("p2", 90), row("n1", 80, kind="near_miss"), row("n2", 12, kind="hard"))
    sheet = sample_grid(made, load)
    assert load.asked == [["p1", "p2", "n1", "n2"]], "each picture is read once"
    for name in ("p1", "p2", "n1", "n2"):
        assert has(sheet, COLOURS[name])
    assert has_frame(sheet, GREEN)
    alone = sample_grid(samples(row("n1", 80, kind="near_miss")), load)
    assert not has_frame(alone, GREEN), "no positive, none beside"


def test_beside_a_shifted_negative_stands_the_positive_whose_action_it_has(load):
    far, near = row("p1", 10, action_t_ns=5), row("p2", 79, action_t_ns=6)
    owned = row("n1", 80, kind="shifted", action_session="s", action_t_ns=5)
    sample_grid(samples(far, near, owned), load, columns=2)
    rows = sample_grid(samples(far, owned), load, columns=2)
    assert has(rows, COLOURS["p1"])
    with_both = sample_grid(samples(far, near, owned), load, columns=2)
    below = with_both[with_both.shape[0] * 2 // 3 :]
    assert not has(below, COLOURS["p2"]), "the nearest one is not its owner"


def test_copies_are_no_row_of_the_grid_and_an_empty_set_is_refused(load):
    made = samples(row("p1", 10), row("p1+1", 10, parent="p1"))
    sample_grid(made, load)
    assert load.asked == [["p1"]]
    with pytest.raises(BadInputError, match="no samples"):
        sample_grid(samples(), load)
    with pytest.raises(BadInputError, match="columns=0"):
        sample_grid(made, load, columns=0)


def test_rows_are_chosen_over_controls_and_time():
    rows = [row(f"a{k}", k, control="KeyA") for k in range(9)] + [row("d", 50, control="KeyD")]
    assert chosen_rows(samples(*rows).rows, 4)["sample_id"].tolist() == ["a0", "a8", "d", "a4"], (
        "KeyA in turn again, from the middle of what is left"
    )
    assert len(chosen_rows(samples(*rows).rows, 10)) == 10
    assert chosen_rows(samples(*rows).rows, 1)["sample_id"].tolist() == ["a4"]


def test_what_is_said_under_a_sample():
    cell = sample_cell(row("n1", 7, kind="near_miss", length=4, phase="up"), np.zeros((8, 8, 3), np.uint8), samples())
    said = [line.text for line in cell.lines]
    assert said == [
        "Space, label 0", "keys: Space", "mouse left 12, down 5",
        "3 frames (100 ms) after the nearest press of Space; Space up", "s, frames 7-10",
    ]  # fmt: skip
    assert cell.arrow == (-0.3, 0.125)
    assert cell.frame == ""


def test_an_augmentation_stands_with_its_original_and_one_that_was_refused_with_its_reason(load):
    flip = json.dumps([{"name": "flip"}])
    made = samples(row("p1", 10), row("p1+1", 10, parent="p1", transform=flip), row("p2", 40))
    sheet = before_and_after({"flip": made, "stretch": "Refused: single frames"}, load, notes={"flip": "mirrored"})
    assert load.asked == [["p1", "p1+1"]], "an original without a copy is not shown"
    assert has(sheet, COLOURS["p1"])
    assert has(sheet, COLOURS["p1+1"])
    assert has_frame(sheet, ORANGE)
    first = before_and_after({"flip": made}, load, first=("flip",))
    assert not has(first, COLOURS["p1"])
    assert has(first, (77, 77, 77))
    none = before_and_after({"flip": samples(row("p1", 10))}, load)
    assert none.shape[0] < sheet.shape[0]
    with pytest.raises(BadInputError, match="pairs=0"):
        before_and_after({"flip": made}, load, pairs=0)


def test_a_family_is_an_original_with_all_of_its_copies(load):
    copy = json.dumps([{"name": "shift", "dx": -5, "dy": 0}])
    made = samples(row("p1", 10), row("p2", 40), row("p1+1", 10, parent="p1", transform=copy))
    sheet = families(made, load)
    assert load.asked == [["p1", "p1+1"]]
    assert has(sheet, COLOURS["p1+1"])
    with pytest.raises(BadInputError, match="without copies"):
        families(samples(row("p1", 10)), load)


def test_actions_in_words():
    assert action_of([1, 0, 1, 0, 0], SPACE).keys == "Space + KeyD"
    assert action_of([0, 0, 0, 0, 0], SPACE) == type(action_of([0, 0, 0, 0, 0], SPACE))("nothing", "", (0.0, 0.0))
    assert action_of([0, 0, 0, 400, -1], SPACE).arrow == (1.0, -0.025)
    pad = ActionSpace.from_names(["SOUTH", "J_LEFT_X", "J_LEFT_Y"])
    assert action_of([0, 0.5, -1], pad).motion == "left stick right 0.5, up 1"
    assert action_of([0, 0.5, -1], pad).arrow == (0.5, -1.0)
    buttons = ActionSpace.from_names(["ALE/FIRE", "ALE/UP"])
    assert action_of([1, 1], buttons).keys == "ALE/FIRE + ALE/UP"
    assert action_of([1, 1], buttons).arrow is None
    assert action_of([0.5, -1.25], ActionSpace.box([-2, -2], [2, 2])).keys == "0: 0.5, 1: -1.25"


def test_holds_frames_and_transforms_in_words():
    assert hold_words({"hold_s": 0.2941, "phase": "press"}) == "held 0.294 s"
    assert hold_words({"hold_s": np.nan, "phase": "open"}) == "left open"
    assert hold_words({"hold_s": np.nan, "phase": "up"}) == ""
    assert place_words({"frame_index": 7, "length": 1}) == "frame 7"
    two = json.dumps([{"name": "brightness", "factor": 1.2345}, {"name": "shift", "dx": -5, "dy": 0}])
    assert transform_words(two) == ("brightness: factor 1.23", "shift: dx -5 px, dy 0 px")
    assert transform_words(json.dumps([{"name": "mask", "boxes": [[0, 0, 1, 0.1]]}])) == ("mask: boxes 0 0 1 0.1",)
    assert transform_names(two) == ("brightness", "shift")
    assert transform_words("") == transform_names("") == ()


def test_words_stay_within_their_cell_and_a_sheet_within_its_page():
    grey = np.full((50, 50, 3), 128, np.uint8)
    long = Line("a-word-that-is-much-longer-than-a-picture-is-wide " * 12, colour="#ff00ff")
    sheet = paint(
        "head", "rest", [Row("a long title of a row", ("a note",), tuple(Cell(grey, (long,)) for _ in "abc"))]
    )
    assert sheet.shape[1] <= PAGE_PX
    columns = np.flatnonzero((sheet == (255, 0, 255)).all(-1).any(0))
    gaps = np.diff(columns)
    assert len(gaps[gaps > 10]) >= 2, "three texts beside each other"
    assert columns.max() < sheet.shape[1]
    six = paint("head", "rest", [Row("six", (), tuple(Cell(grey) for _ in range(6)))])
    assert PAGE_PX - 40 <= six.shape[1] <= PAGE_PX
    assert shown(six, alt="x")._repr_png_()[1]["width"] <= 980


def test_a_sheet_is_written_once_and_refuses_what_is_no_picture(tmp_path):
    row_ = Row("one", (), (Cell(np.zeros((9, 9, 3), np.uint8)),))
    paint("head", "", [row_], tmp_path / "s.png")
    with pytest.raises(OccupiedError):
        paint("head", "", [row_], tmp_path / "s.png")
    with pytest.raises(BadInputError, match="without rows"):
        paint("head", "", [])
    with pytest.raises(BadInputError, match=r"\(9, 9\)"):
        paint("head", "", [Row("one", (), (Cell(np.zeros((9, 9), np.uint8)),))])


def test_every_kind_is_explained():
    from rushes.preview.sample_grid import WHAT

    assert set(WHAT) == set(SampleKind)
