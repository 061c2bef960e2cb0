"""Sound of a chunk: FLAC for the samples, a table beside it that says when each block was heard.

`audio/NAME.flac` holds the samples one behind the other, 16 bit and exact. `audio/NAME.parquet` has a row a block:
`t_ns` (ns since session start of its first sample), `sample` (its place in the file) and `count`. Samples that were
lost are not filled in: the file goes on with the next block and the table says when that one was. So time comes from
the table and never from counting samples.

Example:
    >>> import tempfile
    >>> chunk = Path(tempfile.mkdtemp())
    >>> with SoundFile(chunk, "mic", rate_hz=8000, channels=1) as sound:
    ...     sound.add(5_000_000, np.full((160, 1), 7, np.int16))
    ...     sound.add(90_000_000, np.full((160, 1), 9, np.int16))  # 65 ms between them were lost
    >>> index, samples = read_sound(chunk, "mic")
    >>> index.to_numpy().tolist(), samples.shape
    ([[5000000, 0, 160], [90000000, 160, 160]], (320, 1))
    >>> [(t_ns, len(part)) for t_ns, part in sound_between([chunk], "mic", start_ns=15_000_000, stop_ns=95_000_000)]
    [(15000000, 80), (90000000, 40)]
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from rushes.errors import BadDataError, BadInputError, MissingError, StorageError, UnavailableError
from rushes.model.clock import NS
from rushes.store.layout import AUDIO
from rushes.store.tables import Sheet, read_table

Samples = npt.NDArray[np.int16]

SOUND_SCHEMA: Final = pa.schema([("t_ns", pa.int64()), ("sample", pa.int64()), ("count", pa.int64())])
_FULL: Final = 32_768  # what 1.0 is in 16 bit: what sound servers divide by, so that whole numbers come back exactly
_FULL_DISK: Final = 1 << 20  # bytes that are left where a disk counts as full: a block of FLAC is far smaller
_MOST_CHANNELS: Final = 8  # what FLAC has
_MOST_HZ: Final = 655_350  # likewise


def to_int16(samples: npt.NDArray[Any]) -> tuple[Samples, int]:
    """Turn a block into 16 bit whole numbers.

    Args:
        samples: (N, C) or (N,) int16, or floats of which -1 to 1 can be stored.

    Returns:
        (N, C) int16, and how many values lay beyond the range and were cut (a value that is no number becomes 0).

    Raises:
        BadInputError: Another type or shape.
    """
    block = samples[:, None] if samples.ndim == 1 else samples
    if block.ndim != 2 or not (block.dtype == np.int16 or np.issubdtype(block.dtype, np.floating)):  # noqa: PLR2004
        raise BadInputError(
            f"sound of shape {samples.shape}, {samples.dtype}",
            accepts="(N, C) int16, or floats from -1 to 1",
            fix="scale the samples",
        )
    if block.dtype == np.int16:
        return block, 0
    cut = int(np.count_nonzero(~(np.abs(block) <= 1)))
    scaled = np.clip(np.nan_to_num(np.rint(block * _FULL), nan=0.0), -_FULL, _FULL - 1)
    return scaled.astype(np.int16), cut


class SoundFile:
    """A stream of sound that is open for appending.

    Args:
        folder: The chunk; its folder for sound is made. An older file of the stream there is a remainder of a seal
            that was cut, and is replaced.
        stream: Name of the stream.
        rate_hz: Samples a second.
        channels: How many.

    Attributes:
        count: Samples so far, a channel.
        clipped: Values that lay beyond the range and were cut.

    Raises:
        BadInputError: A rate or number of channels that FLAC does not have.
        UnavailableError: soundfile does not load.
    """

    def __init__(self, folder: Path, stream: str, rate_hz: int, channels: int) -> None:
        if not (0 < rate_hz <= _MOST_HZ and 0 < channels <= _MOST_CHANNELS):
            raise BadInputError(
                f"sound of {channels} channels at {rate_hz} Hz",
                accepts=f"1 to {_MOST_CHANNELS} channels, up to {_MOST_HZ} Hz",
                fix="record in stereo at 48000 Hz",
            )
        place = folder / AUDIO
        place.mkdir(exist_ok=True)
        self._channels, self._library, self._path = channels, _soundfile(), place / f"{stream}.flac"
        self.count = self.clipped = 0
        self._file = self._library.SoundFile(
            self._path, "w", samplerate=rate_hz, channels=channels, format="FLAC", subtype="PCM_16"
        )
        self._index = Sheet(place / f"{stream}.parquet", SOUND_SCHEMA)

    def add(self, t_ns: int, samples: npt.NDArray[Any]) -> None:
        """Append a block.

        Args:
            t_ns: ns since session start of its first sample.
            samples: (N, C) int16, or floats of which -1 to 1 can be stored.

        Raises:
            BadInputError: Another number of channels, type or shape.
            StorageError: The disk is full.
        """
        block, cut = to_int16(samples)
        if block.shape[1] != self._channels:
            raise BadInputError(
                f"a block of {block.shape[1]} channels", accepts=f"{self._channels}", fix="open a stream a device"
            )
        if len(block):
            try:
                self._file.write(block)
            except (self._library.LibsndfileError, RuntimeError, AssertionError) as error:  # its words for a full disk
                raise self._unwritten() from error
            self._index.add((t_ns, self.count, len(block)))
            self.count += len(block)
            self.clipped += cut

    def close(self) -> None:
        """Write what is held and the ends of both files; a stream without a sample leaves none.

        Raises:
            StorageError: Not all samples are in the file: the disk is full.
        """
        try:
            self._index.close()
        except BaseException:
            self.drop()
            raise
        if not self._file.closed:
            self._file.close()  # tells nothing of what it could not write
            if not self.count:
                self._path.unlink()
                self._path.with_suffix(".parquet").unlink()
                return
            try:
                written = self._library.info(self._path).frames
            except (self._library.LibsndfileError, RuntimeError) as error:
                raise self._unwritten() from error
            if written != self.count:
                raise self._unwritten()

    def drop(self) -> None:
        """Close both files as they are, after an error that is told already; they hold no whole stream."""
        with suppress(RuntimeError):  # LibsndfileError is one
            self._file.close()
        self._index.drop()

    def _unwritten(self) -> StorageError:
        is_full = shutil.disk_usage(self._path.parent).free < _FULL_DISK  # libsndfile does not tell why
        return StorageError(
            f"{self._path}: {'the disk is full' if is_full else 'the disk failed'}, not all of the sound was written",
            accepts="a disk with room for it",
            fix="free some space",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.drop()


def read_sound(folder: str | Path, stream: str) -> tuple[pd.DataFrame, Samples]:
    """Read a stream of a chunk.

    Args:
        folder: The chunk.
        stream: Name of the stream.

    Returns:
        The table of blocks (t_ns, sample, count, all int64), and (N, C) int16 samples.

    Raises:
        MissingError: The chunk has no such stream.
        BadDataError: One of the two files is cut or damaged, or they do not fit each other.
    """
    path = Path(folder) / AUDIO / f"{stream}.flac"
    index = read_table(path.with_suffix(".parquet")).to_pandas()
    library = _soundfile()
    if not path.is_file():
        raise _missing(path)
    try:
        samples, _ = library.read(path, dtype="int16", always_2d=True)
    except (library.LibsndfileError, RuntimeError) as error:
        raise _damaged(path, str(error)) from error
    if len(samples) != int(index["count"].sum()):
        raise _damaged(path, f"{len(samples)} samples, its table says {int(index['count'].sum())}")
    return index, samples


def read_blocks(folder: str | Path, stream: str, table: npt.NDArray[np.int64]) -> Iterator[tuple[int, Samples]]:
    """Read some blocks of a chunk that lie one behind the other, and decode nothing else.

    Args:
        folder: The chunk.
        stream: Name of the stream.
        table: (B, 3) int64: consecutive rows of its table, t_ns, sample, count; one at the least.

    Yields:
        (ns since session start of the first sample, (N, C) int16) for each block.

    Raises:
        MissingError: The chunk has no such stream.
        BadDataError: The file is cut or damaged.
    """
    path = Path(folder) / AUDIO / f"{stream}.flac"
    library, first, count = _soundfile(), int(table[0, 1]), int(table[:, 2].sum())
    if not path.is_file():
        raise _missing(path)
    try:
        with library.SoundFile(path) as file:
            file.seek(first)
            samples = file.read(count, dtype="int16", always_2d=True)
    except (library.LibsndfileError, RuntimeError) as error:
        raise _damaged(path, str(error)) from error
    if len(samples) != count:
        raise _damaged(path, f"{len(samples)} of {count} samples from {first} on")
    for t_ns, place, length in table.tolist():
        yield t_ns, samples[place - first : place - first + length]


def sound_between(
    folders: Iterable[str | Path], stream: str, *, start_ns: int, stop_ns: int
) -> Iterator[tuple[int, Samples]]:
    """Give the sound of a stretch of time, cut to the sample.

    Args:
        folders: Chunks in their order.
        stream: Name of the stream.
        start_ns: ns since session start of the first sample wanted.
        stop_ns: ns since session start behind the last.

    Yields:
        (ns since session start of the first sample, (N, C) int16) for each block; between two blocks samples may be
        missing.

    Raises:
        MissingError: A chunk has no such stream.
        BadDataError: A file is cut or damaged.
    """
    for folder in folders:
        index, samples = read_sound(folder, stream)
        rate_hz = _soundfile().info(Path(folder) / AUDIO / f"{stream}.flac").samplerate
        for t_ns, place, count in index.to_numpy().tolist():
            first = max(0, -((t_ns - start_ns) * rate_hz // NS))
            end = min(count, -((t_ns - stop_ns) * rate_hz // NS))
            if first < end:
                yield t_ns + first * NS // rate_hz, samples[place + first : place + end]


def _missing(path: Path) -> MissingError:
    return MissingError(f"{path}: no such file", accepts="a chunk with sound", fix="restore the folder from a copy")


def _damaged(path: Path, what: str) -> BadDataError:
    return BadDataError(
        f"{path}: sound that is cut or damaged ({what})",
        accepts="a whole FLAC file with its table",
        fix="restore it from a copy",
    )


def _soundfile() -> Any:
    try:
        import soundfile
    except Exception as error:  # a missing libsndfile raises OSError
        raise UnavailableError(
            f"soundfile does not load here ({type(error).__name__}: {error})",
            accepts="an environment with soundfile",
            fix="pip install --force-reinstall soundfile",
        ) from error
    return soundfile
