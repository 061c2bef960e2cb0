r"""Pictures of a recording on their way into a set: resized, as PNG files, as one array, or both.

Example:
    >>> array_head(2, (128, 128))[:6]
    b'\x93NUMPY'
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.formats.reacture import names
from rushes.formats.reacture.hashed import Hashed
from rushes.model.recording import Recording
from rushes.store.images import encode_rgb
from rushes.store.resized import resized

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


class PictureWriter:
    """Writes the pictures of one recording.

    Args:
        recording: Whose pictures.
        stem: Folder and id of the set: what file names begin with.
        forms: `png`, `npy`, or both.
        side: Pixels a side; 0 for the session's own.
        rows: How many pictures will be written.
        new: Makes a file of the set by its ending.

    Attributes:
        size: (height, width) of what was written; (0, 0) before the first.
    """

    def __init__(
        self,
        recording: Recording,
        stem: Path,
        forms: tuple[str, ...],
        side: int,
        *,
        rows: int,
        new: Callable[[str], Hashed],
    ) -> None:
        self._recording, self._stem, self._forms, self._side = recording, stem, forms, side
        self._rows, self._new = rows, new
        self._array: Hashed | None = None
        self.size = (0, 0)

    def shown(self, frames: Ints, repeated: npt.NDArray[np.bool_], executor: Executor | None) -> Iterator[Pixels]:
        """Give the picture of each row, resized where it is to be.

        Args:
            frames: (N,) frame_index of each row, rising but where it repeats.
            repeated: (N,) whether a row shows the picture before once more.
            executor: Where to resize.
        """
        wanted = frames[~repeated]
        if self._side:
            batches = resized(self._recording, wanted, size=self._side, executor=executor)
            stream = (picture for batch in batches for picture in batch)
        else:
            chosen, first = set(wanted.tolist()), int(wanted[0])
            every = enumerate(self._recording.frames(first, int(wanted[-1]) + 1), first)
            stream = (picture for number, picture in every if number in chosen)
        picture: Pixels | None = None
        for again in repeated.tolist():
            if not again or picture is None:
                picture = next(stream)
            yield picture

    def write(self, number: int, pixels: Pixels) -> bytes:
        """Write a picture in the forms that are asked for.

        Args:
            number: Its row.
            pixels: (H, W, 3) uint8 RGB.

        Returns:
            The PNG file; empty where none is written.

        Raises:
            BadInputError: It is of another size than those before.
        """
        size = (pixels.shape[0], pixels.shape[1])
        if self.size == (0, 0):
            self.size = size
            if "npy" in self._forms:
                self._array = self._new(names.FRAMES)
                self._array.write(array_head(self._rows, size))
        elif size != self.size:
            raise BadInputError(
                f"{self._recording.info.id}: pictures of {self.size} and of {size} with size=0",
                accepts="pictures of one size",
                fix="write size=128, so that all are made alike",
            )
        if self._array is not None:
            self._array.write(np.ascontiguousarray(pixels).tobytes())
        if "png" not in self._forms:
            return b""
        data = encode_rgb(pixels)
        self._stem.with_name(f"{self._stem.name}{names.png_name(number)}").write_bytes(data)
        return data


def array_head(count: int, size: tuple[int, int]) -> bytes:
    """Write the head of an array of so many pictures, uint8 (count, height, width, 3)."""
    buffer = io.BytesIO()
    shape = (count, *size, 3)
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue()
