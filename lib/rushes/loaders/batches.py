"""Batches that say what comes after them, so that a worker decodes for several of them at once.

Pictures that hang on one key picture of a film are decoded together, and the more windows are asked for together, the
less is decoded twice. A `Batch` is a list of (epoch, index) that also knows which windows its worker will be asked for
next; `GameplayWindows.fetch` reads these along and keeps them until they are wanted.

Example:
    >>> batches = Batches(Order(12, shuffle=False), size=2, workers=2, ahead=4)
    >>> [(list(batch), batch.ahead) for batch in batches][2]
    ([(0, 4), (0, 5)], [(0, 8), (0, 9)])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from rushes.errors import BadInputError
from rushes.loaders.order import Order

AHEAD_BYTES: Final = 100_000_000
"""What a process keeps of windows that are not asked for yet: decoded pictures, uint8."""
AHEAD_WINDOWS: Final = 40
"""Windows that are decoded together at the most, however small: what the quasi-random order deals at a time."""


class Batch(list[tuple[int, int]]):
    """The windows of a batch.

    Args:
        now: (epoch, index) of each.
        ahead: Those that the same worker is asked for next.
    """

    def __init__(self, now: Sequence[tuple[int, int]], ahead: Sequence[tuple[int, int]] = ()) -> None:
        super().__init__(now)
        self.ahead = list(ahead)


class Batches:
    """The batches of one epoch after the other; a batch sampler for `torch.utils.data.DataLoader`.

    Args:
        order: In which order windows are trained on.
        size: Windows a batch.
        drop_last: Leave out the last batch where it is smaller.
        workers: Between how many workers batches go round, as a DataLoader deals them out.
        ahead: Windows that a worker may read before they are wanted. An epoch is read in blocks of `workers * (size +
            ahead)` windows, so that a block ends with what the quasi-random order deals at a time. The first batch of
            each worker comes alone, since somebody waits.

    Raises:
        BadInputError: A size below 1.
    """

    def __init__(self, order: Order, *, size: int, drop_last: bool = False, workers: int = 0, ahead: int = 0) -> None:
        if size < 1:
            raise BadInputError(f"batch_size={size}", accepts="1 or more", fix="pass batch_size=8")
        self.order, self.size, self._drop_last = order, size, drop_last
        self._workers, self._ahead = max(workers, 1), ahead

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches that are left of this epoch."""
        epoch, first = self.order.begin()
        if self._drop_last and first and len(self.order) - first < self.size:
            epoch, first = epoch + 1, 0  # what is left of this one makes no batch
            self.order.set_epoch(epoch)
        rest, size = self.order.indices(epoch)[first:], self.size
        count = len(rest) // size if self._drop_last else -(-len(rest) // size)

        def windows(number: int) -> list[tuple[int, int]]:
            return [(epoch, index) for index in rest[number * size : (number + 1) * size].tolist()]

        block = self._workers * (self._ahead + size)
        for number in range(count):
            now, at = windows(number), first + number * size
            stop = min(count, -(-((at // block + 1) * block - first) // size)) if number >= self._workers else 0
            near = range(number + self._workers, stop, self._workers)
            ahead = list(chain.from_iterable(windows(one) for one in near))[: self._ahead]
            self.order.give(first + number * size + len(now))
            yield Batch(now, ahead)

    def __len__(self) -> int:
        """Count the batches of a whole epoch."""
        return len(self.order) // self.size if self._drop_last else -(-len(self.order) // self.size)
