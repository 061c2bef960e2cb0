"""The nets of the guide's first two examples, corrected, and a small one with a second branch for sound.

Sizes follow from the data: how many numbers come out of the convolutions is counted by sending one picture through
them, so any picture size fits. All take what the loader gives, `(B, T, C, H, W)`, and answer every row, `(B, T, A)`
logits: the label of a row stands beside its own prediction, not beside that of the last one.

| net | sees | the guide's |
|---|---|---|
| `BehaviouralCloning` | one picture | first example |
| `SequenceModel` | the pictures up to now | second example |
| `TwoBranches` | pictures, and the sound of each row | third example, here in torch |

Example:
    >>> frames = torch.zeros(2, 5, 3, 48, 48)
    >>> SequenceModel(actions=4, size=(48, 48))(frames).shape
    torch.Size([2, 5, 4])
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

from rushes.errors import BadInputError

SMALLEST_PX: Final = 36
_MIDDLE, _SPREAD = 0.5, 0.25
"""Of pictures, and of log-mel features, which lie from 0 to 1 too."""


def convolutions(size: tuple[int, int]) -> tuple[nn.Sequential, int]:
    """Make the guide's two convolutions, and count what comes out of them.

    Args:
        size: (height, width) of the pictures in px.

    Returns:
        The layers, which end flat, and the count of their outputs.

    Raises:
        BadInputError: Pictures that are too small for the kernels.
    """
    if min(size) < SMALLEST_PX:
        raise BadInputError(f"size={size}", accepts=f"{SMALLEST_PX} px a side or more", fix="pass size=48")
    layers = nn.Sequential(
        nn.Conv2d(3, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Flatten()
    )  # fmt: skip
    with torch.no_grad():
        return layers, int(layers(torch.zeros(1, 3, *size)).shape[1])


class _Eye(nn.Module):
    """Turns pictures into features, one by one."""

    def __init__(self, size: tuple[int, int], width: int) -> None:
        super().__init__()
        layers, flat = convolutions(size)
        self.layers = nn.Sequential(*layers, nn.Linear(flat, width), nn.ReLU())

    def forward(self, frames: Tensor) -> Tensor:
        """Give (B, T, width) of (B, T, C, H, W) from 0 to 1."""
        batch, length = frames.shape[:2]
        found: Tensor = self.layers((frames.flatten(0, 1) - _MIDDLE) / _SPREAD)
        return found.view(batch, length, -1)


class BehaviouralCloning(nn.Module):
    """Sees one picture at a time.

    Args:
        actions: Columns of the inputs.
        size: (height, width) of the pictures in px.
        width: Features of a picture.
    """

    def __init__(self, *, actions: int, size: tuple[int, int], width: int = 128) -> None:
        super().__init__()
        self.eye, self.answer = _Eye(size, width), nn.Linear(width, actions)

    def forward(self, frames: Tensor) -> Tensor:
        """Give (B, T, A) logits."""
        said: Tensor = self.answer(self.eye(frames))
        return said


class SequenceModel(nn.Module):
    """Sees the pictures up to now, and remembers.

    Args:
        actions: Columns of the inputs.
        size: (height, width) of the pictures in px.
        width: Features of a picture.
        memory: Cells of the LSTM.
    """

    def __init__(self, *, actions: int, size: tuple[int, int], width: int = 64, memory: int = 64) -> None:
        super().__init__()
        self.eye = _Eye(size, width)
        self.memory = nn.LSTM(width, memory, batch_first=True)
        self.answer = nn.Linear(memory, actions)

    def forward(self, frames: Tensor) -> Tensor:
        """Give (B, T, A) logits."""
        remembered, _ = self.memory(self.eye(frames))
        said: Tensor = self.answer(remembered)
        return said


class TwoBranches(nn.Module):
    """Sees and hears.

    Args:
        actions: Columns of the inputs.
        size: (height, width) of the pictures in px.
        features: Of the sound of a row.
        width: Features of each branch.
    """

    def __init__(self, *, actions: int, size: tuple[int, int], features: int, width: int = 48) -> None:
        super().__init__()
        self.eye = _Eye(size, width)
        self.ear = nn.Sequential(nn.Linear(features, width), nn.ReLU())
        self.answer = nn.Linear(2 * width, actions)

    def forward(self, frames: Tensor, audio: Tensor) -> Tensor:
        """Give (B, T, A) logits; `audio` is (B, T, features)."""
        heard = self.ear((audio - _MIDDLE) / _SPREAD)
        said: Tensor = self.answer(torch.cat([self.eye(frames), heard], dim=2))
        return said


def weights(net: Any) -> int:
    """Count a net's weights."""
    return sum(part.numel() for part in net.parameters())
