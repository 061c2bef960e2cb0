"""What may be asked of a portable training file, and what follows from it for the pictures.

Example:
    >>> size_of("180x320"), size_of("64"), size_of("")
    ((180, 320), (64, 64), None)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rushes.errors import BadInputError
from rushes.store.aligned import INPUT_ENCODINGS
from rushes.store.entry import Entry

Size = tuple[int, int]

AUDIO: Final = ("auto", "none", "logmel", "waveform")
_SIZE: Final = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?")
_MOST_PX: Final = 16_384
"""A side; a picture of it is far below what HDF5 takes as a chunk (4 GB)."""


@dataclass(frozen=True)
class TrainingOptions:
    """Options of every portable training file.

    Attributes:
        layout: Columns of `inputs`: a layout (`capture28`, `gameon20` ...) or names of controls with commas between;
            empty takes what the recordings have.
        encoding: What a button's column holds: `multi_hot`, `pressed`, `released` or `fraction`.
        size: Pictures as `224` (a square) or `180x320` (height x width), squashed; empty leaves them as stored.
        downsample_factor: Divides height and width, where `size` is empty; 1 leaves them.
        audio: `logmel`, `waveform`, `none`, or `auto`: log-mel where any recording has sound.
        action_delay_ms: Moves inputs this much later, or `measured`.
    """

    layout: str = ""
    encoding: str = "multi_hot"
    size: str = ""
    downsample_factor: int = 1
    audio: str = "auto"
    action_delay_ms: str = "0"

    def __post_init__(self) -> None:
        for name, accepted in (("encoding", INPUT_ENCODINGS), ("audio", AUDIO)):
            if getattr(self, name) not in accepted:
                raise BadInputError(f"{name}={getattr(self, name)!r}", accepts=", ".join(accepted), fix="choose one")
        if self.downsample_factor < 1:
            raise BadInputError(
                f"downsample_factor={self.downsample_factor}", accepts="a whole number from 1 on", fix="leave it out"
            )
        if size_of(self.size) is not None and self.downsample_factor > 1:
            raise BadInputError(
                f"size={self.size} with downsample_factor={self.downsample_factor}",
                accepts="one of them",
                fix="leave downsample_factor out",
            )

    @property
    def resizes(self) -> bool:
        """Whether pictures are made another size than they have."""
        return bool(self.size) or self.downsample_factor > 1


def size_of(text: str) -> Size | None:
    """Read a size: `224` or `180x320`; None for an empty text.

    Raises:
        BadInputError: Anything else.
    """
    if not text.strip():
        return None
    found = _SIZE.fullmatch(text.strip().lower())
    height, width = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not (0 < height <= _MOST_PX and 0 < width <= _MOST_PX):
        accepts = f"pixels a side, or HEIGHTxWIDTH, up to {_MOST_PX}"
        raise BadInputError(f"size={text!r}", accepts=accepts, fix="write size=224")
    return height, width


def target_size(entries: Sequence[Entry], options: TrainingOptions) -> Size:
    """Decide how large the pictures of a file are: all alike.

    Args:
        entries: What is written; heights and widths are known, and one of them has frames.
        options: What was asked.

    Raises:
        BadInputError: Recordings of several sizes and no `size`; the message names them.
    """
    asked = size_of(options.size)
    if asked is not None:
        return asked
    sizes: dict[Size, str] = {}
    for entry in entries:
        if not entry.stretches:
            continue
        sizes.setdefault((entry.height, entry.width), entry.id)
    if len(sizes) > 1:
        told = ", ".join(f"{height}x{width} ({name})" for (height, width), name in sizes.items())
        raise BadInputError(
            f"pictures of {len(sizes)} sizes: {told}",
            accepts="pictures of one size in a file",
            fix="pass size=224 or size=180x320, or write the sizes into files of their own",
        )
    height, width = next(iter(sizes))
    return max(1, height // options.downsample_factor), max(1, width // options.downsample_factor)
