"""A folder of record files as a `tf.data.Dataset`, read by TensorFlow itself.

    convert("data/sessions", "game_tfrecords", format="tfrecord", options=["size=224"])
    model.fit(read_tfrecord("game_tfrecords", keras=True), epochs=10)

Elements are those of `rushes.loaders.elements`. Windows lie in the files as they were played; `shuffle_buffer` of them
lie in memory, encoded, to be mixed, and the files come in a drawn order. Records are read in C++, so this is for
trainers that wait for Python; `rushes.loaders.tensorflow` needs no export, mixes all windows and goes on in mid-epoch.

Example:
    >>> def first_batch(folder):
    ...     return next(iter(read_tfrecord(folder, batch_size=4)))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.tfrecord import strict
from rushes.formats.tfrecord.folder import manifest
from rushes.formats.tfrecord.writing import FEATURES
from rushes.loaders.choice import refuse_below
from rushes.loaders.elements import Dtype, Elements, load_tensorflow
from rushes.loaders.tf_data import PREFETCHED

_FLAGS: Final = ("audio_mask", "terminated", "truncated", "is_human")
_CYCLE: Final = 4
_WHITE: Final = 255


@dataclass(frozen=True)
class _Folder:
    """What a folder holds.

    Attributes:
        files: Its files in order.
        windows: How many windows they hold.
        features: Name -> `type` and `shape`.
        size: (T, H, W, 3).
        kind: How pictures are encoded; empty for the original's floats.
    """

    files: tuple[str, ...]
    windows: int
    features: Mapping[str, Mapping[str, Any]]
    size: tuple[int, ...]
    kind: str = ""


def read_tfrecord(
    folder: str | Path,
    batch_size: int = 32,
    shuffle_buffer: int = 256,
    prefetch: bool = True,
    *,
    include_audio: bool | None = None,
    keras: bool = False,
    everything: bool = False,
    dtype: Dtype = "float32",
    seed: int = 0,
    rank: int = 0,
    world: int = 1,
    repeat: bool = False,
    drop_remainder: bool = False,
) -> Any:
    """Make a dataset of the windows of a folder.

    Args:
        folder: What the format `tfrecord` wrote, in its own form or with `strict=true`; of the original's exporter too.
        batch_size: B, windows a batch.
        shuffle_buffer: Windows that are held to be mixed; 0 gives them as they lie.
        prefetch: Make the next batches while the model works.
        include_audio: None: where the folder has sound; True refuses one that has none, False leaves it out.
        keras: Elements for `model.fit`.
        everything: Elements are dicts with all features.
        dtype: Of the frames: floats from 0 to 1, or `uint8`.
        seed: Of the order; each pass has another one that follows from it.
        rank: Which of the processes that train together this is; each gets other windows.
        world: How many these are.
        repeat: Go on without end.
        drop_remainder: Leave out an epoch's last batch where it is smaller.

    Returns:
        A `tf.data.Dataset` of known length with (B, T, H, W, 3) frames and (B, T, A) inputs; of the original's form
        (B, 20) inputs, one vector a window.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is no such folder.
        BadInputError: An option out of its range, or `include_audio=True` and no sound.
        UnavailableError: TensorFlow is missing.
    """
    tf = load_tensorflow()
    found = _look(Path(folder))
    refuse_below(0, shuffle_buffer=shuffle_buffer, seed=seed)
    _check(found, batch_size, rank, world, include_audio=include_audio)
    heard = ["audio"] if "audio" in found.features and include_audio is not False else []
    names = tuple(found.features) if everything else ("frames", "inputs", *heard)
    elements = Elements(names, dtype=dtype, keras=keras, everything=everything)
    records = tf.data.Dataset.from_tensor_slices(list(found.files))
    if shuffle_buffer:
        records = records.shuffle(len(found.files), seed=seed)
    records = records.interleave(tf.data.TFRecordDataset, cycle_length=_CYCLE if shuffle_buffer else 1)
    if world > 1:
        records = records.shard(world, rank)
    if shuffle_buffer:
        records = records.shuffle(shuffle_buffer, seed=seed)
    windows = records.map(
        lambda record: elements.converted(_parsed(tf, record, found, names), tf),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    dataset = windows.batch(batch_size, drop_remainder=drop_remainder).map(elements.arranged)
    own = len(range(rank, found.windows, world))
    batches = own // batch_size if drop_remainder else len(range(0, own, batch_size))
    if not batches:
        raise BadInputError(
            f"{own} windows for batches of {batch_size}",
            accepts="at least one batch",
            fix="pass a smaller batch_size, or drop_remainder=False",
        )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches))
    if repeat:
        dataset = dataset.repeat()
    return dataset.prefetch(PREFETCHED) if prefetch else dataset


def _look(folder: Path) -> _Folder:
    if not folder.exists():
        raise MissingError(f"{folder}: nothing is there", accepts="a folder of record files", fix="check the path")
    known = manifest(folder)
    if known is not None:
        return _of_ours(folder, known)
    if not strict.holds(folder):
        raise BadDataError(
            f"{folder}, which holds no record files that are known,",
            accepts="a folder that the format tfrecord or the original's exporter wrote",
            fix="read other record files with tf.data.TFRecordDataset and a parser of their own",
        )
    paths = strict.files_of(folder)
    each = [record.shape for path in paths for record in strict.scan(path)]
    features = {
        "frames": {"type": "float", "shape": each[0]},
        "inputs": {"type": "float", "shape": [strict.SLOTS]},
    }
    return _Folder(tuple(map(str, paths)), len(each), features, each[0])


def _of_ours(folder: Path, known: Mapping[str, Any]) -> _Folder:
    try:
        pictures, length = known["pictures"], known["sequence_length"]
        size = (length, pictures["height"], pictures["width"], 3)
        files = [folder / shard["name"] for shard in known["shards"]]
        found = _Folder(tuple(map(str, files)), known["windows"], known["features"], size, pictures["kind"])
    except (LookupError, TypeError) as error:
        raise BadDataError(
            f"{folder / FEATURES}: a list of features that does not read ({error!r})",
            accepts="the file as it was written",
            fix="restore it from a copy",
        ) from error
    gone = [file for file in files if not file.is_file()]
    if gone:
        raise MissingError(f"{gone[0]}: no such file", accepts="a folder with all its shards", fix="restore it")
    return found


def _check(found: _Folder, batch_size: int, rank: int, world: int, *, include_audio: bool | None) -> None:
    if batch_size < 1 or not found.windows:
        raise BadInputError(
            f"batch_size={batch_size} of {found.windows} windows", accepts="1 or more", fix="pass batch_size=32"
        )
    if not 0 <= rank < world:
        raise BadInputError(f"rank={rank} of world={world}", accepts="0 <= rank < world", fix="pass rank=0")
    if include_audio and "audio" not in found.features:
        raise BadInputError(
            "include_audio=True for a folder without sound",
            accepts="a folder whose recordings have sound",
            fix="leave include_audio out, or write it with audio=logmel to have zeros",
        )


def _parsed(tf: Any, record: Any, found: _Folder, names: tuple[str, ...]) -> dict[str, Any]:
    kinds = {"bytes": tf.string, "int64": tf.int64, "float": tf.float32}
    stored = {"inputs": "inputs" if found.kind else "actions"}
    wanted = {
        stored.get(name, name): tf.io.FixedLenFeature(
            found.features[name]["shape"], kinds[found.features[name]["type"]]
        )
        for name in names
    }
    row = tf.io.parse_single_example(record, wanted)
    made = {name: row[stored.get(name, name)] for name in names}
    made["frames"] = _pictures(tf, made["frames"], found)
    return made | {name: tf.cast(made[name], tf.bool) for name in _FLAGS if name in made}


def _pictures(tf: Any, frames: Any, found: _Folder) -> Any:
    """Give (T, H, W, 3) uint8."""
    if not found.kind:
        return tf.cast(tf.round(frames * _WHITE), tf.uint8)
    if found.kind == "raw":
        return tf.reshape(tf.io.decode_raw(frames, tf.uint8), found.size)
    decode = tf.io.decode_png if found.kind == "png" else tf.io.decode_jpeg
    made = tf.map_fn(lambda data: decode(data, 3), frames, fn_output_signature=tf.uint8)
    return tf.ensure_shape(made, found.size)
