"""What the jump recipe is held against: F1 of presses, error of holds, survival; and the figures that it reports.

Example (the last cell of the recipe):
    >>> def cell(run, findings, result, played):
    ...     return run.finish([*findings, *judge(result, played)])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from rushes.model.findings import Finding
from rushes.model.sample_table import Samples
from rushes.notebook.jump.full import Study
from rushes.notebook.jump.players import Played
from rushes.notebook.jump.scores import Score
from rushes.notebook.jump.sessions import Play
from rushes.notebook.jump.training import Trained

F1_BAR: Final = 0.9
HOLD_BAR: Final = 0.2
SURVIVAL_BAR: Final = 0.8


def judge(result: Score, played: Played) -> list[Finding]:
    """Hold what came out against the bars.

    Args:
        result: Presses on unseen play.
        played: What the players did.

    Returns:
        An error for each bar that was missed, a remark for each that was met.
    """
    found = [
        _held(
            "jump.f1", result.f1, F1_BAR, over=True,
            said=f"F1 of presses within {result.tolerance} frame on unseen play is {result.f1:.3f}",
            fix="more sessions or epochs; see the figure of timing for whether it is early, late or blind",
        ),
        _held(
            "jump.hold", result.hold_median, HOLD_BAR, over=False,
            said=f"holds on unseen play are off by {result.hold_median:.1%} (median)",
            fix="more sessions, or a larger size, so that the height of what comes is seen",
        ),
    ]  # fmt: skip
    if played.share is None:
        found.append(
            Finding(
                check="jump.survival",
                severity="info",
                sentence="nobody played: what was recorded is not the jump world, which is the only one played here",
            )
        )
    else:
        said = f"the net survives {played.share:.0%} of the expert's steps on unseen courses"
        fix = "look at where it crashes: a press too late, or a hold too short"
        found.append(_held("jump.survival", played.share, SURVIVAL_BAR, over=True, said=said, fix=fix))
    return found


def _held(check: str, value: float, bar: float, *, over: bool, said: str, fix: str) -> Finding:
    met = value >= bar if over else value < bar
    limit = f"{'at least' if over else 'below'} {bar:g}"
    sentence = f"{said}; the bar is {limit}" + ("" if met else f". To mend it: {fix}")
    return Finding(check=check, severity="info" if met else "error", sentence=sentence, value=value, limit=bar)


def figures_of(
    play: Play, samples: Samples, trained: Trained, result: Score, played: Played, study: Study
) -> Mapping[str, Any]:
    """Give the figures of the verdict.

    Args:
        play: What was recorded.
        samples: The dataset.
        trained: The net.
        result: Presses on unseen play.
        played: What the players did.
        study: What `full` adds.
    """
    kinds = samples.count()
    return {
        "sessions": len(play.known),
        "frames": sum(recording.frame_count for recording in play.known),
        "unseen_frames": result.frames,
        "rows": len(samples),
        "positives": kinds.get("positive", 0),
        "threshold": trained.threshold,
        "presses": result.true,
        "f1": result.f1,
        "precision": result.precision,
        "recall": result.recall,
        "hold_error_median": result.hold_median,
        "hold_error_mean": result.hold_mean,
        **{
            f"survival_{name.replace(',', '').replace(' ', '_')}": float(np.mean(steps))
            for name, steps in played.steps.items()
        },
        "survival_share": played.share,
        **study.figures,
    }
