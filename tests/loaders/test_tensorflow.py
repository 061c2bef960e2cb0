"""TensorFlow itself on what the loaders and the record files give: shapes, values, `model.fit`, passes, its parser.

The one file of the tests that imports TensorFlow, which takes seconds.
"""

import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from counted import inputs_of, make, number_in

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.base import convert
from rushes.loaders.order import Order
from rushes.loaders.tensorflow import create_tf_dataset
from rushes.loaders.tf_data import dataset_of
from rushes.loaders.tfrecord import read_tfrecord
from rushes.loaders.windows import GameplayWindows

pytestmark = pytest.mark.require("tensorflow")

SHARED = {"batch_size": 4, "sequence_length": 5, "target_size": (24, 32), "seed": 7}
COUNT = 21  # windows of 5 frames: 12 of 60, 9 of 45


@pytest.fixture(scope="module")
def tf():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    import tensorflow as tf

    return tf


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("sessions")
    make(root / "a", (60,), codec="h264")
    make(root / "b", (45,), first=501)
    return root


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    root = tmp_path_factory.mktemp("silent")
    make(root / "a", (60,), sound="")
    make(root / "b", (45,), first=501, sound="")
    return root


def numbers(frames):
    """(B, T, H, W, 3) of any dtype -> the number that each frame says."""
    return [[number_in(frame) for frame in window] for window in np.asarray(frames, np.float32)]


def order_of(dataset):
    """The first number of each window, as a pass gives them."""
    return [window[0] for frames, *_ in dataset for window in numbers(frames)]


def test_elements_have_the_documented_shapes_and_say_the_truth(tf, folder):
    dataset = create_tf_dataset(folder, "Planted", **SHARED, shuffle_buffer=0)
    assert isinstance(dataset, tf.data.Dataset)
    assert [(tuple(one.shape), one.dtype) for one in dataset.element_spec] == [
        ((None, 5, 24, 32, 3), tf.float32), ((None, 5, 3), tf.float32), ((None, 5, 128), tf.float32),
    ]  # fmt: skip
    assert len(dataset) == 6
    found = [*dataset]
    assert [len(frames) for frames, _, _ in found] == [4, 4, 4, 4, 4, 1]
    windows = [window for frames, _, _ in found for window in numbers(frames)]
    assert windows == [[*range(first, first + 5)] for first in (*range(1, 61, 5), *range(501, 546, 5))]
    rows = np.concatenate([inputs for _, inputs, _ in found])
    assert rows.tolist() == [[inputs_of(number) for number in window] for window in windows]
    first = found[0][0]
    assert (float(tf.reduce_min(first)), round(float(tf.reduce_max(first)), 2)) == (0.0, 1.0)
    fetched = GameplayWindows(folder, sequence_length=5, size=(24, 32), audio="logmel").fetch(range(4))
    np.testing.assert_array_equal(
        first, np.stack([one["frames"] for one in fetched]).astype(np.float32) / np.float32(255)
    )
    np.testing.assert_array_equal(found[0][2], np.stack([one["audio"] for one in fetched]))


def test_passes_are_epochs_that_follow_from_the_seed_and_training_goes_on_in_the_middle(tf, silent):
    dataset = create_tf_dataset(silent, **SHARED)
    passes = [order_of(dataset), order_of(dataset)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1]) == [*range(1, 61, 5), *range(501, 546, 5)]
    again = create_tf_dataset(silent, **SHARED)
    for _ in again.take(1):  # a look at the first batch is no epoch, whatever was made ahead
        pass
    assert [order_of(again), order_of(again)] == passes
    windows = GameplayWindows(silent, sequence_length=5, size=(24, 32), seed=7)
    order = Order(len(windows), seed=7)
    for number, _ in enumerate(dataset_of(windows, order, batch_size=4), 1):
        if number == 3:
            break
    assert (order.epoch, order.position) == (0, 12)
    later = Order(len(windows), seed=7)
    later.load_state_dict(order.state_dict())
    rest = dataset_of(windows, later, batch_size=4)
    assert order_of(rest) == passes[0][12:]
    assert order_of(rest) == passes[1]
    assert order_of(create_tf_dataset(silent, **SHARED, epoch=1, position=8)) == passes[1][8:]
    ranks = [order_of(create_tf_dataset(silent, **SHARED, rank=rank, world=2)) for rank in range(2)]
    assert sorted(ranks[0] + ranks[1]) == sorted(passes[0])


def test_models_of_the_guide_are_trained(tf, folder, silent):
    layers = tf.keras.layers
    video, sound = tf.keras.Input((5, 24, 32, 3)), tf.keras.Input((5, 128))
    seen = layers.TimeDistributed(layers.Flatten())(layers.TimeDistributed(layers.Conv2D(2, 8, 8))(video))
    plain = tf.keras.Model(video, layers.Dense(3, activation="sigmoid")(seen))
    plain.compile("sgd", "binary_crossentropy", jit_compile=False)
    windows = GameplayWindows(silent, sequence_length=5, size=(24, 32), seed=7)
    order = Order(len(windows), seed=7)
    plain.fit(
        dataset_of(windows, order, batch_size=4),
        epochs=2,
        verbose=0,
        shuffle=False,
        validation_data=create_tf_dataset(silent, **SHARED),
    )
    assert (order.epoch, order.position) == (2, 0)

    branches = [layers.LSTM(4, return_sequences=True)(one) for one in (seen, sound)]
    both = tf.keras.Model([video, sound], layers.Dense(3, activation="sigmoid")(layers.Concatenate()(branches)))
    both.compile("sgd", "binary_crossentropy", run_eagerly=True)
    told = both.fit(create_tf_dataset(folder, **SHARED, keras=True, pad=True), epochs=1, verbose=0, shuffle=False)
    assert np.isfinite(told.history["loss"][0])

    for frames, inputs, audio in create_tf_dataset(folder, **SHARED).take(1):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.keras.losses.binary_crossentropy(inputs, both([frames, audio])))
        assert all(one is not None for one in tape.gradient(loss, both.trainable_variables))

    endless = create_tf_dataset(silent, **SHARED, repeat=True, drop_remainder=True)
    assert endless.element_spec[0].shape == (4, 5, 24, 32, 3)
    plain.fit(endless, epochs=2, steps_per_epoch=6, verbose=0, shuffle=False)  # of 5 batches an epoch


def test_sound_is_forced_or_left_out_as_asked(tf, folder, silent):
    assert len(create_tf_dataset(folder, **SHARED, include_audio=False).element_spec) == 2
    with pytest.raises(BadInputError, match="none of which has sound"):
        create_tf_dataset(silent, **SHARED, include_audio=True)
    _, _, audio = next(iter(create_tf_dataset(silent, **SHARED, include_audio="logmel")))
    assert not np.any(audio)
    part = [folder / "a", silent / "b"]  # one of two with sound: zeros where there is none
    found = next(iter(create_tf_dataset(part, **SHARED | {"batch_size": COUNT}, everything=True)))
    heard = found["audio_mask"].numpy().any(1)
    assert heard.tolist() == [name == b"a" for name in found["session"].numpy()]
    assert not found["audio"].numpy()[~heard].any()


def test_frames_come_in_the_dtype_that_is_asked_for_and_are_drawn_anew_each_epoch(tf, silent):
    dataset = create_tf_dataset(silent, **SHARED, dtype="uint8", shuffle_buffer=0, augment="brightness=1:0.3..0.9")
    (first, _), (second, _) = next(iter(dataset)), [*dataset, *dataset][6]
    assert first.dtype == tf.uint8
    assert numbers(first) == numbers(second)
    assert not np.array_equal(first, second)
    half = next(iter(create_tf_dataset(silent, **SHARED, dtype="bfloat16")))[0]
    assert half.dtype == tf.bfloat16


def test_a_window_that_cannot_be_read_is_told_in_its_own_words_or_left_out(tf, silent, monkeypatch):
    made = GameplayWindows._made

    def broken(self, asked, ahead=()):
        if (0, 2) in asked:
            raise BadDataError("frame 11 of a: a film that is cut", accepts="a whole film", fix="restore it")
        return made(self, asked, ahead)

    monkeypatch.setattr(GameplayWindows, "_made", broken)
    with pytest.raises(tf.errors.OpError, match="frame 11 of a: a film that is cut; accepted: a whole film"):
        list(create_tf_dataset(silent, **SHARED, shuffle_buffer=0))
    with pytest.warns(UserWarning, match="left out window 2 of a"):
        sizes = [len(frames) for frames, _ in create_tf_dataset(silent, **SHARED, shuffle_buffer=0, broken="skip")]
    assert sizes == [3, 4, 4, 4, 4, 1]


@pytest.mark.parametrize("given", [{"position": -1}, {"position": COUNT + 1}, {"epoch": -1}])
def test_a_place_that_no_epoch_has_is_refused_before_anything_is_read(tf, silent, given):
    with pytest.raises(BadInputError, match=f"{next(iter(given))}="):
        create_tf_dataset(silent, **SHARED, **given)


def test_a_dataset_that_nobody_holds_leaves_no_file_open(tf, folder):
    def open_files():
        links = [path.resolve() for path in Path("/proc/self/fd").glob("*")]
        return [path for path in links if path.is_relative_to(folder)]

    windows = GameplayWindows(folder / "a", sequence_length=5, size=(24, 32))
    dataset = dataset_of(windows, Order(len(windows)), batch_size=4)
    derived = dataset.map(lambda *parts: parts[1])
    next(iter(dataset))
    del dataset
    assert len([*derived]) == 3
    assert open_files()
    del derived
    gc.collect()
    assert open_files() == []
    assert len(windows.fetch([0])) == 1


def test_record_files_are_read_by_tensorflow_itself(tf, folder, tmp_path):
    options = ["sequence_length=5", "size=24x32", "examples_per_file=5"]
    convert(folder, tmp_path / "t", format="tfrecord", options=options)
    dataset = read_tfrecord(tmp_path / "t", 4, 0, everything=True, dtype="uint8")
    assert len(dataset) == 6
    found = [*dataset]
    wanted = GameplayWindows(folder, sequence_length=5, size=(24, 32), audio="logmel").fetch(range(COUNT))
    for name in ("frames", "inputs", "t_ns", "audio", "audio_mask"):
        got = np.concatenate([one[name] for one in found])
        np.testing.assert_array_equal(got, np.stack([one[name] for one in wanted]))
    rest = [*tf.data.TFRecordDataset([str(path) for path in sorted((tmp_path / "t").glob("*.tfrecord"))])]
    features = [tf.train.Example.FromString(record.numpy()).features.feature for record in rest]
    assert {name for one in features[1:] for name in one} == set(found[0])
    mixed = read_tfrecord(tmp_path / "t", 4, 8, seed=1)
    passes = [order_of(mixed), order_of(mixed)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1]) == [*range(1, 61, 5), *range(501, 546, 5)]
    assert [tuple(one.shape) for one in read_tfrecord(tmp_path / "t", keras=True).element_spec[0]] == [
        (None, 5, 24, 32, 3), (None, 5, 128),
    ]  # fmt: skip
    parts = [order_of(read_tfrecord(tmp_path / "t", 4, rank=rank, world=2)) for rank in range(2)]
    assert sorted(parts[0] + parts[1]) == sorted(passes[0])
    for wrong in ({"shuffle_buffer": -1}, {"batch_size": COUNT + 1, "drop_remainder": True}, {"seed": -1}):
        with pytest.raises(BadInputError, match="accepted"):
            read_tfrecord(tmp_path / "t", **wrong)
    next((tmp_path / "t").glob("windows-*3.tfrecord")).unlink()
    with pytest.raises(MissingError, match=r"windows-00003\.tfrecord: no such file"):
        read_tfrecord(tmp_path / "t")
    (tmp_path / "t" / "features.json").write_text('{"schema": "rushes/tfrecord/1"}')
    with pytest.raises(BadDataError, match=r"features\.json: a list of features that does not read"):
        read_tfrecord(tmp_path / "t")


def test_the_files_of_the_original_are_read_too(tf, silent, tmp_path):
    convert(silent / "a", tmp_path / "t", format="tfrecord", options=["strict=true", "sequence_length=4", "size=24x32"])
    found = [*read_tfrecord(tmp_path / "t", 4, 0)]
    windows = [window for frames, _ in found for window in numbers(frames)]
    assert windows == [[*range(first, first + 4)] for first in range(1, 58, 2)]
    # w and space stand in slots 0 and 4
    assert [[float(any(inputs_of(n)[k] for n in window)) for k in (0, 1)] for window in windows] == np.concatenate(
        [inputs.numpy()[:, [0, 4]] for _, inputs in found]
    ).tolist()
