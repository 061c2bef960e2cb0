"""The sound of a session, over all of its chunks: everything in order, or what was heard in a stretch of time.

A stretch costs what it is long: the tables of the chunks near it say which blocks are wanted, and only these are
decoded. Tables of the last chunks are kept; no file stays open, so a session may be read on after a fork.

Example:
    >>> from rushes.store.reader import open_session
    >>> def seconds_heard(path, stream):
    ...     return sum(len(block.samples) / block.rate_hz for block in open_session(path).sound(stream))
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.readings import Sound
from rushes.model.session import StreamSpec
from rushes.store import tables
from rushes.store.layout import AUDIO
from rushes.store.sound import read_blocks, read_sound

_KEPT: Final = 64
"""Tables that are kept at hand: 20 kB for 17 s in blocks of 20 ms."""
_ASTRAY_NS: Final = 10 * NS
"""How far the sound of a chunk may lie from its frames: what devices give is merged within a second."""


class SessionSound:
    """The sound of a session.

    Args:
        chunks: Folder and summary of each, in their order.
    """

    def __init__(self, chunks: Sequence[tuple[Path, dict[str, Any]]]) -> None:
        self._chunks = chunks
        self._tables: OrderedDict[tuple[Path, str], npt.NDArray[np.int64]] = OrderedDict()

    def blocks(self, stream: StreamSpec) -> Iterator[Sound]:
        """Yield all blocks of a stream, chunk by chunk; see `Recording.sound`."""
        for folder, summary in self._chunks:
            if _holds(summary, stream):
                index, samples = read_sound(folder, stream.name)
                for t_ns, at, count in zip(index["t_ns"], index["sample"], index["count"], strict=True):
                    yield Sound(int(t_ns), samples[at : at + count], round(stream.rate_hz), stream.name)

    def between(self, stream: StreamSpec, start_ns: int, stop_ns: int) -> Iterator[Sound]:
        """Yield the blocks of which something lies in a stretch of time; see `Recording.sound_between`."""
        rate_hz = round(stream.rate_hz)
        for folder in self._near(stream, start_ns, stop_ns):
            table = self._table(folder, stream.name)
            wanted = (table[:, 0] < stop_ns) & (table[:, 0] + table[:, 2] * NS // rate_hz > start_ns)
            places = np.flatnonzero(wanted)
            if len(places):
                found = slice(int(places[0]), int(places[-1]) + 1)
                blocks = read_blocks(folder, stream.name, table[found])
                for (t_ns, samples), is_wanted in zip(blocks, wanted[found], strict=True):
                    if is_wanted:
                        yield Sound(t_ns, samples, rate_hz, stream.name)

    def _near(self, stream: StreamSpec, start_ns: int, stop_ns: int) -> Iterator[Path]:
        """Choose the chunks that may hold sound of a stretch, by the times of their frames."""
        until_ns = 0
        for folder, summary in self._chunks:
            from_ns, until_ns = until_ns, max([until_ns, *(s["end_ns"] for s in summary["segments"])])
            if from_ns - _ASTRAY_NS < stop_ns and until_ns + _ASTRAY_NS > start_ns and _holds(summary, stream):
                yield folder

    def _table(self, folder: Path, stream: str) -> npt.NDArray[np.int64]:
        """Give when each block of a chunk was heard, and where it lies: (B, 3) int64 t_ns, sample, count."""
        key = (folder, stream)
        if key not in self._tables:
            table = tables.read_table(folder / AUDIO / f"{stream}.parquet")
            self._tables[key] = np.column_stack([table[name].to_numpy() for name in ("t_ns", "sample", "count")])
            while len(self._tables) > _KEPT:
                self._tables.popitem(last=False)
        self._tables.move_to_end(key)
        return self._tables[key]


def _holds(summary: dict[str, Any], stream: StreamSpec) -> bool:
    return f"{AUDIO}/{stream.name}.flac" in summary["files"]
