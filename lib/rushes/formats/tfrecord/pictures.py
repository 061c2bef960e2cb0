"""The pictures of an export: each frame once, in order, as the bytes that stand in a record.

A PNG that needs no other size is copied as it is stored, palette screens with their palette: TensorFlow's `decode_png`
with three channels gives the same pixels. Everything else is decoded, made the size that is asked for, and encoded.

Example:
    >>> import numpy as np
    >>> frame = np.zeros((4, 6, 3), np.uint8)
    >>> [decode(encode(frame, kind), kind, (4, 6)).shape for kind in ("png", "jpeg", "raw")]
    [(4, 6, 3), (4, 6, 3), (4, 6, 3)]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.formats.atari import in_order
from rushes.formats.tfrecord.options import Plan
from rushes.model.recording import Recording
from rushes.store import images
from rushes.store.clips import Clips, Want

Pixels = npt.NDArray[np.uint8]

_BATCH: Final = 32
_PNG: Final = ("png", "png-indexed")


def stored_pictures(
    recording: Recording, first: int, stop: int, *, plan: Plan, clips: Clips, executor: Executor | None = None
) -> Iterator[bytes]:
    """Give the pictures of a stretch as they stand in records.

    Args:
        recording: Where they are.
        first: frame_index of the first.
        stop: frame_index after the last.
        plan: Kind and size.
        clips: Decodes and scales.
        executor: Where to encode; None does it here.

    Yields:
        One a frame.
    """
    work = partial(_encoded, kind=plan.options.pictures, quality=plan.options.quality)
    for batch in in_order(work, _batches(recording, first, stop, plan, clips), executor):
        yield from batch


def _batches(recording: Recording, first: int, stop: int, plan: Plan, clips: Clips) -> Iterator[list[Any]]:
    spec = recording.info.stream("frames")
    copied = plan.options.pictures == "png" and not plan.resized and spec is not None and spec.codec in _PNG
    for start in range(first, stop, _BATCH):
        end = min(start + _BATCH, stop)
        if copied:
            yield [
                recording.frame(number) if picture is None else _of_size(picture.data, plan.size, recording, number)
                for number, picture in enumerate(recording.pictures(start, end), start)
            ]
        else:
            yield list(clips.read([Want(recording, np.arange(start, end))])[0])


def _of_size(data: bytes, size: tuple[int, int], recording: Recording, number: int) -> bytes:
    if images.size(data) != size:
        raise BadInputError(
            f"{recording.info.id}, frame {number}: a picture of another size than {size[1]} x {size[0]} px",
            accepts="pictures of one size, or a size to make all of them",
            fix="pass size=224",
        )
    return data


def _encoded(batch: Sequence[Pixels | bytes], *, kind: str, quality: int) -> list[bytes]:
    return [one if isinstance(one, bytes) else encode(one, kind, quality) for one in batch]


def encode(pixels: Pixels, kind: str, quality: int = 95) -> bytes:
    """Encode a frame.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        kind: `png`, `jpeg` or `raw`.
        quality: Of `jpeg`.
    """
    if kind == "raw":
        return np.ascontiguousarray(pixels).tobytes()
    if kind == "png":
        return images.encode_rgb(pixels)
    import cv2

    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), settings)[1])


def decode(data: bytes, kind: str, size: tuple[int, int], *, where: str = "a picture") -> Pixels:
    """Decode what `encode` made.

    Args:
        data: The bytes.
        kind: `png`, `jpeg` or `raw`.
        size: (height, width).
        where: What to name in an error.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadDataError: They are no such picture.
    """
    if kind == "png":
        return images.decode(data, where=where)
    if kind == "raw" and len(data) == size[0] * size[1] * 3:
        return np.frombuffer(data, np.uint8).reshape(*size, 3)
    if kind == "jpeg" and data:
        import cv2

        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        if found is not None:
            return np.asarray(found, np.uint8)
    raise BadDataError(
        f"{where}: {len(data)} bytes that are no {kind} picture of {size[1]} x {size[0]} px",
        accepts="the pictures that features.json speaks of",
        fix="write the set again",
    )
