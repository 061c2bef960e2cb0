"""Pictures as (C, H, W) and batches of them, in one pass over the memory: what PyTorch's own ways take many for.

A picture is decoded as (H, W, C); a network takes (C, H, W). `cv2.split` turns one in a third of the time that NumPy's
transposed copy takes, and straight into its place in the batch. `torch.stack` would then copy the batch once more, so
`Planes` makes one array for all pictures of a batch, and its windows are views that `whole` knows again.

Example:
    >>> window = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    >>> planes = Planes([window, window + 100])
    >>> planes.windows[1].shape, planes.windows[1][0, :, 0, 0].tolist()
    ((1, 3, 2, 4), [100, 101, 102])
    >>> whole(planes.windows) is planes.batch, whole(planes.windows[::-1]) is None
    (True, True)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


class Planes:
    """The pictures of a batch.

    Args:
        windows: (T, H, W, 3) uint8 each, all of one shape; they are not changed.

    Attributes:
        batch: (B, T, 3, H, W) uint8.
        windows: (T, 3, H, W) of each, views of the batch.
    """

    def __init__(self, windows: Sequence[Pixels]) -> None:
        length, height, width, colours = windows[0].shape
        self.batch = np.empty((len(windows), length, colours, height, width), np.uint8)
        for place, window in zip(self.batch, windows, strict=True):
            into_planes(window, place)
        self.windows = list(self.batch)


def into_planes(window: Pixels, place: Pixels) -> None:
    """Turn pictures (T, H, W, 3) uint8 into `place`, (T, 3, H, W) uint8."""
    import cv2

    for picture, planes in zip(window, place, strict=True):
        cv2.split(picture, [*planes])


def whole(windows: Sequence[Pixels]) -> Pixels | None:
    """Find the batch that windows are views of.

    Args:
        windows: Arrays.

    Returns:
        The batch; None where they are not all of its windows in order.
    """
    base = windows[0].base if windows else None
    if not isinstance(base, np.ndarray) or base.shape != (len(windows), *windows[0].shape):
        return None
    in_order = all(
        one.base is base and one.ctypes.data == place.ctypes.data and one.strides == place.strides
        for one, place in zip(windows, base, strict=True)
    )
    return base if in_order else None
