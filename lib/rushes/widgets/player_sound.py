"""The sound of a recording as a curve: least and largest sample of each column, at any zoom.

Near, the samples themselves are read. Far, they are summed up once for each 10 ms, twenty seconds at a time, and kept:
1.5 MB an hour and stream. What is not summed up yet is unknown in the answer, so a long recording is drawn at once and
fills up; who asks calls `fill` until nothing is left.

Example:
    >>> from rushes.store.reader import open_session
    >>> def loudness(path):
    ...     wave = Wave(open_session(path), "system", 0, 60_000_000_000)
    ...     while wave.fill(0, 60_000_000_000):
    ...         pass
    ...     return wave.columns(0, 60_000_000_000, 600)
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.recording import Recording
from rushes.model.sounds import lay
from rushes.store.reader import Session

BIN_NS: Final = 10_000_000
"""What is summed up."""
BLOCK: Final = 2_000
"""Bins that are read at a time."""
_FULL: Final = 32_767
_DIGITS: Final = 4
Shorts = npt.NDArray[np.int16]


class Columns(NamedTuple):
    """A curve.

    Attributes:
        low: Least sample of each column, -1 to 1; None where nothing was recorded, or is not known yet.
        high: Largest one.
    """

    low: list[float | None]
    high: list[float | None]


class Wave:
    """One stream of sound.

    Args:
        recording: Any recording.
        stream: Name of the stream.
        start_ns: Where it begins to be of interest, ns since session start.
        end_ns: Where it ends to be.
        lock: Held while the recording is read.
    """

    def __init__(
        self, recording: Recording, stream: str, start_ns: int, end_ns: int, *,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:  # fmt: skip
        self._recording, self._stream, self._lock = recording, stream, lock or nullcontext()
        self._rate = max(1, round(recording.sound_stream(stream).rate_hz))
        self._start = start_ns // BIN_NS * BIN_NS
        bins = max(1, -(-(end_ns - self._start) // BIN_NS))
        ours = isinstance(recording.whole, Session)
        self._block = BLOCK if ours else bins  # a foreign stream is read from its start each time
        self._low, self._high = np.zeros(bins, np.int16), np.zeros(bins, np.int16)
        self._heard = np.zeros(bins, bool)
        self._done = np.zeros(-(-bins // self._block), bool)

    def columns(self, from_ns: int, to_ns: int, px: int) -> Columns:
        """Sum up a stretch.

        Args:
            from_ns: ns since session start.
            to_ns: Its end, later.
            px: Columns.
        """
        if self._is_near(from_ns, to_ns, px):
            return _columns(*self._read(from_ns, to_ns, px))
        edges = np.clip((np.linspace(from_ns, to_ns, px + 1) - self._start) / BIN_NS, 0, len(self._low)).astype(int)
        return _columns(*_reduced(self._low, self._high, self._heard, edges))

    def fill(self, from_ns: int, to_ns: int, px: int = 1) -> bool:
        """Sum up one more block of a stretch; say whether one was left to be done."""
        if self._is_near(from_ns, to_ns, px):
            return False
        first, last = ((at - self._start) // BIN_NS // self._block for at in (from_ns, to_ns))
        left = np.flatnonzero(~self._done[max(0, first) : max(0, last + 1)])
        if not len(left):
            return False
        block = max(0, first) + int(left[0])
        bins = slice(block * self._block, min((block + 1) * self._block, len(self._low)))
        from_bin, to_bin = (self._start + edge * BIN_NS for edge in (bins.start, bins.stop))
        self._low[bins], self._high[bins], self._heard[bins] = self._read(from_bin, to_bin, bins.stop - bins.start)
        self._done[block] = True
        return True

    def _is_near(self, from_ns: int, to_ns: int, px: int) -> bool:
        return (to_ns - from_ns) / max(px, 1) < BIN_NS

    def _read(self, from_ns: int, to_ns: int, px: int) -> tuple[Shorts, Shorts, npt.NDArray[np.bool_]]:
        """Read samples and sum them up: least, largest, and whether there was any."""
        edges = (np.linspace(from_ns, to_ns, px + 1).astype(np.int64) * self._rate) // NS
        first, stop = int(edges[0]), max(int(edges[-1]), int(edges[0]) + 1)
        with self._lock:
            blocks = self._recording.sound_between(self._stream, from_ns, to_ns)
            line, known = lay(blocks, first=first, stop=stop, rate_hz=self._rate)
        samples = np.rint(np.clip(line, -1, 1) * _FULL).astype(np.int16)
        return _reduced(samples, samples, known, edges - first)

    def __repr__(self) -> str:
        return f"<Wave of {self._stream}: {int(self._done.sum())} of {len(self._done)} blocks>"


def _reduced(
    low: Shorts, high: Shorts, known: npt.NDArray[np.bool_], edges: npt.NDArray[np.int64]
) -> tuple[Shorts, Shorts, npt.NDArray[np.bool_]]:
    """Reduce to columns between rising edges; one without an entry takes that at its edge."""
    starts = np.minimum(edges[:-1], len(low) - 1)
    inside = edges[:-1] < len(low)
    cut = slice(0, max(int(edges[-1]), int(starts[-1]) + 1))
    heard = np.logical_or.reduceat(known[cut], starts) & inside
    return np.minimum.reduceat(low[cut], starts), np.maximum.reduceat(high[cut], starts), heard


def _columns(low: Shorts, high: Shorts, heard: npt.NDArray[np.bool_]) -> Columns:
    def said(values: Shorts) -> list[float | None]:
        numbers = np.round(values / _FULL, _DIGITS).tolist()
        return [value if known else None for value, known in zip(numbers, heard.tolist(), strict=True)]

    return Columns(said(low), said(high))
