"""NPZ: the training file as NumPy arrays, without a pickle: `np.load(path, allow_pickle=False)` reads all of it.

The arrays are those of `formats.training.plan`, and `about`, `statistics` (JSON texts) and `statistics_...`. With the
default `compression=none` they are stored, so pictures can be mapped from the file; `compression=deflate` makes the
file smaller and each picture slow to find. Writing takes little memory, whatever the length.

Example:
    >>> Npz().Options(compression="deflate").size
    ''
    >>> # convert("data/sessions", "game.npz", format="npz", options=["size=64"])
    >>> # data = np.load("game.npz"); data["video"].shape, data["inputs"].shape, data["metadata"]["game"]
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import IO, Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import Progress
from rushes.formats.card import export
from rushes.formats.jumpnet.members import Members, Stream
from rushes.formats.jumpnet.npz import NpzWriter
from rushes.formats.report import Report
from rushes.formats.training.described import as_text
from rushes.formats.training.file import TrainingFile
from rushes.formats.training.fill import fill, settle
from rushes.formats.training.flat import ABOUT, NEEDED, Flat, about_file, small_arrays
from rushes.formats.training.options import TrainingOptions
from rushes.formats.training.plan import Plan, Take
from rushes.formats.training.reread import recordings_of
from rushes.model.recording import Sessions

COMPRESSIONS: Final = ("none", "deflate")
STATISTICS: Final = "statistics"
_MAGIC: Final = b"PK\x03\x04"
_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class NpzOptions(TrainingOptions):
    """Options of NPZ, beside those of every training file.

    Attributes:
        compression: `none`, or `deflate` for a smaller file.
    """

    compression: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compression not in COMPRESSIONS:
            raise BadInputError(
                f"compression={self.compression!r}", accepts=", ".join(COMPRESSIONS), fix="pass compression=none"
            )


class Npz(TrainingFile):
    """One NPZ file."""

    name: ClassVar[str] = "npz"
    looks_for: ClassVar[str] = "an NPZ file with video, inputs, metadata and about"
    Options: ClassVar[type[Any]] = NpzOptions

    def sniff(self, path: Path) -> bool:
        """Say whether a file is a ZIP with our arrays; nothing is read of them."""
        if not path.is_file():
            return False
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return False
        try:
            with zipfile.ZipFile(path) as archive:
                return {f"{name}.npy" for name in NEEDED} <= set(archive.namelist())
        except (zipfile.BadZipFile, OSError, ValueError):
            return False  # the formats before this one have told what is wrong

    def read(self, path: Path, options: Any) -> Sessions:
        """Open a file; pictures are read when they are asked for."""
        del options
        return Sessions(recordings_of(Flat(str(path), partial(_load, path))), format=self.name)

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
        del executor  # a ZIP is written in order
        plan = Plan(source, options)
        with export(self, source, path, options, folder=False) as job:
            with _Spooled(job.partial, plan, deflated=options.compression == "deflate") as sink:
                statistics = fill(plan, sink, progress=progress)
                sink.finish()
                for name, values in small_arrays(statistics).items():
                    sink.npz.array(name, values)
                sink.npz.array(STATISTICS, np.array(as_text(statistics.to_json())))
                sink.npz.array(ABOUT, np.array(about_file(plan)))
            settle(plan, job, statistics)
        return job.report


class _Spooled:
    """Writes the pictures as they come, and keeps the other arrays in nameless files until it is their turn."""

    def __init__(self, path: Path, plan: Plan, *, deflated: bool) -> None:
        self._plan, self._open = plan, ExitStack()
        self.npz = self._open.enter_context(NpzWriter(path, deflated=deflated))
        self._spools: dict[str, IO[bytes]] = {
            name: self._open.enter_context(tempfile.TemporaryFile(dir=path.parent))  # noqa: SIM115 - the stack closes it
            for name in plan.arrays
            if name != "video"
        }
        self._pictures = ExitStack()
        self._video = self._pictures.enter_context(self._member("video"))

    def _member(self, name: str) -> Any:
        array = self._plan.arrays[name]
        return self.npz.rows(name, array.dtype, (self._plan.total(name), *array.tail))

    def write(self, take: Take, name: str, rows: npt.NDArray[Any]) -> None:
        del take
        file = self._video if name == "video" else self._spools[name]
        whole = np.ascontiguousarray(rows, self._plan.arrays[name].dtype)
        if whole.nbytes:
            file.write(whole.reshape(-1).view(np.uint8).data)

    def finish(self) -> None:
        """Copy what waits into the file."""
        self._pictures.close()
        for name, spool in self._spools.items():
            spool.seek(0)
            with self._member(name) as file:
                while piece := spool.read(_PIECE):
                    file.write(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._pictures.close()
        finally:
            self._open.close()


def _load(path: Path) -> Mapping[str, Any]:
    members = Members(path)
    return {name: _array(members, name) for name in members}


def _array(members: Members, name: str) -> Any:
    with members.open(name) as stream:
        dtype, shape = _header(stream)
        if stream.stored_at is not None and 0 not in shape and shape:
            return np.memmap(members.path, dtype, "r", stream.stored_at + stream.place, shape)
        if not shape or 0 in shape:
            data = stream.read(stream.size - stream.place)
            return np.frombuffer(data, dtype).reshape(shape)
    return _Deflated(members, name, dtype, shape)


def _header(stream: Stream) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read the header of an array and hold it against the size of its member."""
    form = np.lib.format
    try:
        version = form.read_magic(stream)
        read = {(1, 0): form.read_array_header_1_0, (2, 0): form.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream)
        fits = int(np.prod([*shape, dtype.itemsize], dtype=object)) == stream.size - stream.place
        plain = not dtype.hasobject and not fortran
    except BadDataError:
        raise
    except Exception as error:  # whatever a damaged header brings about
        raise _damage(stream.where, str(error)) from error
    if not fits or not plain:
        raise _damage(stream.where, f"an array of {dtype} and the shape {shape}")
    return dtype, shape


def _damage(where: str, what: str) -> BadDataError:
    return BadDataError(
        f"{where}: {what}", accepts="plain arrays, as rushes writes them", fix="write it again, or copy it again"
    )


class _Deflated:
    """A compressed array, of which rows are read by running up to them; it goes on where it last stood."""

    def __init__(self, members: Members, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self._members, self._name, self._dtype, self._shape = members, name, dtype, shape
        self._row_bytes = int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize
        self._stream: Stream | None = None
        self._first = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._shape[0]

    def __getitem__(self, rows: int | slice) -> npt.NDArray[Any]:
        start, stop = (rows, rows + 1) if isinstance(rows, int) else (rows.start, rows.stop)
        with self._lock:
            stream = self._at(start * self._row_bytes)
            data = b"".join(stream.read(self._row_bytes) for _ in range(stop - start))
        found = np.frombuffer(data, self._dtype).reshape(stop - start, *self._shape[1:])
        return found[0] if isinstance(rows, int) else found

    def _at(self, place: int) -> Stream:
        stream = self._stream
        if stream is None or stream.place > self._first + place:
            if stream is not None:
                stream.close()
            stream = self._stream = self._members.open(self._name)
            _header(stream)
            self._first = stream.place
        stream.to(self._first + place)
        return stream
