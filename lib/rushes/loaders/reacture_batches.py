"""Rows of a set as batches of PyTorch and of TensorFlow; what they hold stands in `rushes.loaders.reacture`.

Both read the frames of a batch together, as uint8, and scale them afterwards. The order of an epoch is a permutation
of all frames that follows from the seed.

Example:
    >>> def batches(rows):
    ...     return [batch["keys"].shape for batch in torch_loader(rows, 32, shuffle=True)]
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rushes.errors import UnavailableError
from rushes.loaders.choice import refuse_below
from rushes.loaders.elements import load_tensorflow
from rushes.loaders.reacture_rows import Rows

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

_READY: Final = 2
"""Batches that lie ready for TensorFlow."""
_WHITE: Final = 255
_FRAME: Final = "frame"
_TIMESTAMP: Final = "timestamp"


def torch_loader(rows: Rows, batch_size: int, *, shuffle: bool, num_workers: int = 0, seed: int = 0) -> DataLoader[Any]:
    """Make a DataLoader.

    Args:
        rows: The frames.
        batch_size: Frames a batch; the last may have fewer.
        shuffle: Whether all frames are mixed, anew in each epoch.
        num_workers: Processes that prepare batches.
        seed: Of the order of the epochs.

    Raises:
        UnavailableError: PyTorch is missing.
        BadInputError: A batch of no frames.
    """
    refuse_below(1, batch_size=batch_size)
    refuse_below(0, num_workers=num_workers)
    try:
        import torch
        from torch.utils.data import DataLoader
    except ImportError as error:
        raise UnavailableError(
            f"PyTorch does not load here ({error})",
            accepts="an environment with PyTorch",
            fix="pip install torch, which is one of rushes' own requirements",
        ) from error
    items: Any = _Items(rows)
    collate: Any = _as_tensors
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(items, batch_size, shuffle, num_workers=num_workers, collate_fn=collate, generator=generator)


def tensorflow_dataset(
    rows: Rows, batch_size: int, *, shuffle: bool, shuffle_buffer: int | None = None, seed: int = 0
) -> Any:
    """Make a `tf.data.Dataset`; each pass over it is the next epoch.

    Args:
        rows: The frames.
        batch_size: Frames a batch; the last may have fewer.
        shuffle: Whether all frames are mixed, anew in each epoch.
        shuffle_buffer: Mix so many that lie ready instead of all.
        seed: Of the order.

    Raises:
        UnavailableError: TensorFlow is missing.
        BadInputError: A batch or a buffer of no frames.
    """
    refuse_below(1, batch_size=batch_size, shuffle_buffer=shuffle_buffer)
    tf = load_tensorflow()
    sample = {name: value for name, value in rows.arrays([0]).items() if name != _TIMESTAMP}
    count, passes = len(rows), itertools.count()

    def made() -> Iterator[dict[str, Any]]:
        epoch, order = next(passes), np.arange(count)
        if shuffle and shuffle_buffer is None:
            order = np.random.default_rng([seed, epoch]).permutation(count)
        for start in range(0, count, batch_size):
            batch = rows.arrays(order[start : start + batch_size].tolist())
            yield {name: batch[name] for name in sample}

    def converted(batch: dict[str, Any]) -> dict[str, Any]:
        return {n: tf.cast(v, tf.float32) / _WHITE if n == _FRAME else v for n, v in batch.items()}

    specs = {name: tf.TensorSpec((None, *value.shape[1:]), value.dtype) for name, value in sample.items()}
    dataset = tf.data.Dataset.from_generator(made, output_signature=specs)
    if shuffle and shuffle_buffer is not None:
        dataset = dataset.unbatch().shuffle(shuffle_buffer, seed=seed).batch(batch_size)
    dataset = dataset.map(converted).prefetch(_READY)
    return dataset.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size)))


class _Items:
    """What PyTorch asks for the rows of a batch, together.

    Args:
        rows: The frames.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {name: value[0] for name, value in _as_tensors(self._rows.arrays([row])).items()}

    def __getitems__(self, rows: Sequence[int]) -> dict[str, Any]:
        return self._rows.arrays(rows)


def _as_tensors(batch: dict[str, Any]) -> dict[str, Any]:
    """Make tensors of a batch: pictures as planes, from 0 to 1."""
    import torch

    found = {name: torch.from_numpy(values) for name, values in batch.items()}
    if _FRAME in found:
        planes = found[_FRAME].permute(0, 3, 1, 2)
        found[_FRAME] = planes.to(torch.float32, memory_format=torch.contiguous_format).div_(_WHITE)
    return found
