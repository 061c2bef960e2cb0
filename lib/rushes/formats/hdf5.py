"""HDF5: one file with pictures, inputs, sound and all else, read with h5py alone.

`f["video"][:]`, `f["inputs"][:]`, `f["audio"][:]` and `f["metadata"][:]` are what the reference's guide shows; every
array of `formats.training.plan` stands at the top level, and the rows of a session again under `sessions/0000`. The
top level holds no data of its own: its datasets are virtual, and lie in the same file. A chunk is one picture, so a
picture is one read.

`metadata["start"]` and `["stop"]` say which rows are a session's; rows are in order, and none of a pause is between
two of one `segment`. A session's own `video` has the frames without a row behind the others. Attributes of the file:
`schema`, `pairing`, `encoding`, `columns`; `about` and `statistics/json` are JSON texts, the latter's figures stand
beside it as arrays.

Source of the names: docs/ML_EXPORT.md of Luminare7/GameOn at 907d615 (its code has no such top level).

Example:
    >>> Hdf5().Options(compression="lzf", size="64").audio
    'auto'
    >>> # convert("data/sessions", "game.h5", format="hdf5", options=["size=224"])
    >>> # with h5py.File("game.h5") as f: frames, inputs = f["video"][:16], f["inputs"][:16]
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import Progress
from rushes.formats.card import export
from rushes.formats.hdf5_objects import Disk, Piece, dataset_at, lay_over, new_group, new_hdf5, open_hdf5
from rushes.formats.hdf5_original import is_original, read_original, write_original
from rushes.formats.imported import Pixels
from rushes.formats.report import Keeps, Report
from rushes.formats.training.described import as_text
from rushes.formats.training.file import TrainingFile
from rushes.formats.training.fill import fill, settle
from rushes.formats.training.options import TrainingOptions
from rushes.formats.training.plan import ROWS, Array, Plan, Take
from rushes.formats.training.reread import Ints, read_json, recordings_of
from rushes.model.recording import Sessions
from rushes.store.statistics import Statistics

MAGIC: Final = b"\x89HDF\r\n\x1a\n"
COMPRESSIONS: Final = ("gzip", "lzf", "none")
SESSIONS: Final = "sessions"
_CHUNK_BYTES: Final = 65_536
_LEVEL: Final = 4
"""Of gzip; h5py's default."""


@dataclass(frozen=True)
class Hdf5Options(TrainingOptions):
    """Options of HDF5, beside those of every training file.

    Attributes:
        compression: Of the pictures and all else: `gzip`, `lzf` (quicker and larger), or `none`.
        strict: What GameOn's own exporter writes, see `formats.hdf5_original`: no rows, no sound, no time of a frame.
    """

    compression: str = "gzip"
    strict: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compression not in COMPRESSIONS:
            raise BadInputError(
                f"compression={self.compression!r}", accepts=", ".join(COMPRESSIONS), fix="pass compression=gzip"
            )


class Hdf5(TrainingFile):
    """One HDF5 file."""

    name: ClassVar[str] = "hdf5"
    looks_for: ClassVar[str] = "an HDF5 file with video and sessions, or with session_0001/video as GameOn writes it"
    Options: ClassVar[type[Any]] = Hdf5Options

    def keeps_with(self, options: Any) -> Keeps:
        """Say what survives; GameOn's own form has no times, sound, rewards, telemetry or who played."""
        kept = super().keeps_with(options)
        bare = replace(kept, times=False, audio=False, rewards=False, telemetry=False, human=False)
        return bare if options.strict else kept

    def sniff(self, path: Path) -> bool:
        """Say whether a file is HDF5 with what this format writes.

        Raises:
            BadDataError: It is HDF5 and cut.
        """
        if not path.is_file():
            return False
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return False
        with open_hdf5(path) as file:
            return ("video" in file and SESSIONS in file) or is_original(file)

    def read(self, path: Path, options: Any) -> Sessions:
        """Open a file; pictures are read when they are asked for."""
        del options
        with open_hdf5(path) as file:
            theirs = SESSIONS not in file
        return Sessions(read_original(path) if theirs else recordings_of(_File(path)), format=self.name)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: Any,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write all rows of all recordings; see `Format.write`."""
        del executor  # threads compress as fast as processes
        if options.strict:
            return self._write_strict(source, path, options, progress)
        plan = Plan(source, options)
        with export(self, source, path, options, folder=False) as job:
            with Disk(job.partial) as disk, new_hdf5(disk) as file, ThreadPoolExecutor(_cores()) as packers:
                groups = _Groups(file, disk, plan, compression=options.compression, packers=packers)
                statistics = fill(plan, groups, progress=progress)
                _top_level(file, plan, statistics)
            settle(plan, job, statistics)
        return job.report

    def _write_strict(self, source: Sessions, path: Path, options: Hdf5Options, progress: Progress | None) -> Report:
        total, done = sum(recording.frame_count for recording in source), 0
        kind = _filters(options.compression)
        with (
            export(self, source, path, options, folder=False) as job,
            Disk(job.partial) as disk,
            new_hdf5(disk) as file,
        ):
            writer = write_original(file, list(source), options, filters=kind)
            for recording in source:
                for count in writer.write(recording, job):
                    disk.check()
                    done += count
                    if progress:
                        progress(done, total, "frames written")
        return job.report


def _filters(compression: str) -> dict[str, Any]:
    return {} if compression == "none" else {"compression": compression}


def _packed(picture: npt.NDArray[np.uint8]) -> bytes:
    return zlib.compress(np.ascontiguousarray(picture).data, _LEVEL)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Groups:
    """A group a session; see `training.fill.Sink`."""

    def __init__(self, file: Any, disk: Disk, plan: Plan, *, compression: str, packers: Executor) -> None:
        self._disk, self._plan, self._sessions = disk, plan, new_group(file, SESSIONS)
        self._filters, self._packers = _filters(compression), packers
        self._number = -1
        self._group: Any = None
        self._at: dict[str, int] = {}

    def write(self, take: Take, name: str, rows: npt.NDArray[Any]) -> None:
        if take.number != self._number:
            self._begin(take)
        own, first = ("video", take.rows) if name == "last_video" else (name, 0)
        at = first + self._at.get(name, 0)
        self._at[name] = self._at.get(name, 0) + len(rows)
        if not rows.nbytes or name == "metadata":  # that stands at the top level alone
            return
        dataset = self._group[own]
        if own == "video" and dataset.compression == "gzip":  # a chunk a picture, packed on all cores
            for place, packed in enumerate(self._packers.map(_packed, rows), at):
                dataset.id.write_direct_chunk((place, 0, 0, 0), packed)
        else:
            dataset[at : at + len(rows)] = rows
        self._disk.check()

    def _begin(self, take: Take) -> None:
        self._number, self._at = take.number, {}
        self._group = new_group(self._sessions, f"{take.number:04d}")
        self._group.create_dataset("about", data=as_text(self._plan.about_take(take)))
        for array in self._plan.arrays.values():
            count = take.counts[array.name] + (take.counts["last_video"] if array.name == "video" else 0)
            if array.name in ("metadata", "last_video"):
                continue
            shape = (count, *array.tail)
            if 0 in shape:
                self._group.create_dataset(array.name, shape=shape, dtype=array.dtype)
                continue
            chunk = 1 if array.name == "video" else min(count, max(1, _CHUNK_BYTES // array.row_bytes))
            chunks = (chunk, *array.tail)
            self._group.create_dataset(array.name, shape=shape, dtype=array.dtype, chunks=chunks, **self._filters)


def _top_level(file: Any, plan: Plan, statistics: Statistics) -> None:
    """Say what the file is, and lay virtual datasets over those of the sessions."""
    about = plan.about()
    file.attrs.update({name: about[name] for name in ("schema", "pairing", "encoding", "columns")})
    file.create_dataset("about", data=as_text(about))
    figures = new_group(file, "statistics")
    figures.create_dataset("json", data=as_text(statistics.to_json()))
    for name, values in statistics.arrays().items():
        figures.create_dataset(name, data=values)
    file.create_dataset("metadata", data=np.concatenate([plan.metadata(take) for take in plan.takes]))
    for array in plan.arrays.values():
        if array.name in ROWS or array.name == "last_video":
            _lay(file, plan, array)


def _lay(file: Any, plan: Plan, array: Array) -> None:
    shape = (plan.total(array.name), *array.tail)
    if 0 in shape:
        file.create_dataset(array.name, shape=shape, dtype=array.dtype)
        return
    aside = array.name == "last_video"
    own = "video" if aside else array.name
    pieces = [
        Piece(f"/{SESSIONS}/{take.number:04d}/{own}", take.rows if aside else 0, take.counts[array.name])
        for take in plan.takes
        if take.counts[array.name]
    ]
    lay_over(file, array.name, shape, array.dtype, pieces)


class _File:
    """An HDF5 file of ours; see `training.reread.Stored`. Each process opens its own."""

    def __init__(self, path: Path) -> None:
        self.where, self._path = str(path), path
        self._handle: Any = None
        self._process = -1

    @property
    def _file(self) -> Any:
        if self._process != os.getpid():
            self._handle, self._process = open_hdf5(self._path), os.getpid()
        return self._handle

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None, "_process": -1}

    def about(self) -> Mapping[str, Any]:
        return read_json(dataset_at(self._file, "about", self.where)[()], self.where)

    def sessions(self) -> int:
        return len(self._file[SESSIONS])

    def _array(self, number: int, name: str) -> Any:
        return dataset_at(self._file, f"{SESSIONS}/{number:04d}/{name}", self.where)

    def about_session(self, number: int) -> Mapping[str, Any]:
        return read_json(self._array(number, "about")[()], f"{self.where}, session {number}")

    def table(self, number: int, name: str) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = self._array(number, name)[:]
        return found

    def values(self, number: int, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        whole = self._array(number, name)
        if not whole.shape or not 0 <= start <= stop <= len(whole):
            raise self._missing(number, f"{name} from {start} to {stop}")
        found: npt.NDArray[Any] = whole[start:stop]
        return found

    def _missing(self, number: int, what: str) -> BadDataError:
        return BadDataError(
            f"{self.where}, session {number}: {what}, which is not there",
            accepts="a whole file",
            fix="write it again, or copy it again",
        )

    def pictures(self, number: int, at: Ints) -> Iterator[Pixels]:
        video = self._array(number, "video")
        for place in at.tolist():
            if not video.shape or place >= len(video):
                raise self._missing(number, f"picture {place}")
            try:
                yield video[place]
            except OSError as error:
                raise BadDataError(
                    f"{self.where}, session {number}: picture {place} cannot be read ({error})",
                    accepts="a whole file",
                    fix="write it again, or copy it again",
                ) from error
