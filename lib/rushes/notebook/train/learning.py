"""Training a net on windows of play, and watching how well it answers on sessions that it never saw.

The loss is binary cross-entropy, a key at a time; rows in which a key is down weigh together as much as those in which
it is up, so that whoever knows nothing guesses, and a key that is rarely used is not forgotten.

Example (cells of a notebook):
    >>> def cells(run, sets):
    ...     net = new_net(BehaviouralCloning, sets, seed=0)
    ...     return learn(net, sets, epochs=8, windows=64, progress=run.bar("training"))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rushes.notebook.jump.net import threads
from rushes.notebook.train.data import Answers, Batch, Sets
from rushes.notebook.train.nets import TwoBranches, weights
from rushes.notebook.train.scores import Score

Progress = Callable[[int, int, str], None]

RATE: Final = 3e-3
_DECAY: Final = 1e-3
_MOST_WEIGHT: Final = 50.0


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to.

    Attributes:
        loss: Mean over the windows that were learnt from.
        balanced: Balanced accuracy on unseen play; NaN where nobody looked.
    """

    loss: float
    balanced: float


@dataclass(frozen=True)
class Learnt:
    """A net that was trained, and what it says of unseen play.

    Attributes:
        name: Of the net.
        net: The net.
        sets: What it was trained and scored on.
        epochs: How it went.
        answers: Of the unseen windows.
        size: Its weights, counted.
    """

    name: str
    net: Any
    sets: Sets
    epochs: tuple[Epoch, ...]
    answers: Answers
    size: int

    @property
    def score(self) -> Score:
        """How good its answers are."""
        return self.answers.score

    def __repr__(self) -> str:
        return f"<{self.name}, {self.size:,} weights: {self.score!r}>"


def new_net(kind: Callable[..., nn.Module], sets: Sets, *, seed: int) -> nn.Module:
    """Make a net for a set, with weights drawn from a seed.

    Args:
        kind: One of `rushes.notebook.train.nets`.
        sets: What it will be trained on.
        seed: Of its weights.

    Raises:
        BadInputError: Pictures that are too small for it.
    """
    hears = {"features": sets.features} if kind is TwoBranches else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(actions=len(sets.keys), size=sets.size, **hears)


def learn(
    net: nn.Module,
    sets: Sets,
    *,
    epochs: int,
    windows: int,
    rate: float = RATE,
    watched: bool = True,
    name: str = "",
    progress: Progress | None = None,
) -> Learnt:
    """Train a net.

    Args:
        net: With random weights.
        sets: What it learns from and is scored on.
        epochs: How often it sees each window.
        windows: Of a batch.
        rate: Highest learning rate.
        watched: Score it after each epoch, not only in the end.
        name: What it is called.
        progress: Called with (done, total, what).
    """
    down, rows = torch.zeros(len(sets.keys)), 0
    steps = epochs * -(-len(sets.learn) // windows)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=max(2, steps))
    past: list[Epoch] = []
    answers = None
    with threads():
        for epoch in range(epochs):
            net.train()
            loss_sum = 0.0
            for batch in sets.batches(epoch=epoch, windows=windows):
                truth = batch["inputs"][:, sets.warm :, list(sets.keys)].clamp(0, 1)
                down, rows = down + (truth > 0).flatten(0, 1).sum(0), rows + truth[..., 0].numel()
                optimiser.zero_grad()
                loss = _loss(_said(net, batch)[:, sets.warm :], truth, (down + 1) / (rows + 2))
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                loss_sum += float(loss.detach()) * len(truth)
            last = epoch == epochs - 1
            answers = sets.answers(lambda batch: ask(net, batch)) if watched or last else None
            past.append(Epoch(loss_sum / len(sets.learn), answers.score.balanced if answers else float("nan")))
            if progress is not None:
                progress(epoch + 1, epochs, f"loss {past[-1].loss:.3f}")
    assert answers is not None
    return Learnt(name or type(net).__name__, net, sets, tuple(past), answers, weights(net))


def ask(net: nn.Module, batch: Batch) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Ask a net about a batch: (B, T, A) probabilities that a key is down."""
    net.eval()
    with torch.inference_mode():
        return torch.sigmoid(_said(net, batch)).numpy()


def _said(net: nn.Module, batch: Batch) -> Tensor:
    heard = (batch["audio"],) if isinstance(net, TwoBranches) else ()
    said: Tensor = net(batch["frames"], *heard)
    return said


def _loss(said: Tensor, truth: Tensor, share: Tensor) -> Tensor:
    """Give the loss, so weighed that down and up count alike for each key."""
    weight = torch.where(truth > 0, 0.5 / share, 0.5 / (1 - share)).clamp(max=_MOST_WEIGHT)
    return functional.binary_cross_entropy_with_logits(said, truth, weight=weight)
