"""What an export to record files may be asked for, and what follows from it for the recordings at hand.

Example:
    >>> TfRecordOptions(sequence_length=8, frame_skip=2).span, TfRecordOptions(sequence_length=8, strict=True).step
    (16, 4)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from rushes.errors import BadInputError
from rushes.formats.training.options import TrainingOptions, target_size
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.store.aligned import common_space
from rushes.store.entry import Entry
from rushes.store.hearing import Hearing, as_hearing

PICTURES: Final = ("png", "jpeg", "raw")
_STRICT_SIZE: Final = "224"


@dataclass(frozen=True)
class TfRecordOptions(TrainingOptions):
    """Options of the format, beside those of every training file.

    Attributes:
        sequence_length: T, frames a window shows.
        stride: Frames of the recording from one window's start to the next; 0 for as many as a window spans, so that
            each frame is in one window.
        frame_skip: Frames of the recording from one that is shown to the next; actions of those between count for the
            one before them.
        pictures: `png` (exact), `jpeg` (lossy, small) or `raw` (exact, nothing to decode, large).
        quality: Of `jpeg`, 1 to 100.
        rest: Keep the frames that no window shows too, in files of their own.
        examples_per_file: Windows a file at the most; 0 for no limit.
        shard_mb: MB a file at the most; 0 for no limit.
        strict: The files of the original's exporter: `gameon_0000.tfrecord` with `frames`, `frames_shape` and
            `actions` alone, windows half over each other, 224 x 224 where no size is said.
    """

    sequence_length: int = 16
    stride: int = 0
    frame_skip: int = 1
    pictures: str = "png"
    quality: int = 95
    rest: bool = True
    examples_per_file: int = 1000
    shard_mb: int = 256
    strict: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        least = {"sequence_length": 1, "stride": 0, "frame_skip": 1, "examples_per_file": 0, "shard_mb": 0}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                given, accepts = f"{name}={getattr(self, name)}", f"a whole number from {lowest} on"
                raise BadInputError(given, accepts=accepts, fix=f"leave {name} out")
        if self.pictures not in PICTURES:
            raise BadInputError(f"pictures={self.pictures!r}", accepts=", ".join(PICTURES), fix="choose one")
        if not 1 <= self.quality <= 100:  # noqa: PLR2004 - per cent
            raise BadInputError(f"quality={self.quality}", accepts="1 to 100", fix="leave quality out")

    @property
    def span(self) -> int:
        """Frames that a window's rows reach over."""
        return self.sequence_length * self.frame_skip

    @property
    def step(self) -> int:
        """Frames from one window's start to the next; the original begins a window at each half."""
        half = max(1, self.sequence_length // 2) * self.frame_skip
        return self.stride or (half if self.strict else self.span)


@dataclass(frozen=True)
class Plan:
    """An export before its first picture.

    Attributes:
        options: As asked for.
        space: Columns of `inputs`.
        size: (height, width) of the frames.
        resized: Whether any have to be made that size.
        hearing: How sound is given; None where it is not.
        steps: Whether all recordings have steps: rewards, ends and what was told to the environment are features then.
        numbers: How many such an action is made of; 0 for one of a discrete space.
    """

    options: TfRecordOptions
    space: ActionSpace
    size: tuple[int, int]
    resized: bool
    hearing: Hearing | None
    steps: bool
    numbers: int


def make_plan(entries: Sequence[Entry], options: TfRecordOptions) -> Plan:
    """Hold options against the recordings.

    Args:
        entries: The recordings, heights and widths known.
        options: As asked for.

    Raises:
        BadInputError: Recordings whose sizes or actions differ.
        BadNameError: An unknown control or layout.
    """
    if options.strict:
        square = options.size or ("" if options.resizes else _STRICT_SIZE)
        options = replace(options, layout="gameon20", size=square, audio="none", pictures="raw", rest=False)
    size = target_size(entries, options)
    return Plan(
        options,
        common_space([entry.action_space for entry in entries], options.layout.strip() or None),
        size,
        resized={(entry.height, entry.width) for entry in entries} != {size},
        hearing=_hearing(entries, options),
        steps=all(entry.is_environment for entry in entries),
        numbers=max(len(entry.action_space) if entry.action_space.kind == "box" else 0 for entry in entries),
    )


def _hearing(entries: Sequence[Entry], options: TfRecordOptions) -> Hearing | None:
    """Say how sound is given: for rows as long as they ordinarily are."""
    has_sound = any(entry.sounds for entry in entries)
    if options.audio == "none" or (options.audio == "auto" and not has_sound):
        return None
    found = as_hearing("logmel" if options.audio == "auto" else options.audio)
    rates = [entry.rate_hz for entry in entries if entry.rate_hz > 0]
    if found is None or not rates:
        return found
    return found.for_rows(round(options.frame_skip * NS / float(np.median(rates))))
