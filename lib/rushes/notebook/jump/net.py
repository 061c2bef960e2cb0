"""A small net that looks at a window of pictures and says whether to press now, and for how long.

Four strided convolutions and two linear layers, some 75,000 weights at 64 px, drawn from a seed and from nowhere else.
It reads what `prepare.reading` gives: uint8 RGB windows of one size. The hold comes out in seconds.

Example:
    >>> import numpy as np
    >>> net = new_net(length=1, size=64, seed=0)
    >>> said = look(net, np.zeros((2, 1, 64, 64, 3), np.uint8))
    >>> said.press.shape, said.hold_s.shape
    ((2,), (2,))
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

if TYPE_CHECKING:
    from torch import Tensor, nn

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

SMALLEST: Final = 32
_CHANNELS: Final = (16, 24, 32, 48)
_SHRINK: Final = 2 ** len(_CHANNELS)
_WIDE: Final = 64
_DROPOUT: Final = 0.1
_BATCH: Final = 256
_THREADS: Final = 1
_TYPICAL_HOLD_S: Final = 0.2


class Said(NamedTuple):
    """What the net says of N windows.

    Attributes:
        press: (N,) probability that the control goes down on the window's last frame.
        hold_s: (N,) how long it would then be held, seconds.
    """

    press: Floats
    hold_s: Floats


def new_net(*, length: int, size: int, seed: int) -> nn.Module:
    """Make a net with random weights.

    Args:
        length: Pictures a window.
        size: Pixels a side.
        seed: Of its weights.

    Raises:
        BadInputError: A size that four halvings do not divide.
    """
    import torch
    from torch import nn

    if size < SMALLEST or size % _SHRINK:
        raise BadInputError(
            f"size={size}", accepts=f"pixels a side, {SMALLEST} or more, a multiple of {_SHRINK}", fix="pass size=64"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        before = 3 * length
        for number, width in enumerate(_CHANNELS):
            kernel = 3 if number else 5
            layers += [nn.Conv2d(before, width, kernel, 2, kernel // 2), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        flat = before * (size // _SHRINK) ** 2
        layers += [nn.Flatten(), nn.Linear(flat, _WIDE), nn.ReLU(), nn.Dropout(_DROPOUT), nn.Linear(_WIDE, 2)]
        return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def as_input(pixels: Pixels) -> Tensor:
    """Turn windows into what the net takes.

    Args:
        pixels: (N, T, S, S, 3) uint8 RGB.

    Returns:
        (N, 3 T, S, S) float32, centred.
    """
    import torch

    count, length, height, width, colours = pixels.shape
    given = torch.from_numpy(np.array(pixels, order="C")).permute(0, 1, 4, 2, 3)
    return (given.reshape(count, length * colours, height, width).float() / 255 - 0.5) / 0.25


def outputs(net: nn.Module, given: Tensor) -> tuple[Tensor, Tensor]:
    """Give logits of pressing and holds in seconds: (N,) each."""
    import torch

    raw: Any = net(given)
    return raw[:, 0], _TYPICAL_HOLD_S * torch.exp(raw[:, 1].clamp(-4, 4))


def look(net: nn.Module, pixels: Pixels) -> Said:
    """Ask a net about windows.

    Args:
        net: As `new_net` gives it, trained or not.
        pixels: (N, T, S, S, 3) uint8 RGB.
    """
    import torch

    net.eval()
    press, hold = [np.zeros(0)], [np.zeros(0)]
    with torch.inference_mode(), threads():
        for first in range(0, len(pixels), _BATCH):
            logits, held = outputs(net, as_input(pixels[first : first + _BATCH]))
            press.append(torch.sigmoid(logits).double().numpy())
            hold.append(held.double().numpy())
    return Said(np.concatenate(press), np.concatenate(hold))


@contextmanager
def threads(count: int = _THREADS) -> Iterator[None]:
    """Work with a fixed number of threads, so that sums come out alike on every machine; and put it back.

    Args:
        count: How many; fewer where there are fewer cores.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(min(count, os.cpu_count() or 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def weights(net: nn.Module) -> int:
    """Count a net's weights."""
    return sum(part.numel() for part in net.parameters())
