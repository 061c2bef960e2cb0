"""What the portable training files have in common as formats: they keep everything, unless pictures are resized.

Example:
    >>> TrainingFile.keeps.audio, TrainingFile.takes
    (True, 'any')
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from rushes.formats.base import Format, Takes
from rushes.formats.report import Keeps
from rushes.formats.training.options import TrainingOptions


class TrainingFile(Format):
    """A container of the arrays of `formats.training.plan`; what it is called and how it is written is the format's."""

    Options: ClassVar[type[Any]] = TrainingOptions
    keeps: ClassVar[Keeps] = Keeps(
        "exact", times=True, audio=True, rewards=True, names=True, events=True, telemetry=True, human=True
    )
    takes: ClassVar[Takes] = "any"

    def keeps_with(self, options: Any) -> Keeps:
        """Say what survives: pictures of another size are not the same."""
        return replace(self.keeps, frames="lossy") if options.resizes else self.keeps
