"""Which epoch a pass over a dataset is: what was taken counts, not what was made ahead."""

import pytest

from rushes.errors import BadInputError
from rushes.loaders.order import Order
from rushes.loaders.passes import Passes


def take(passes, batches=None):
    """Go through a pass as a framework does that makes all of it ahead; take the first few batches, or all."""
    made = [*passes.batches()]
    for step, _ in made[:batches]:
        passes.took(*step)
    return [batch for _, batch in made]


def indices(batches):
    return [index for batch in batches for _, index in batch]


def epochs(batches):
    return {epoch for batch in batches for epoch, _ in batch}


def test_every_pass_is_the_next_epoch_and_has_all_windows():
    passes = Passes(Order(7, seed=3), batch_size=3)
    three = [take(passes) for _ in range(3)]
    assert [epochs(one) for one in three] == [{0}, {1}, {2}]
    assert [[len(batch) for batch in one] for one in three] == [[3, 3, 1]] * 3
    assert all(sorted(indices(one)) == list(range(7)) for one in three)
    assert len({tuple(indices(one)) for one in three}) == 3
    assert passes.cardinality == len(passes) == 3


def test_a_look_at_the_first_batch_is_no_epoch_but_a_pass_that_is_broken_off_later_is():
    passes = Passes(Order(9, seed=3), batch_size=2)
    assert epochs(take(passes, 0)) == {0}
    assert epochs(take(passes, 1)) == {0}
    assert epochs(take(passes, 1)) == {0}
    assert epochs(take(passes, 2)) == {0}
    assert epochs(take(passes, 1)) == {1}
    assert epochs(take(passes)) == {1}
    assert epochs(take(passes)) == {2}


def test_training_goes_on_behind_what_was_taken():
    whole = indices(take(Passes(Order(11, seed=5), batch_size=2)))
    first = Passes(Order(11, seed=5), batch_size=2)
    take(first, 3)
    order = Order(11, seed=5)
    order.load_state_dict(first.order.state_dict())
    rest = Passes(order, batch_size=2)
    assert rest.cardinality is None  # this pass is shorter than the others
    assert indices(take(rest)) == whole[6:]
    assert epochs(take(rest)) == {1}


def test_an_order_that_ended_goes_on_with_the_next_epoch():
    order = Order(5, seed=1)
    order.epoch, order.position = 3, 5
    passes = Passes(order, batch_size=2, drop_remainder=True)
    assert epochs(take(passes)) == {4}
    assert [len(batch) for batch in take(passes)] == [2, 2]


def test_an_order_may_be_set_to_an_epoch_but_not_into_its_middle_once_the_length_was_told():
    passes = Passes(Order(5, seed=1), batch_size=2)
    take(passes, 2)
    passes.order.set_epoch(8)
    assert epochs(take(passes)) == {8}
    passes.order.load_state_dict({"epoch": 2, "position": 2, "of": 5})
    with pytest.raises(BadInputError, match="after the dataset was made"):
        take(passes)


def test_a_pass_without_end_goes_from_epoch_to_epoch():
    passes = Passes(Order(4, seed=1), batch_size=3, repeat=True)
    made = passes.batches()
    each = [next(made) for _ in range(6)]
    assert [step for step, _ in each] == [(0, 3), (0, 4), (1, 3), (1, 4), (2, 3), (2, 4)]
    assert passes.cardinality is None


def test_batches_tell_what_comes_next_but_the_first_comes_alone():
    passes = Passes(Order(9, shuffle=False), batch_size=2, ahead=3)
    told = [[index for _, index in batch.ahead] for _, batch in passes.batches()]
    assert told == [[], [4, 5, 6], [6, 7, 8], [8], []]


def test_ranks_share_the_windows():
    each = [indices(take(Passes(Order(10, seed=1, rank=rank, world=3), batch_size=2))) for rank in range(3)]
    assert sorted(index for one in each for index in one) == list(range(10))


def test_no_batch_at_all_is_refused():
    with pytest.raises(BadInputError, match="4 windows for batches of 5"):
        Passes(Order(4), batch_size=5, drop_remainder=True)
    with pytest.raises(BadInputError, match="batch_size=0"):
        Passes(Order(4), batch_size=0)
