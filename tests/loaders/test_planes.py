"""Planes: the same numbers as a transposed copy, and a batch that is found again without copying it."""

import numpy as np

from rushes.loaders.planes import Planes, whole


def test_planes_are_the_transposed_pictures_also_of_what_cannot_be_written():
    windows = [np.random.default_rng(k).integers(0, 256, (3, 6, 8, 3), np.uint8) for k in range(2)]
    windows[1].flags.writeable = False
    planes = Planes([windows[0], windows[1][:, ::1]])
    for window, made in zip(windows, planes.windows, strict=True):
        np.testing.assert_array_equal(made, window.transpose(0, 3, 1, 2))
        assert made.flags.c_contiguous


def test_only_all_windows_in_order_are_the_batch():
    planes = Planes([np.full((2, 4, 6, 3), k, np.uint8) for k in range(3)])
    first, second, third = planes.windows
    assert whole([first, second, third]) is planes.batch
    for other in ([first, second], [second, first, third], [first.copy(), second.copy(), third.copy()], []):
        assert whole(other) is None
