"""Windows of play: T frames with what was done on each, from any source; what the loaders of all frameworks give.

An item is a dict of NumPy arrays:

| key | shape | dtype | |
|---|---|---|---|
| `frames` | (T, H, W, 3) | uint8 | RGB |
| `inputs` | (T, A) | float32 | row k is what happened from frame k to the next one that is taken; columns: `space` |
| `t_ns` | (T,) | int64 | when each frame was taken, ns since session start |
| `mask` | (T,) | bool | whether the row is there; False behind the end of a stretch, with `pad` |
| `session` | | text | id of the session |
| `audio` | (T, F) | float32 | where sound is asked for: what was heard in the row; zeros where there is none |
| `audio_mask` | (T,) | bool | whether anything was recorded there |
| `action` | (T,) int64 or (T, D) float32 | | what an environment was told on the frame; -1 and NaN where nobody was |
| `rewards` | (T,) | float32 | summed over the row; NaN where there is none |
| `terminated`, `truncated`, `is_human` | (T,) | bool | where a session of the source has steps |
| `label`, `weight`, `keys`, `sample_id` | | | of a table of samples: its columns of that row |

No window crosses the edge of a segment or a stretch marked invalid. What an item holds follows from the source, the
options and (seed, epoch, index) alone. Objects of this class can be sent to other processes, forked or not: each opens
its own files.

Example:
    >>> def mean_brightness(path):
    ...     windows = GameplayWindows(path, sequence_length=4, size=64)
    ...     return [item["frames"].mean() for item in windows.fetch(range(len(windows)))]
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError, RushesError
from rushes.formats.options import Given
from rushes.loaders.batches import Batch
from rushes.loaders.choice import Cut, checked_size, of_split, refuse_below, refuse_unknown, regular, without_idle
from rushes.loaders.draws import Draws
from rushes.loaders.index import Index, Listed, Place
from rushes.loaders.opened import Opened, Shown
from rushes.loaders.parts import SHARES
from rushes.loaders.rows import Row, listed, transformed
from rushes.loaders.source import Named, sources
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Ledger, Tally
from rushes.prepare.augment.base import World
from rushes.store.aligned import INPUT_ENCODINGS, Aligned, common_space
from rushes.store.entry import Entry
from rushes.store.hearing import AUTO, Hearing, hearing_of

Item = dict[str, Any]
Wanted = int | tuple[int, int]
"""An index, of epoch 0, or (epoch, index)."""

_NOBODY: Final[Mapping[str, Any]] = {
    "action": -1, "rewards": np.nan, "terminated": False, "truncated": False, "is_human": True,
}  # fmt: skip
"""What stands in the columns of an environment for recorded play of the same source."""


class GameplayWindows:
    """The windows of a source, by number.

    Args:
        source: A session, a folder of them, a library, a table of samples, any path that can be read, a recording, or
            several of these. The rows of a table are its windows; `sequence_length`, `stride`, `frame_skip`,
            `drop_idle` and `pad` do not apply to it.
        game: Only this game, or these.
        sequence_length: T, frames a window shows; 1 works.
        stride: Frames of the recording from one window's start to the next; None: as many as a window spans, so that
            each frame is in one.
        frame_skip: Frames of the recording from one that is shown to the next. Actions of those between count for the
            one before them: none is dropped.
        size: Pixels a side, or (height, width); None takes pictures as they are stored, which all have to be alike.
        layout: Columns of `inputs`; see `store.aligned.common_space`.
        encoding: What the column of a button holds; see `store.aligned.aligned`.
        audio: `logmel`, `waveform` or a `Hearing`; `auto` is `logmel` where a session has sound; None gives none.
        stream: Which sound; None takes `system`, else the first; several stand one behind the other.
        split: Name of a part of `splits`; of a table of samples, one of its column `split`.
        splits: Parts with their shares, placed by whole sessions, or a file of `rushes prepare split` by session.
        seed: Of splits, order and augmentation.
        action_delay_ms: Moves every event this much later first; `measured` takes each session's own.
        augment: A recipe of transforms that are drawn anew for each window of each epoch; see `loaders.draws`.
        drop_idle: Leave out windows in which nobody did anything; counted.
        pad: Give the rest of each stretch too, as a window that ends with zeros and `mask` False.
        broken: What becomes of a window whose pictures or tables cannot be read: `raise`, or `skip`, with a warning.
        pack: Use packs (`rushes pack`) that fit; they hold the same pixels.
        options: Reading options of a path's format.

    Attributes:
        entries: The recordings.
        space: What the columns of `inputs` are.
        size: (height, width) of the frames.
        hearing: How sound is given; None where it is not.
        ledger: Sessions and frames: how many there were, how many are in a window, and why the others are not;
            `drop_idle` is counted in `windows`, of all that were cut.
        broken: What could not be read so far, in this process, with `broken="skip"`: a sentence each.

    Raises:
        BadInputError: An option out of its range, sizes or action spaces that differ, or no window at all.
        BadNameError: A game, transform, control, kind of sound or stream that is not there.
        MissingError: Nothing is there.
        BadDataError: A path is of no format, or damaged.
    """

    def __init__(
        self,
        source: Named | Iterable[Named],
        *,
        game: str | Sequence[str] | None = None,
        sequence_length: int = 16,
        stride: int | None = None,
        frame_skip: int = 1,
        size: int | tuple[int, int] | None = None,
        layout: str | ActionSpace | None = None,
        encoding: str = "multi_hot",
        audio: str | Hearing | None = None,
        stream: str | Sequence[str] | None = None,
        split: str | None = None,
        splits: str | Path = SHARES,
        seed: int = 0,
        action_delay_ms: str | float = 0,
        augment: str | None = None,
        drop_idle: bool = False,
        pad: bool = False,
        broken: Literal["raise", "skip"] = "raise",
        pack: bool = True,
        options: Given = None,
    ) -> None:
        refuse_below(1, sequence_length=sequence_length, stride=stride, frame_skip=frame_skip)
        refuse_below(0, seed=seed)
        if broken not in ("raise", "skip"):
            raise BadInputError(f"broken={broken!r}", accepts="raise or skip", fix="pass broken='raise'")
        if encoding not in INPUT_ENCODINGS:
            raise BadInputError(f"encoding={encoding!r}", accepts=", ".join(INPUT_ENCODINGS), fix="choose one")
        found, tally = sources(source, game=game, options=options), Tally()
        if audio is not None:
            refuse_unknown(stream, found)
        chosen = of_split(found, split, splits, seed=seed, tally=tally)
        self.entries: tuple[Entry, ...] = tuple(one.entry for one in chosen)
        self.space = common_space([one.entry.action_space for one in found.each], layout)  # all parts have it
        self.size = checked_size(size, self.entries)
        self.seed = seed
        self.broken: list[str] = []
        self._skips_broken = broken == "skip"
        self._table: list[Row] | None = None
        if found.samples is not None:
            self.length, self._table = listed(found.samples, chosen, split=split, tally=tally)
            self.cut = Cut(self.length, 1, self.length, pad=False)
            self._index: Index = Listed([row.place for row in self._table])
        else:
            span = sequence_length * frame_skip
            self.length, self.cut = sequence_length, Cut(sequence_length, frame_skip, stride or span, pad)
            self._index = regular(self.entries, self.cut, tally)
        has_sound = any(entry.sounds for entry in self.entries)
        heard = ("logmel" if has_sound else None) if audio == AUTO else audio
        self._opened = Opened(
            chosen,
            size=self.size,
            space=self.space,
            encoding=encoding,
            action_delay_ms=str(action_delay_ms),
            frame_skip=self.cut.frame_skip,
            hearing=hearing_of(heard, [one.entry for one in found.each], frame_skip=self.cut.frame_skip),
            stream=stream,
            packs=found.packs if pack else None,
        )
        self._draws = Draws(augment, self.space, seed=seed, samples=found.samples) if augment else None
        if drop_idle and self._table is None:
            self._index = without_idle(self._index, self._aligned, self.cut, self.space, tally)
        self.ledger: Ledger = tally.close()
        self._columns = tuple(_NOBODY) if any(entry.is_environment for entry in self.entries) else ()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def hearing(self) -> Hearing | None:
        """How sound is given; None where it is not."""
        return self._opened.hearing

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of one item's arrays: `frames`, `inputs` and, where sound is given, `audio`."""
        found = {"frames": (self.length, *self.size, 3), "inputs": (self.length, len(self.space))}
        if self.hearing is not None:
            found["audio"] = (self.length, self._opened.features)
        return found

    def fetch(self, wanted: Iterable[Wanted]) -> list[Item]:
        """Make items; several at once are decoded together, each stretch of film once.

        Args:
            wanted: Indices, or (epoch, index); a `loaders.batches.Batch` says what will be wanted next, too.

        Returns:
            One item each, in that order; without those that could not be read, with `broken="skip"`. Frames that lie
            in a pack are not to be written: copy them.

        Raises:
            IndexError: There is no such window.
            BadDataError: A window cannot be read, with `broken="raise"`.
        """
        asked = [self._checked(one) for one in wanted]
        ahead = wanted.ahead if isinstance(wanted, Batch) else []
        try:
            return self._made(asked, ahead)
        except (RushesError, OSError):
            if not self._skips_broken:
                raise
        found = []
        for one in asked:
            try:
                found += self._made([one])
            except (RushesError, OSError) as error:
                entry = self.entries[self._index.at(one[1]).source]
                self.broken.append(f"window {one[1]} of {entry.id}: {error}")
                warnings.warn(f"left out {self.broken[-1]}", stacklevel=2)
        return found

    def _checked(self, one: Wanted) -> tuple[int, int]:
        epoch, index = one if isinstance(one, tuple) else (0, one)
        if not -len(self) <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        return int(epoch), int(index) % len(self)

    def _made(self, asked: Sequence[tuple[int, int]], ahead: Sequence[tuple[int, int]] = ()) -> list[Item]:
        parts = [self._shown(index) for _, index in asked]
        pictures = self._opened.pictures(
            [_frames(index, *part) for (_, index), part in zip(asked, parts, strict=True)],
            (lambda: [_frames(index, *self._shown(index)) for _, index in ahead]) if ahead else None,
        )
        found = []
        changed = self._draws is not None or self._table is not None
        for (epoch, index), (place, part, rows), stored in zip(asked, parts, pictures, strict=True):
            frames = stored if stored.flags.writeable or not changed else stored.copy()
            item = self._as_listed(index, self._item(place, part, rows, frames))
            if self._draws is not None:
                item = self._draws.apply(item, self._told(self.entries[place.source]), epoch=epoch, index=index)
            found.append(item)
        return found

    def _as_listed(self, index: int, item: Item) -> Item:
        if self._table is None:
            return item
        row = self._table[index]
        return transformed(item, row.transforms, World(self.space)) | row.says

    def _told(self, entry: Entry) -> ActionSpace | None:
        """Say in which space `action` of a recording stands."""
        if not entry.is_environment:
            return None
        return self.space if self.space.kind == "discrete" else entry.action_space

    def fetch_plain(self, index: int) -> Item:
        """Make an item as it is before anything is drawn for an epoch."""
        place, part, rows = self._shown(self._checked(index)[1])
        (stored,) = self._opened.pictures([_frames(index, place, part, rows)])
        frames = stored if stored.flags.writeable or self._table is None else stored.copy()
        return self._as_listed(index, self._item(place, part, rows, frames))

    def every_input(self) -> Iterator[npt.NDArray[np.float32]]:
        """Give the inputs of all rows that windows are cut from, (N, A) float32 at a time; of a table, of its rows."""
        if self._table is not None:
            for index in range(len(self)):
                _, part, rows = self._shown(index)
                yield part.inputs[rows]
            return
        for source, entry in enumerate(self.entries):
            for stretch in range(len(entry.stretches)):
                yield self._aligned(Place(source, stretch, 0)).inputs

    def _aligned(self, place: Place) -> Aligned:
        return self._opened.rows(place.source, place.stretch, place.row % self.cut.frame_skip)

    def _shown(self, index: int) -> tuple[Place, Aligned, npt.NDArray[np.int64]]:
        """Say which rows of which stretch a window shows; behind its end there are none."""
        place = self._index.at(index)
        part = self._aligned(place)
        if self._table is not None:
            return place, part, place.row - self._table[index].back
        first = place.row // self.cut.frame_skip
        return place, part, np.arange(first, min(first + self.length, len(part)))

    def _item(self, place: Place, part: Aligned, rows: npt.NDArray[np.int64], frames: npt.NDArray[np.uint8]) -> Item:
        item: Item = {
            "frames": self._padded(frames),
            "inputs": self._padded(part.inputs[rows]),
            "t_ns": self._padded(part.t_ns[rows]),
            "mask": self._padded(np.ones(len(rows), bool)),
            "session": self.entries[place.source].id,
        }
        for name in self._columns:
            values = getattr(part, name)
            item[name] = self._padded(values[rows] if values is not None else self._nobody(name, len(rows)))
        if self.hearing is not None:
            heard = self._opened.heard(place.source, part.t_ns[rows], part.ends_ns[rows])
            item["audio"], item["audio_mask"] = (self._padded(values) for values in heard)
        return item

    def _nobody(self, name: str, rows: int) -> npt.NDArray[Any]:
        if name == "action" and self.space.kind == "box":
            return np.full((rows, len(self.space)), np.nan, np.float32)
        kinds = {"action": np.int64, "rewards": np.float32}
        return np.full(rows, _NOBODY[name], kinds.get(name, np.bool_))

    def _padded(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if len(values) == self.length:
            return values
        made = np.zeros((self.length, *values.shape[1:]), values.dtype)
        made[: len(values)] = values
        return made

    def use_threads(self, threads: int) -> None:
        """Decode with so many threads in this process; otherwise one a core."""
        self._opened.use_threads(threads)

    def close(self) -> None:
        """Close the files of this process; the next `fetch` opens them anew."""
        self._opened.close()

    def __repr__(self) -> str:
        height, width = self.size
        sound = f", {self.hearing.kind}" if self.hearing else ""
        return (
            f"<{len(self)} windows of {self.length} frames {width} x {height} of {len(self.entries)} sessions, "
            f"{len(self.space)} inputs{sound}>"
        )


def _frames(index: int, place: Place, part: Aligned, rows: npt.NDArray[np.int64]) -> Shown:
    return Shown(index, place.source, part.frame_index[rows])
