"""Windows: where T rows may start."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rushes.errors import BadInputError
from rushes.model import windows as module
from rushes.model.windows import invalid_rows, windows


@pytest.mark.parametrize(("n", "length"), [(10, 4), (10, 1), (10, 10), (1, 1), (600, 16)])
def test_a_segment_of_n_rows_has_n_minus_t_plus_1_windows(n, length):
    found = windows([0] * n, length=length)
    assert found.starts.tolist() == list(range(n - length + 1))
    assert found.starts.dtype == np.int64
    assert found.rows().shape == (n - length + 1, length)


def test_windows_of_one_row_are_all_rows():
    assert windows([0, 0, 1], length=1).rows().tolist() == [[0], [1], [2]]


def test_no_window_crosses_the_edge_of_a_segment():
    assert windows([5, 5, 5, 2, 2, 5, 5], length=2).starts.tolist() == [0, 1, 3, 5]


def test_no_window_spans_an_invalid_row():
    invalid = [False, False, True, False, False, False]
    found = windows([0] * 6, length=2, invalid=invalid)
    assert found.starts.tolist() == [0, 3, 4]
    assert windows([0] * 6, length=2, frame_skip=2, invalid=invalid).starts.tolist() == [3]


def test_the_stride_counts_anew_in_each_stretch():
    assert windows([0] * 5 + [1] * 5, length=2, stride=2).starts.tolist() == [0, 2, 5, 7]


def test_frame_skip_takes_every_kth_row():
    found = windows([0] * 8, length=3, frame_skip=3)
    assert found.span == 7
    assert found.rows().tolist() == [[0, 3, 6], [1, 4, 7]]


def test_what_is_left_out_is_counted_by_reason():
    found = windows([0] * 7 + [1] * 2 + [2] * 3, length=3, stride=3, invalid=[False] * 11 + [True])
    assert found.starts.tolist() == [0, 3]
    assert found.ledger == {"covered": 6, "invalid": 1, "too_short": 4, "remainder": 1}


def test_rows_between_windows_that_stand_apart_are_remainder():
    assert windows([0] * 8, length=2, stride=3).ledger == {
        "covered": 6,
        "invalid": 0,
        "too_short": 0,
        "remainder": 2,
    }


def test_no_rows_make_no_windows():
    found = windows([], length=3)
    assert len(found) == 0
    assert found.rows().shape == (0, 3)
    assert sum(found.ledger.values()) == 0


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=40),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_windows_agree_with_a_walk_row_by_row(rows, length, stride, skip):
    segment = [s for s, _ in rows]
    invalid = [wrong and s == 1 for s, wrong in rows]
    found = windows(segment, length=length, stride=stride, frame_skip=skip, invalid=invalid)
    span = (length - 1) * skip + 1
    expected, since = [], 0
    for start in range(len(rows)):
        if start and (segment[start], invalid[start]) != (segment[start - 1], invalid[start - 1]):
            since = start
        stretch = range(start, start + span)
        fits = start + span <= len(rows) and all(segment[k] == segment[start] and not invalid[k] for k in stretch)
        if fits and (start - since) % stride == 0:
            expected.append(start)
    assert found.starts.tolist() == expected
    covered = {k for start in expected for k in range(start, start + span)}
    assert found.ledger["covered"] == len(covered)
    assert found.ledger["invalid"] == sum(invalid)
    assert sum(found.ledger.values()) == len(rows)


@pytest.mark.parametrize("option", ["length", "stride", "frame_skip"])
def test_a_number_below_one_is_refused(option):
    with pytest.raises(BadInputError, match=f"{option}=0"):
        windows([0, 0], **({"length": 1} | {option: 0}))


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(BadInputError, match="3 marks for 2 rows"):
        windows([0, 0], length=1, invalid=[True, False, False])


def test_rows_whose_time_overlaps_an_interval_are_invalid():
    starts, ends = [0, 10, 20, 30], [10, 20, 30, 40]
    assert invalid_rows(starts, ends, [[15, 20]]).tolist() == [False, True, False, False]
    assert invalid_rows(starts, ends, [[9, 11], [39, 99]]).tolist() == [True, True, False, True]
    assert invalid_rows(starts, ends, [[20, 20]]).tolist() == [False, False, True, False]
    assert invalid_rows(starts, ends, []).tolist() == [False] * 4
    with pytest.raises(BadInputError, match="interval 0"):
        invalid_rows(starts, ends, [[20, 10]])


def test_the_repr_is_short_and_the_example_in_the_manual_runs():
    assert repr(windows([0] * 9, length=3)) == "Windows(7 of 3 rows, stride 1, frame_skip 1)"
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
