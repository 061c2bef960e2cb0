"""Arrays of an NPZ file: small ones in memory, pictures by their place.

The header of an array is checked against the bytes that are there before anything is made; object arrays go through
`pickled`. `Pictures` reads any picture by its number, in bounded memory, from stored and from deflated members.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rushes.formats.jumpnet.members import Members
    >>> path = Path(tempfile.mkdtemp()) / "a.npz"
    >>> np.savez(path, keys=np.array(["w", "a"], dtype=object), image=np.zeros((2, 4, 4, 3), np.uint8))
    >>> members = Members(path)
    >>> read_array(members, "keys").items, header_of(members, "image").shape
    (['w', 'a'], (2, 4, 4, 3))
"""

from __future__ import annotations

import math
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.jumpnet.members import Members, Stream
from rushes.formats.jumpnet.pickled import read_pickle
from rushes.formats.jumpnet.values import Objects, Stored, can_be, values_of
from rushes.model.recording import Picture

Pixels = npt.NDArray[np.uint8]

_MOST_BYTES: Final = 1 << 28
"""What a column is read whole at the most."""
_GREY: Final = 2
_COLOURS: Final = 3
_CHANNELS: Final = (1, 3, 4)
_SHARE: Final = 2.0
"""A picture of fractions goes to 1; one whose values go beyond this is meant as 0 to 255."""


class Header(NamedTuple):
    """What an array says of itself.

    Attributes:
        dtype: Its type.
        shape: Its shape.
        fortran: Whether the first index runs fastest.
        place: Byte of the member behind the header.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    place: int


def header_of(members: Members, name: str) -> Header:
    """Read the header of a member; see `_header`."""
    with members.open(name) as stream:
        return _header(stream)


def _header(stream: Stream) -> Header:
    """Read a header and hold it against the size of the member.

    Raises:
        BadDataError: No array, or one whose bytes are not there.
    """
    form = np.lib.format
    try:
        version = form.read_magic(stream)
        read = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream)
    except (ValueError, KeyError, TypeError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError) as error:
        if isinstance(error, BadDataError):
            raise
        raise BadDataError(
            f"{stream.where}: a member that is no array ({error})",
            accepts="what np.savez writes",
            fix="copy the file again from where it was written",
        ) from error
    left = stream.size - stream.place
    fits = dtype.hasobject or math.prod(shape) * dtype.itemsize == left
    if dtype.kind not in "biufSUO" or any(n < 0 for n in shape) or (fits and not can_be(shape, dtype)):
        raise BadDataError(
            f"{stream.where}: an array of {dtype} and the shape {shape}",
            accepts="numbers, texts, or objects, in a shape that NumPy makes",
            fix="write the array with NumPy from plain values",
        )
    if not fits:
        raise BadDataError(
            f"{stream.where}: an array of the shape {shape} {dtype} in {left} bytes",
            accepts="as many bytes as the shape needs",
            fix="copy the file again; it is cut, damaged or made to deceive",
        )
    return Header(dtype, tuple(shape), fortran, stream.place)


def read_array(members: Members, name: str, *, most: int | None = None) -> Any:
    """Read a small member.

    Args:
        members: The file.
        name: Which.
        most: For object arrays: stop at so many objects; see `pickled.read_pickle`.

    Returns:
        An array; `Objects` for an object array.

    Raises:
        BadDataError: Damaged, hostile, or larger than a column of labels is.
    """
    with members.open(name) as stream:
        header = _header(stream)
        if header.dtype.hasobject:
            found = read_pickle(stream, most=most)
            if not isinstance(found, Objects) or math.prod(found.shape) != math.prod(header.shape):
                raise BadDataError(
                    f"{stream.where}: an object array that says the shape {header.shape} and holds another",
                    accepts="an object array as NumPy writes it",
                    fix="copy the file again; it is damaged or made to deceive",
                )
            return Objects(header.shape, found.items)
        left = stream.size - stream.place
        if left > _MOST_BYTES:
            raise BadDataError(
                f"{stream.where}: {left} bytes of labels",
                accepts=f"up to {_MOST_BYTES}",
                fix="split the file",
            )
        data = stream.read(left)
        return values_of(stream, header.shape, header.dtype, data, fortran=header.fortran)


def is_picture(value: Any) -> bool:
    """Say whether an array can be shown: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) numbers."""
    if not isinstance(value, Stored | np.ndarray) or value.dtype.kind not in "biuf":
        return False
    shape = value.shape
    return (len(shape) == _GREY or (len(shape) == _COLOURS and shape[2] in _CHANNELS)) and min(shape) > 0


def to_rgb(values: npt.NDArray[Any]) -> Pixels:
    """Make pixels of what JumpNet's files hold.

    Args:
        values: (H, W, 3) float of 0 to 1 or of 0 to 255, or uint8; grey and with alpha too.

    Returns:
        (H, W, 3) uint8 RGB; x / 255 in float32 comes back as x.
    """
    if values.dtype.kind == "f":
        plain = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        plain = np.maximum(plain, 0)
        scaled = plain if plain.max(initial=0) > _SHARE else plain * np.float32(255)
        pixels = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    elif values.dtype.kind == "b":
        pixels = values.astype(np.uint8) * np.uint8(255)
    else:
        pixels = np.clip(values, 0, 255).astype(np.uint8)
    if pixels.ndim == _GREY:
        pixels = pixels[:, :, None]
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, :3])


class Pictures:
    """Pictures of a member as the frames of a recording, all of one size.

    Args:
        path: The file.
        name: The member.
        places: One a frame: where it lies, or a small one itself.
        size: (height, width) of every frame; a picture of another size is resized to it.
    """

    def __init__(
        self, path: Path, name: str, places: Sequence[Stored | npt.NDArray[Any]], size: tuple[int, int]
    ) -> None:
        self._path, self._name, self._places, self.size = path, name, places, size
        self._members: Members | None = None
        self._lock = Lock()
        self._idle: Stream | None = None

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Read pictures in order; see `imported.Frames`."""
        stream: Stream | None = None
        try:
            for place in self._places[start:stop]:
                if isinstance(place, Stored):
                    stream = self._at(place.place, stream)
                    yield self._shown(to_rgb(place.load(stream)))
                else:
                    yield self._shown(to_rgb(place))
        finally:
            with self._lock:
                stream, self._idle = self._idle, stream or self._idle
            if stream is not None and stream is not self._idle:
                stream.close()

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file of its own."""
        return iter([None] * (stop - start))

    def _shown(self, pixels: Pixels) -> Pixels:
        if pixels.shape[:2] == self.size:
            return pixels
        import cv2

        found: Any = cv2.resize(pixels, self.size[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(found, np.uint8)

    def _at(self, place: int, stream: Stream | None) -> Stream:
        """Give a stream that has not passed a place: going on is quick, going back begins anew."""
        if stream is None:
            with self._lock:
                stream, self._idle = self._idle, None
        if stream is not None and stream.place <= place:
            return stream
        if stream is not None:
            stream.close()
        if self._members is None:
            self._members = Members(self._path)
        return self._members.open(self._name)

    def __del__(self) -> None:
        """Close the file that was kept for the next call."""
        if getattr(self, "_idle", None) is not None:
            self._idle.close()  # type: ignore[union-attr]

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self._path, "name": self._name, "places": self._places, "size": self.size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<Pictures: {len(self._places)} of {self._path.name}>"
