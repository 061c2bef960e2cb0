"""Samples: the table that training reads, and what may stand in it."""

import doctest

import numpy as np
import pytest

from rushes.errors import BadDataError
from rushes.model import samples as module
from rushes.model.actions import ActionSpace
from rushes.model.samples import COLUMNS, SampleKind, inherit, samples_columns, samples_frame, validate_samples

SPACE = ActionSpace.from_names(["Space", "KeyW"])


def row(sample_id, **columns):
    plain = {
        "sample_id": sample_id, "session": "s1", "frame_index": 30, "t_ns": 1_000_000_000, "control": "Space",
        "label": 1.0, "keys": [1.0, 0.0], "hold_s": 0.294, "group": "s1", "split": "train",
    }  # fmt: skip
    return plain | columns


def negative(sample_id, **columns):
    return row(
        sample_id,
        **({"kind": "uniform", "label": 0.0, "reason": "12 frames from the nearest press"} | columns),
    )


def test_the_columns_are_those_of_the_design_in_order():
    frame = samples_frame([row("a")])
    assert list(frame.columns) == [
        *(
            "sample_id",
            "session",
            "segment",
            "frame_index",
            "t_ns",
            "length",
            "action_session",
            "action_t_ns",
        ),
        *("control", "label", "keys", "hold_s", "phase", "kind", "reason", "parent", "transform"),
        *("group", "split", "weight"),
    ]
    assert frame["label"].dtype == frame["weight"].dtype == np.float32
    assert frame["t_ns"].dtype == frame["action_t_ns"].dtype == np.int64
    assert frame.loc[0, "keys"].dtype == np.float32


def test_the_kinds_are_those_of_the_design():
    assert set(SampleKind) == {
        *("positive", "uniform", "idle", "near_miss", "hard", "shifted", "swapped", "cross_session"),
        "during_hold",
    }


def test_an_action_stands_at_its_own_row_unless_it_is_said_otherwise():
    frame = samples_frame([row("a"), negative("b", kind="cross_session", action_session="s2", action_t_ns=5)])
    assert frame["action_session"].tolist() == ["s1", "s2"]
    assert frame["action_t_ns"].tolist() == [1_000_000_000, 5]
    validate_samples(frame, SPACE)


def test_an_empty_table_is_valid_and_has_the_same_types():
    empty = samples_frame()
    validate_samples(empty, SPACE)
    assert empty.dtypes.to_dict() == samples_frame([row("a")]).dtypes.to_dict()


def test_an_open_hold_is_no_fault():
    validate_samples(samples_frame([row("a", hold_s=np.nan)]), SPACE)


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        ({"sample_id": "a"}, "sample_id"),
        ({"sample_id": ""}, "sample_id"),
        ({"session": ""}, "session"),
        ({"label": np.nan}, "label"),
        ({"label": 1.5}, "label"),
        ({"label": 0.0}, "label"),
        ({"hold_s": -0.1}, "hold_s"),
        ({"hold_s": np.inf}, "hold_s"),
        ({"weight": np.nan}, "weight"),
        ({"weight": -1.0}, "weight"),
        ({"length": 0}, "length"),
        ({"frame_index": -1}, "frame_index"),
        ({"kind": "negative"}, "kind"),
        ({"kind": "idle", "label": 0.0}, "reason"),
        ({"keys": [1.0]}, "keys"),
        ({"keys": [1.0, np.nan]}, "keys"),
        ({"transform": "{flip"}, "transform"),
        ({"split": "test"}, "split"),
        ({"parent": "a", "group": "s2"}, "group"),
        ({"parent": "a", "group": "", "split": "test"}, "group"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_number(bad, column):
    frame = samples_frame([row("a"), row("b"), row("c") | bad])
    with pytest.raises(BadDataError, match=r"row 2\b") as caught:
        validate_samples(frame, SPACE)
    assert column in caught.value.given
    assert caught.value.accepts
    assert caught.value.fix


def test_a_child_outside_its_parents_split_is_refused_even_without_groups():
    frame = samples_frame([row("a", group=""), row("b", group="", split="test", parent="a")])
    with pytest.raises(BadDataError, match=r"row 1: split"):
        validate_samples(frame, SPACE)


def test_rows_without_a_group_may_stand_in_different_splits():
    validate_samples(samples_frame([row("a", group="", split="val"), row("b", group="", split="train")]), SPACE)


def test_texts_that_are_null_are_refused():
    frame = samples_frame([row("a"), row("b")])
    frame.loc[1, "reason"] = None
    with pytest.raises(BadDataError, match="row 1: reason"):
        validate_samples(frame, SPACE)


def test_keys_that_are_no_numbers_are_refused():
    frame = samples_frame([row("a")])
    frame["keys"] = [["up", "down"]]
    with pytest.raises(BadDataError, match="row 0: keys"):
        validate_samples(frame, SPACE)


def test_many_bad_rows_are_counted():
    frame = samples_frame([row(name, label=2.0) for name in "abc"])
    with pytest.raises(BadDataError, match=r"row 0.*2 more rows"):
        validate_samples(frame, SPACE)


def test_missing_columns_and_other_types_are_refused():
    frame = samples_frame([row("a")])
    with pytest.raises(BadDataError, match="columns"):
        validate_samples(frame.drop(columns="weight"), SPACE)
    with pytest.raises(BadDataError, match="label"):
        validate_samples(frame.astype({"label": "float64"}), SPACE)


def test_a_row_that_lacks_a_column_or_has_an_unknown_one_is_refused_with_its_number():
    with pytest.raises(BadDataError, match=r"row 1.*\(label\)"):
        samples_frame([row("a"), {k: v for k, v in row("b").items() if k != "label"}])
    with pytest.raises(BadDataError, match=r"row 0.*\(colour\)"):
        samples_frame([row("a", colour="red")])


def test_children_inherit_group_and_split_through_any_number_of_parents_in_any_order():
    frame = samples_frame(
        [
            row("d", parent="c", group="", split=""),
            row("c", parent="b", group="x", split="test"),
            row("a", group="s1", split="val"),
            row("b", parent="a", group="", split=""),
            row("e", parent="gone", group="s9", split="train"),
        ]
    )
    found = inherit(frame)
    assert found["group"].tolist() == ["s1", "s1", "s1", "s1", "s9"]
    assert found["split"].tolist() == ["val", "val", "val", "val", "train"]
    assert frame["split"].tolist() == ["", "test", "val", "", "train"]  # the table given stays as it was
    validate_samples(found, SPACE)


def test_parents_that_lead_in_a_circle_are_refused():
    with pytest.raises(BadDataError, match="beginning"):
        inherit(samples_frame([row("a", parent="b"), row("b", parent="a")]))


def test_a_table_of_twenty_thousand_rows_is_checked_quickly():
    frame = samples_frame([row(f"{k}", parent=f"{k - 1}" if k % 3 else "") for k in range(20_000)])
    validate_samples(inherit(frame), SPACE)


def test_the_example_in_the_manual_runs():
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_whole_columns_make_the_same_table_as_rows():
    rows = [row("a"), negative("b", kind="cross_session", action_session="s2", action_t_ns=5), row("c", length=3)]
    wanted = samples_frame(rows)
    columns = {name: wanted[name].to_numpy() for name in COLUMNS} | {"keys": np.stack(list(wanted["keys"]))}
    found = samples_columns(3, columns)
    assert found.drop(columns="keys").equals(wanted.drop(columns="keys"))
    assert [v.tolist() for v in found["keys"]] == [v.tolist() for v in wanted["keys"]]
    validate_samples(found, SPACE)


def test_one_value_stands_for_all_rows_and_defaults_for_the_rest():
    given = {"sample_id": ["a", "b"], "session": "s", "frame_index": [3, 4], "t_ns": [7, 8], "control": "Space"}
    found = samples_columns(2, given | {"label": 1.0, "keys": [[1.0], [0.0]]})
    assert found["session"].tolist() == ["s", "s"]
    assert found["action_session"].tolist() == ["s", "s"]
    assert found["action_t_ns"].tolist() == [7, 8]
    assert found["kind"].unique().tolist() == ["positive"]
    assert found.dtypes.to_dict() == samples_frame().dtypes.to_dict()


@pytest.mark.parametrize("change", [{"extra": 1}, {"label": [1.0]}, {"keys": None}])
def test_columns_that_do_not_fit_are_refused(change):
    given = {"sample_id": ["a", "b"], "session": "s", "frame_index": [3, 4], "t_ns": [7, 8], "control": "Space"}
    given |= {"label": 1.0, "keys": [[1.0], [0.0]]}
    with pytest.raises(BadDataError, match=next(iter(change))):
        samples_columns(2, given | change)
