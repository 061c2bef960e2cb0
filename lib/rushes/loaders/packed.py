"""Pictures of packs: all frames of a recording at the size that a model reads, memory-mapped, nothing to decode.

A pack is a folder `<root>/packs/<key>/` with

- `frames.npy`: (N, H, W, 3) uint8 RGB, frame_index after frame_index, as any program that knows NumPy reads it;
- `pack.json`: what it is of, its size in bytes, the SHA-256 of `frames.npy`.

Its key follows from what the recording shows and from the size: a recording that changed has another key, so an old
pack is never taken for it, and a copied recording has the same. Pixels are those of `store.clips`, byte by byte. All
processes share the memory of a pack; it counts for none of them. `rushes.loaders.pack` makes packs.

Example:
    >>> from rushes.store.reader import open_session
    >>> def packed_frames(library, name):
    ...     found = find_pack(open_session(f"{library}/sessions/{name}"), (224, 224), library)
    ...     return None if found is None else found.read(np.arange(16))
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.model.recording import Recording
from rushes.store.clips import Clips, Want
from rushes.store.fingerprint import of_file
from rushes.store.layout import IMAGES, INDEX, VIDEO, is_session
from rushes.store.manifest import summaries
from rushes.store.reader import Session
from rushes.store.validity import Valid
from rushes.store.whereabouts import parts_of

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

PACKS, FRAMES, PACK = "packs", "frames.npy", "pack.json"
SCHEMA: Final = "rushes/pack/1"
_SESSIONS: Final = "sessions"  # where a library keeps them, where it does not keep them beside `packs`
_KNOWN: Final = 64
_KEY: Final = 32


@dataclass(frozen=True)
class Pack:
    """The frames of one recording.

    Attributes:
        path: Its folder.
        recording: Id of the recording.
        game: Name of its game.
        frames: How many.
        size: (height, width).
        bytes: Of `frames.npy`.
        sha256: Of `frames.npy`.
    """

    path: Path
    recording: str
    game: str
    frames: int
    size: tuple[int, int]
    bytes: int
    sha256: str

    @cached_property
    def pixels(self) -> Pixels:
        """(N, H, W, 3) uint8 RGB, memory-mapped, not to be written."""
        return np.asarray(np.load(self.path / FRAMES, mmap_mode="r", allow_pickle=False))

    def read(self, frames: npt.ArrayLike) -> Pixels:
        """Give frames.

        Args:
            frames: (T,) integers, frame_index of each.

        Returns:
            (T, H, W, 3) uint8 RGB; frames that follow on each other are a view of the file, which cannot be written to.

        Raises:
            BadInputError: Frames that the recording does not have.
        """
        wanted = np.asarray(frames, np.int64)
        if not len(wanted):
            return np.empty((0, *self.size, 3), np.uint8)
        first, last = int(wanted.min()), int(wanted.max())
        if first < 0 or last >= self.frames:
            raise BadInputError(
                f"{self.recording}: frames {wanted.tolist()}",
                accepts=f"frame_index from 0 to {self.frames - 1}",
                fix="ask for what is there",
            )
        if last - first == len(wanted) - 1 and (np.diff(wanted) == 1).all():
            return self.pixels[first : last + 1]
        return self.pixels[wanted]

    def is_whole(self) -> bool:
        """Say whether every byte is as it was written; reads all of it."""
        return of_file(self.path / FRAMES) == self.sha256

    def to_json(self) -> dict[str, Any]:
        """Give what pack.json says, and where it lies."""
        return {"path": str(self.path), **said_of(self)}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "pixels"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"<Pack of {self.recording}: {self.frames} frames {self.size[1]} x {self.size[0]}>"


def said_of(pack: Pack) -> dict[str, Any]:
    """Give what stands in pack.json."""
    return {
        "schema": SCHEMA,
        "recording": pack.recording,
        "game": pack.game,
        "frames": pack.frames,
        "size": list(pack.size),
        "bytes": pack.bytes,
        "sha256": pack.sha256,
    }


def place_of(path: str | Path) -> Path:
    """Say which folder holds the packs of what lies at a path: the library, or the folder that the sessions lie in."""
    given = Path(path)
    folder = given if given.is_dir() and not is_session(given) else given.absolute().parent
    return folder.parent if folder.name == _SESSIONS else folder


def packed_bytes(frames: int, size: tuple[int, int]) -> int:
    """Say what so many frames of (height, width) take in a pack, to a few hundred bytes."""
    return frames * size[0] * size[1] * 3


def key_of(recording: Recording, size: tuple[int, int]) -> str | None:
    """Name the pack of a recording.

    Args:
        recording: Any recording; a view of a session has the session's frames, marked ones too.
        size: (height, width).

    Returns:
        Hex digits that follow from what is shown and the size; None where the pictures lie neither in a session nor in
        films, so that it cannot be told whether they changed.
    """
    whole = recording.session if isinstance(recording, Valid) else recording
    shown: list[Any]
    if isinstance(whole, Session):
        names = (VIDEO, IMAGES, INDEX)
        shown = [
            [[name, s["files"][name]["sha256"]] for name in names if name in s["files"]] for s in summaries(whole.path)
        ] + [whole.picture_size]
    else:
        parts = parts_of(whole)
        if not parts or any(part.film is None for part in parts):
            return None
        shown = [
            [
                _digest(part.film),
                part.cut,
                part.first,
                part.stop,
                None if part.numbers is None else part.numbers.tolist(),
            ]
            for part in parts
            if part.film is not None
        ]
    text = json.dumps([SCHEMA, list(size), shown])
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY]


def _digest(film: Path) -> str:
    about = film.stat()
    return _digest_of(film, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest_of(film: Path, size: int, changed_ns: int) -> str:
    del size, changed_ns  # a file of the same name that changed is another one
    return of_file(film)


def find_pack(recording: Recording, size: tuple[int, int], root: str | Path) -> Pack | None:
    """Find the pack of a recording.

    Args:
        recording: Any recording.
        size: (height, width).
        root: The library, or whatever folder has `packs` in it.

    Returns:
        The pack; None where there is none, or (with a warning) it is damaged.
    """
    folder = Path(root) / PACKS
    key = key_of(recording, size) if folder.is_dir() and _may_hold(folder, recording, size) else None
    if key is None or not (folder / key).is_dir():
        return None
    try:
        return open_pack(folder / key)
    except BadDataError as error:
        warnings.warn(f"{error} The pictures are decoded instead.", stacklevel=2)
        return None


def _may_hold(folder: Path, recording: Recording, size: tuple[int, int]) -> bool:
    """Say whether a look at what is shown is worth it: of a film that is no session's, that is reading all of it."""
    if isinstance(recording, Valid | Session):
        return True
    said = _shapes(folder, frozenset(path.name for path in folder.iterdir()))
    return said is None or (recording.frame_count, *size) in said


@lru_cache(maxsize=16)
def _shapes(folder: Path, names: frozenset[str]) -> frozenset[tuple[int, ...]] | None:
    """Give frames, height and width of each pack; None where one is damaged. A pack of the same name has the same."""
    try:
        each = [json.loads((folder / name / PACK).read_text(encoding="utf-8")) for name in names if name[0] != "."]
        return frozenset((said["frames"], *said["size"]) for said in each)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def open_pack(path: Path) -> Pack:
    """Open a pack.

    Args:
        path: Its folder.

    Raises:
        BadDataError: It is no pack, or a part of it is missing.
    """
    try:
        said = json.loads((path / PACK).read_text(encoding="utf-8"))
        if said["schema"] != SCHEMA:
            raise BadDataError(
                f"{path}: schema {said['schema']!r}", accepts=repr(SCHEMA), fix="pack it with this version"
            )
        names = ("recording", "game", "frames", "bytes", "sha256")
        pack = Pack(path, size=(said["size"][0], said["size"][1]), **{name: said[name] for name in names})
        is_there = (path / FRAMES).stat().st_size == pack.bytes
        is_so = is_there and pack.pixels.shape == (pack.frames, *pack.size, 3) and pack.pixels.dtype == np.uint8
    except (OSError, ValueError, LookupError, TypeError) as error:
        if isinstance(error, BadDataError):
            raise
        raise _damaged(path) from error
    if not is_so:
        raise _damaged(path)
    return pack


def _damaged(path: Path) -> BadDataError:
    return BadDataError(
        f"{path}: a pack that is damaged", accepts="a whole pack", fix="run `rushes pack` again, which makes it anew"
    )


class PackedClips:
    """A reader of clips that takes them from packs where there are such, and decodes the others.

    Args:
        size: (height, width).
        root: The library, or whatever folder has `packs` in it.
        threads: How many decode; None takes as many as there are cores.
    """

    def __init__(self, size: tuple[int, int], root: str | Path, *, threads: int | None = None) -> None:
        self.size, self.root = size, Path(root)
        self._clips = Clips(size, threads=threads)
        self._packs: OrderedDict[Any, tuple[Recording, Pack | None]] = OrderedDict()

    def read(self, wants: Sequence[Want]) -> list[Pixels]:
        """Give what is wanted; see `Clips.read`."""
        packs = [self._pack(want.recording) for want in wants]
        decoded = iter(self._clips.read([want for want, pack in zip(wants, packs, strict=True) if pack is None]))
        return [
            next(decoded) if pack is None else pack.read(want.frames) for want, pack in zip(wants, packs, strict=True)
        ]

    def holds(self, recording: Recording) -> bool:
        """Say whether there is a pack of a recording."""
        return self._pack(recording) is not None

    def _pack(self, recording: Recording) -> Pack | None:
        key = id(recording)  # its own while it is held
        if key not in self._packs:
            self._packs[key] = (recording, find_pack(recording, self.size, self.root))
            while len(self._packs) > _KNOWN:
                self._packs.popitem(last=False)
        self._packs.move_to_end(key)
        return self._packs[key][1]

    def close(self) -> None:
        """Close what is open; the next read opens it again, and looks for packs anew."""
        self._clips.close()
        self._packs.clear()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_packs": OrderedDict()}

    def __repr__(self) -> str:
        return f"<PackedClips: {self.size[0]} x {self.size[1]}, packs of {self.root}>"
