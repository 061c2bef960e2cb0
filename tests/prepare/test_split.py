"""A split parts whole groups, near the shares asked for, and nothing that is alike stands on both sides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.prepare.placing import place
from rushes.prepare.split import parts_of, split, splits
from rushes.store.splits import Splits, read_splits, write_splits

SPACE = ActionSpace.from_names(["Space"])
STEP = 100_000_000


def row(name, frame, *, session="s", kind="positive", **other):
    label = 1.0 if kind == "positive" else 0.0
    return {
        "sample_id": name, "session": session, "frame_index": frame, "t_ns": frame * STEP, "control": "Space",
        "label": label, "keys": [label], "kind": kind, "reason": "" if label else "no press",
    } | other  # fmt: skip


def table(*rows):
    return Samples(samples_frame(rows), SPACE)


def session(name, positives, negatives, **other):
    return [row(f"{name}p{k}", k, session=name, **other) for k in range(positives)] + [
        row(f"{name}n{k}", 500 + k, session=name, kind="uniform", **other) for k in range(negatives)
    ]


def parts_by(samples, column="session"):
    found = samples.rows.groupby(column)["split"].agg(set).to_dict()
    assert all(len(parts) == 1 for parts in found.values()), "no group stands in two parts"
    return {name: parts.pop() for name, parts in found.items()}


def test_sessions_come_whole_into_a_part_and_the_group_says_which():
    samples = table(*(r for name in "abcdefghij" for r in session(name, 5, 5)))
    found = split(samples)
    assert sorted(parts_by(found).values()) == ["test", "train", "train", "train", "train", "train", "train", "train",
                                                "train", "val"]  # fmt: skip
    assert found.rows["group"].tolist() == found.rows["session"].tolist()
    assert found.steps[-1].parameters["sizes"] == {
        "train": {"rows": 80, "positives": 40},
        "val": {"rows": 10, "positives": 5},
        "test": {"rows": 10, "positives": 5},
    }
    assert found.steps[-1].ledger["samples"].lost == {}
    found.validate()


def test_parts_come_near_their_shares_of_rows_when_sessions_are_unequal():
    sizes = {"a": 40, "b": 20, "c": 10, "d": 10, "e": 10, "f": 5, "g": 5}
    found = split(table(*(r for name, n in sizes.items() for r in session(name, n, 2 * n))), parts="train=6,test=4")
    assert found.count("split") == {"test": 120, "train": 180}


def test_every_part_has_positives_where_there_are_groups_enough():
    rows = [r for name in "abc" for r in session(name, 1, 50)] + [r for name in "defgh" for r in session(name, 0, 50)]
    for seed in range(5):
        sizes = split(table(*rows), seed=seed).steps[-1].parameters["sizes"]
        assert [part["positives"] for part in sizes.values()] == [1, 1, 1]


def test_no_part_is_empty_even_where_positives_are_too_few():
    rows = session("a", 3, 5) + [r for name in "bcd" for r in session(name, 0, 5)]
    sizes = split(table(*rows)).steps[-1].parameters["sizes"]
    assert all(part["rows"] for part in sizes.values())


def test_the_same_seed_splits_alike_whatever_the_order_of_the_rows():
    rows = [r for number, name in enumerate("abcdefgh") for r in session(name, 3 + number, 5)]
    one, other = split(table(*rows), seed=1), split(table(*rows[::-1]), seed=1)
    assert parts_by(one) == parts_by(other)
    assert len({tuple(sorted(parts_by(split(table(*rows), seed=k)).items())) for k in range(6)}) > 1


def test_fewer_groups_than_parts_are_refused_with_the_way_out():
    with pytest.raises(BadInputError, match=r"2 groups \(by=session\) for 3 parts.*by=time"):
        split(table(*session("a", 2, 2), *session("b", 2, 2)))
    with pytest.raises(BadInputError, match="a shorter block_s"):
        split(table(*session("a", 2, 0)), by="time")


def test_segments_and_groups_may_part_a_session():
    rows = [row(f"{k}", k, segment=k // 2, group=f"g{k % 3}") for k in range(6)]
    by_segment = split(table(*rows), by="segment", parts="a=1,b=1,c=1")
    assert parts_by(by_segment, "segment").keys() == {0, 1, 2}
    assert set(by_segment.rows["group"]) == {"s/0", "s/1", "s/2"}
    by_group = split(table(*rows), by="group", parts="a=1,b=1,c=1")
    assert set(parts_by(by_group, "group").values()) == {"a", "b", "c"}
    with pytest.raises(BadDataError, match="6 rows without a group"):
        split(table(*(r | {"group": ""} for r in rows)), by="group")


def test_blocks_of_time_stand_apart_by_the_gap():
    rows = [row(f"{k}", k, kind="positive" if k % 5 == 0 else "uniform") for k in range(600)]  # a minute at 10 Hz
    found = split(table(*rows), by="time", block_s=5, gap_s=1, parts="train=2,test=1")
    assert set(found.rows["group"]) <= {f"s/{k}" for k in range(12)}
    assert parts_by(found, "group")
    frame, part = found.rows["frame_index"].to_numpy(), found.rows["split"].to_numpy(object)
    change = np.flatnonzero(part[1:] != part[:-1])
    assert len(change) > 0
    assert ((frame[change + 1] - frame[change]) * 0.1 >= 1 - 1e-9).all(), "rows of two parts are a second apart"
    # half a second is taken on each side of a border between two parts: 5 rows before, 5 behind it
    lost = found.steps[-1].ledger["samples"].lost["gap_at_border"]
    assert lost == 600 - len(found)
    assert lost == pytest.approx(10 * len(change), abs=len(change))


def test_blocks_of_one_part_have_no_gap_between_them():
    rows = [row(f"{k}", k) for k in range(100)]
    like = Splits({"s/0": "train", "s/1": "train"}, {"by": "time", "block_s": 5.0})
    assert len(split(table(*rows), by="time", block_s=5, gap_s=2, like=like)) == 100


def test_a_window_or_an_action_that_reaches_across_a_border_is_left_out():
    like = Splits({"s/0": "train", "s/1": "test"}, {"by": "time", "block_s": 5.0})
    rows = [row(f"{k}", k, action_t_ns=(k + 9) * STEP, length=10) for k in range(90)]  # a window of 0.9 s
    found = split(table(*rows), by="time", block_s=5, gap_s=0, parts="train=1,test=1", like=like)
    assert found.rows["frame_index"].tolist() == [*range(41), *range(50, 90)]
    far = [row(f"{k}", k, action_t_ns=(k + 20) * STEP, kind="shifted") for k in range(100)]
    found = split(table(*far), by="time", block_s=5, gap_s=0, parts="train=1,test=1", like=like)
    assert found.rows["frame_index"].tolist() == [*range(30), *range(50, 100)]
    foreign = [row(f"{k}", k, action_session="t", action_t_ns=0, kind="cross_session") for k in range(100)]
    assert len(split(table(*foreign), by="time", block_s=5, gap_s=0, parts="train=1,test=1", like=like)) == 100


def test_children_come_where_their_parents_are():
    rows = [row(f"{k}", k, session="abcdef"[k % 6]) for k in range(60)]
    rows += [row(f"{k}+1", k, session="abcdef"[k % 6], parent=f"{k}") for k in range(60)]
    found = split(table(*rows), parts="train=1,test=1")
    part = dict(zip(found.rows["sample_id"], found.rows["split"], strict=True))
    assert all(part[f"{k}"] == part[f"{k}+1"] for k in range(60))
    found.validate()


def test_by_time_a_child_is_left_out_with_its_parent_and_never_parted_from_it():
    like = Splits({"s/0": "train", "s/1": "test"}, {"by": "time", "block_s": 5.0})
    rows = [row("a", 50), row("a+1", 44, parent="a", length=7), row("b", 60), row("b+1", 60, parent="b"), row("c", 49),
            row("c+1", 45, parent="c")]  # fmt: skip
    found = split(table(*rows), by="time", block_s=5, gap_s=0.4, parts="train=1,test=1", like=like)
    assert found.rows["sample_id"].tolist() == ["b", "b+1"]
    with pytest.raises(BadInputError, match=r"1 rows made from others that are not in the table \(of 'gone' first\)"):
        split(table(row("x", 1, parent="gone")), by="time", like=like, block_s=5, parts="train=1,test=1")


def test_a_later_table_of_the_same_groups_is_split_alike(tmp_path):
    first = split(table(*(r for name in "abcdef" for r in session(name, 3, 3))), seed=2)
    write_splits(splits(first), tmp_path / "x.splits.parquet")
    later = table(*(r for name in "fedcbagh" for r in session(name, 9, 1)))
    found = split(later, like=tmp_path / "x.splits.parquet", seed=5)
    known = parts_by(first)
    assert {name: part for name, part in parts_by(found).items() if name in known} == known
    assert found.steps[-1].parameters["new_groups"] == ["g", "h"]
    assert read_splits(tmp_path / "x.splits.parquet") == Splits(known, {"by": "session"})


def test_one_known_group_may_stand_alone():
    found = split(table(*session("a", 2, 2)), like=Splits({"a": "val"}, {"by": "session"}))
    assert parts_by(found) == {"a": "val"}


@pytest.mark.parametrize(
    "like",
    [
        Splits({"s/0": "train"}, {"by": "segment"}),
        Splits({"s": "holdout"}, {"by": "session"}),
        Splits({"s": "train"}),
    ],
)
def test_splits_of_other_groups_or_parts_are_refused(like):
    with pytest.raises(BadDataError, match="splits made by"):
        split(table(*(r for name in "abc" for r in session(name, 2, 2))), like=like)


def test_a_table_that_was_split_can_be_split_anew():
    samples = split(table(*(r for name in "abcdef" for r in session(name, 3, 3))))
    again = split(samples, parts="train=1,test=1")
    assert set(again.rows["split"]) == {"train", "test"}
    assert splits(again).made == {"by": "session"}


def test_an_empty_table_stays_empty_and_has_no_splits():
    found = split(table())
    assert len(found) == 0
    found.validate()
    with pytest.raises(BadInputError, match="samples without a row"):
        splits(found)
    with pytest.raises(BadInputError, match="samples without a split"):
        splits(table(*session("a", 1, 1)))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"by": "day"}, "by='day'"),
        ({"by": "time", "block_s": 2, "gap_s": 2}, "gap_s=2"),
        ({"by": "time", "block_s": float("inf")}, "block_s=inf"),
        ({"parts": "train"}, "parts='train'"),
        ({"parts": "train=1"}, "parts='train=1'"),
        ({"parts": "train=1,train=2"}, "parts="),
        ({"parts": "train=1,test=0"}, "parts="),
        ({"parts": "train=1,test=half"}, "parts="),
        ({"parts": {"train": 1}}, "parts="),
    ],
)
def test_what_means_nothing_is_refused(options, match):
    with pytest.raises(BadInputError, match=match):
        split(table(*session("a", 2, 2)), **options)


def test_shares_are_numbers_of_any_sum():
    assert parts_of("train=8,val=1,test=1") == {"train": 0.8, "val": 0.1, "test": 0.1}
    assert parts_of({"a": 1, "b": 3}) == {"a": 0.25, "b": 0.75}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), min_size=3, max_size=12),
    st.lists(st.integers(1, 8), min_size=2, max_size=3),
    st.randoms(use_true_random=False),
)
def test_groups_placed_miss_a_share_by_no_more_than_the_biggest_group(sizes, weights, random):
    size = np.array(sizes, np.int64)
    shares = np.array(weights) / sum(weights)
    order = list(range(len(sizes)))
    random.shuffle(order)
    part = place(size, shares, np.array(order), np.full(len(sizes), -1))
    assert set(part.tolist()) == set(range(len(weights))), "no part is empty"
    able = (size[:, 0] > 0).sum()
    if able >= len(weights):
        assert all(size[part == p, 0].sum() > 0 for p in range(len(weights)))
    # a part that misses its share by more than a group could give one of its own away
    total = np.maximum(size.sum(axis=0), 1)
    have = np.array([(size[part == p] / total).sum() / 2 for p in range(len(weights))])
    biggest = (size / total).sum(axis=1).max() / 2
    forced = biggest * len(weights)
    assert np.abs(have - shares * np.minimum(size.sum(axis=0), 1).mean()).max() <= forced + 1e-9
