"""Encoding: pictures become PNG files or packets of a video on threads of their own, while the next ones are grabbed.

A video is encoded by one thread in order; PNG files by several at once. Both release the interpreter while they work,
so no stamp waits for them. When more pictures wait than `room` admits, the recorder drops ticks and says so, rather
than let memory or the delay grow.

Example:
    >>> import numpy as np
    >>> with Encoding("png", width=4, height=2, rate_hz=30) as encoding:
    ...     encoding.submit(np.zeros((2, 4, 3), np.uint8)).result().codec
    'png'
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadNameError
from rushes.model.readings import Encoded, Frame, Reading, Start
from rushes.store import video_stream
from rushes.store.images import as_rgb, encode_rgb
from rushes.store.video_stream import VideoEncoder

CODECS: Final = (*video_stream.CODECS, "png")
"""`h264` is the default of desktop recordings; `lossless` and `png` give back every pixel."""
EXACT: Final = ("lossless", "png")
_WAIT_S: Final = 0.4
"""How long a picture may wait, so that what a kill takes stays within the promised second."""


class Encoding:
    """The encoder of a recording.

    Args:
        codec: One of `CODECS`.
        width: Pixels.
        height: Pixels.
        rate_hz: Pictures a second.
        workers: Threads for PNG; 0 takes one a core.

    Attributes:
        codec: Its codec.
        workers: Its threads.
        room: Pictures that may wait.

    Raises:
        BadNameError: No such codec.
        UnavailableError: PyAV does not load.
    """

    def __init__(self, codec: str, *, width: int, height: int, rate_hz: float, workers: int = 0) -> None:
        if codec not in CODECS:
            raise BadNameError(f"codec {codec!r}", accepts=", ".join(CODECS), fix="pass --codec h264")
        self.codec = codec
        self._encoder = None
        if codec in video_stream.CODECS:
            self._encoder = VideoEncoder(codec, width=width, height=height, rate_hz=rate_hz)
        self.workers = 1 if self._encoder is not None else workers or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="rushes-encode")
        self._waiting: list[Future[Encoded]] = []
        self.room = max(4, round(_WAIT_S * rate_hz))

    @property
    def backlog(self) -> int:
        """Pictures that wait or are being encoded."""
        self._waiting = [future for future in self._waiting if not future.done()]
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether another picture may be handed in."""
        return self.backlog < self.room

    def submit(self, pixels: npt.NDArray[np.uint8], *, key: bool = False) -> Future[Encoded]:
        """Hand in a picture.

        Args:
            pixels: (H, W, 3) uint8 RGB or (H, W, 4) uint8 BGRA; not changed until the result is there.
            key: Whether it has to decode without those before it.

        Returns:
            Its encoded form, later; in the order in which pictures were handed in where it is a video.
        """
        future = self._pool.submit(self._encode, pixels, key)
        self._waiting.append(future)
        return future

    def _encode(self, pixels: npt.NDArray[np.uint8], key: bool) -> Encoded:
        if self._encoder is None:
            return Encoded("png", encode_rgb(as_rgb(pixels)))
        data = self._encoder.encode(pixels, key=key)
        return Encoded(self.codec, data, self._encoder.last_was_key)

    def close(self) -> None:
        """Wait for what was handed in and let the encoder go."""
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def encoded(readings: Iterable[Reading], encoding: Encoding) -> Iterator[Reading]:
    """Encode the frames of readings that are there as fast as they are asked for; a segment begins with a key picture.

    Args:
        readings: In the order of time.
        encoding: Takes pictures; as many as it has room for are handed over ahead.

    Yields:
        The same readings in the same order, frames with what was encoded of them.
    """
    waiting: deque[tuple[Reading, Future[Encoded] | None]] = deque()
    fresh, pictures = True, 0
    for reading in readings:
        future = None
        fresh = fresh or isinstance(reading, Start)
        if isinstance(reading, Frame) and isinstance(reading.pixels, np.ndarray):
            future = encoding.submit(reading.pixels, key=fresh)
            fresh, pictures = False, pictures + 1
        waiting.append((reading, future))
        while pictures > encoding.room:
            done = waiting.popleft()
            pictures -= done[1] is not None
            yield _finished(*done)
    while waiting:
        yield _finished(*waiting.popleft())


def _finished(reading: Reading, future: Future[Encoded] | None) -> Reading:
    """Put what was encoded into its frame."""
    if future is None or not isinstance(reading, Frame):
        return reading
    return reading._replace(pixels=future.result())
