"""Any picture of a recording's video by its number: the reading side of `rushes.store.video_stream`.

A picture is decoded from the key picture before it; reading on in order never seeks again. Which picture stands where
is known from one pass over the packets, without decoding.

Example:
    >>> import numpy as np, tempfile
    >>> from rushes.store.video_stream import VideoEncoder, mux
    >>> encoder = VideoEncoder("lossless", width=64, height=48, rate_hz=30)
    >>> packets = [(encoder.encode(np.full((48, 64, 3), k, np.uint8)), k * 33_000_000, encoder.last_was_key)
    ...            for k in range(20)]
    >>> clip = Path(tempfile.mkdtemp()) / "frames.mp4"
    >>> mux(clip, packets, codec="lossless", width=64, height=48, rate_hz=30)
    >>> with VideoPictures(clip) as pictures:
    ...     pictures.count, [int(pixels[0, 0, 0]) for pixels in pictures.frames(17, 20)]
    (20, [17, 18, 19])
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.model.clock import NS
from rushes.store.video import _av, _opened

Pixels = npt.NDArray[np.uint8]

_DECODERS: Final = 2  # threads that decode: each one reads a picture further ahead, which seeking pays for


class VideoPictures:
    """The pictures of a video file, by number in the order of their times.

    Opening reads the file once without decoding it. A stretch is decoded from the key picture before it; reading on
    where the last stretch ended seeks no more. A handful of pictures is held.

    Args:
        path: A file that FFmpeg reads.
        size: (height, width) to cut to, where an odd size was made even by the encoder.
        threads: Threads that decode; 1 where several stretches are decoded side by side.

    Attributes:
        count: How many pictures.
        keys: Numbers of the pictures that need none before them, rising; the first is 0.
        times_ns: (count,) int64, ns since the file's first picture.
        seeks: How often it had to look for a key picture; for tests.

    Raises:
        MissingError: No such file.
        BadDataError: Empty, no video, damaged, or cut: fewer pictures than it says.
        StorageError: The file cannot be read.
        UnavailableError: PyAV is missing or does not load.
    """

    def __init__(self, path: str | Path, *, size: tuple[int, int] | None = None, threads: int = _DECODERS) -> None:
        self.path, self.seeks = Path(path), 0
        self._rows, self._columns = slice(size[0] if size else None), slice(size[1] if size else None)
        self._files = ExitStack()
        with self._files as opening:
            self._container, self._stream = opening.enter_context(_opened(self.path))
            self._stream.thread_type, self._stream.thread_count = "AUTO", threads
            self._read_table()
            self._files = opening.pop_all()
        self._converter = _av().video.reformatter.VideoReformatter()
        self._coming: Iterator[Any] = iter(())
        self._held: tuple[int, Any] | None = None  # the picture decoded last, and its number

    def _read_table(self) -> None:
        with self._damage("its packets"):
            packets = [
                (p.pts, bool(p.is_keyframe), bool(p.is_corrupt)) for p in self._container.demux(self._stream) if p.size
            ]
        whole = [(pts, key) for pts, key, corrupt in packets if pts is not None and not corrupt]
        if len(whole) < max(len(packets), self._stream.frames):
            raise self._error(f"cut, {len(whole)} of {max(len(packets), self._stream.frames)} pictures are there")
        whole.sort()
        if not whole or not whole[0][1]:
            raise self._error("without a key picture at its start" if whole else "without a picture")
        self._pts = np.array([pts for pts, _ in whole], np.int64)
        self.keys = np.flatnonzero([key for _, key in whole])
        self.count = len(whole)
        base = self._stream.time_base
        elapsed = self._pts - self._pts[0]
        self.times_ns = (elapsed * base.numerator * NS + base.denominator // 2) // base.denominator

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Pixels]:
        """Decode pictures `start` to `stop` - 1.

        Args:
            start: Number of the first one, 0-based.
            stop: Number behind the last one; None reads to the end.

        Yields:
            (H, W, 3) uint8 RGB, each an array of its own.

        Raises:
            BadInputError: Numbers that the file does not have.
            BadDataError: Damaged.
        """
        stop = self.count if stop is None else stop
        self._refuse_outside(start, stop)
        return (np.array(self.view(number)) for number in range(start, stop))

    def _refuse_outside(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= self.count:
            raise BadInputError(
                f"{self.path}: pictures {start} to {stop}", accepts=f"0 to {self.count}", fix="ask for what is there"
            )

    def view(self, number: int) -> Pixels:
        """Decode one picture without copying it; for those who look at it once and let it go.

        Args:
            number: 0-based; asking in order is quick.

        Returns:
            (H, W, 3) uint8 RGB whose rows may lie apart.

        Raises:
            BadInputError: A number that the file does not have.
            BadDataError: Damaged.
        """
        rgb = self._converter.reformat(self._decoded(number), format="rgb24", dst_color_range=2, threads=1)
        return _pixels(rgb)[self._rows, self._columns]

    def small(self, number: int, size: int) -> Pixels:
        """Decode one picture and squash it to a square on the way to RGB: means of areas, by FFmpeg.

        Much quicker than `view` and resizing, and not the same to the last bit. What an encoder added to an odd size is
        squashed too.

        Args:
            number: 0-based; asking in order is quick.
            size: Pixels a side.

        Returns:
            (size, size, 3) uint8 RGB whose rows may lie apart.

        Raises:
            BadInputError: A number that the file does not have.
            BadDataError: Damaged.
        """
        square = {"width": size, "height": size, "interpolation": "AREA"}
        picture = self._decoded(number)
        return _pixels(self._converter.reformat(picture, format="rgb24", dst_color_range=2, threads=1, **square))

    def _decoded(self, number: int) -> Any:
        """Decode up to a picture, and hold it."""
        self._refuse_outside(number, number + 1)
        held = -1 if self._held is None else self._held[0]
        key = int(self.keys[np.searchsorted(self.keys, number, side="right") - 1])
        if not max(key - 1, 0) <= held <= number:  # one before the key is still on the way to it
            self._seek(key)
        while self._held is None or self._held[0] < number:
            self._advance(number)
        assert self._held is not None
        return self._held[1]

    def _seek(self, key: int) -> None:
        self.seeks += 1
        with self._damage(f"picture {key}"):
            self._container.seek(int(self._pts[key]), stream=self._stream)
        self._coming, self._held = self._container.decode(self._stream), None

    def _advance(self, number: int) -> None:
        with self._damage(f"picture {number}"):
            picture = next(self._coming, None)
        at = -1 if picture is None or picture.pts is None else int(np.searchsorted(self._pts, picture.pts))
        if picture is None or at < 0 or at >= self.count or picture.is_corrupt or at > number:
            raise self._error(f"damaged at picture {number} of {self.count}")
        self._held = (at, picture)

    @contextmanager
    def _damage(self, where: str) -> Iterator[None]:
        try:
            yield
        except _av().FFmpegError as error:
            raise self._error(f"damaged at {where} ({error.strerror})") from error

    def _error(self, what: str) -> BadDataError:
        return BadDataError(f"{self.path}: {what}", accepts="a whole video", fix="restore it from a copy")

    def close(self) -> None:
        """Close the file."""
        self._coming, self._held = iter(()), None
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<VideoPictures {self.path.name}: {self.count} pictures, {len(self.keys)} of them keys>"


def _pixels(rgb: Any) -> Pixels:
    """Give the pixels of an RGB picture without copying them."""
    rows = np.frombuffer(rgb.planes[0], np.uint8).reshape(-1, rgb.planes[0].line_size)
    return rows[: rgb.height, : rgb.width * 3].reshape(rgb.height, rgb.width, 3)
