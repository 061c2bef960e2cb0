"""Blocks are laid where their times say, to the sample."""

import numpy as np

from rushes.model.readings import Sound
from rushes.model.sounds import Cursor, cut, lay, mono, overlapping

MS = 1_000_000


def block(t_ns, values, rate_hz=1000):
    return Sound(t_ns, np.asarray(values, np.float32).reshape(len(values), -1), rate_hz, "mic")


def test_a_sample_lies_where_its_time_says_whatever_part_is_asked_for():
    blocks = [block(3 * MS, [1, 2, 3]), block(20 * MS + 400_000, [4, 5])]
    line, known = lay(blocks, first=0, stop=25, rate_hz=1000)
    expected = np.zeros(25)
    expected[[3, 4, 5, 20, 21]] = [1, 2, 3, 4, 5]
    assert line.tolist() == expected.tolist()
    assert known.nonzero()[0].tolist() == [3, 4, 5, 20, 21]
    for first in range(-3, 22):
        part, _ = lay(blocks, first=first, stop=first + 6, rate_hz=1000)
        assert part.tolist() == [expected[k] if 0 <= k < 25 else 0 for k in range(first, first + 6)]


def test_a_hole_of_a_sample_is_bridged_and_a_longer_one_is_not():
    line, known = lay([block(0, [1, 3]), block(3 * MS, [5]), block(10 * MS, [9])], first=0, stop=11, rate_hz=1000)
    assert line.tolist() == [1, 3, 4, 5, 0, 0, 0, 0, 0, 0, 9]
    assert known.tolist() == [True] * 4 + [False] * 6 + [True]


def test_where_two_blocks_meet_the_later_one_holds():
    line, _ = lay([block(0, [1, 2, 3]), block(2 * MS, [7, 8])], first=0, stop=4, rate_hz=1000)
    assert line.tolist() == [1, 2, 7, 8]


def test_channels_are_taken_together_as_their_mean_and_full_scale_is_one():
    given = np.array([[-32768, 0], [16384, 16384]], np.int16)
    assert mono(given).tolist() == [-0.5, 0.5]
    assert mono(np.array([[0.5, -0.25]])).tolist() == [0.125]


def test_a_cut_keeps_the_samples_that_stand_in_the_stretch():
    whole = block(10 * MS, range(10))
    assert cut(whole, 0, 99 * MS).samples.ravel().tolist() == list(range(10))
    part = cut(whole, 12 * MS + 1, 15 * MS)
    assert (part.t_ns, part.samples.ravel().tolist()) == (13 * MS, [3, 4])
    assert cut(whole, 0, 10 * MS) is None
    assert cut(whole, 20 * MS, 30 * MS) is None


def test_only_blocks_that_reach_into_a_stretch_are_taken():
    blocks = [block(k * 10 * MS, range(10)) for k in range(5)]
    assert [b.t_ns // MS for b in overlapping(blocks, 10 * MS, 20 * MS)] == [10]
    assert [b.t_ns // MS for b in overlapping(blocks, 9 * MS, 20 * MS + 1)] == [0, 10, 20]


def test_pieces_of_a_cursor_are_the_stream_again_and_each_ends_in_time():
    blocks = [Sound(k * 20 * MS + 7, np.arange(k * 882, k * 882 + 882)[:, None], 44_100, "mic") for k in range(6)]
    cursor, seen = Cursor(blocks), []
    for stop_ns in (1, 13 * MS + 1, 40 * MS + 7, 55_555_555, 10**18):
        pieces = list(cursor.until(stop_ns))
        assert all(piece.t_ns < stop_ns for piece in pieces)
        seen += [value for piece in pieces for value in piece.samples[:, 0]]
        last = round((stop_ns - 7) * 44_100 / 10**9)
        assert abs(len(seen) - min(max(last, 0), 5292)) <= 1
    assert seen == list(range(5292))
