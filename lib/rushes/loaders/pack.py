"""Making packs: every frame of a library at the size that a model reads, once, so that no epoch decodes anything.

A pack takes height x width x 3 bytes a frame: 150 kB at 224 x 224, 16 GB an hour at 30 Hz. `plan` says that before
anything is made. `pack` makes what is not there yet; a second run finds it done. Pictures are decoded in order, a few
stretches of film side by side, and some 50 MB are held whatever the length. A pack appears when it is whole and on the
disk; what a kill leaves is removed by the next run, and a damaged pack is made anew.

    pack("data", 224)                       # data/packs/<key>/, see rushes.loaders.packed
    GameplayDataset("data", size=224)       # finds them

Example:
    >>> from rushes.loaders.packed import packed_bytes
    >>> packed_bytes(30 * 3600, (224, 224)) / 1e9
    16.257024
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.errors import BadDataError, BadInputError, BusyError, StorageError
from rushes.formats.options import Given
from rushes.loaders.packed import (
    FRAMES,
    PACK,
    PACKS,
    Pack,
    find_pack,
    key_of,
    open_pack,
    packed_bytes,
    place_of,
    said_of,
)
from rushes.loaders.source import Named, Source, sources
from rushes.model.recording import Recording
from rushes.store.atomic import new_folder, storage_errors, sync
from rushes.store.clips import Clips, Want
from rushes.store.lock import Hold, hold
from rushes.store.validity import Valid

Progress = Callable[[int, int, str], None]
"""Called with (frames done, frames in all, what)."""

_HELD_BYTES: Final = 48_000_000
"""Pictures that are decoded before they are written."""
_SPARE_BYTES: Final = 64_000_000
"""What is left free on the disk."""


@dataclass(frozen=True)
class Planned:
    """One recording, before it is packed.

    Attributes:
        source: The recording.
        frames: How many it has.
        bytes: What they take.
        key: Name of its pack; None where it cannot be packed.
        there: Its pack, where it was made already.
    """

    source: Source
    frames: int
    bytes: int
    key: str | None
    there: Pack | None

    @property
    def is_to_do(self) -> bool:
        """Whether it can be packed and is not yet."""
        return self.key is not None and self.there is None


@dataclass(frozen=True)
class Plan:
    """What packing takes.

    Attributes:
        root: The folder that holds `packs`.
        size: (height, width).
        each: The recordings.
    """

    root: Path
    size: tuple[int, int]
    each: tuple[Planned, ...]

    @property
    def bytes(self) -> int:
        """What is not there yet takes on the disk."""
        return sum(one.bytes for one in self.each if one.is_to_do)

    @property
    def free(self) -> int:
        """Bytes that are free there."""
        there = next(place for place in (self.root.absolute(), *self.root.absolute().parents) if place.exists())
        return shutil.disk_usage(there).free

    @property
    def refused(self) -> tuple[str, ...]:
        """Ids of those that cannot be packed: it could not be told later whether their files have changed."""
        return tuple(one.source.entry.id for one in self.each if one.key is None)


def plan(
    source: Named | Iterable[Named],
    size: int | tuple[int, int],
    *,
    game: str | Sequence[str] | None = None,
    root: str | Path | None = None,
    options: Given = None,
) -> Plan:
    """Say what would be packed, and what it takes.

    Args:
        source: A session, a folder of them, a library, any path that can be read, a recording, or several of these.
        size: Pixels a side, or (height, width).
        game: Only recordings of this game, or of these.
        root: Folder that `packs` is made in; None takes the library, or the folder that the sessions lie in.
        options: Reading options of a path's format.

    Raises:
        BadInputError: A size below 1, or no root for what has no path.
        MissingError: Nothing is there.
    """
    pair = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    if min(pair) < 1:
        raise BadInputError(f"size={size}", accepts="pixels a side, or (height, width)", fix="pass size=224")
    place = Path(root) if root is not None else place_of(source) if isinstance(source, str | Path) else None
    if place is None:
        raise BadInputError(
            f"root={root} for {source!r}", accepts="a folder to make `packs` in", fix="pass root='data'"
        )
    each = []
    for one in sources(source, game=game, options=options).each:
        recording = _whole(one.open())
        frames, key = recording.frame_count, key_of(recording, pair)
        each.append(Planned(one, frames, packed_bytes(frames, pair), key, find_pack(recording, pair, place)))
    return Plan(place, pair, tuple(each))


def pack(planned: Plan, *, threads: int | None = None, progress: Progress | None = None) -> tuple[Pack, ...]:
    """Make the packs that are not there yet.

    Args:
        planned: See `plan`.
        threads: How many decode; None takes as many as there are cores. It decides nothing but the time.
        progress: Called as it goes.

    Returns:
        All packs of the plan, those that were there already too.

    Raises:
        BusyError: Another process is packing in this place.
        BadDataError: A picture cannot be decoded; packs that were finished before stay.
        StorageError: The disk has no room for it, or cannot be written.
    """
    folder = planned.root / PACKS
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    free = planned.free
    if planned.bytes and free < planned.bytes + _SPARE_BYTES:
        raise StorageError(
            f"{folder}: {free / 1e9:.1f} GB are free and packing takes {planned.bytes / 1e9:.1f} GB",
            accepts="a disk with room for it",
            fix="free some space, take a smaller size or fewer games, or name another folder with --root",
        )
    total, done, made = sum(one.frames for one in planned.each if one.is_to_do), 0, []
    with _alone(folder), Clips(planned.size, threads=threads) as clips:
        for left in folder.glob(".*.partial"):  # nobody else writes here now
            shutil.rmtree(left, ignore_errors=True)
        for one in planned.each:
            there = one.there
            if one.is_to_do:
                recording = _whole(one.source.open())
                target = folder / str(one.key)
                for count in [one.frames] if _is_there(target) else _make(recording, target, clips, planned.size):
                    done += count
                    if progress is not None:
                        progress(done, total, one.source.entry.id)
                there = find_pack(recording, planned.size, planned.root)
            made += [] if there is None else [there]
    return tuple(made)


def _whole(recording: Recording) -> Recording:
    """Give all frames of a session, marked ones too: marks may change, and a frame_index means the same in both."""
    return recording.session if isinstance(recording, Valid) else recording


def _is_there(target: Path) -> bool:
    """Say whether a pack was made since it was planned: by another process, or for a recording that shows the same."""
    try:
        open_pack(target)
    except BadDataError:
        return False
    return True


def _make(recording: Recording, target: Path, clips: Clips, size: tuple[int, int]) -> Iterable[int]:
    """Write a pack, and say from time to time how many frames more are done."""
    count, total = recording.frame_count, hashlib.sha256()
    if target.exists():  # a damaged one
        shutil.rmtree(target)
    with new_folder(target) as folder:
        with (folder / FRAMES).open("wb") as file:
            head = _head((count, *size, 3))
            file.write(head)
            total.update(head)
            for start, stop in clips.runs(recording, max(1, _HELD_BYTES // packed_bytes(1, size))):
                pictures = clips.read([Want(recording, np.arange(start, stop))])[0]
                file.write(pictures.data)
                total.update(pictures.data)
                _let_go(file.fileno())
                yield stop - start
            written = file.tell()
        sync(folder / FRAMES)
        made = Pack(target, recording.info.id, recording.info.game, count, size, written, total.hexdigest())
        (folder / PACK).write_text(json.dumps(said_of(made), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        sync(folder / PACK)


def _head(shape: tuple[int, ...]) -> bytes:
    """Give the head of an NPY file of uint8."""
    text = io.BytesIO()
    descr: dict[str, Any] = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(text, descr)
    return text.getvalue()


def _let_go(handle: int) -> None:
    """Begin to write to the disk now, so that the end need not wait for all of it."""
    if hasattr(os, "posix_fadvise"):
        os.fdatasync(handle)


def packs_in(root: str | Path) -> tuple[list[Pack], list[Path]]:
    """List the packs of a folder.

    Args:
        root: The folder that holds `packs`.

    Returns:
        The packs, by game and recording; and folders beside them that are damaged or were never finished.
    """
    whole, broken = [], []
    folder = Path(root) / PACKS
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            whole.append(open_pack(path))
        except ValueError:  # BadDataError is one
            broken.append(path)
    return sorted(whole, key=lambda pack: (pack.game, pack.recording, pack.size)), broken


def remove_packs(
    root: str | Path, *, game: str | Sequence[str] | None = None, size: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Remove packs; nothing is lost but the time that they took.

    Args:
        root: The folder that holds `packs`.
        game: Only those of this game, or of these; upper and lower case are one.
        size: Only those of this (height, width).

    Returns:
        How many, and the bytes that became free. What was damaged or never finished goes too, where neither game nor
        size is asked for.

    Raises:
        BusyError: Another process is packing.
    """
    folder = Path(root) / PACKS
    if not folder.is_dir():
        return 0, 0
    names = {name.casefold() for name in ([game] if isinstance(game, str) else game or ())}
    freed = 0
    with _alone(folder):
        whole, broken = packs_in(root)
        chosen = [p.path for p in whole if (not names or p.game.casefold() in names) and size in (None, p.size)]
        chosen += broken if not names and size is None else []
        for path in chosen:
            freed += sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
            shutil.rmtree(path)
    return len(chosen), freed


def _alone(folder: Path) -> Hold:
    try:
        return hold(folder)
    except BusyError as error:
        raise BusyError(
            f"{folder}, where another process is packing,",
            accepts="one at a time",
            fix="wait until it ends; what it makes is then found",
        ) from error
