"""Blocks of sound in time: which overlap a stretch, what of one lies in it, and all of them on one line of samples.

Sample n of a stream stands at n / rate seconds since session start, whatever was recorded: so the same instant has the
same number however a stretch is chosen. A block is laid where its time says, to the nearest sample. The clock of a
sound card is never quite the session's, so blocks that follow each other leave out or share a sample now and then: a
hole of up to 5 ms is bridged by a straight line, and where two blocks meet the later one holds.

Example:
    >>> blocks = [Sound(0, np.full((4, 1), 3, np.int16), 1000, "mic"), Sound(20_000_000, np.ones((4, 2)), 1000, "mic")]
    >>> samples, known = lay(blocks, first=2, stop=22, rate_hz=1000)
    >>> known.nonzero()[0].tolist(), samples.max().item()
    ([0, 1, 18, 19], 1.0)
    >>> cut(blocks[0], 1_000_000, 3_000_000).samples.shape
    (2, 1)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.readings import Sound

BRIDGE_NS: Final = 5_000_000
"""The longest hole between two blocks that is bridged; from a sound card's clock they come to a sample or two."""
_FULL: Final = 32_768  # what 1.0 is in 16 bit


def end_ns(block: Sound) -> int:
    """Say when a block ends: ns since session start behind its last sample."""
    return block.t_ns + len(block.samples) * NS // block.rate_hz


def overlapping(blocks: Iterable[Sound], start_ns: int, stop_ns: int) -> Iterator[Sound]:
    """Choose the blocks of which something lies in [start_ns, stop_ns); each is given whole.

    Args:
        blocks: Blocks in the order of time; none is taken behind the stretch.
        start_ns: ns since session start.
        stop_ns: ns since session start.
    """
    near = takewhile(lambda block: block.t_ns < stop_ns, blocks)
    return (block for block in near if end_ns(block) > start_ns)


def cut(block: Sound, start_ns: int, stop_ns: int) -> Sound | None:
    """Cut a block to the samples that stand in [start_ns, stop_ns).

    Args:
        block: A block.
        start_ns: ns since session start.
        stop_ns: ns since session start.

    Returns:
        What is left, or None.
    """
    first = max(0, _until(start_ns - block.t_ns, block.rate_hz))
    stop = min(len(block.samples), _until(stop_ns - block.t_ns, block.rate_hz))
    if first >= stop:
        return None
    return block._replace(t_ns=block.t_ns - (-first * NS // block.rate_hz), samples=block.samples[first:stop])


class Cursor:
    """A stream that is read once, piece by piece, each up to a time; blocks are cut there.

    Args:
        blocks: Blocks in the order of time.
    """

    def __init__(self, blocks: Iterable[Sound]) -> None:
        self._blocks = iter(blocks)
        self._next = next(self._blocks, None)

    def until(self, stop_ns: int) -> Iterator[Sound]:
        """Yield what stands before a time and was not yet given."""
        while (block := self._next) is not None and block.t_ns < stop_ns:
            self._next = cut(block, stop_ns, end_ns(block) + 1) or next(self._blocks, None)
            before = cut(block, block.t_ns, stop_ns)
            if before is not None:
                yield before


def _until(length_ns: int, rate_hz: int) -> int:
    """Count the samples that stand before a time: 0 stands at 0."""
    return -(-length_ns * rate_hz // NS)


def mono(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Give one channel, the mean of all: (N,) float32 from -1 to 1.

    Args:
        samples: (N, C) int16, of which 32768 is 1.0, or floats.
    """
    scale = 1 / _FULL if np.issubdtype(samples.dtype, np.integer) else 1.0
    mean = samples.astype(np.float32) if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float64)
    return (mean.reshape(-1) * scale).astype(np.float32)


def lay(
    blocks: Iterable[Sound], *, first: int, stop: int, rate_hz: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Lay blocks on the line of samples, and give a part of it.

    Args:
        blocks: In the order of time, all of `rate_hz`; what lies up to 5 ms outside of the part matters for it.
        first: Number of the first sample: it stands at first / rate_hz seconds since session start.
        stop: Number behind the last.
        rate_hz: Samples a second.

    Returns:
        (stop - first,) float32 mono samples, 0 where nothing was recorded, and whether each is known.
    """
    line, known = np.zeros(stop - first, np.float32), np.zeros(stop - first, np.bool_)
    behind: tuple[int, float] | None = None  # where the last block ended, and with what
    bridge = BRIDGE_NS * rate_hz // NS
    for block in blocks:
        at, samples = (block.t_ns * rate_hz + NS // 2) // NS - first, mono(block.samples)
        if not len(samples):
            continue
        if behind is not None and 0 < at - behind[0] <= bridge:
            steps = np.linspace(behind[1], samples[0], at - behind[0] + 2, dtype=np.float32)[1:-1]
            _put(line, known, behind[0], steps)
        _put(line, known, at, samples)
        behind = (at + len(samples), float(samples[-1]))
    return line, known


def _put(
    line: npt.NDArray[np.float32], known: npt.NDArray[np.bool_], at: int, samples: npt.NDArray[np.float32]
) -> None:
    low, high = max(at, 0), min(at + len(samples), len(line))
    if low < high:
        line[low:high], known[low:high] = samples[low - at : high - at], True
