r"""Pictures as base64 in one JSON file, as the game wrote them first: found without reading the file as JSON.

A list of objects `{path, timestamp_ms, width, height, shape, dtype, data_base64}`; a minute of it has 40 MB. One pass
finds where each picture's text begins and ends; it is decoded when it is asked for. What is cut at the end costs the
last picture alone.

Source: gudlaa/ReActure game.js at cc09b2e, generateFramesManifest.

Example:
    >>> text = b'[{"path": "frames/frame_000003.npy", "timestamp_ms": 301, "shape": [1, 2, 3], "data_base64": "AAEC'
    >>> listing = scan(text + b'AwQF"}, {"path": "frames/fr')
    >>> listing.entries[0].number, listing.entries[0].t_ms, listing.entries[0].shape, listing.whole
    (3, 301.0, (1, 2, 3), False)
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rushes.formats.reacture.names import number_in

if TYPE_CHECKING:
    from mmap import mmap

_TEXT: Final = re.compile(rb'"data_base64"\s*:\s*"([A-Za-z0-9+/=]*)"')
_PATH: Final = re.compile(rb'"path"\s*:\s*"([^"\\]{0,200})"')
_TIME: Final = re.compile(rb'"timestamp_ms"\s*:\s*(-?\d{1,15}(?:\.\d{1,9})?)')
_SHAPE: Final = re.compile(rb'"shape"\s*:\s*\[\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,2})\s*\]')
_MOST_HEAD: Final = 4096
_CHANNELS: Final = 3


@dataclass(frozen=True)
class Entry:
    """A picture in the file.

    Attributes:
        number: Its number by its path, or its place in the list.
        t_ms: ms since the game's start, or None.
        shape: (height, width, 3).
        begin: Byte at which its base64 text begins.
        length: Bytes of the text.
    """

    number: int
    t_ms: float | None
    shape: tuple[int, int, int]
    begin: int
    length: int


@dataclass(frozen=True)
class Listing:
    """What the file holds.

    Attributes:
        entries: Its pictures in order.
        bad: How many others cannot be read.
        whole: Whether the list is closed at its end.
    """

    entries: tuple[Entry, ...]
    bad: int
    whole: bool


def scan(data: bytes | mmap) -> Listing:
    """Find the pictures.

    Args:
        data: The file.
    """
    entries, bad, behind = [], 0, 0
    for place, match in enumerate(_TEXT.finditer(data)):
        head = data[max(behind, match.start() - _MOST_HEAD) : match.start()]
        behind = match.end()
        shape, path, time = (pattern.search(head) for pattern in (_SHAPE, _PATH, _TIME))
        size = tuple(int(n) for n in shape.groups()) if shape else (0, 0, 0)
        length = match.end(1) - match.start(1)
        number = number_in(path[1].decode("latin-1")) if path else None
        if not _fits(size, length):
            bad += 1
            continue
        t_ms = float(time[1]) if time else None
        entries.append(
            Entry(place if number is None else number, t_ms, (size[0], size[1], size[2]), match.start(1), length)
        )
    return Listing(tuple(entries), bad, data[max(len(data) - 16, 0) :].rstrip().endswith(b"]"))


def _fits(size: tuple[int, ...], length: int) -> bool:
    """Say whether a text of this length holds a picture of this size."""
    wanted = math.prod(size)
    return size[2] == _CHANNELS and wanted > 0 and length == -(-wanted // 3) * 4
