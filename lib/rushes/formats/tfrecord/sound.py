"""The sound of a recording beside its record files: as a session has it, FLAC with the time of each block.

Example:
    >>> def seconds_of(folder, stream):
    ...     return sum(len(block.samples) / block.rate_hz for block in KeptSound(folder).between(stream))
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.readings import Sound
from rushes.model.recording import Recording
from rushes.model.session import StreamSpec
from rushes.store import tables
from rushes.store.layout import AUDIO
from rushes.store.sound import SoundFile, read_blocks

Ints = npt.NDArray[np.int64]

EVER: Final = int(np.iinfo(np.int64).max)
_BLOCKS: Final = 256
"""Blocks that are decoded at once: five seconds, as they are recorded."""


def write_sound(folder: Path, recording: Recording) -> None:
    """Write the sound of a recording, stream by stream, block by block.

    Args:
        folder: Its folder.
        recording: With marks honoured.
    """
    for spec in recording.sound_streams:
        with ExitStack() as stack:
            file: SoundFile | None = None
            for block in recording.sound(spec.name):
                if file is None:
                    channels = 1 if block.samples.ndim == 1 else block.samples.shape[1]
                    file = stack.enter_context(SoundFile(folder, spec.name, block.rate_hz, channels))
                file.add(block.t_ns, block.samples)


class KeptSound:
    """The sound of one recording, read where it lies; its tables are kept at hand.

    Args:
        folder: The folder of its recording.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: dict[str, Ints] = {}

    def between(self, stream: StreamSpec, start_ns: int = -EVER, stop_ns: int = EVER) -> Iterator[Sound]:
        """Yield the blocks of a stream of which something lies in a stretch of time, a few read at once.

        Args:
            stream: Which one; without a sample it has no file.
            start_ns: ns since session start.
            stop_ns: ns since session start, behind the stretch.

        Raises:
            BadDataError: It is cut or damaged.
        """
        table, rate_hz = self._table(stream.name), round(stream.rate_hz)
        wanted = np.flatnonzero((table[:, 0] < stop_ns) & (table[:, 0] + table[:, 2] * NS // rate_hz > start_ns))
        for first in range(0, len(wanted), _BLOCKS):
            some = wanted[first : first + _BLOCKS]
            for rows in np.split(some, np.flatnonzero(np.diff(some) > 1) + 1):
                for t_ns, samples in read_blocks(self._folder, stream.name, table[rows]):
                    yield Sound(t_ns, samples, rate_hz, stream.name)

    def _table(self, name: str) -> Ints:
        """Say when each block was heard, and where it lies: (B, 3) int64 t_ns, sample, count."""
        if name not in self._tables:
            path = self._folder / AUDIO / f"{name}.parquet"
            found = tables.read_table(path) if path.is_file() else None
            columns = [
                np.zeros(0, np.int64) if found is None else found[c].to_numpy() for c in ("t_ns", "sample", "count")
            ]
            self._tables[name] = np.column_stack(columns)
        return self._tables[name]
