"""What a card says about who played: the steps of an environment that a person chose, whatever the format keeps.

Example:
    >>> stretches_of(pd.DataFrame({"frame_index": [4, 5, 6, 7], "t_ns": [0, 17, 33, 50],
    ...                            "is_human": [False, True, True, False]}), 2)
    [{'segment': 2, 'first_frame': 5, 'last_frame': 6, 'first_t_ns': 17, 'last_t_ns': 33}]
    >>> people_lines([{"id": "a", "steps": 4, "by_a_person": 2, "stretches": [{}]}])[-1]
    '- `a`: 2 of 4 steps, in 1 stretch.'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from rushes.model.recording import Recording

_MOST: Final = 30


def a_person_chose(recording: Recording) -> bool:
    """Say whether a person chose any step of an environment; False for recorded play, which has no steps."""
    if not recording.is_environment:
        return False
    return any(bool(recording.steps(s.index)["is_human"].any()) for s in recording.segments)


def people_of(source: Iterable[Recording]) -> list[dict[str, Any]]:
    """Tell the steps that a person chose.

    Args:
        source: What is written.

    Returns:
        An entry for each session of an environment in which a person chose any: `id`, `steps` (how many it has),
        `by_a_person` (how many of them), and `stretches` as `stretches_of` gives them, in order. Their frames and
        times are those of the session that was exported.
    """
    told = []
    for recording in source:
        if not recording.is_environment:
            continue
        count, stretches = 0, []
        by_a_person = 0
        for segment in recording.segments:
            steps = recording.steps(segment.index)
            count += len(steps)
            by_a_person += int(steps["is_human"].sum())
            stretches += stretches_of(steps, segment.index)
        if by_a_person:
            told.append({"id": recording.info.id, "steps": count, "by_a_person": by_a_person, "stretches": stretches})
    return told


def stretches_of(steps: pd.DataFrame, segment: int) -> list[dict[str, int]]:
    """Find the longest runs of steps that a person chose, in one segment.

    Args:
        steps: Columns `frame_index`, `t_ns` (ns) and `is_human`, one row a step, in order.
        segment: Number of the segment.

    Returns:
        For each run `segment`, `first_frame`, `last_frame`, `first_t_ns` and `last_t_ns` (ns); both ends belong to it.
    """
    human = np.concatenate([[False], steps["is_human"].to_numpy(bool), [False]])
    turns = np.flatnonzero(np.diff(human.astype(np.int8)))
    frames, times = steps["frame_index"].to_numpy(np.int64), steps["t_ns"].to_numpy(np.int64)
    return [
        {
            "segment": segment,
            "first_frame": int(frames[first]),
            "last_frame": int(frames[stop - 1]),
            "first_t_ns": int(times[first]),
            "last_t_ns": int(times[stop - 1]),
        }
        for first, stop in turns.reshape(-1, 2)
    ]


def people_lines(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say who played, a line of Markdown for each session; nothing where no person chose a step.

    Args:
        told: The card's `human`.
    """
    if not told:
        return []
    lines = ["", "## Steps that a person chose", ""]
    for one in told[:_MOST]:
        count = len(one["stretches"])
        lines.append(
            f"- `{one['id']}`: {one['by_a_person']} of {one['steps']} steps, in {count} stretch{'es' * (count != 1)}."
        )
    if len(told) > _MOST:
        lines.append(
            f"- and {len(told) - _MOST} more; `human` of the card for programs has all, with frames and times."
        )
    return lines
