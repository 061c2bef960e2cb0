"""Training the small net on a table of samples, and choosing its threshold on play that it did not learn from.

The press is learnt as a probability (binary cross-entropy, each row by its weight), the hold only from positives whose
release was seen, by its relative error. Rows whose split is `train` are learnt from, `val` chooses the threshold.

Example (cells of a recipe):
    >>> def cells(samples, sessions):
    ...     return train(samples, sessions, size=64, epochs=8, seed=0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.notebook.jump.net import as_input, new_net, outputs, threads, weights
from rushes.prepare.reading import load_pictures
from rushes.preview.html import table
from rushes.store.atomic import new_file

if TYPE_CHECKING:
    from torch import Tensor, nn

Pixels = npt.NDArray[np.uint8]
Progress = Callable[[int, int, str], None]

_BATCH: Final = 64
_RATE: Final = 3e-3
_DECAY: Final = 1e-3
THRESHOLD: Final = 0.5


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to.

    Attributes:
        press: Mean loss of pressing over the training rows.
        hold: Mean loss of the hold.
        val_press: The same of the validation rows; NaN where there are none.
        val_hold: Likewise.
    """

    press: float
    hold: float
    val_press: float
    val_hold: float


@dataclass(frozen=True)
class Trained:
    """A net that was trained.

    Attributes:
        net: The net.
        length: Pictures a window.
        size: Pixels a side.
        epochs: How it went.
        rows: Rows that it learnt from.
        threshold: Probability from which on it presses.
        through: Pictures are made so many pixels a side first, and then what the net sees; 0 makes them at once.
    """

    net: nn.Module
    length: int
    size: int
    epochs: tuple[Epoch, ...]
    rows: int
    threshold: float = THRESHOLD
    through: int = 0

    def at(self, threshold: float) -> Trained:
        """Give the same net with another threshold."""
        return replace(self, threshold=threshold)

    def _repr_html_(self) -> str:
        last = self.epochs[-1]
        rows = [
            ["weights", f"{weights(self.net):,}"],
            ["sees", f"{self.length} x {self.size} x {self.size} px"],
            ["rows to learn from", f"{self.rows:,}"],
            ["loss of pressing", f"{last.press:.3f} (validation {last.val_press:.3f})"],
            ["presses from", f"{self.threshold:g} on"],
        ]
        return table(["the net", ""], rows).html

    def __repr__(self) -> str:
        last = self.epochs[-1]
        return (
            f"<net of {weights(self.net):,} weights, {self.rows:,} rows, {len(self.epochs)} epochs: "
            f"loss {last.press:.3f} (validation {last.val_press:.3f}), presses from {self.threshold:g} on>"
        )


def train(
    samples: Samples,
    recordings: Iterable[Recording],
    *,
    size: int = 64,
    epochs: int = 8,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Train a new net.

    Args:
        samples: Rows of one length; `train` is learnt from, `val` only looked at. Without any split all is learnt from.
        recordings: Where the pictures lie.
        size: Pixels a side.
        epochs: How often each row is seen.
        seed: Of weights, order and dropout.
        progress: Called with (done, total, what).

    Raises:
        BadInputError: No row to learn from, none that is a press, or windows of several lengths.
    """
    several = list(recordings)
    rows = samples.rows
    split = rows["split"].to_numpy(object)
    learn = np.flatnonzero((split == "train") | (split == ""))
    validate = np.flatnonzero(split == "val")
    lengths = sorted({int(n) for n in rows["length"]})
    if (len(rows) and not len(learn)) or len(lengths) > 1:
        raise BadInputError(
            f"{len(learn)} rows to train on, windows of {lengths} frames",
            accepts="rows of one length whose split is train",
            fix="split with a part named train, and make all rows with the same length",
        )
    if not (rows["label"].to_numpy(float)[learn] > 0).any():
        raise BadInputError(
            f"{len(learn)} rows to train on, none of them a press",
            accepts="presses of the control that is to be learnt, some of them in train",
            fix="name a control that was pressed (`rushes info` lists what recordings hold), or record more",
        )
    pixels = load_pictures(samples, several, size=size)
    return fit(
        pixels,
        rows["label"].to_numpy(np.float32),
        rows["hold_s"].to_numpy(np.float64),
        weight=rows["weight"].to_numpy(np.float32),
        learn=learn,
        validate=validate,
        epochs=epochs,
        seed=seed,
        progress=progress,
    )


def fit(
    pixels: Pixels,
    label: npt.NDArray[np.float32],
    hold_s: npt.NDArray[np.float64],
    *,
    learn: npt.NDArray[np.int64],
    validate: npt.NDArray[np.int64],
    epochs: int,
    seed: int,
    weight: npt.NDArray[np.float32] | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train a new net on pictures that are at hand.

    Args:
        pixels: (N, T, S, S, 3) uint8 RGB.
        label: (N,) 1 for a press.
        hold_s: (N,) seconds, NaN where there is none.
        learn: Rows to learn from.
        validate: Rows to look at.
        epochs: How often each row is seen.
        seed: Of weights, order and dropout.
        weight: (N,) how much a row counts; 1 where not given.
        progress: Called with (done, total, what).
    """
    import torch

    length, size = pixels.shape[1:3]
    net = new_net(length=length, size=size, seed=seed)
    truth = _Truth.of(label, hold_s, weight if weight is not None else np.ones(len(label), np.float32))
    order = torch.Generator().manual_seed(seed)
    past: list[Epoch] = []
    batches = -(-len(learn) // _BATCH)
    with torch.random.fork_rng(devices=[]), threads():
        torch.manual_seed(seed)
        optimiser = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=max(2, epochs * batches))
        for epoch in range(epochs):
            net.train()
            sums = np.zeros(2)
            shuffled = learn[torch.randperm(len(learn), generator=order).numpy()]
            for first in range(0, len(learn), _BATCH):
                chosen = shuffled[first : first + _BATCH]
                press, hold = _losses(net, pixels[chosen], truth.rows(chosen))
                optimiser.zero_grad()
                (press + hold).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                sums += np.array([float(press.detach()), float(hold.detach())]) * len(chosen)
            means = (sums / max(1, len(learn))).tolist()
            past.append(Epoch(means[0], means[1], *_held_out(net, pixels, truth, validate)))
            if progress is not None:
                progress(epoch + 1, epochs, f"loss {means[0]:.3f}")
    net.eval()
    return Trained(net, length, size, tuple(past), len(learn))


@dataclass(frozen=True)
class _Truth:
    label: npt.NDArray[np.float32]
    hold_s: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]

    @classmethod
    def of(cls, label: Any, hold_s: Any, weight: Any) -> _Truth:
        known = np.where(np.asarray(label) > 0, np.asarray(hold_s, np.float64), np.nan)
        return cls(
            np.asarray(label, np.float32),
            np.where(known > 0, known, 0).astype(np.float32),
            np.asarray(weight, np.float32),
        )

    def rows(self, chosen: npt.NDArray[np.int64]) -> _Truth:
        return _Truth(self.label[chosen], self.hold_s[chosen], self.weight[chosen])


def _losses(net: nn.Module, pixels: Pixels, truth: _Truth) -> tuple[Tensor, Tensor]:
    import torch
    from torch.nn import functional

    logits, hold = outputs(net, as_input(pixels))
    weight = torch.from_numpy(truth.weight)
    each = functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(truth.label), reduction="none")
    press = (each * weight).sum() / weight.sum().clamp(min=1e-6)
    known = torch.from_numpy(truth.hold_s > 0)
    if not bool(known.any()):
        return press, 0 * hold.sum()
    true = torch.from_numpy(truth.hold_s)[known]
    return press, functional.smooth_l1_loss(hold[known] / true, torch.ones_like(true), beta=0.2)


def _held_out(net: nn.Module, pixels: Pixels, truth: _Truth, rows: npt.NDArray[np.int64]) -> tuple[float, float]:
    import torch

    if not len(rows):
        return float("nan"), float("nan")
    net.eval()
    with torch.inference_mode():
        parts = [rows[k : k + 4 * _BATCH] for k in range(0, len(rows), 4 * _BATCH)]
        found = [[float(loss) * len(part) for loss in _losses(net, pixels[part], truth.rows(part))] for part in parts]
    press, hold = (np.array(found).sum(axis=0) / len(rows)).tolist()
    return press, hold


def save(trained: Trained, path: Path) -> None:
    """Write a net's weights and what it takes to use them; `torch.load(path, weights_only=True)` reads it.

    Args:
        trained: The net.
        path: A new file.
    """
    import torch

    about = {"length": trained.length, "size": trained.size, "threshold": trained.threshold}
    with new_file(path) as partial:
        torch.save({"weights": trained.net.state_dict(), **about}, partial)
