"""Where the pictures of a set lie, in each form that the game exported; see `formats.imported.Frames`.

Pictures are numbered 0 to N - 1 as the recording numbers its frames; `order` says which stored picture each of them is.
All is opened when it is asked for, so that a set travels to another process as paths and numbers.

Example:
    >>> import tempfile, pathlib
    >>> from rushes.formats.reacture.place import Place
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.npy").write_bytes(bytes(range(24)))
    >>> stack = Stack(Place(folder), "a.npy", 0, (2, 2, 3), np.array([1, 0]))
    >>> [int(picture[0, 0, 0]) for picture in stack.frames(0, 2)]
    [12, 0]
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.reacture.frames_json import Entry
from rushes.formats.reacture.npy import MOST_HEAD, read_head
from rushes.formats.reacture.place import Place
from rushes.model.recording import Picture
from rushes.store import images

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

MOST_PICTURE: Final = 64 << 20
"""Bytes of a picture's file."""
_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class Stack:
    """Pictures in one array, one behind the other.

    Attributes:
        place: Where the file lies.
        name: The file.
        begin: Byte at which the first picture begins.
        shape: (height, width, 3).
        order: (N,) which picture each frame is.
        flip: Whether they are stored bottom-up.
    """

    place: Place
    name: str
    begin: int
    shape: tuple[int, int, int]
    order: Ints
    flip: bool = False

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Read pictures: (H, W, 3) uint8 RGB.

        Raises:
            BadDataError: The file has become shorter.
        """
        size = int(np.prod(self.shape))
        plain = self.place.whereabouts(self.name)
        if plain is not None:
            path, offset = plain
            with path.open("rb") as file:
                for number in self.order[start:stop].tolist():
                    file.seek(offset + self.begin + number * size)
                    yield self._picture(file.read(size))
            return
        at, wanted = 0, self.order[start:stop].tolist()
        while wanted:  # packed: it can only be read forwards
            with self.place.open(self.name) as file:
                at = 0
                while wanted and self.begin + wanted[0] * size >= at:
                    at = _forward(file, at, self.begin + wanted[0] * size)
                    yield self._picture(file.read(size))
                    at += size
                    wanted.pop(0)

    def _picture(self, data: bytes) -> Pixels:
        if len(data) < int(np.prod(self.shape)):
            raise BadDataError(
                f"{self.place.name}: {self.name} is shorter than it was",
                accepts="a set that nobody changes",
                fix="open it again",
            )
        return upright(np.frombuffer(data, np.uint8).reshape(self.shape), flip=self.flip)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file of its own."""
        return iter([None] * (stop - start))

    def __repr__(self) -> str:
        return f"<Stack {self.name}: {len(self.order)} pictures {self.shape}>"


def _forward(file: object, at: int, to: int) -> int:
    while at < to:
        read = len(file.read(min(_PIECE, to - at)))  # type: ignore[attr-defined]
        if not read:
            break
        at += read
    return at


@dataclass(frozen=True)
class Files:
    """Pictures in a file each: PNG, or an array each under `frames/`.

    Attributes:
        place: Where they lie.
        names: (N,) the file of each frame.
        flip: Whether they are stored bottom-up.
    """

    place: Place
    names: tuple[str, ...]
    flip: bool = False

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Decode pictures: (H, W, 3) uint8 RGB.

        Raises:
            BadDataError: A picture is damaged inside.
            MissingError: It went away.
        """
        for name in self.names[start:stop]:
            data = self.place.read(name, most=MOST_PICTURE)
            where = f"{self.place.name}, {name}"
            if name.endswith(".npy"):
                head = read_head(data[:MOST_HEAD], where=where)
                made = np.frombuffer(data, np.uint8, count=head.shape[0] * head.item_bytes, offset=head.place)
                yield upright(made.reshape(head.shape), flip=self.flip)
            else:
                yield upright(images.decode(data, where=where), flip=self.flip)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Give PNG files as they are stored; None where one is turned, or no PNG."""
        for name in self.names[start:stop]:
            if self.flip or name.endswith(".npy"):
                yield None
            else:
                data = self.place.read(name, most=MOST_PICTURE)
                yield Picture("png-indexed" if images.is_indexed(data) else "png", data)

    def __repr__(self) -> str:
        return f"<Files: {len(self.names)} pictures in {self.place.name}>"


@dataclass(frozen=True)
class Encoded:
    """Pictures as base64 in one JSON file.

    Attributes:
        place: Where it lies.
        name: The file.
        entries: (N,) where the text of each frame stands.
        flip: Whether they are stored bottom-up.
    """

    place: Place
    name: str
    entries: tuple[Entry, ...]
    flip: bool = False

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Decode pictures: (H, W, 3) uint8 RGB.

        Raises:
            BadDataError: A text is no base64.
        """
        plain = self.place.whereabouts(self.name)
        for entry in self.entries[start:stop]:
            if plain is not None:
                with plain[0].open("rb") as file:
                    file.seek(plain[1] + entry.begin)
                    text = file.read(entry.length)
            else:
                with self.place.open(self.name) as packed:
                    _forward(packed, 0, entry.begin)
                    text = packed.read(entry.length)
            try:
                data = base64.b64decode(text, validate=True)
                yield upright(np.frombuffer(data, np.uint8).reshape(entry.shape), flip=self.flip)
            except (binascii.Error, ValueError) as error:
                raise BadDataError(
                    f"{self.place.name}: {self.name}, picture {entry.number}: no base64 of a picture ({error})",
                    accepts="what the game wrote",
                    fix="leave the picture out of the file",
                ) from error

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file of its own."""
        return iter([None] * (stop - start))

    def __repr__(self) -> str:
        return f"<Encoded {self.name}: {len(self.entries)} pictures>"


def upright(picture: Pixels, *, flip: bool) -> Pixels:
    """Turn a picture that is stored bottom-up."""
    return np.ascontiguousarray(picture[::-1] if flip else picture)
