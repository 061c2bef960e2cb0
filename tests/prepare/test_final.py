"""Final joins any number of sets: nothing is lost, the order is drawn, weights stand in the ratio asked for."""

import pytest

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.prepare.final import final

SPACE = ActionSpace.from_names(["Space"])


def table(name, count, **other):
    row = {"session": name, "t_ns": 0, "control": "Space", "label": 1.0, "keys": [1.0], "group": name} | other
    return Samples(samples_frame(row | {"sample_id": f"{name}{k}", "frame_index": k} for k in range(count)), SPACE)


def test_all_rows_are_there_in_another_order():
    found = final([table("a", 30), table("b", 20), table("c", 1)])
    ids = found.rows["sample_id"].tolist()
    expected = [f"a{k}" for k in range(30)] + [f"b{k}" for k in range(20)] + ["c0"]
    assert sorted(ids) == sorted(expected)
    assert ids != expected
    assert {i[0] for i in ids[:20]} >= {"a", "b"}, "the sets are mixed"
    account = found.steps[-1].ledger["samples"]
    assert (account.offered, account.kept, account.lost) == (51, 51, {})
    assert found.rows["weight"].tolist() == [1.0] * 51
    found.validate()


def test_the_seed_decides_the_order():
    one, same, other = (final([table("a", 30)], seed=s).rows["sample_id"].tolist() for s in (42, 42, 7))
    assert one == same != other


def test_weights_set_the_ratio_of_the_sums_whatever_the_sizes():
    found = final([table("a", 10), table("b", 40), table("c", 50, weight=4.0)], weights=[1, 1, 2])
    sums = found.rows.groupby("session")["weight"].sum().to_dict()
    assert sums == pytest.approx({"a": 62.5, "b": 62.5, "c": 125.0}), "250 in all, as before"
    assert found.steps[-1].parameters["weights"] == [1.0, 1.0, 2.0]


def test_weights_within_a_set_keep_their_ratio():
    uneven = table("a", 2)
    uneven = Samples(uneven.rows.assign(weight=[1.0, 3.0]).astype({"weight": "float32"}), SPACE)
    found = final([uneven, table("b", 4)], weights=[3, 1]).rows.set_index("sample_id")["weight"]
    assert (found["a0"], found["a1"], found["b0"]) == pytest.approx((1.5, 4.5, 0.5))


def test_a_set_without_weight_cannot_be_weighed_and_takes_none_from_the_others():
    found = final([table("a", 4, weight=0.0), table("b", 4)], weights=[1, 1])
    assert found.rows.groupby("session")["weight"].sum().to_dict() == pytest.approx({"a": 0.0, "b": 4.0})


def test_a_sample_of_two_sets_is_taken_once_and_counted():
    found = final([table("a", 3), table("a", 5)])
    assert len(found) == 5
    assert found.steps[-1].ledger["samples"].lost == {"duplicate": 3}


def test_sets_that_were_split_against_each_other_are_refused():
    other = table("a", 3, split="test")
    other = Samples(other.rows.assign(sample_id=["x", "y", "z"]).astype({"sample_id": "str"}), SPACE)
    with pytest.raises(BadDataError, match="group 'a' for 'test' and 'train'"):
        final([table("a", 3, split="train"), other])


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, float("nan")], [1, float("inf")], [1, 1, 1]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(BadInputError, match="for 2 sets"):
        final([table("a", 1), table("b", 1)], weights=weights)


def test_a_seed_that_no_generator_takes_is_refused():
    with pytest.raises(BadInputError, match="seed=-3; accepted: a seed from 0 on"):
        final([table("a", 1)], seed=-3)


def test_no_set_is_refused_and_an_empty_one_is_fine():
    with pytest.raises(BadInputError, match="no set"):
        final([])
    assert len(final([table("a", 0)])) == 0
    assert len(final([table("a", 0), table("b", 2)], weights=[1, 1])) == 2
