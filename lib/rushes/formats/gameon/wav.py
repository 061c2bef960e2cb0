"""WAV files as GameOn leaves them: PCM, and after a kill a header that claims no samples though they are there.

A WAV has no times. It begins with the first sample that its device gave, some time after the recorder was started, and
goes on at its nominal rate; what was lost in between is not to be seen.

Example:
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.wav"
    >>> with WavWriter(file, rate_hz=8000, channels=1) as wav:
    ...     wav.write(np.array([[1], [2]], np.int16))
    >>> found = look_at(file)
    >>> found.rate_hz, found.count, found.cut, [block.tolist() for block in found.blocks()]
    (8000, 2, False, [[[1], [2]]])
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError

Block = npt.NDArray[Any]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_FORMATS: Final[dict[tuple[int, int], str]] = {
    (_PCM, 8): "u1",
    (_PCM, 16): "<i2",
    (_PCM, 24): "i3",
    (_PCM, 32): "<i4",
    (_FLOAT, 32): "<f4",
    (_FLOAT, 64): "<f8",
}
_MOST_HEADERS: Final = 64
_MOST_HZ: Final = 1 << 20
_MOST_CHANNELS: Final = 64
_HEADER: Final = 44
_LONGEST: Final = (1 << 32) - 1 - _HEADER


@dataclass(frozen=True)
class Wav:
    """A WAV file.

    Attributes:
        path: The file.
        rate_hz: Samples a second.
        channels: How many.
        count: Samples, a channel.
        place: Where the first one lies, in bytes.
        kind: How they are stored.
        cut: Whether the header says another length than what is there.
    """

    path: Path
    rate_hz: int
    channels: int
    count: int
    place: int
    kind: str
    cut: bool

    @property
    def width(self) -> int:
        """Bytes of a number."""
        return 3 if self.kind == "i3" else np.dtype(self.kind).itemsize

    def blocks(self, *, first: int = 0, stop: int | None = None, samples: int = 1 << 16) -> Iterator[Block]:
        """Read the file.

        Args:
            first: Number of the first sample.
            stop: Number behind the last one; None reads to the end.
            samples: So many at a time.

        Yields:
            (N, C) int16 where 16 bits or fewer are stored, else float32 from -1 to 1.
        """
        step = self.width * self.channels
        with self.path.open("rb") as file:
            file.seek(self.place + first * step)
            end = self.count if stop is None else min(stop, self.count)
            for at in range(first, end, samples):
                data = file.read(min(samples, end - at) * step)
                yield self._numbers(data[: len(data) // step * step]).reshape(-1, self.channels)

    def _numbers(self, data: bytes) -> Block:
        if self.kind == "u1":
            return (np.frombuffer(data, "u1").astype(np.int16) - 128) << 8
        if self.kind == "<i2":
            return np.frombuffer(data, "<i2").astype(np.int16)
        if self.kind == "i3":
            three = np.frombuffer(data, "u1").reshape(-1, 3).astype(np.int32)
            whole = (three[:, 0] << 8) | (three[:, 1] << 16) | (three[:, 2] << 24)
            return (whole / float(1 << 31)).astype(np.float32)
        numbers = np.frombuffer(data, self.kind)
        return (numbers / float(1 << 31) if self.kind == "<i4" else np.nan_to_num(numbers)).astype(np.float32)

    def __repr__(self) -> str:
        return f"<Wav {self.path.name}: {self.count / self.rate_hz:.1f} s, {self.channels} x {self.rate_hz} Hz>"


def look_at(path: Path) -> Wav:
    """Read the header of a WAV file; a length of 0, or one beyond the file's end, means all that is there.

    Args:
        path: The file.

    Raises:
        BadDataError: It is no WAV, or of a kind that nothing here reads.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise _odd(path, "no WAV file" if head else "an empty file")
        described: tuple[int, int, int, int] | None = None
        at = 12
        for _ in range(_MOST_HEADERS):
            file.seek(at)
            chunk = file.read(8)
            if len(chunk) < 8:  # noqa: PLR2004 - its header
                break
            length = int(struct.unpack("<I", chunk[4:])[0])
            if chunk[:4] == b"fmt ":
                described = _format_of(path, file.read(min(length, 40)))
            elif chunk[:4] == b"data":
                if described is None:
                    break
                return _wav(path, described, at + 8, length, size)
            at += 8 + length + length % 2
    raise _odd(path, "a WAV file without samples")


def _format_of(path: Path, data: bytes) -> tuple[int, int, int, int]:
    if len(data) < 16:  # noqa: PLR2004 - the shortest
        raise _odd(path, "a header that is cut")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", data[:16])
    if code == _EXTENSIBLE and len(data) >= 26:  # noqa: PLR2004 - where the code stands
        code = struct.unpack("<H", data[24:26])[0]
    return code, channels, rate, bits


def _wav(path: Path, described: tuple[int, int, int, int], place: int, length: int, size: int) -> Wav:
    code, channels, rate, bits = described
    kind = _FORMATS.get((code, bits))
    if kind is None or not 0 < channels <= _MOST_CHANNELS or not 0 < rate <= _MOST_HZ:
        raise _odd(path, f"sound of the kind {code} with {bits} bits, {channels} channels at {rate} Hz")
    there = size - place
    cut = length == 0 < there or length > there
    step = (3 if kind == "i3" else np.dtype(kind).itemsize) * channels
    return Wav(path, rate, channels, (there if cut else length) // step, place, kind, cut)


def _odd(path: Path, what: str) -> BadDataError:
    return BadDataError(f"{path}: {what}", accepts="a WAV file of PCM or floats", fix="restore it from a copy")


class WavWriter:
    """A WAV file of 16 bits that is open for appending.

    Args:
        path: A new file.
        rate_hz: Samples a second.
        channels: How many.

    Attributes:
        count: Samples so far, a channel.
    """

    def __init__(self, path: Path, *, rate_hz: int, channels: int) -> None:
        self._rate, self._channels, self.count = rate_hz, channels, 0
        self._file = path.open("wb")
        self._file.write(self._head())

    def _head(self) -> bytes:
        step = 2 * self._channels
        length = min(self.count * step, _LONGEST)
        told = struct.pack("<HHIIHH", _PCM, self._channels, self._rate, self._rate * step, step, 16)
        return b"RIFF" + struct.pack("<I", length + 36) + b"WAVEfmt " + struct.pack("<I", 16) + told + (
            b"data" + struct.pack("<I", length)
        )  # fmt: skip

    def write(self, samples: npt.NDArray[np.int16]) -> None:
        """Append (N, C) int16."""
        self._file.write(np.ascontiguousarray(samples, "<i2").tobytes())
        self.count += len(samples)

    def silence(self, count: int) -> None:
        """Append zeros, so many a channel."""
        for first in range(0, count, self._rate):
            self.write(np.zeros((min(self._rate, count - first), self._channels), np.int16))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file as file:
            file.seek(0)
            file.write(self._head())
