"""PyTorch: a dataset of windows of play, from a folder of sessions to batches in three lines.

    dataset = GameplayDataset("data/sessions", size=224)
    for batch in DataLoader(dataset, batch_size=8, shuffle=True, num_workers=2):
        ...  # batch["frames"] (B, T, C, H, W), batch["inputs"] (B, T, A)

What a batch holds is listed in `rushes.loaders.windows`, with frames as (B, T, C, H, W). A DataLoader asks for the
windows of a batch together, so that each stretch of film is decoded once; workers of any kind open their own files.

With `sampler=dataset.sampler()` instead of `shuffle=True` the order follows from (seed, epoch) alone, is shared
among ranks without repetition, and goes on in the middle of an epoch (`rushes.loaders.order`).

Example:
    >>> def three_lines(path):
    ...     dataset = GameplayDataset(path, size=224, sequence_length=8)
    ...     for batch in torch.utils.data.DataLoader(dataset, batch_size=8, sampler=dataset.sampler(), num_workers=2):
    ...         print(batch["frames"].shape, batch["inputs"].shape)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset, default_collate, get_worker_info

from rushes.errors import BadDataError, BadInputError
from rushes.formats.options import Given
from rushes.loaders.batches import AHEAD_BYTES, AHEAD_WINDOWS, Batches
from rushes.loaders.figures import WINDOWS, statistics
from rushes.loaders.order import QUASI_RANDOM, Order, Shuffle
from rushes.loaders.parts import SHARES
from rushes.loaders.source import Named
from rushes.loaders.windows import GameplayWindows, Item, Wanted
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Ledger
from rushes.store.entry import Entry
from rushes.store.hearing import Hearing
from rushes.store.statistics import Statistics

FrameTransform = Callable[[npt.NDArray[np.uint8]], Any]
"""Takes one frame, (H, W, 3) uint8 RGB; gives an array (H, W, C) or a tensor (C, H, W)."""
Dtype = Literal["float32", "float16", "bfloat16", "uint8"]
_DTYPES: Final[Mapping[str, torch.dtype]] = {
    "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "uint8": torch.uint8,
}  # fmt: skip
_WHITE: Final = 255


class GameplayDataset(Dataset[dict[str, Any]]):
    """A map-style dataset of windows of play.

    Args:
        source: A session, a folder of them, a library, a table of samples, any path that can be read, a recording, or
            several of these.
        game: Only this game, or these.
        sequence_length: T; 1 works.
        stride: Frames of the recording from one window's start to the next; None: as many as a window spans.
        frame_skip: Frames of the recording from one that is shown to the next; actions between are not dropped.
        size: Pixels a side, or (height, width); None takes pictures as they are stored.
        layout: Columns of `inputs`: a known layout, names with commas between, or a space; None: what the source has.
        audio: `logmel`, `waveform`, a `Hearing`, or `auto` (`logmel` where there is sound); None gives none.
        stream: Which sound; None takes `system`, else the first; several stand one behind the other.
        split: Name of a part of `splits`.
        splits: Parts with their shares, by whole sessions, or a file of `rushes prepare split`.
        action_delay_ms: Moves every event this much later first; `measured` takes each session's own.
        augment: Transforms drawn anew for each window and epoch: `flip=0.5, brightness=0.5:0.7..1.3`.
        transform: Called with each frame, (H, W, 3) uint8 RGB. An array that it gives is taken as (H, W, C), a tensor
            as (C, H, W); uint8 is scaled to 0..1 where `dtype` asks for floats, other numbers are taken as they are.
            What it draws is its own: a flip that it makes at random is made frame by frame and mirrors no action;
            `augment` does both right.
        dtype: Of `frames`: floats from 0 to 1, or `uint8` as decoded.
        encoding: What the column of a button holds: `multi_hot`, `pressed`, `released`, `fraction`.
        seed: Of splits, order and augmentation.
        drop_idle: Leave out windows in which nobody did anything; counted.
        pad: Give the rest of each stretch too, with `mask` False behind its end.
        broken: What becomes of a window that cannot be read: `raise`, or `skip`: it is left out of its batch, with a
            warning.
        pack: Use packs (`rushes pack`) that fit; they hold the same pixels.
        options: Reading options of a path's format.

    Attributes:
        windows: The windows, free of any framework.

    Raises:
        BadInputError: An option out of its range, sizes or action spaces that differ, or no window at all.
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
        audio: str | Hearing | None = None,
        stream: str | Sequence[str] | None = None,
        split: str | None = None,
        splits: str | Path = SHARES,
        action_delay_ms: str | float = 0,
        augment: str | None = None,
        transform: FrameTransform | None = None,
        dtype: Dtype = "float32",
        encoding: str = "multi_hot",
        seed: int = 0,
        drop_idle: bool = False,
        pad: bool = False,
        broken: Literal["raise", "skip"] = "raise",
        pack: bool = True,
        options: Given = None,
    ) -> None:
        if dtype not in _DTYPES:
            raise BadInputError(f"dtype={dtype!r}", accepts=", ".join(_DTYPES), fix="pass dtype='float32'")
        self.windows = GameplayWindows(
            source,
            game=game,
            sequence_length=sequence_length,
            stride=stride,
            frame_skip=frame_skip,
            size=size,
            layout=layout,
            encoding=encoding,
            audio=audio,
            stream=stream,
            split=split,
            splits=splits,
            seed=seed,
            action_delay_ms=action_delay_ms,
            augment=augment,
            drop_idle=drop_idle,
            pad=pad,
            broken=broken,
            pack=pack,
            options=options,
        )
        self._transform, self._dtype = transform, _DTYPES[dtype]

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: Wanted) -> dict[str, Any]:
        """Make one item: tensors as `rushes.loaders.windows` lists them, `frames` (T, C, H, W).

        Args:
            index: 0 to len - 1, or (epoch, index).

        Raises:
            IndexError: There is no such window.
            BadDataError: It cannot be read.
        """
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[Wanted]) -> list[dict[str, Any]]:
        """Make the items of a batch, decoded together; a DataLoader calls this.

        Raises:
            IndexError: There is no such window.
            BadDataError: One cannot be read; with `broken="skip"`, when none can.
        """
        return [self._tensors(item) for item in self._fetched(indices)]

    def _fetched(self, indices: Sequence[Wanted]) -> list[Item]:
        if get_worker_info() is not None:
            self.windows.use_threads(1)  # the other cores have workers of their own
        items = self.windows.fetch(indices)
        if not items:
            raise BadDataError(
                f"{len(indices)} windows of a batch, none of which can be read ({self.windows.broken[-1]})",
                accepts="at least one that can",
                fix="`rushes library verify` says which sessions are damaged",
            )
        return items

    def _tensors(self, item: Item) -> dict[str, Any]:
        frames = frames_tensor(item["frames"], self._transform, self._dtype)
        rest = self._chosen(item)
        return {name: _tensor(value) for name, value in rest.items() if name != "frames"} | {"frames": frames}

    def _chosen(self, item: Item) -> Item:
        """Choose what is given of an item."""
        return item

    def batch(self, indices: Sequence[Wanted]) -> dict[str, Any]:
        """Make a batch at once, as `loader` gives it: each picture is copied once.

        Args:
            indices: Windows; a `rushes.loaders.batches.Batch` says what will be wanted next, too.

        Returns:
            What a DataLoader gives. `frames` (B, T, C, H, W) lie in memory as they are decoded, channels last, as
            TorchCodec's do; `.contiguous()` makes them otherwise.

        Raises:
            IndexError: There is no such window.
            BadDataError: One cannot be read; with `broken="skip"`, when none can.
        """
        items = self._fetched(indices)
        made: dict[str, Any] = {}
        if self._transform is None:
            frames = torch.from_numpy(np.stack([item["frames"] for item in items])).permute(0, 1, 4, 2, 3)
            made["frames"] = scaled(frames, self._dtype)
        else:
            each = [frames_tensor(item["frames"], self._transform, self._dtype) for item in items]
            made["frames"] = torch.stack(each)
        rest = [self._chosen(item) for item in items]
        for name, value in rest[0].items():
            if name != "frames":
                values = [item[name] for item in rest]
                made[name] = values if isinstance(value, str) else torch.from_numpy(np.stack(values))
        return made

    def sampler(self, *, shuffle: Shuffle = True, rank: int = 0, world: int = 1, even: bool = False) -> Order:
        """Give an order that follows from the dataset's seed and the epoch alone; see `rushes.loaders.order`.

        Args:
            shuffle: True, False or `quasi_random`.
            rank: Which of the processes that train together this is.
            world: How many these are.
            even: Leave out the last few windows where the ranks would have different numbers.
        """
        return Order(len(self), shuffle=shuffle, seed=self.windows.seed, rank=rank, world=world, even=even)

    def loader(
        self,
        batch_size: int = 8,
        *,
        shuffle: Shuffle = QUASI_RANDOM,
        num_workers: int = 0,
        drop_last: bool = False,
        order: Order | None = None,
        ahead_bytes: int = AHEAD_BYTES,
        context: str | None = None,
        pin_memory: bool = False,
    ) -> DataLoader[dict[str, Any]]:
        """Make a DataLoader whose workers decode for several batches at once: the fastest way straight from film.

        Args:
            batch_size: Windows a batch.
            shuffle: True, False or `quasi_random`; see `rushes.loaders.order.Order`.
            num_workers: Processes beside this one.
            drop_last: Leave out the last batch where it is smaller.
            order: From `sampler`, where ranks share an epoch or training goes on in the middle of one.
            ahead_bytes: What a process keeps of decoded windows that are not asked for yet.
            context: How workers start: `fork`, `spawn`, `forkserver`; None as Python does.
            pin_memory: As a DataLoader has it.
        """
        window = int(np.prod(self.windows.shapes["frames"]))
        batches = Batches(
            order or self.sampler(shuffle=shuffle),
            size=batch_size,
            drop_last=drop_last,
            workers=num_workers,
            ahead=max(min(ahead_bytes // window, AHEAD_WINDOWS) - batch_size, 0),
        )
        return DataLoader(
            _Whole(self),  # type: ignore[arg-type]  # a dataset whose items are batches
            batch_sampler=batches,
            collate_fn=_as_it_is,
            num_workers=num_workers,
            multiprocessing_context=context if num_workers else None,
            persistent_workers=num_workers > 0,
            pin_memory=pin_memory,
        )

    @staticmethod
    def collate(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Put items into a batch as PyTorch does by default: tensors stacked, texts in a list."""
        found: dict[str, Any] = default_collate([*items])
        return found

    @property
    def space(self) -> ActionSpace:
        """What the columns of `inputs` are."""
        return self.windows.space

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The recordings."""
        return self.windows.entries

    @property
    def ledger(self) -> Ledger:
        """How many sessions and frames there were, how many are in a window, and why the others are not."""
        return self.windows.ledger

    def statistics(self, *, most: int = WINDOWS) -> Statistics:
        """Count how often each control is used, class weights, means and deviations; see `rushes.loaders.figures`.

        Args:
            most: Windows whose pictures and sound are looked at.
        """
        return statistics(self.windows, most=most)

    def __repr__(self) -> str:
        return f"<GameplayDataset: {self.windows!r}>"


def frames_tensor(frames: npt.NDArray[np.uint8], transform: FrameTransform | None, dtype: torch.dtype) -> torch.Tensor:
    """Turn decoded frames into what a model takes.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        transform: See `GameplayDataset`.
        dtype: Of the result.

    Returns:
        (T, C, H, W).

    Raises:
        BadInputError: The transform gives no picture.
    """
    if transform is None:
        return scaled(torch.from_numpy(_planes(frames)), dtype)
    mine = frames if frames.flags.writeable else frames.copy()  # what lies in a pack is not to be changed
    return scaled(torch.stack([_plane(transform(frame)) for frame in mine]), dtype)


def scaled(frames: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Give pictures in another type: uint8 from 0 to 1 where that is a float, other numbers as they are.

    Raises:
        BadInputError: uint8 is asked for and they are something else.
    """
    if frames.dtype == dtype:
        return frames
    if frames.dtype == torch.uint8:
        return frames.to(dtype).div_(_WHITE)
    if dtype == torch.uint8:
        raise BadInputError(
            f"dtype='uint8' and a transform that gives {frames.dtype}",
            accepts="a transform that gives uint8",
            fix="pass dtype='float32'",
        )
    return frames.to(dtype)


def _planes(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Turn (T, H, W, 3) into (T, 3, H, W): by OpenCV, in a third of the time that a transposed copy takes."""
    import cv2

    length, height, width, colours = frames.shape
    made = np.empty((length, colours, height, width), np.uint8)
    for frame, planes in zip(frames, made, strict=True):
        cv2.split(frame, [*planes])
    return made


def _tensor(value: Any) -> Any:
    return torch.as_tensor(value) if isinstance(value, np.ndarray | np.generic) else value


class _Whole:
    """A dataset whose DataLoader gets finished batches.

    Args:
        dataset: The dataset.
    """

    def __init__(self, dataset: GameplayDataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: Wanted) -> dict[str, Any]:
        return self._dataset[index]

    def __getitems__(self, indices: Sequence[Wanted]) -> dict[str, Any]:
        return self._dataset.batch(indices)


def _as_it_is(batch: Any) -> Any:
    return batch


def _plane(made: Any) -> torch.Tensor:
    """Give what a transform made as (C, H, W)."""
    if isinstance(made, torch.Tensor) and made.ndim == 3:  # noqa: PLR2004 - C, H, W
        return made
    if isinstance(made, np.ndarray) and made.ndim in (2, 3):
        whole = made if made.ndim == 3 else made[:, :, None]  # noqa: PLR2004 - a grey picture has no channel
        return torch.from_numpy(np.ascontiguousarray(whole.transpose(2, 0, 1)))
    shape = getattr(made, "shape", "")
    raise BadInputError(
        f"a transform that gives {type(made).__name__} {tuple(shape) if shape else ''}",
        accepts="an array (H, W, C) or a tensor (C, H, W)",
        fix="end the transform with np.asarray, or with a conversion to a tensor",
    )
