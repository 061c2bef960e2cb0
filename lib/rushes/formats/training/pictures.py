"""The pictures of a stretch, in order, in blocks of a few MB, all at one size.

They are decoded and squashed by `store.clips`, so a file holds what a loader would give at the same size.

Example:
    >>> from rushes.store.entry import Stretch
    >>> def brightness(recording, stretch):
    ...     with Clips((64, 64)) as clips:
    ...         return [block.mean() for block in pictures(clips, recording, stretch, (64, 64))]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.training.options import Size
from rushes.model.recording import Recording
from rushes.store.clips import Clips, Want
from rushes.store.entry import Stretch

_BLOCK_BYTES: Final = 24_000_000
_MOST: Final = 256


def pictures(clips: Clips, recording: Recording, stretch: Stretch, size: Size) -> Iterator[npt.NDArray[np.uint8]]:
    """Decode the pictures of a stretch.

    Args:
        clips: Decodes them; as stored, or to the size.
        recording: Marks honoured.
        stretch: One of its entry's.
        size: (height, width) that they shall have.

    Yields:
        (n, H, W, 3) uint8 RGB.

    Raises:
        BadDataError: A picture cannot be decoded, or has another size than its recording says.
    """
    height, width = size
    few = max(1, min(_MOST, _BLOCK_BYTES // (height * width * 3)))
    stop = stretch.first_frame + stretch.frames
    for start in range(stretch.first_frame, stop, few):
        (block,) = clips.read([Want(recording, np.arange(start, min(stop, start + few)))])
        if block.shape[1:3] != size:
            raise BadDataError(
                f"{recording.info.id}, frames from {start} on: pictures of {block.shape[1]}x{block.shape[2]}",
                accepts=f"{height}x{width}, as the others",
                fix=f"pass size={height}x{width}",
            )
        yield block
