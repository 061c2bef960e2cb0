"""TensorFlow: windows of play as a `tf.data.Dataset`, from a folder of sessions to batches in three lines.

    dataset = create_tf_dataset("data/sessions", game_name="Fortnite", batch_size=8)
    for frames, inputs, audio in dataset:
        ...  # frames (B, T, H, W, 3) float32 from 0 to 1, inputs (B, T, A), audio (B, T, 128)

    model.fit(create_tf_dataset("data/sessions", keras=True), epochs=10)

The windows are those of `rushes.loaders.windows` with what they promise: none crosses an edge, actions and sound are of
the frames that they stand beside. What an element is made of stands in `rushes.loaders.elements`. The windows of a
batch are decoded together, while the model works on the batch before.

The order is a permutation of all windows, not a buffer; it follows from (seed, epoch) alone, and each pass over the
dataset is the next epoch (`rushes.loaders.passes`). `order` counts what was taken, not what was prefetched, so that
training can go on in the middle of an epoch:

    windows = GameplayWindows("data/sessions", size=224)
    order = Order(len(windows), seed=windows.seed)
    order.load_state_dict(state)  # what order.state_dict() gave when training stopped
    dataset = dataset_of(windows, order, batch_size=8)  # rushes.loaders.tf_data

Example:
    >>> def shapes(path):
    ...     dataset = create_tf_dataset(path, sequence_length=4, target_size=(64, 64), batch_size=2)
    ...     return [frames.shape for frames, *_ in dataset]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from rushes.errors import BadInputError
from rushes.formats.options import Given
from rushes.loaders.choice import refuse_below
from rushes.loaders.elements import Dtype, load_tensorflow
from rushes.loaders.order import Order, Shuffle
from rushes.loaders.parts import SHARES
from rushes.loaders.source import Named
from rushes.loaders.tf_data import dataset_of
from rushes.loaders.windows import GameplayWindows
from rushes.model.actions import ActionSpace
from rushes.store.hearing import Hearing


def create_tf_dataset(
    db_path: Named | Iterable[Named],
    game_name: str | Sequence[str] | None = None,
    batch_size: int = 32,
    sequence_length: int = 16,
    target_size: int | tuple[int, int] | None = (224, 224),
    frame_skip: int = 1,
    shuffle_buffer: int = 1000,
    prefetch: bool = True,
    *,
    include_audio: bool | str | Hearing | None = None,
    keras: bool = False,
    everything: bool = False,
    dtype: Dtype = "float32",
    shuffle: Shuffle | None = None,
    stride: int | None = None,
    layout: str | ActionSpace | None = None,
    encoding: str = "multi_hot",
    stream: str | Sequence[str] | None = None,
    split: str | None = None,
    splits: str | Path = SHARES,
    seed: int = 0,
    epoch: int = 0,
    position: int = 0,
    rank: int = 0,
    world: int = 1,
    even: bool = False,
    repeat: bool = False,
    drop_remainder: bool = False,
    action_delay_ms: str | float = 0,
    augment: str | None = None,
    drop_idle: bool = False,
    pad: bool = False,
    broken: Literal["raise", "skip"] = "raise",
    pack: bool = True,
    options: Given = None,
) -> Any:
    """Make a dataset; the first arguments are those of the original, by name and in order.

    Args:
        db_path: A session, a folder of them, a library, a database of the original, a table of samples, any path that
            can be read, a recording, or several of these.
        game_name: Only this game, or these.
        batch_size: B, windows a batch.
        sequence_length: T, frames a window shows; 1 works.
        target_size: (height, width) of the frames, or pixels a side; None takes pictures as they are stored.
        frame_skip: Frames of the recording from one that is shown to the next; actions between are not dropped.
        shuffle_buffer: 0 gives windows as they lie; any other number all of them in a drawn order. There is no buffer:
            the index is shuffled, so a thousand windows need not lie in memory to be mixed. See `shuffle`.
        prefetch: Make the next batches while the model works.
        include_audio: None: `audio` is an array of each element whenever a selected session has sound, zeros where
            there is none. True forces it, False leaves it out; `logmel`, `waveform` or a `Hearing` say how it is given.
        keras: Elements for `model.fit`: ((frames, audio), inputs), or (frames, inputs).
        everything: Elements are dicts with all that windows hold.
        dtype: Of the frames: floats from 0 to 1, or `uint8` as decoded.
        shuffle: Says more than `shuffle_buffer` can: True, False, or `quasi_random`, which is mixed a little less and
            read faster from films with few key pictures (`rushes.loaders.order`); None leaves it to `shuffle_buffer`.
        stride: Frames of the recording from one window's start to the next; None: as many as a window spans.
        layout: Columns of `inputs`: a known layout, names with commas between, or a space; None: what the source has.
        encoding: What the column of a button holds: `multi_hot`, `pressed`, `released`, `fraction`.
        stream: Which sound; None takes `system`, else the first; several stand one behind the other.
        split: Name of a part of `splits`.
        splits: Parts with their shares, by whole sessions, or a file of `rushes prepare split`.
        seed: Of splits, order and augmentation.
        epoch: Which epoch the first pass is.
        position: Windows of it that were trained on already, by this rank.
        rank: Which of the processes that train together this is; each gets other windows.
        world: How many these are.
        even: Leave out the last few windows where the ranks would have different numbers.
        repeat: Go on with the next epoch without end; `model.fit` then wants `steps_per_epoch`.
        drop_remainder: Leave out an epoch's last batch where it is smaller, so that B is fixed.
        action_delay_ms: Moves every event this much later first; `measured` takes each session's own.
        augment: Transforms drawn anew for each window and epoch: `flip=0.5, brightness=0.5:0.7..1.3`.
        drop_idle: Leave out windows in which nobody did anything.
        pad: Give the rest of each stretch too, with `mask` False behind its end; with `keras` the mask is the weights.
        broken: What becomes of a window that cannot be read: `raise`, or `skip` it with a warning.
        pack: Use packs (`rushes pack`) that fit; they hold the same pixels.
        options: Reading options of a path's format.

    Returns:
        A `tf.data.Dataset` of known length whose elements have static shapes but for B.

    Raises:
        BadInputError: An option out of its range, sizes or action spaces that differ, no window at all, or
            `include_audio=True` where no session has sound.
        MissingError: Nothing is there.
        BadDataError: A path is of no format, or damaged.
        UnavailableError: TensorFlow is missing.
    """
    load_tensorflow()
    refuse_below(0, epoch=epoch, position=position)
    if broken == "skip" and drop_remainder:
        raise BadInputError(
            "broken='skip' with drop_remainder=True",
            accepts="one of them: a batch without its broken windows is smaller",
            fix="leave drop_remainder out, or have damaged sessions named by `rushes library verify`",
        )
    windows = GameplayWindows(
        db_path,
        game=game_name,
        sequence_length=sequence_length,
        stride=stride,
        frame_skip=frame_skip,
        size=target_size,
        layout=layout,
        encoding=encoding,
        audio=_audio(include_audio),
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
    if include_audio is True and not any(entry.sounds for entry in windows.entries):
        raise BadInputError(
            f"include_audio=True for {len(windows.entries)} sessions, none of which has sound",
            accepts="a session with sound",
            fix="leave include_audio out, or pass include_audio='logmel' to have zeros",
        )
    mixed = shuffle_buffer != 0 if shuffle is None else shuffle
    order = Order(len(windows), shuffle=mixed, seed=seed, rank=rank, world=world, even=even)
    if position > len(order):
        raise BadInputError(
            f"position={position} of {len(order)} windows an epoch",
            accepts=f"0 to {len(order)}",
            fix="pass what was trained on of this epoch, by this rank",
        )
    order.epoch, order.position = epoch, position
    return dataset_of(
        windows,
        order,
        batch_size=batch_size,
        prefetch=prefetch,
        keras=keras,
        everything=everything,
        dtype=dtype,
        weights=pad and keras,
        repeat=repeat,
        drop_remainder=drop_remainder,
    )


def _audio(include_audio: bool | str | Hearing | None) -> str | Hearing | None:
    if include_audio is None:
        return "auto"
    if isinstance(include_audio, bool):
        return "logmel" if include_audio else None
    return include_audio
