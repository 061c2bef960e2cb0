"""Passes over a dataset: which epoch each is, from what was taken of the one before, and where training is.

A framework that prefetches makes windows that nobody takes, and one that builds a model looks at a batch first. So what
counts is what was taken: a pass of which more than one batch was taken is an epoch, and the next pass is the next one;
where less was taken the next pass is the same epoch again. A pass begins where `order` says when somebody has set that.

Example:
    >>> passes = Passes(Order(5, seed=3), batch_size=2)
    >>> [(epoch, len(batch)) for (epoch, _), batch in passes.batches()]
    [(0, 2), (0, 2), (0, 1)]
    >>> passes.took(0, 5), passes.order.epoch, passes.order.position
    (None, 1, 0)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from rushes.errors import BadInputError
from rushes.loaders.batches import Batch
from rushes.loaders.order import Order


class Passes:
    """The passes of one dataset.

    Args:
        order: Which windows, in which order; its epoch and position are kept at what was taken.
        batch_size: Windows a batch.
        drop_remainder: Leave out an epoch's last batch where it is smaller.
        repeat: Let a pass go on with the next epoch, without end.
        ahead: Windows that may be read before they are wanted. The first batch comes alone, since somebody waits.

    Raises:
        BadInputError: A batch size below 1, or not one batch an epoch.
    """

    def __init__(
        self, order: Order, *, batch_size: int, drop_remainder: bool = False, repeat: bool = False, ahead: int = 0
    ) -> None:
        if batch_size < 1:
            raise BadInputError(f"batch_size={batch_size}", accepts="1 or more", fix="pass batch_size=32")
        self.order, self._size, self._repeat, self._ahead = order, batch_size, repeat, ahead
        self._total = len(order) - len(order) % batch_size if drop_remainder else len(order)
        if not self._total:
            raise BadInputError(
                f"{len(order)} windows for batches of {batch_size}",
                accepts="at least one batch",
                fix="pass a smaller batch_size, or drop_remainder=False",
            )
        self._start = self._noted = (order.epoch, order.position)
        self._taken = 0
        self._short = order.position > 0

    def __len__(self) -> int:
        """Count the batches of a whole epoch."""
        return len(range(0, self._total, self._size))

    @property
    def cardinality(self) -> int | None:
        """How many batches every pass has; None where the first one goes on in the middle, or none ends."""
        return None if self._short or self._repeat else len(self)

    def batches(self) -> Iterator[tuple[tuple[int, int], Batch]]:
        """Begin a pass.

        Yields:
            For each batch (epoch, windows of it that are taken then), and which windows it holds.

        Raises:
            BadInputError: Somebody set `order` to the middle of an epoch after the number of batches was told.
        """
        epoch, first = self._begin()
        ahead = 0
        for number in count(epoch) if self._repeat else (epoch,):
            indices = self.order.indices(number)[: self._total]
            for start in range(first, self._total, self._size):
                stop = min(start + self._size, self._total)
                now, later = (
                    [(number, index) for index in part.tolist()]
                    for part in (indices[start:stop], indices[stop : stop + ahead])
                )
                yield (number, stop), Batch(now, later)
                ahead = self._ahead
            first = 0

    def _begin(self) -> tuple[int, int]:
        now = self.order.epoch, self.order.position
        if now != self._noted:
            if now[1] and not self._short:
                raise BadInputError(
                    f"an order set to its window {now[1]} after the dataset was made",
                    accepts="an order that is set before",
                    fix="call order.load_state_dict first, then make the dataset",
                )
            self._start = now
        elif self._taken > 1:
            self._start = (self._start[0] + 1, 0)
        if self._start[1] >= self._total:
            self._start = (self._start[0] + 1, 0)
        self._taken = 0
        return self._start

    def took(self, epoch: int, position: int) -> None:
        """Note that a batch was taken.

        Args:
            epoch: Of which epoch.
            position: Windows of it that are taken now.
        """
        self._taken += 1
        self.order.epoch, self.order.position = epoch, position
        if position >= self._total:
            self.order.set_epoch(epoch + 1)
            self._start, self._taken = (epoch + 1, 0), 0
        self._noted = self.order.epoch, self.order.position
