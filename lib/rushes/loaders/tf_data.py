"""Windows as a `tf.data.Dataset`: read batch by batch, pass by pass, made what a model takes, prefetched.

Python reads the windows of a batch (`tf.data.Dataset.from_generator`), TensorFlow turns them into floats. What was
taken is noted behind the prefetching, so that `order` says where training is.

Example:
    >>> def resumed(windows, state):
    ...     order = Order(len(windows), seed=windows.seed)
    ...     order.load_state_dict(state)
    ...     return dataset_of(windows, order, batch_size=8)
"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from rushes.errors import BadDataError
from rushes.loaders.batches import AHEAD_BYTES, AHEAD_WINDOWS
from rushes.loaders.elements import Dtype, Elements, load_tensorflow
from rushes.loaders.order import Order
from rushes.loaders.passes import Passes
from rushes.loaders.windows import GameplayWindows, Item

_STRINGS: Final = ("U", "S", "O")
PREFETCHED: Final = 2
"""Batches that lie ready. TensorFlow's AUTOTUNE takes up to half of the memory; 32 windows are 308 MB as floats."""
_ONE_AT_A_TIME: Final = threading.Lock()


def dataset_of(
    windows: GameplayWindows,
    order: Order,
    *,
    batch_size: int = 32,
    prefetch: bool = True,
    keras: bool = False,
    everything: bool = False,
    dtype: Dtype = "float32",
    weights: bool = False,
    repeat: bool = False,
    drop_remainder: bool = False,
    ahead_bytes: int = AHEAD_BYTES,
) -> Any:
    """Make a dataset of windows that are there already, in an order that tells where training is.

    Args:
        windows: The windows.
        order: In which order; while batches are taken from the dataset its epoch and position say how far it is.
        batch_size: Windows a batch.
        prefetch: See `rushes.loaders.tensorflow.create_tf_dataset`.
        keras: See there.
        everything: See there.
        dtype: See there.
        weights: Give `mask` as the third part of elements for `model.fit`, (B, T) float32.
        repeat: See there.
        drop_remainder: See there.
        ahead_bytes: What is kept of decoded windows that are not wanted yet: several batches are decoded together.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        BadInputError: An option out of its range, or not one batch.
        UnavailableError: TensorFlow is missing.
    """
    tf = load_tensorflow()
    ahead = max(min(ahead_bytes // int(np.prod(windows.shapes["frames"])), AHEAD_WINDOWS) - batch_size, 0)
    passes = Passes(order, batch_size=batch_size, drop_remainder=drop_remainder, repeat=repeat, ahead=ahead)
    sample = _first(windows) if everything else _sample(windows)
    names = tuple(sample) if everything else _names(windows, weights=weights)
    elements = Elements(names, dtype=dtype, keras=keras, everything=everything)
    rows = batch_size if drop_remainder else None
    signature = {name: _spec(tf, sample[name], rows) for name in names}

    def made() -> Iterator[tuple[Any, Mapping[str, Any]]]:
        for step, batch in passes.batches():
            yield np.array(step, np.int64), _stacked(windows, batch, names)

    def converted(step: Any, arrays: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        return step, elements.converted(arrays, tf)

    def note(step: Any) -> Any:
        passes.took(*step.tolist())
        return step[0]

    def taken(step: Any, arrays: Mapping[str, Any]) -> Any:
        with tf.control_dependencies([tf.numpy_function(note, [step], tf.int64)]):
            return elements.arranged({name: tf.identity(value) for name, value in arrays.items()})

    counts = tf.TensorSpec((2,), tf.int64)
    dataset = tf.data.Dataset.from_generator(made, output_signature=(counts, signature))
    dataset = dataset.map(converted)
    if prefetch:
        dataset = dataset.prefetch(PREFETCHED)
    dataset = dataset.map(taken)
    settings = tf.data.Options()
    settings.experimental_optimization.inject_prefetch = False  # `taken` shall run when a batch is taken, not before
    settings.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF  # rank and world do
    dataset = dataset.with_options(settings)
    if repeat:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    elif passes.cardinality is not None:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(passes.cardinality))
    # TensorFlow keeps Python functions for good, and `made` holds the windows: their files and pictures go at least.
    weakref.finalize(dataset, _close, windows).atexit = False
    return dataset


def _close(windows: GameplayWindows) -> None:
    with _alone():
        windows.close()


def _names(windows: GameplayWindows, *, weights: bool) -> tuple[str, ...]:
    return ("frames", "inputs", *(["audio"] if windows.hearing else []), *(["mask"] if weights else []))


def _first(windows: GameplayWindows) -> Item:
    """Read the first window that can be read: what it holds, all hold."""
    return next(item for number in range(len(windows)) for item in windows.fetch([number]))


def _sample(windows: GameplayWindows) -> Item:
    """Give arrays of the shapes and types of a window, without reading one."""
    kinds = {"frames": np.uint8}
    shapes = {**windows.shapes, "mask": (windows.length,)}
    return {name: np.zeros(shape, kinds.get(name, np.float32)) for name, shape in shapes.items()} | {
        "mask": np.zeros(windows.length, bool)
    }


def _spec(tf: Any, value: Any, rows: int | None) -> Any:
    array = np.asarray(value)
    kind = tf.string if array.dtype.kind in _STRINGS else tf.as_dtype(array.dtype)
    return tf.TensorSpec((rows, *array.shape), kind)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one thread read at a time: what a pass that was broken off still makes ahead must not meet the next one.

    Meanwhile nothing is collected. If this thread collected the iterator of a pass that was broken off, it would wait
    for that one's thread, which waits for this one.
    """
    with _ONE_AT_A_TIME:
        collects = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collects:
                gc.enable()


def _stacked(windows: GameplayWindows, batch: Sequence[tuple[int, int]], names: Sequence[str]) -> dict[str, Any]:
    with _alone():
        items = windows.fetch(batch)
    if not items:
        raise BadDataError(
            f"{len(batch)} windows of a batch, none of which can be read ({windows.broken[-1]})",
            accepts="at least one that can",
            fix="`rushes library verify` says which sessions are damaged",
        )
    return {name: np.stack([item[name] for item in items]) for name in names}
