"""Sets of samples: joined under one vocabulary, with steps that survive JSON and ledgers that balance."""

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples, Source, Step, join, step_ledger
from rushes.model.samples import roots, samples_frame

AB = ActionSpace.from_names(["KeyA", "KeyB"])
BC = ActionSpace.from_names(["KeyC", "KeyB"])


def row(name, keys, **other):
    return {
        "sample_id": name, "session": "s", "frame_index": 3, "t_ns": 9, "control": "KeyA", "label": 1.0, "keys": keys,
    } | other  # fmt: skip


def table(space, *rows, sources=None):
    return Samples(samples_frame(rows), space, sources=sources or {})


def test_joined_vectors_say_the_same_by_name():
    joined, twice = join([table(AB, row("x", [1, 0])), table(BC, row("y", [1, 0]), row("z", [0, 1]))])
    assert joined.space.names == ("KeyA", "KeyB", "KeyC")
    assert joined.keys.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert joined.keys.dtype == np.float32
    assert twice == ()
    assert joined.rows.index.tolist() == [0, 1, 2]
    joined.validate()


def test_one_sample_of_two_sets_is_taken_once_whatever_the_order_of_its_slots():
    back = ActionSpace.from_names(["KeyB", "KeyA"])
    joined, twice = join([table(AB, row("x", [1, 0])), table(back, row("x", [0, 1]), row("y", [1, 1]))])
    assert joined.rows["sample_id"].tolist() == ["x", "y"]
    assert twice == ("x",)


@pytest.mark.parametrize("change", [{"keys": [0, 1]}, {"label": 0.5}, {"hold_s": 0.1}, {"split": "test"}])
def test_one_id_with_two_meanings_is_refused(change):
    with pytest.raises(BadDataError, match="sample 'x' twice"):
        join([table(AB, row("x", [1, 0])), table(AB, row("x", [1, 0]) | change)])


def test_one_slot_or_kind_or_session_with_two_meanings_is_refused():
    one, two = (ActionSpace.box([-1], [high]) for high in (1, 2))
    with pytest.raises(BadDataError, match="slot 0"):
        join([table(one), table(two)])
    with pytest.raises(BadDataError, match="kinds box, buttons"):
        join([table(one), table(AB)])
    places = [table(AB, sources={"s": Source(path)}) for path in ("here", "there")]
    with pytest.raises(BadDataError, match="session s at here and at there"):
        join(places)
    with pytest.raises(BadInputError, match="no set of samples"):
        join([])


def test_sources_are_united_and_empty_sets_join():
    joined, _ = join([table(AB, sources={"s": Source("a")}), table(AB, sources={"t": Source("b", ("k=v",))})])
    assert joined.sources == {"s": Source("a"), "t": Source("b", ("k=v",))}
    assert len(joined) == 0
    assert joined.keys.shape == (0, 2)
    joined.validate()


def test_a_step_survives_json_and_its_ledger_balances():
    ledger = step_ledger("samples", 10, {"reduced": 3, "odd": 0})
    step = Step("reduce", {"rows": 7, "seed": 42}, ledger)
    assert Step.from_json(step.to_json()) == step
    assert (ledger["samples"].kept, ledger["samples"].lost) == (7, {"reduced": 3})
    assert ledger.balances


def test_a_step_makes_a_new_set_and_leaves_the_old_one():
    before = table(AB, row("x", [1, 0]), row("y", [1, 0]))
    after = before.then(before.rows.iloc[[1]], Step("cut", {}, step_ledger("samples", 2, {"cut": 1})))
    assert (len(before), before.steps) == (2, ())
    assert (after.rows.index.tolist(), [step.name for step in after.steps]) == ([0], ["cut"])


def test_rows_are_counted_by_any_column_and_the_repr_shows_no_data():
    samples = table(AB, row("x", [1, 0]), row("y", [1, 0], kind="idle", reason="r", label=0.0), row("z", [1, 0]))
    assert samples.count() == {"idle": 1, "positive": 2}
    assert samples.count("control") == {"KeyA": 3}
    assert repr(samples) == "<Samples: 3 rows (1 idle, 2 positive), 2 controls>"
    assert repr(table(AB)) == "<Samples: 0 rows, 2 controls>"


def test_each_row_knows_the_row_that_it_descends_from_in_the_end():
    rows = [row("c", [1, 0], parent="b"), row("a", [1, 0]), row("b", [1, 0], parent="a"), row("d", [1, 0], parent="x")]
    assert roots(samples_frame(rows)).tolist() == [1, 1, 1, 3]
    ring = [row("a", [1, 0], parent="b"), row("b", [1, 0], parent="a")]
    with pytest.raises(BadDataError, match="parents that lead to a beginning"):
        roots(samples_frame(ring))
