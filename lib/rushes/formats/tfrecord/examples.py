"""Windows of a recording as features of a `tf.train.Example`, and what each feature is.

| feature | shape | type |
|---|---|---|
| `frames` | T | bytes, a picture each |
| `frames_shape` | 4 | int64: T, H, W, 3 |
| `inputs` | T x A | float; row k is what happened from frame k to the next one that is taken |
| `t_ns`, `frame_index` | T | int64: ns since session start, and the number in the recording |
| `session`, `segment`, `start` | 1 | bytes, int64, int64: where the window lies; `start` is its first frame |
| `audio`, `audio_mask` | T x F, T | float, int64: what was heard in the row, and whether anything was |
| `action` | T or T x D | int64, or float: what an environment was told on the frame |
| `rewards`, `terminated`, `truncated`, `is_human` | T | float, int64 (0 or 1): of the row |

The last two lines are there where all recordings have steps. No window holds a row that is not there: each has T.

Example:
    >>> starts_of(40, span=16, step=8).tolist()
    [0, 8, 16, 24]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rushes.formats.tfrecord.options import Plan
from rushes.formats.tfrecord.wire import Feature
from rushes.model.recording import Recording
from rushes.model.windows import window_counts
from rushes.store.aligned import Aligned, aligned
from rushes.store.entry import Stretch
from rushes.store.hearing import hear
from rushes.store.pairing import delay_of

FLAGS = ("terminated", "truncated", "is_human")


def starts_of(rows: int, *, span: int, step: int) -> npt.NDArray[np.int64]:
    """Number the rows of a stretch at which windows begin: (M,) int64.

    Args:
        rows: Of the stretch.
        span: Rows that a window reaches over.
        step: Rows from one start to the next.
    """
    counts, _ = window_counts([rows], span=span, stride=step)
    return np.arange(int(counts[0]), dtype=np.int64) * step


@dataclass(frozen=True)
class Cutting:
    """A stretch of a recording that is cut into windows.

    Attributes:
        recording: With marks honoured.
        stretch: One of its entry's.
        plan: How.
    """

    recording: Recording
    stretch: Stretch
    plan: Plan

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """(M,) int64, frames of the stretch at which windows begin."""
        options = self.plan.options
        return starts_of(self.stretch.rows, span=options.span, step=options.step)

    @cached_property
    def _phases(self) -> dict[int, Aligned]:
        return {}

    def shown(self, start: int) -> range:
        """Say which frames of the stretch the window at a start shows."""
        options = self.plan.options
        return range(start, start + options.span, options.frame_skip)

    def rows(self, start: int) -> tuple[Aligned, slice]:
        """Give the rows of the window at a start: a table, and where they stand in it."""
        options = self.plan.options
        phase = start % options.frame_skip
        if phase not in self._phases:
            self._phases[phase] = aligned(
                self.recording,
                self.stretch,
                space=self.plan.space,
                encoding=options.encoding,
                action_delay_ms=delay_of(self.recording, options.action_delay_ms),
                frame_skip=options.frame_skip,
                phase=phase,
            )
        first = (start - phase) // options.frame_skip
        return self._phases[phase], slice(first, first + options.sequence_length)

    def features(self, start: int, pictures: list[bytes]) -> dict[str, Feature]:
        """Give the features of the window at a start.

        Args:
            start: One of `starts`.
            pictures: Its frames, encoded.
        """
        part, rows = self.rows(start)
        made: dict[str, Feature] = {
            "frames": pictures,
            "frames_shape": np.array([len(pictures), *self.plan.size, 3], np.int64),
            "inputs": part.inputs[rows].ravel(),
            "t_ns": part.t_ns[rows],
            "frame_index": part.frame_index[rows],
            "session": [self.recording.info.id.encode()],
            "segment": np.array([self.stretch.segment], np.int64),
            "start": part.frame_index[rows][:1],
        }
        if self.plan.hearing is not None:
            heard = hear(self.recording, None, part.t_ns[rows], part.ends_ns[rows], self.plan.hearing)
            made |= {"audio": heard[0].ravel(), "audio_mask": heard[1].astype(np.int64)}
        if self.plan.steps and part.action is not None and part.rewards is not None:
            made |= {"action": part.action[rows].ravel(), "rewards": part.rewards[rows]}
            made |= {name: getattr(part, name)[rows].astype(np.int64) for name in FLAGS}
        return made


def feature_table(plan: Plan) -> dict[str, Mapping[str, Any]]:
    """Say what each feature is, as plain JSON values: `type` on the wire, `shape` of its values, what it `holds`."""
    length = plan.options.sequence_length
    height, width = plan.size

    def of(kind: str, *shape: int, holds: str) -> Mapping[str, Any]:
        return {"type": kind, "shape": [*shape], "holds": holds}

    picture = {"png": "PNG", "jpeg": "JPEG", "raw": "the pixels themselves"}[plan.options.pictures]
    found = {
        "frames": of("bytes", length, holds=f"a picture each, {picture}: ({height}, {width}, 3) uint8 RGB"),
        "frames_shape": of("int64", 4, holds="T, H, W, 3"),
        "inputs": of("float", length, len(plan.space), holds="what happened from each frame to the next one shown"),
        "t_ns": of("int64", length, holds="when each frame was taken, ns since session start"),
        "frame_index": of("int64", length, holds="number of each frame in its recording"),
        "session": of("bytes", holds="id of the recording"),
        "segment": of("int64", holds="which unbroken stretch of it"),
        "start": of("int64", holds="number of the first frame"),
    }
    if plan.hearing is not None:
        kind = "log-mel spectrum" if plan.hearing.kind == "logmel" else "samples"
        found["audio"] = of("float", length, plan.hearing.features, holds=f"{kind} of what was heard in each row")
        found["audio_mask"] = of("int64", length, holds="1 where anything was recorded")
    if plan.steps:
        found["action"] = (
            of("float", length, plan.numbers, holds="what the environment was told on each frame")
            if plan.numbers
            else of("int64", length, holds="number of what the environment was told on each frame, a column of inputs")
        )
        found["rewards"] = of("float", length, holds="summed over each row")
        found |= {name: of("int64", length, holds="1 where it was so in the row") for name in FLAGS}
    return found
