"""The guide's third example, corrected: a Keras model with a branch for pictures and one for sound.

Both branches give features for every row, and every row is answered, so that `model.fit` holds each answer against the
label beside it. The pictures go through a convolution with an activation, are flattened and made smaller, and only
then come into the LSTM, which takes (B, T, features). Without sound the same model has one branch.

TensorFlow is the extra `tf`; `there()` says whether it is installed.

Example (a cell of a notebook):
    >>> def cell(run, folder, sets):
    ...     return learn_keras(folder, sets, epochs=4, progress=run.bar("training")) if there() else None
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.loaders.elements import load_tensorflow
from rushes.loaders.tensorflow import create_tf_dataset
from rushes.notebook.train.data import LEARN, PARTS, UNSEEN, Answers, Sets
from rushes.notebook.train.learning import Epoch, Learnt

Progress = Callable[[int, int, str], None]

INSTALL: Final = 'pip install "rushes[tf]"'
RATE: Final = 3e-3
_DOWN: Final = 0.5


def there() -> bool:
    """Say whether TensorFlow is installed; it is not loaded for that."""
    return find_spec("tensorflow") is not None


def two_branches(
    *, length: int, size: tuple[int, int], features: int, actions: int, width: int = 64, seed: int = 0
) -> Any:
    """Make the model.

    Args:
        length: T, rows of a window.
        size: (height, width) of the pictures in px.
        features: Of the sound of a row; 0 makes a model that does not hear.
        actions: Columns of the inputs.
        width: Features of each branch.
        seed: Of its weights.

    Returns:
        A `keras.Model` from (frames, audio), or frames alone, to (B, T, A) probabilities.

    Raises:
        UnavailableError: TensorFlow does not load.
    """
    keras = _keras()
    layers = keras.layers
    draws = iter(range(100 * seed, 100 * seed + 100))

    def drawn(name: str) -> Any:
        return keras.initializers.get({"class_name": name, "config": {"seed": next(draws)}})

    def remembered(values: Any) -> Any:
        ways = {"kernel_initializer": drawn("GlorotUniform"), "recurrent_initializer": drawn("Orthogonal")}
        return layers.LSTM(width, return_sequences=True, **ways)(values)

    video = keras.Input((length, *size, 3))
    centre = {"scale": 4.0, "offset": -2.0}  # pictures and log-mel lie from 0 to 1
    see = layers.Conv2D(32, 8, strides=4, activation="relu", kernel_initializer=drawn("GlorotUniform"))
    x = layers.TimeDistributed(see)(layers.Rescaling(**centre)(video))
    x = layers.TimeDistributed(layers.Flatten())(x)
    x = remembered(layers.Dense(width, activation="relu", kernel_initializer=drawn("GlorotUniform"))(x))
    inputs = [video]
    if features:
        audio = keras.Input((length, features))
        x = layers.Concatenate()([x, remembered(layers.Rescaling(**centre)(audio))])
        inputs.append(audio)
    said = layers.Dense(actions, activation="sigmoid", kernel_initializer=drawn("GlorotUniform"))(x)
    model = keras.Model(inputs if features else video, said)
    # few batches a run: compiling them costs more than it saves
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss="binary_crossentropy", jit_compile=False)
    return model


def learn_keras(
    source: str | Path,
    sets: Sets,
    *,
    epochs: int,
    windows: int = 8,
    hears: bool = True,
    seed: int = 0,
    name: str = "",
    progress: Progress | None = None,
) -> Learnt:
    """Train the model by `model.fit` on `create_tf_dataset`, and score it on unseen play from the same loader.

    Args:
        source: Sessions with sound.
        sets: The same windows, for what the report shows of them.
        epochs: How often it sees each window.
        windows: Of a batch.
        hears: Whether it gets the sound.
        seed: Of weights, split and order.
        name: What it is called.
        progress: Called with (done, total, what).

    Raises:
        UnavailableError: TensorFlow does not load.
    """
    keras = _keras()
    length = sets.learn.windows.length

    def part(split: str, *, shuffled: bool) -> Any:
        return create_tf_dataset(
            source, batch_size=windows, sequence_length=length, target_size=sets.size, include_audio=hears, keras=True,
            split=split, splits=PARTS, seed=seed, shuffle_buffer=int(shuffled),
        )  # fmt: skip

    learn, unseen = part(LEARN, shuffled=True), part(UNSEEN, shuffled=False).cache()
    actions, features = len(sets.learn.space), sets.features if hears else 0
    model = two_branches(length=length, size=sets.size, features=features, actions=actions, seed=seed)
    past: list[Epoch] = []
    found: list[Answers] = []

    def after(epoch: int, logs: Any = None) -> None:
        found.append(_answers(model, unseen, sets))
        past.append(Epoch(float(logs["loss"]), found[-1].score.balanced))
        if progress is not None:
            progress(epoch + 1, epochs, f"loss {past[-1].loss:.3f}")

    watch = keras.callbacks.LambdaCallback(on_epoch_end=after)
    model.fit(learn, epochs=epochs, verbose=0, shuffle=False, callbacks=[watch])  # the loader has shuffled
    return Learnt(name or "Keras", model, sets, tuple(past), found[-1], int(model.count_params()))


def _keras() -> Any:
    """Load TensorFlow with sums in the order that every machine has, and without what it logs about this one."""
    for name, value in {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}.items():
        os.environ.setdefault(name, value)
    return load_tensorflow().keras


def _answers(model: Any, unseen: Any, sets: Sets) -> Answers:
    keys = list(sets.keys)
    pairs = [(model.predict_on_batch(given), np.asarray(truth)) for given, truth in unseen]
    said = np.concatenate([one for one, _ in pairs])[..., keys]
    truth = np.concatenate([one for _, one in pairs])[..., keys] > _DOWN
    count, length, wide = said.shape
    return Answers(
        said.reshape(-1, wide),
        truth.reshape(-1, wide),
        np.repeat(np.arange(count), length),
        np.tile(np.arange(length), count),
        sets.names,
    )
