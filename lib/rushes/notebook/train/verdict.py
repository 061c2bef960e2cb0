"""What the examples are held against: far above chance with what it takes, at chance without it.

Example (the last cell of the notebook):
    >>> def cell(run, *examples):
    ...     return run.finish(judge(examples), figures=figures_of(examples))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rushes.model.findings import Finding
from rushes.notebook.train.learning import Learnt
from rushes.notebook.train.scores import CHANCE
from rushes.notebook.train.study import Example
from rushes.notebook.train.with_keras import INSTALL, there

BAR: Final = 0.9
"""Balanced accuracy that a net with all it takes has to reach on a lesson."""
CEILING: Final = 0.6
"""What a net may reach that lacks what decides."""
_NEEDS: Final[Mapping[str, str]] = {
    "cloning": "look whether pictures and inputs are of the same moment: pairing, action_delay_ms, the split",
    "remembering": "look whether windows are unbroken and in the order of time",
    "hearing": "look whether each row gets the sound of its own interval",
}
_LEAKS: Final[Mapping[str, str]] = {
    "remembering": "one picture tells what only the past can: look whether inputs are shifted towards their cue",
    "hearing": "noise tells what only sound can: look for a leak between the parts",
}


def judge(examples: Iterable[Example]) -> list[Finding]:
    """Hold what came out against the bars.

    Args:
        examples: Those that ran.

    Returns:
        On a lesson: an error for each bar that was missed, a remark for each that was met. On sessions of the user's
        own: a remark, or a warning where the net is no better than luck. A warning where TensorFlow is missing.
    """
    found: list[Finding] = []
    for example in examples:
        found += _planted(example) if example.planted else [_own(one) for one in example.nets]
        if example.name == "hearing" and example.nets and not there():
            found.append(
                Finding(
                    check="train.keras",
                    severity="warning",
                    sentence=f"the third example did not run: TensorFlow is not installed ({INSTALL}). The same lesson "
                    "was learnt in PyTorch",
                )
            )
    return found


def _planted(example: Example) -> Iterator[Finding]:
    for one in example.nets:
        met = one.score.balanced >= BAR
        sentence = f"{_said(one)}; the bar is at least {BAR}"
        yield Finding(
            check=f"train.{example.name}",
            severity="info" if met else "error",
            sentence=sentence if met else f"{sentence}. To mend it: {_NEEDS[example.name]}",
            value=one.score.balanced,
            limit=BAR,
        )
    for one in example.controls:
        met = one.score.balanced < CEILING
        sentence = f"{_said(one)}; it lacks what decides and has to stay below {CEILING}"
        yield Finding(
            check=f"train.{example.name}.control",
            severity="info" if met else "error",
            sentence=sentence if met else f"{sentence}. To mend it: {_LEAKS[example.name]}",
            value=one.score.balanced,
            limit=CEILING,
        )


def _own(one: Learnt) -> Finding:
    better = one.score.balanced > one.score.luck
    found = one.score
    sentence = f"{_said(one)}; F1 {found.f1:.3f} beside {found.always_f1:.3f} of always down"
    if not better:
        sentence += ". It is no better than luck: more play, or a delay between pictures and inputs (action_delay_ms)"
    return Finding(
        check="train.cloning",
        severity="info" if better else "warning",
        sentence=sentence,
        value=found.balanced,
        limit=found.luck,
    )


def _said(one: Learnt) -> str:
    return (
        f"{one.name}: balanced accuracy {one.score.balanced:.3f} on unseen play "
        f"(chance {CHANCE}, luck reaches {one.score.luck:.3f})"
    )


def figures_of(examples: Iterable[Example]) -> dict[str, Any]:
    """Give the figures of the verdict: of each net its score, and beside it what chance gives.

    Args:
        examples: Those that ran.
    """
    found: dict[str, Any] = {}
    for example in examples:
        for role, nets in (("", example.nets), ("_control", example.controls)):
            for one in nets:
                name, told = f"{example.name}{role}{'_keras' if 'Keras' in one.name else ''}", one.score
                found[f"{name}_balanced"] = told.balanced
                if one is example.every[0]:
                    found |= {f"{name}_luck": told.luck, f"{name}_f1": told.f1, f"{name}_always_f1": told.always_f1}
                    found[f"{name}_rows"] = told.rows
    return found
