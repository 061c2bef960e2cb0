"""Where the chunks of the NitroGen release lie: in folders, or in archives that are never unpacked.

A chunk is a folder `<video_id>_chunk_0003` with `actions_raw.parquet`, perhaps `actions_processed.parquet`, and
`metadata.json`. A path may be one of those, the folder of a video, of a shard, the root with or without `actions/`, or
a `SHARD_0000.tar.gz`, whose members are read in memory and never put on the disk. Names and links that lead out of the
folder or the archive are refused, and chunks stand in the order of their numbers, whatever the file system says.

Example:
    >>> CHUNK.fullmatch("v2297468680_chunk_0003").groups(), safe_name("../a b")
    (('v2297468680', '0003'), 'a_b')
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from rushes.errors import BadDataError
from rushes.model.findings import Problem

CHUNK: Final = re.compile(r"(.+)_chunk_(\d{1,9})")
SHARD: Final = re.compile(r".+\.(tar\.gz|tgz)")
METADATA: Final = "metadata.json"
ACTIONS: Final = {"raw": "actions_raw.parquet", "processed": "actions_processed.parquet"}
FILMS: Final = "videos"
_DEPTH: Final = 4  # root, actions, shard, video, chunk
_LOOKED_AT: Final = 2_000  # entries before a folder is said to be none of these
_MOST_BYTES: Final = 1 << 28  # a member that says to be larger holds no 20 seconds
_SAYING: Final = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_LONGEST: Final = 1 << 16  # bytes of a member that only says what the next one is called
_LONGEST_ID: Final = 120
_LEADS_OUT: Final = "a link that leads out of the folder: not read"


def safe_name(text: str) -> str:
    """Make a name of a file of any text: up to 120 letters, digits, `.`, `-` and `_`, no dot in front."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:_LONGEST_ID].strip("._") or "video"


def is_plain(name: str) -> bool:
    """Say whether a name can be that of a file as it stands: the ids of YouTube may begin or end with `_` or `-`."""
    return re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name) is not None


class _Member(tarfile.TarInfo):
    """A member's header without trust: tarfile ends quietly at a damaged one, and reads a name of any length."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header; see `tarfile.TarInfo.frombuf`.

        Raises:
            ReadError: It is damaged, or says what no member is.
        """
        try:
            found = super().frombuf(buf, encoding, errors)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error
        if found.size < 0 or found.type == tarfile.GNUTYPE_SPARSE or (found.type in _SAYING and found.size > _LONGEST):
            raise tarfile.ReadError(f"a member of {found.size} bytes and of type {found.type!r}")
        return found


def _members(path: Path) -> Iterator[tarfile.TarInfo]:
    """Give the members of an archive, one held at a time.

    Raises:
        ReadError: It is damaged, or goes on behind its end.
        OSError: It cannot be read, or its check sum is another.
        EOFError: It is cut.
        zlib.error: It is damaged.
        ValueError: A number in it makes no sense.
    """
    with gzip.open(path) as file, tarfile.open(fileobj=file, mode="r:", tarinfo=_Member) as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]
            if member.size < 0:
                raise tarfile.ReadError(f"{member.name}: a member of {member.size} bytes")
            yield member
        for _ in range(_MOST_BYTES >> 20):  # to its end, where the check sum stands
            if file.read(1 << 20).strip(b"\0"):
                raise tarfile.ReadError("it goes on behind its end")


@dataclass(frozen=True)
class Chunk:
    """A chunk that was found.

    Attributes:
        video: Id of its video.
        number: Its number in the video.
        where: Its place, for messages.
        files: Name -> where its bytes are.
    """

    video: str
    number: int
    where: str
    files: Mapping[str, Path | tuple[Shard, int, int]]

    def read(self, name: str) -> bytes:
        """Read one of its files.

        Raises:
            BadDataError: It is not there, or cannot be read.
        """
        place = self.files.get(name)
        if place is None:
            raise BadDataError(f"{self.where}/{name}: no such file", accepts="a whole chunk", fix="fetch it again")
        try:
            return place.read_bytes() if isinstance(place, Path) else place[0].read(*place[1:])
        except (OSError, EOFError, zlib.error) as error:
            raise BadDataError(
                f"{self.where}/{name}: not to be read ({error})", accepts="a whole file", fix="fetch it again"
            ) from error

    def read_all(self, *names: str) -> Mapping[str, bytes]:
        """Read several files in the order in which they stand, since going back in an archive begins at its start.

        Raises:
            BadDataError: One is not there, or cannot be read.
        """
        return {name: self.read(name) for name in sorted(names, key=lambda name: _offset(self.files.get(name)))}

    @property
    def place(self) -> int:
        """Where it begins in its archive; 0 in a folder."""
        return min(map(_offset, self.files.values()), default=0)

    def __repr__(self) -> str:
        return f"Chunk({self.video}, {self.number})"


def _offset(place: Path | tuple[Shard, int, int] | None) -> int:
    return place[1] if isinstance(place, tuple) else 0


class Shard:
    """An archive of chunks, read in its own order; going back reads it from its start again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: gzip.GzipFile | None = None

    def chunks(self, problems: list[Problem]) -> Iterator[Chunk]:
        """List its chunks; what is refused, or cut away, is a problem."""
        found: dict[str, dict[str, tuple[Shard, int, int]]] = {}
        refused: list[str] = []
        try:
            for member in _members(self.path):
                name = member.name.replace("\\", "/")
                parts = PurePosixPath(name).parts
                if not member.isfile() or member.issparse():
                    refused += [] if member.isdir() else [name]
                elif name.startswith("/") or ".." in parts or ":" in name or member.size > _MOST_BYTES:
                    refused.append(name)
                elif len(parts) > 1 and CHUNK.fullmatch(parts[-2]):
                    found.setdefault("/".join(parts[:-1]), {})[parts[-1]] = (self, member.offset_data, member.size)
        except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
            text = f"the archive is cut or damaged ({error}): the chunks behind that place are missing"
            problems.append(Problem("damaged_shard", str(self.path), 1, text))
        if refused:
            text = f"links, or names that lead out of the archive, such as {refused[0]!r}: not read"
            problems.append(Problem("refused_name", str(self.path), len(refused), text))
        for folder, files in found.items():
            matched = CHUNK.fullmatch(folder.rpartition("/")[2])
            assert matched is not None
            yield Chunk(matched[1], int(matched[2]), f"{self.path}:{folder}", files)

    def read(self, offset: int, size: int) -> bytes:
        """Read a member where it stands in the unpacked archive.

        Raises:
            EOFError: The archive ends before it.
        """
        if self._open is None:
            self._open = gzip.open(self.path)  # noqa: SIM115 - stays open from one chunk to the next
        self._open.seek(offset)
        data = self._open.read(size)
        if len(data) < size:
            raise EOFError("the archive ends within it")
        return data

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}

    def __repr__(self) -> str:
        return f"Shard({self.path.name})"


def find_chunks(path: Path, problems: list[Problem]) -> dict[str, list[Chunk]]:
    """Find the chunks of a path: video id -> its chunks by number."""
    found: dict[str, dict[int, Chunk]] = {}
    twice: list[str] = []
    for chunk in _walk(path, problems):
        numbers = found.setdefault(chunk.video, {})
        if chunk.number in numbers:
            twice.append(chunk.where)
        numbers.setdefault(chunk.number, chunk)
    if twice:
        text = "a chunk that stands at two places: the first one counts"
        problems.append(Problem("chunk_twice", twice[0], len(twice), text))
    return {video: [numbers[n] for n in sorted(numbers)] for video, numbers in found.items()}


def holds_chunks(path: Path) -> bool:
    """Say whether a path holds chunks of the release; looks at a bounded number of names."""
    if path.is_file():
        return bool(SHARD.fullmatch(path.name)) and _is_shard(path)
    return next(_walk(path, [], looked=[0]), None) is not None


def _is_shard(path: Path) -> bool:
    try:
        for _, member in zip(range(50), _members(path), strict=False):
            parts = PurePosixPath(member.name.replace("\\", "/")).parts
            if any(CHUNK.fullmatch(part) for part in parts):
                return True
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError):
        return False
    return False


def _walk(path: Path, problems: list[Problem], *, looked: list[int] | None = None) -> Iterator[Chunk]:
    if path.is_file():
        yield from Shard(path).chunks(problems)
        return
    yield from _below(path, path.resolve(), _DEPTH, problems, looked)


def _below(folder: Path, root: Path, depth: int, problems: list[Problem], looked: list[int] | None) -> Iterator[Chunk]:
    if CHUNK.fullmatch(folder.name):
        found = list(_chunk_folder(folder, root, problems))
        yield from found
        if found:
            return  # else a video may be called so
    if not depth:
        return
    try:
        entries = sorted(folder.iterdir(), key=lambda p: (not p.is_dir(), p.name))
    except PermissionError:
        problems.append(Problem("unreadable_folder", str(folder), 1, "a folder that you may not read: passed over"))
        return
    for entry in entries:
        if looked is not None:
            looked[0] += 1
            if looked[0] > _LOOKED_AT:
                return
        if entry.is_dir() and entry.name != FILMS and not entry.name.startswith("."):
            yield from _below(entry, root, depth - 1, problems, looked)
        elif entry.is_file() and SHARD.fullmatch(entry.name) and (looked is None or _is_shard(entry)):
            yield from _shard(entry, root, problems)


def _shard(path: Path, root: Path, problems: list[Problem]) -> Iterator[Chunk]:
    if root in path.resolve().parents:
        yield from Shard(path).chunks(problems)
    else:
        problems.append(Problem("refused_name", str(path), 1, _LEADS_OUT))


def _chunk_folder(folder: Path, root: Path, problems: list[Problem]) -> Iterator[Chunk]:
    """Give the chunk that a folder is, if it holds a file of one."""
    matched = CHUNK.fullmatch(folder.name)
    assert matched is not None
    names = sorted({METADATA, *ACTIONS.values()})
    files = {name: folder / name for name in names if (folder / name).is_file()}
    away = [name for name, file in files.items() if root not in file.resolve().parents]
    if away:
        problems.append(Problem("refused_name", str(folder / away[0]), len(away), _LEADS_OUT))
    if files:
        inside = {name: file for name, file in files.items() if name not in away}
        yield Chunk(matched[1], int(matched[2]), str(folder), inside)
