"""In which order windows are trained on."""

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.loaders.batches import Batches
from rushes.loaders.order import Order
from rushes.loaders.parts import part_of
from rushes.store.splits import Splits, write_splits


def test_every_epoch_is_another_permutation_and_the_same_again_for_the_same_seed():
    first, again, other = Order(50, seed=1), Order(50, seed=1), Order(50, seed=2)
    epochs = [list(first), list(first)]
    assert [sorted(index for _, index in epoch) for epoch in epochs] == [list(range(50))] * 2
    assert {epoch for epoch, _ in epochs[1]} == {1}
    assert [i for _, i in epochs[0]] != [i for _, i in epochs[1]]
    assert list(again) == epochs[0] != list(other)
    again.set_epoch(1)
    assert list(again) == epochs[1]


@pytest.mark.parametrize("count", [0, 1, 5, 40, 1000])
def test_quasi_random_gives_each_once_neighbours_near_and_batches_from_many_places(count):
    order = Order(count, shuffle="quasi_random", seed=2)
    epochs = [order.indices(epoch).tolist() for epoch in (0, 1)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(count))] * 2
    if count < 1000:
        return
    assert epochs[0] != epochs[1]
    where = np.argsort(epochs[0])
    apart = np.abs(np.diff(where))
    assert np.mean(apart < 40) > 0.7, "three of four neighbours are decoded together"
    for at in range(0, 960, 8):
        batch = np.sort(epochs[0][at : at + 8])
        assert (np.diff(batch) > 1).sum() >= 6, "a batch comes from many places"


def test_batches_say_what_their_worker_is_asked_for_next():
    order = Order(23, seed=4)
    batches = list(Batches(order, size=3, workers=2, ahead=5))
    assert [index for batch in batches for _, index in batch] == order.indices(0).tolist()
    for number, batch in enumerate(batches):
        same = [n for n in range(number + 2, len(batches), 2) if 3 * n // 16 == 3 * number // 16]  # 2 x (3 + 5) windows
        following = [one for n in same for one in batches[n]]
        assert batch.ahead == (following[:5] if number > 1 else []), "somebody waits for the first batch of a worker"
    assert [len(batch) for batch in Batches(Order(23), size=3, drop_last=True)] == [3] * 7
    dropping = Batches(Order(10, seed=4), size=4, drop_last=True)
    assert [(len(epoch), epoch[0][0][0]) for epoch in (list(dropping) for _ in range(3))] == [(2, 0), (2, 1), (2, 2)]
    dropping.order.load_state_dict({"epoch": 0, "position": 8, "of": 10})
    assert [batch[0][0] for batch in dropping] == [1, 1], "the two that are left make no batch"
    left = Order(23, seed=4)
    left.load_state_dict({"epoch": 0, "position": 9, "of": 23})
    assert [list(batch) for batch in Batches(left, size=3)] == [list(batch) for batch in batches[3:]]


@pytest.mark.parametrize("even", [False, True])
def test_ranks_share_an_epoch_without_repetition(even):
    parts = [list(Order(11, seed=5, rank=rank, world=3, even=even)) for rank in range(3)]
    indices = [index for part in parts for _, index in part]
    assert len(set(indices)) == len(indices) == (9 if even else 11)
    assert [len(part) for part in parts] == ([3, 3, 3] if even else [4, 4, 3])
    assert [len(Order(11, rank=rank, world=3, even=even)) for rank in range(3)] == [len(part) for part in parts]


@pytest.mark.parametrize("make", [iter, lambda order: iter(Batches(order, size=3))])
def test_an_epoch_that_was_broken_off_is_followed_by_the_whole_next_one(make):
    order = Order(20, seed=9)
    going = make(order)
    assert [next(going), next(going)]
    assert list(order) == [(1, index) for index in Order(20, seed=9).indices(1).tolist()]


@pytest.mark.parametrize("stop", [0, 1, 17])
def test_an_epoch_goes_on_where_it_was_left(stop):
    whole = list(Order(20, seed=9))
    left = Order(20, seed=9)
    going = iter(left)
    begun = [next(going) for _ in range(stop)]
    resumed = Order(20, seed=9)
    resumed.load_state_dict(left.state_dict())
    assert begun + list(resumed) == whole
    resumed.load_state_dict(left.state_dict(position=5))
    assert list(resumed) == whole[5:]
    assert resumed.state_dict() == {"epoch": 1, "position": 0, "of": 20}, "a whole epoch leaves the next one"
    assert {epoch for epoch, _ in resumed} == {1}


def test_what_cannot_be_is_refused():
    with pytest.raises(BadInputError, match="rank"):
        Order(5, rank=2, world=2)
    with pytest.raises(BadInputError, match="6 windows"):
        Order(5).load_state_dict({"epoch": 0, "position": 0, "of": 6})


def test_a_file_of_splits_decides_where_it_knows_every_session(tmp_path):
    path = tmp_path / "splits.parquet"
    write_splits(Splits({"a": "test", "b": "train"}, {"by": "session"}), path)
    assert part_of({"a": 5, "b": 900}, path) == {"a": "test", "b": "train"}
    with pytest.raises(BadInputError, match="c"):
        part_of({"c": 5}, path)
    write_splits(Splits({"a/1": "test"}, {"by": "time"}), tmp_path / "other.parquet")
    with pytest.raises(BadInputError, match="by time"):
        part_of({"a": 5}, tmp_path / "other.parquet")


def test_shares_are_met_as_near_as_whole_sessions_allow():
    rows = {f"s{k}": 100 for k in range(20)}
    parts = part_of(rows, "train=0.8,val=0.1,test=0.1", seed=3)
    assert [list(parts.values()).count(name) for name in ("train", "val", "test")] == [16, 2, 2]
    assert parts == part_of(dict(reversed(rows.items())), "train=0.8,val=0.1,test=0.1", seed=3)
    assert parts != part_of(rows, "train=0.8,val=0.1,test=0.1", seed=4)
