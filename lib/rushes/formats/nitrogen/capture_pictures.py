"""The pictures of a set of the NitroGen Capture program: found, looked at without decoding, read when asked for.

Whether a picture is whole is told by its first and last bytes, and its size by its header: reading all of a million
pictures would take hours.

Example:
    >>> import pathlib, tempfile
    >>> from rushes.store.images import encode_rgb
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "000001.png").write_bytes(encode_rgb(np.zeros((4, 6, 3), np.uint8)))
    >>> names = list_pictures(folder)
    >>> names, size_of(folder / names[1])
    ({1: '000001.png'}, (4, 6))
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.errors import MissingError
from rushes.model.recording import Picture
from rushes.store import images

_NAME: Final = re.compile(r"(\d{1,9})\.png", re.IGNORECASE)
_HEAD: Final = 33
"""Bytes up to the end of the header (PNG specification, 11.2.2)."""
_TAIL: Final = 16


def list_pictures(folder: Path) -> dict[int, str]:
    """List a folder's pictures by their numbers; a link, or a pipe that nobody writes to, is passed over.

    Args:
        folder: A chunk's folder.
    """
    found: dict[int, str] = {}
    with os.scandir(folder) as listing:
        names = sorted(entry.name for entry in listing if entry.is_file(follow_symlinks=False))
    for name in names:
        if match := _NAME.fullmatch(name):
            found.setdefault(int(match[1]), name)
    return found


def size_of(path: Path) -> tuple[int, int] | None:
    """Give a picture's (height, width); None where it is cut or no PNG."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            length = file.seek(0, os.SEEK_END)
            file.seek(max(len(head), length - _TAIL))
            tail = file.read()
    except OSError:
        return None
    return images.size(head) if len(head) == _HEAD and images.is_whole(head + tail) else None


@dataclass(frozen=True)
class PngFiles:
    """Pictures that lie in files; see `formats.imported.Frames`.

    Attributes:
        folders: The chunks' folders.
        folder_of: (N,) number of each frame's folder.
        number_of: (N,) its number there, from 1.
        wide: Names that are not of six digits: (folder, number) -> name.
    """

    folders: Sequence[Path]
    folder_of: npt.NDArray[np.int32]
    number_of: npt.NDArray[np.int32]
    wide: dict[tuple[int, int], str]

    def path(self, frame_index: int) -> Path:
        """Say where a frame's picture lies."""
        folder, number = int(self.folder_of[frame_index]), int(self.number_of[frame_index])
        return self.folders[folder] / self.wide.get((folder, number), f"{number:06d}.png")

    def _data(self, start: int, stop: int) -> Iterator[tuple[Path, bytes]]:
        for frame_index in range(start, stop):
            path = self.path(frame_index)
            try:
                yield path, path.read_bytes()
            except FileNotFoundError as error:
                raise MissingError(
                    f"{path}: the picture went away while the set was open",
                    accepts="a set that nobody changes",
                    fix="open it again",
                ) from error

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order: (H, W, 3) uint8 RGB.

        Raises:
            BadDataError: A picture is damaged inside.
            MissingError: It went away.
        """
        for path, data in self._data(start, stop):
            yield images.decode(data, where=str(path))

    def pictures(self, start: int, stop: int) -> Iterator[Picture]:
        """Give pictures as they are stored."""
        for _, data in self._data(start, stop):
            yield Picture("png-indexed" if images.is_indexed(data) else "png", data)

    def __repr__(self) -> str:
        return f"PngFiles({len(self.number_of)} pictures in {len(self.folders)} folders)"
