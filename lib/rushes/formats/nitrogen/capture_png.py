"""Frames of a recording as RGB PNG files: copied where they are that already, else encoded on all cores, in order.

Example:
    >>> pixels = np.zeros((2, 2, 3), np.uint8)
    >>> len(set(encoded(iter([images.encode_rgb(pixels), pixels]), None)))
    1
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.model.recording import Recording
from rushes.store import images

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"  # PNG specification, 5.2
_PENDING: Final = 64
_PENDING_BYTES: Final = 96 << 20
"""Pictures that wait for their encoders; with the one above this bounds the memory."""
Pixels = npt.NDArray[np.uint8]


def stored(recording: Recording, start: int, stop: int) -> Iterator[bytes | Pixels]:
    """Give frames as they are at hand: a PNG file where there is one, else pixels.

    Args:
        recording: Where they are.
        start: First frame_index.
        stop: frame_index after the last.

    Raises:
        BadDataError: A PNG file is damaged; the message names session and frame.
    """
    pictures = recording.pictures(start, stop)
    first = next(pictures, None)
    if first is None:  # of a video, which is decoded in one go
        yield from recording.frames(start, stop)
        return
    name = recording.info.id
    yield _checked(first.data, f"{name}, frame {start}")
    for frame_index, picture in enumerate(pictures, start + 1):
        if picture is None:
            yield recording.frame(frame_index)
        else:
            yield _checked(picture.data, f"{name}, frame {frame_index}")


def _checked(data: bytes, where: str) -> bytes:
    """Give a PNG file, the checksums of whose parts are right: it may be copied without anybody decoding it."""
    view, at = memoryview(data), len(_SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(view[at : at + 4])  # length, name, values, checksum
        if zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            break
        if data[at + 4 : at + 8] == b"IEND":
            return data
        at = end
    raise BadDataError(
        f"{where}: a PNG file that is damaged",
        accepts="a whole PNG file",
        fix="restore the file; one that is removed costs its row alone",
    )


def encoded(frames: Iterator[bytes | Pixels], executor: Executor | None) -> Iterator[bytes]:
    """Give frames as RGB PNG files, in order, with a bounded number of them under way.

    Args:
        frames: What `stored` gives; files that are RGB already are copied.
        executor: Where to encode; None does it here.
    """
    pending: deque[tuple[Any, int]] = deque()
    waiting = 0
    try:
        for frame in frames:
            size = len(frame) if isinstance(frame, bytes) else frame.nbytes
            plain = isinstance(frame, bytes) and images.is_plain_rgb(frame)
            item = frame if plain else _png(frame) if executor is None else executor.submit(_png, frame)
            pending.append((item, size))
            waiting += size
            while len(pending) >= _PENDING or waiting > _PENDING_BYTES:
                one, size = pending.popleft()
                waiting -= size
                yield one if isinstance(one, bytes) else one.result()
        while pending:
            one, _ = pending.popleft()
            yield one if isinstance(one, bytes) else one.result()
    finally:
        for one, _ in pending:
            if not isinstance(one, bytes):
                one.cancel()


def _png(frame: bytes | Pixels) -> bytes:
    return images.as_rgb_png(frame) if isinstance(frame, bytes) else images.encode_rgb(frame)
