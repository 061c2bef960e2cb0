"""Balance keeps positives, shares negatives out over sessions and time, and counts what it leaves out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import inherit, samples_frame
from rushes.prepare.balance import _share_out, as_said, balance, reduce

SPACE = ActionSpace.from_names(["Space", "KeyW"])


def row(name, frame, *, session="s", kind="uniform", control="Space", **other):
    label = 1.0 if kind == "positive" else 0.0
    return {
        "sample_id": name, "session": session, "frame_index": frame, "t_ns": frame * 10, "control": control,
        "label": label, "keys": [label, 0], "kind": kind, "reason": "" if label else "no press", "group": session,
    } | other  # fmt: skip


def table(*rows):
    return Samples(samples_frame(rows), SPACE)


def many(session, positives, negatives, **other):
    return [row(f"{session}p{k}", 1000 + k, session=session, kind="positive", **other) for k in range(positives)] + [
        row(f"{session}n{k}", k, session=session, **other) for k in range(negatives)
    ]


def counted(samples):
    """Session -> how many positives and negatives."""
    found = {}
    for name, label in zip(samples.rows["session"], samples.rows["label"], strict=True):
        positives, negatives = found.get(name, (0, 0))
        found[name] = (positives + (label > 0), negatives + (label == 0))
    return dict(sorted(found.items()))


@pytest.mark.parametrize(("ratio", "left"), [(1, 4), (0.5, 2), (2.5, 10), (0, 0), (100, 30)])
def test_a_ratio_says_how_many_negatives_stay_for_each_positive(ratio, left):
    found = balance(table(*many("s", 4, 30)), ratio=ratio)
    assert counted(found) == {"s": (4, left)}
    ledger = found.steps[-1].ledger
    assert ledger.balances
    assert ledger["samples"].lost == ({"surplus_negative": 30 - left} if left < 30 else {})


def test_the_ratio_holds_in_each_session():
    samples = table(*many("a", 6, 50), *many("b", 1, 50), *many("c", 0, 50), *many("d", 3, 1))
    found = balance(samples, ratio=2)
    assert counted(found) == {"a": (6, 12), "b": (1, 2), "d": (3, 1)}
    assert as_said(found.steps[-1]) == ["Space positives: 10 of 10, 10 wanted", "Space negatives: 15 of 151, 20 wanted"]


def test_over_all_what_one_session_lacks_the_others_give_evenly():
    samples = table(*many("a", 6, 50), *many("b", 1, 50), *many("c", 0, 2), *many("d", 3, 1))
    found = balance(samples, ratio=2, per="all")
    assert counted(found) == {"a": (6, 9), "b": (1, 8), "c": (0, 2), "d": (3, 1)}


def test_a_count_thins_each_class_positives_too():
    found = balance(table(*many("a", 6, 50), *many("b", 2, 1)), count=3)
    assert counted(found) == {"a": (3, 3), "b": (2, 1)}
    assert found.steps[-1].ledger["samples"].lost == {"surplus_positive": 3, "surplus_negative": 47}
    assert counted(balance(table(*many("a", 6, 50), *many("b", 2, 1)), count=3, per="all")) == {
        "a": (2, 2),
        "b": (1, 1),
    }


def test_negatives_are_taken_evenly_over_the_time_of_a_session():
    found = balance(table(*many("s", 10, 100)), ratio=1, seed=5)
    frames = found.rows.loc[found.rows["label"] == 0, "frame_index"].to_numpy()
    assert (frames // 10).tolist() == list(range(10)), "one from each tenth"


def test_each_control_is_balanced_by_itself():
    samples = table(*many("s", 3, 20), *many("t", 5, 20, control="KeyW"))
    found = balance(samples)
    assert counted(found) == {"s": (3, 3), "t": (5, 5)}


def test_kinds_keep_their_shares_or_get_those_asked_for():
    rows = many("s", 10, 0)
    rows += [row(f"u{k}", k) for k in range(60)] + [row(f"h{k}", k, kind="hard") for k in range(40)]
    assert balance(table(*rows)).count() == {"hard": 4, "positive": 10, "uniform": 6}
    assert balance(table(*rows), kinds="hard=3, uniform=1", ratio=2).count() == {
        "hard": 15,
        "positive": 10,
        "uniform": 5,
    }
    assert balance(table(*rows), kinds={"hard": 1}).count() == {"hard": 10, "positive": 10}
    full = balance(table(*rows), kinds="hard=1, uniform=1", ratio=9).count()
    assert full == {"hard": 40, "positive": 10, "uniform": 50}, "what one kind lacks the other gives"


def test_children_stay_with_their_parents_and_do_not_count():
    rows = many("s", 2, 10)
    rows += [row(f"c{k}", k, parent=f"sn{k}") for k in range(10)]
    found = balance(Samples(inherit(samples_frame(rows)), SPACE), ratio=2)
    kept = set(found.rows["sample_id"])
    assert found.count() == {"positive": 2, "uniform": 8}
    assert all((f"sn{k}" in kept) == (f"c{k}" in kept) for k in range(10))


def test_the_same_rows_are_kept_whatever_their_order_and_their_order_stays():
    rows = many("a", 6, 50) + many("b", 3, 40)
    one = balance(table(*rows), seed=3)
    other = balance(table(*rows[::-1]), seed=3)
    assert one.rows["sample_id"].tolist() == other.rows["sample_id"].tolist()[::-1]
    assert balance(table(*rows), seed=4).rows["sample_id"].tolist() != one.rows["sample_id"].tolist()


def test_an_empty_set_stays_empty():
    assert len(balance(table())) == 0
    assert len(reduce(table())) == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"ratio": -1}, "ratio=-1"),
        ({"ratio": float("nan")}, "ratio=nan"),
        ({"ratio": float("inf")}, "ratio=inf"),
        ({"seed": -3}, "seed=-3"),
        ({"count": -1}, "count=-1"),
        ({"per": "day"}, "per='day'"),
        ({"kinds": "hrad=1"}, "kinds='hrad=1'"),
        ({"kinds": "hard"}, "kinds='hard'"),
        ({"kinds": "positive=1"}, "kinds='positive=1'"),
        ({"kinds": "hard=0"}, "at least one share above 0"),
    ],
)
def test_what_means_nothing_is_refused(options, match):
    with pytest.raises(BadInputError, match=match):
        balance(table(*many("s", 1, 1)), **options)


def test_a_ratio_needs_positives():
    with pytest.raises(BadInputError, match="without a positive"):
        balance(table(*many("s", 0, 5)))
    assert len(balance(table(*many("s", 0, 5)), count=2)) == 2


def test_reduce_keeps_the_rows_that_the_reference_keeps():
    names = [f"n{k}" for k in range(3000)]
    samples = table(*(row(name, k) for k, name in enumerate(names)))
    np.random.seed(42)  # noqa: NPY002 - these three lines are the reference's
    indices = np.random.choice(3000, 500, replace=False)  # noqa: NPY002
    expected = [names[k] for k in sorted(indices)]
    found = reduce(samples)
    assert found.rows["sample_id"].tolist() == expected
    assert found.steps[-1].ledger["samples"].lost == {"reduced": 2500}
    assert reduce(samples, seed=7).rows["sample_id"].tolist() != expected


def test_reduce_keeps_a_small_set_whole_and_leaves_the_global_generator_alone():
    samples = table(*(row(f"n{k}", k) for k in range(20)))
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert reduce(samples).rows["sample_id"].tolist() == [f"n{k}" for k in range(20)]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    with pytest.raises(BadInputError, match="rows=-1"):
        reduce(samples, rows=-1)
    with pytest.raises(BadInputError, match="seed=-1"):
        reduce(samples, seed=-1)


@given(
    st.integers(0, 60),
    st.lists(st.tuples(st.floats(0, 10), st.integers(0, 20)), min_size=1, max_size=6),
)
def test_a_number_is_shared_out_whole_and_never_beyond_a_limit(total, pairs):
    weights, limits = zip(*pairs, strict=True)
    given_out = _share_out(total, weights, limits)
    able = sum(limit for weight, limit in pairs if weight > 0)
    assert int(given_out.sum()) == min(total, able)
    assert (given_out <= limits).all()
    assert (given_out >= 0).all()
