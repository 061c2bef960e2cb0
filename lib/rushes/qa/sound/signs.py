"""What one pass over a stream of sound gives to all checks: a small row each 5 ms, a row each block, sums a channel.

Sound is read once, block by block, and let go. A hop is 5 ms of session time; it is looked at through a window of 10 ms
that ends where the hop ends, so nothing is seen before it was heard. How strongly something begins in a hop is by how
many dB the loudest three risers of nine bands stand above all of the 20 ms before (spectral flux with a maximum filter,
after Boeck and Widmer, DAFx 2013). Rows lie in a temporary file that is mapped into memory.

Example:
    >>> rng = np.random.default_rng(0)
    >>> click = np.zeros((8000, 1), np.int16)
    >>> click[4100:4300] = rng.integers(-9000, 9000, (200, 1))
    >>> heard = read_sound_signs(iter([Sound(0, click, 8000, "mic")]))
    >>> [round(float(hop) * HOP_NS / 1e6) for hop in heard["hop"][heard["onset"] > 20]]
    [510, 515]
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.mel import window
from rushes.model.readings import Sound
from rushes.model.sounds import BRIDGE_NS, Cursor, cut, end_ns, lay

Floats = npt.NDArray[np.float64]

HOP_NS: Final = 5_000_000
"""Length of a hop."""
_BEFORE: Final = 5  # hops that a riser is held against; the nearest shares half of its window and is left out
_PIECE: Final = 800  # hops that are looked at together: 4 s
_EDGES_HZ: Final = (50, 400, 800, 1400, 2200, 3200, 4500, 6500, 9000, 14_000)
_RISERS: Final = 3
_MOST_DB: Final = 40.0  # a riser counts no more than that
_FLOOR: Final = 1e-8  # power below which a band is silent: -80 dBFS
_WHOLE: Final = 0.9  # of a window that has to be known
_FULL: Final = 32_766 / 32_768  # from here on a sample is at full scale
_RUN: Final = 3  # samples at full scale one behind the other that are no longer by chance

_HOLE_NS: Final = (1_500_000, 150_000_000)  # zeros of this length between loud samples are a dropout
_BESIDE_NS: Final = 1_000_000  # on both sides of it
_LOUD: Final = 0.02  # mean of the sizes of samples that are loud

HOP: Final = np.dtype(
    [("hop", np.int64), ("level", np.float32), ("peak", np.float32), ("onset", np.float32), ("dropped", np.bool_)]
)
"""A row for each hop that was heard, rising. hop: its number; it stands at hop * HOP_NS. level: RMS without a constant,
all channels, 1 is full scale. peak: the largest sample. onset: dB by which something begins in it, 0 where the sound
before it is not known. dropped: whether loud sound breaks off in it to zeros and goes on as loud."""
BLOCK: Final = np.dtype([("t_ns", np.int64), ("count", np.int64), ("clipped", np.int64)])
"""A row for each block as it was recorded. clipped: samples of its worst channel that stand in runs at full scale."""


@dataclass(frozen=True)
class SoundSigns:
    """What was heard in a stream.

    Attributes:
        rows: (N,) of `HOP`, mapped from a file.
        blocks: (B,) of `BLOCK`, mapped from a file.
        rate_hz: Samples a second as stated; 0 where there is no block.
        mean: (C,) constant part of each channel; 1 is full scale.
        together: (C, C) mean product of two channels without their constants: power on the diagonal.
    """

    rows: npt.NDArray[Any]
    blocks: npt.NDArray[Any]
    rate_hz: int
    mean: Floats
    together: Floats

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Give a column of the hops: an array of N rows."""
        return np.asarray(self.rows[name])

    @property
    def count(self) -> int:
        """How many samples a channel."""
        return int(self.blocks["count"].sum())

    @property
    def ends_ns(self) -> npt.NDArray[np.int64]:
        """Where each block ends, (B,) ns since session start."""
        return np.asarray(self.blocks["t_ns"] + self.blocks["count"] * NS // max(self.rate_hz, 1))


def read_sound_signs(blocks: Iterable[Sound]) -> SoundSigns:
    """Read a stream once.

    Args:
        blocks: In the order of time, as `Recording.sound` gives them.

    Returns:
        What was heard. Sound whose time lies before what was heard already has its row as a block and no hop.
    """
    with tempfile.TemporaryFile() as hops, tempfile.TemporaryFile() as spans:
        sums = _Sums()
        ear = _Ear()
        for piece, parts in _pieces(sums.take(blocks, spans)):
            hops.write(ear.hear(piece, parts).tobytes())
        mean, together = sums.result()
        return SoundSigns(_mapped(hops, HOP), _mapped(spans, BLOCK), sums.rate_hz, mean, together)


def _mapped(file: IO[bytes], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """Map the rows of a file; the mapping outlives its handle."""
    file.flush()
    count = file.tell() // kind.itemsize
    return np.memmap(file, kind, "r", shape=(count,)) if count else np.zeros(0, kind)


class _Sums:
    """Sums over a stream, taken while its blocks pass through."""

    def __init__(self) -> None:
        self.rate_hz = 0
        self._count = 0
        self._sum: Floats = np.zeros(0)
        self._products: Floats = np.zeros((0, 0))

    def take(self, blocks: Iterable[Sound], spans: IO[bytes]) -> Iterator[Sound]:
        """Note each block and pass it on, those of another rate or number of channels excepted."""
        for block in blocks:
            if not self.rate_hz:
                channels = block.samples.shape[1]
                self.rate_hz, self._sum, self._products = block.rate_hz, np.zeros(channels), np.zeros((channels,) * 2)
            if block.rate_hz != self.rate_hz or block.samples.shape[1] != len(self._sum) or not len(block.samples):
                continue
            whole = np.issubdtype(block.samples.dtype, np.integer)
            samples = np.nan_to_num(block.samples.astype(np.float32) * np.float32(1 / 32_768 if whole else 1.0))
            row = np.zeros(1, BLOCK)
            row["t_ns"], row["count"], row["clipped"] = block.t_ns, len(samples), clipped(samples)
            spans.write(row.tobytes())
            self._count += len(samples)
            self._sum += samples.sum(axis=0, dtype=np.float64)
            self._products += np.asarray(samples.T @ samples, np.float64)
            yield block

    def result(self) -> tuple[Floats, Floats]:
        """Give the constant of each channel, and the products without it."""
        mean = self._sum / max(self._count, 1)
        return mean, self._products / max(self._count, 1) - np.outer(mean, mean)


def clipped(samples: npt.NDArray[np.floating[Any]]) -> int:
    """Count the samples that stand in runs of three or more at full scale, in the channel that has the most.

    Args:
        samples: (N, C), 1 is full scale.
    """
    if not len(samples) or np.abs(samples).max() < _FULL:
        return 0
    counts = []
    for channel in samples.T:
        runs = [_runs(channel >= _FULL), _runs(channel <= -_FULL)]
        counts.append(sum(int(lengths[lengths >= _RUN].sum()) for lengths in runs))
    return max(counts)


def _runs(full: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Give the length of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(np.int8)))
    return np.asarray(edges[1::2] - edges[::2])


def _pieces(blocks: Iterable[Sound]) -> Iterator[tuple[int, list[Sound]]]:
    """Give the blocks of every piece of 4 s in which something was heard: its number and what lies in it."""
    ahead: deque[Sound] = deque()

    def watched() -> Iterator[Sound]:
        newest = -1 << 62
        for block in blocks:
            if block.t_ns >= newest:  # one that runs back has no place on the line
                newest = block.t_ns
                ahead.append(block)
                yield block

    cursor = Cursor(watched())
    length = _PIECE * HOP_NS
    while ahead:
        block = ahead[0]
        for piece in range(block.t_ns // length, -(-end_ns(block) // length)):
            parts = list(cursor.until((piece + 1) * length))
            if parts:
                yield piece, parts
        ahead.popleft()


class _Ear:
    """Hears pieces in order and remembers what it needs of the one before."""

    def __init__(self) -> None:
        self._tail: list[Sound] = []  # the end of the piece before
        self._logs: Floats = np.zeros((0, len(_EDGES_HZ) - 1))  # its last hops, in dB
        self._piece = -1 << 62

    def hear(self, piece: int, parts: list[Sound]) -> npt.NDArray[Any]:
        """Hear a piece: rows of `HOP`."""
        if piece != self._piece + 1 or not len(self._logs):
            self._tail, self._logs = [], np.full((_BEFORE, len(_EDGES_HZ) - 1), np.nan)
        rate, channels = parts[0].rate_hz, parts[0].samples.shape[1]
        places = (np.arange(_PIECE + 1) + piece * _PIECE) * (HOP_NS // 1000) * rate // 1_000_000
        half = int(HOP_NS * rate // NS)
        first, stop = int(places[0]) - half, int(places[-1])
        at = places[:-1, None] - first + np.arange(-half, half)  # the windows
        near = self._tail + parts
        power: Floats = np.zeros((_PIECE, len(_EDGES_HZ) - 1))
        total, peak = np.zeros(_PIECE), np.zeros(_PIECE, np.float32)
        known, size = np.zeros(stop - first, np.bool_), np.zeros(stop - first, np.float32)
        for channel in range(channels):
            alone = (block._replace(samples=block.samples[:, channel : channel + 1]) for block in near)
            line, known = lay(alone, first=first, stop=stop, rate_hz=rate)
            line = np.nan_to_num(line)
            size = np.maximum(size, np.abs(line))
            windows = line[at]
            found, whole = _bands(windows, rate)
            power += found / channels
            total += whole / channels
            peak = np.maximum(peak, np.abs(windows[:, half:]).max(axis=1, initial=0))
        heard = known[at].mean(axis=1) >= _WHOLE
        logs = 10 * np.log10(power + _FLOOR)
        logs[~heard] = np.nan
        line_of_logs = np.concatenate([self._logs, logs])
        rows = np.zeros(_PIECE, HOP)
        rows["hop"], rows["level"], rows["peak"] = np.arange(_PIECE) + piece * _PIECE, np.sqrt(total), peak
        rows["onset"] = _risers(line_of_logs)
        dropped = np.searchsorted(places, first + _dropouts(size, known, rate), "right") - 1
        rows["dropped"][dropped[dropped >= 0]] = True
        self._piece, self._logs = piece, line_of_logs[-_BEFORE:]
        edge = (piece + 1) * _PIECE * HOP_NS
        self._tail = [t for block in parts if (t := cut(block, edge - HOP_NS - 2 * BRIDGE_NS, edge))]
        return np.asarray(rows[heard])


def _dropouts(size: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], rate_hz: int) -> npt.NDArray[np.intp]:
    """Find where loud sound breaks off to zeros and goes on: the first sample of each hole.

    Args:
        size: (N,) size of each sample, of the louder channel.
        known: (N,) whether it was heard.
        rate_hz: Samples a second.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], (size == 0) & known, [False]]).astype(np.int8)))
    begin, end = edges[::2], edges[1::2]
    beside = max(_BESIDE_NS * rate_hz // NS, 1)
    shortest, longest = (limit * rate_hz // NS for limit in _HOLE_NS)
    fits = (end - begin >= shortest) & (end - begin <= longest) & (begin >= beside) & (end + beside <= len(size))
    begin, end = begin[fits], end[fits]
    sums, heard = np.concatenate([[0.0], np.cumsum(size, dtype=np.float64)]), np.concatenate([[0], np.cumsum(known)])
    loud = np.minimum(sums[begin] - sums[begin - beside], sums[end + beside] - sums[end]) > _LOUD * beside
    whole = heard[end + beside] - heard[begin - beside] == end - begin + 2 * beside
    return np.asarray(begin[loud & whole])


def _risers(logs: Floats) -> Floats:
    """Say by how much something begins: (K,) dB, from (K + 5, B) dB of the bands."""
    before = np.max([logs[shift : len(logs) - _BEFORE + shift] for shift in range(_BEFORE - 1)], axis=0)
    rise = np.nan_to_num(np.clip(logs[_BEFORE:] - before, 0, _MOST_DB))
    return np.asarray(np.sort(rise, axis=1)[:, -_RISERS:].mean(axis=1))


def _bands(windows: npt.NDArray[np.float32], rate_hz: int) -> tuple[Floats, Floats]:
    """Measure windows: (K, L) samples -> (K, B) power of each band and (K,) of all, without the constant."""
    taper, weights, scale = _bank(windows.shape[1], rate_hz)
    lines = np.fft.rfft((windows - windows.mean(axis=1, keepdims=True)) * taper, axis=1)
    power = (lines.real**2 + lines.imag**2) * scale
    return np.asarray(power @ weights), np.asarray(power.sum(axis=1))


@lru_cache(8)
def _bank(length: int, rate_hz: int) -> tuple[Floats, Floats, float]:
    """Give the window, (L // 2 + 1, B) which line of the spectrum belongs to which band, and the scale of power."""
    taper = window(length)
    hz = np.arange(length // 2 + 1) * rate_hz / length
    band = np.digitize(hz, _EDGES_HZ) - 1
    weights = (band[:, None] == np.arange(len(_EDGES_HZ) - 1)).astype(float)
    return taper, weights, 2.0 / (length * float((taper**2).sum()))
