"""What is learnt from and what the score is measured on: two parts of the same sessions, split by whole sessions.

Both are the loader's own datasets, so its alignment, its windows, its sound and its split are all in the way of what a
net can learn.

Example (cells of a notebook):
    >>> def cells(folder):
    ...     sets = sets_of(folder, length=16, size=48, warm=3)
    ...     return sets.learn, sets.unseen
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from torch.utils.data import DataLoader

from rushes.errors import BadInputError
from rushes.loaders.torch import GameplayDataset
from rushes.model.actions import ActionSpace
from rushes.notebook.train.scores import Bools, Score, score
from rushes.store.aligned import common_space

Pixels = npt.NDArray[np.uint8]
Batch = dict[str, Any]

PARTS: Final = "train=0.7,test=0.3"
LEARN, UNSEEN = "train", "test"
_AT_ONCE: Final = 256
"""Rows of a batch where nothing is learnt."""
_KEPT_PX: Final = 4_000_000
"""Pixels of pictures that may be kept: 48 MB."""
_DOWN: Final = 0.5


@dataclass(frozen=True)
class Answers:
    """What somebody says of the rows that are scored.

    Attributes:
        said: (N, A) probability that a key is down.
        truth: (N, A) whether it was.
        window: (N,) int64 number of the row's window.
        row: (N,) int64 its place in the window.
        names: Of the keys.
    """

    said: npt.NDArray[np.float32]
    truth: Bools
    window: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    names: tuple[str, ...]

    @property
    def down(self) -> Bools:
        """(N, A) whether a key is said to be down."""
        return np.asarray(self.said > _DOWN)

    @cached_property
    def score(self) -> Score:
        """How good they are."""
        return score(self.down, self.truth, names=self.names)


@dataclass(frozen=True)
class Sets:
    """Two parts of sessions.

    Attributes:
        learn: Windows to learn from.
        unseen: Windows of other sessions.
        keys: Columns of the inputs that are learnt: buttons and actions.
        warm: So many rows at the start of each window are neither learnt nor scored: what decides them lies before it.
    """

    learn: GameplayDataset
    unseen: GameplayDataset
    keys: tuple[int, ...]
    warm: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the keys."""
        return tuple(self.learn.space.names[k] for k in self.keys)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the pictures in px."""
        return self.learn.windows.size

    @property
    def features(self) -> int:
        """Numbers of the sound of a row, 0 where there is none."""
        return self.learn.windows.shapes.get("audio", (0, 0))[1]

    def batches(self, *, epoch: int, windows: int) -> Iterator[Batch]:
        """Yield what is learnt in an epoch, in its drawn order.

        Args:
            epoch: Its number.
            windows: Of a batch.
        """
        order = self.learn.sampler()
        order.set_epoch(epoch)
        yield from DataLoader(self.learn, batch_size=windows, sampler=order)

    def answers(self, ask: Callable[[Batch], npt.NDArray[np.float32]]) -> Answers:
        """Ask somebody about all unseen windows.

        Args:
            ask: Takes a batch, gives (B, T, A) probabilities.
        """
        said, truth = [], []
        length = self.unseen.windows.length
        for batch in self._kept or self._unseen():
            said.append(ask(batch)[:, self.warm :])
            truth.append(batch["inputs"][:, self.warm :, list(self.keys)].numpy() > _DOWN)
        count, length = len(self.unseen), length - self.warm
        return Answers(
            np.concatenate(said).reshape(count * length, -1),
            np.concatenate(truth).reshape(count * length, -1),
            np.repeat(np.arange(count), length),
            np.tile(np.arange(self.warm, self.warm + length), count),
            self.names,
        )

    @cached_property
    def _kept(self) -> list[Batch]:
        """What is scored, where it is little enough to be kept for the next epoch."""
        few = len(self.unseen) * self.unseen.windows.length * self.size[0] * self.size[1] <= _KEPT_PX
        return list(self._unseen()) if few else []

    def _unseen(self) -> Iterator[Batch]:
        yield from DataLoader(self.unseen, batch_size=max(1, _AT_ONCE // self.unseen.windows.length))

    def picture(self, answers: Answers, number: int) -> Pixels:
        """Read the picture of an answer again: (H, W, 3) uint8 RGB.

        Args:
            answers: Of this set.
            number: Of the answer.
        """
        (item,) = self.unseen.windows.fetch([int(answers.window[number])])
        return np.asarray(item["frames"][answers.row[number]])


def sets_of(
    source: str | Path,
    *,
    length: int,
    size: int,
    warm: int = 0,
    audio: str | None = None,
    layout: str | None = None,
    action_delay_ms: float = 0.0,
    most: int | None = None,
    seed: int = 0,
) -> Sets:
    """Open both parts.

    Args:
        source: Sessions, three or more.
        length: Rows of a window.
        size: Pixels a side.
        warm: See `Sets`.
        audio: As the loader takes it.
        layout: As the loader takes it.
        action_delay_ms: As the loader takes it.
        most: Windows to learn from at the most, evenly over play; None takes all.
        seed: Of split and order.

    Raises:
        BadInputError: Nothing that is pressed, or one session, which cannot be split.
    """

    def part(split: str, space: ActionSpace | str | None, stride: int) -> GameplayDataset:
        return GameplayDataset(
            source, split=split, splits=PARTS, sequence_length=length, size=size, audio=audio, layout=space,
            stride=stride, action_delay_ms=action_delay_ms, seed=seed,
        )  # fmt: skip

    learn, unseen = part(LEARN, layout, length), part(UNSEEN, layout, length)
    space = common_space([entry.action_space for one in (learn, unseen) for entry in one.entries], layout)
    stride = length * -(-len(learn) // most) if most else length
    if stride > length or space != learn.space or space != unseen.space:  # a game of one part has other actions
        learn, unseen = part(LEARN, space, stride), part(UNSEEN, space, stride)
    keys = tuple(k for k, slot in enumerate(learn.space.slots) if slot.role == "button")
    if not keys:
        raise BadInputError(
            f"{learn.space!r}, in which nothing can be pressed",
            accepts="sessions with keys, buttons or named actions",
            fix="name keys with layout, or take sessions of keyboard play or of an environment with discrete actions",
        )
    return Sets(learn, unseen, keys, warm)
