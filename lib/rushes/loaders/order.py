"""In which order a trainer sees the windows: from seed and epoch alone, shared among ranks, resumed in the middle.

Every rank computes the same permutation of all windows and takes every `world`-th of it, so none comes twice and none
is left out; with `even` the last ones are left out, so that all ranks have the same number. A window is asked for as
`(epoch, index)`: what is drawn for it follows from these two and the seed, whichever worker makes it.

Example:
    >>> ranks = [Order(10, seed=3, rank=rank, world=2) for rank in range(2)]
    >>> sorted(index for rank in ranks for epoch, index in rank)
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    >>> resumed = Order(10, seed=3)
    >>> resumed.load_state_dict({"epoch": 0, "position": 6, "of": 10})
    >>> [index for epoch, index in resumed] == Order(10, seed=3).indices(0)[6:].tolist()
    True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

Shuffle = bool | Literal["quasi_random"]
QUASI_RANDOM: Final = "quasi_random"
_SHUFFLE: Final = 1
"""Purpose of the draws, beside those of other files."""
_RUN: Final = 4
"""Neighbours that stay near each other, quasi-randomly: they hang on the same key pictures of a film."""
_TABLE: Final = 10
"""Runs that are mixed with each other; so the windows of a run stand a batch or more apart."""


class Order:
    """One rank's windows of one epoch after the other; a sampler for `torch.utils.data.DataLoader`.

    Iterating gives the epoch that was set, from the position that was loaded; the next time, the next epoch, also where
    the last one was broken off. `position` says how many were given of the epoch that goes on; a DataLoader with
    workers asks some batches ahead, so count the batches that were trained on: `state_dict(batches * batch_size)`, and
    load that to go on in the middle.

    Args:
        count: Windows in all.
        shuffle: True: a permutation of all. False: as they lie. `quasi_random`: runs of four neighbours are permuted
            and dealt ten at a time, one window of each in turn, so that a batch is from many places and what is
            decoded together is near each other; for films with few key pictures, read ahead (`rushes.loaders.batches`).
        seed: Of the draws.
        rank: Which of the processes that train together this is.
        world: How many these are.
        even: Leave out the last few windows where the ranks would have different numbers.

    Raises:
        BadInputError: A rank that the world does not have, or a negative seed.
    """

    def __init__(
        self, count: int, *, shuffle: Shuffle = True, seed: int = 0, rank: int = 0, world: int = 1, even: bool = False
    ) -> None:
        if not 0 <= rank < world:
            raise BadInputError(f"rank={rank} of world={world}", accepts="0 <= rank < world", fix="pass rank=0")
        if seed < 0:
            raise BadInputError(f"seed={seed}", accepts="0 or more", fix="pass seed=0")
        if not isinstance(shuffle, bool) and shuffle != QUASI_RANDOM:
            raise BadInputError(f"shuffle={shuffle!r}", accepts=f"True, False, {QUASI_RANDOM!r}", fix="pass True")
        self._count, self._shuffle, self._seed = count, shuffle, seed
        self._rank, self._world, self._even = rank, world, even
        self.epoch = self.position = 0
        self._given: tuple[int, int] | None = None

    def indices(self, epoch: int) -> npt.NDArray[np.int64]:
        """Give this rank's windows of an epoch: (n,) int64."""
        every = np.arange(self._count, dtype=np.int64)
        if self._shuffle:
            rng = np.random.default_rng([self._seed, epoch, _SHUFFLE])
            every = _dealt(self._count, rng) if self._shuffle == QUASI_RANDOM else rng.permutation(self._count)
        if self._even:
            every = every[: self._count - self._count % self._world]
        return every[self._rank :: self._world]

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch at its start."""
        self.epoch, self.position, self._given = epoch, 0, None

    def state_dict(self, position: int | None = None) -> dict[str, Any]:
        """Give what `load_state_dict` takes.

        Args:
            position: Windows of this epoch that this rank has trained on; None for all that were given.
        """
        found = self.position if position is None else position
        over = found >= len(self)  # then the next epoch is what is left
        return {"epoch": self.epoch + over, "position": 0 if over else found, "of": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on in the middle of an epoch.

        Raises:
            BadInputError: The state is of another number of windows.
        """
        if state["of"] != self._count:
            raise BadInputError(
                f"a state of {state['of']} windows for {self._count}",
                accepts="the state of the same dataset",
                fix="open the dataset with the same source and options, or begin the epoch anew",
            )
        self.epoch, self.position, self._given = int(state["epoch"]), int(state["position"]), None

    def begin(self) -> tuple[int, int]:
        """Say which epoch is iterated now, and from which position: the next one, where windows of this were given."""
        if self._given == (self.epoch, self.position) or (self.position and self.position >= len(self)):
            self.set_epoch(self.epoch + 1)
        return self.epoch, self.position

    def give(self, position: int) -> None:
        """Note how many windows of this epoch were given."""
        self.position, self._given = position, (self.epoch, position)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield (epoch, index) for each window that is left of this epoch; of the next one, where none is left."""
        epoch, first = self.begin()
        for number, index in enumerate(self.indices(epoch)[first:].tolist(), first):
            self.give(number + 1)
            yield epoch, index

    def __len__(self) -> int:
        """Count this rank's windows of an epoch; what a resumed one has left is fewer."""
        usable = self._count - self._count % self._world if self._even else self._count
        return len(range(self._rank, usable, self._world))

    def __repr__(self) -> str:
        return f"Order({len(self)} of {self._count} windows, epoch {self.epoch}, position {self.position})"


def _dealt(count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Cut the numbers into runs, permute these, and deal some at a time: one number of each in turn."""
    if not count:
        return np.zeros(0, np.int64)
    run = (np.arange(count) + rng.integers(_RUN)) // _RUN
    number = np.argsort(run + rng.random(count))  # each run shuffled within itself
    turn = np.arange(count) - np.searchsorted(run, run)
    table, seat = np.divmod(rng.permutation(int(run[-1]) + 1)[run], _TABLE)
    return np.asarray(number[np.argsort((table * _RUN + turn) * _TABLE + seat)], np.int64)
