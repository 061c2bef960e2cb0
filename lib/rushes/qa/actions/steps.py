"""The actions of an environment: one that is always chosen, such as the space lacks, rewards that are no numbers.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> bad_actions(ActionSpace.discrete(["NOOP", "FIRE"], world="ALE"), pd.Series([0, 1, 2])).tolist()
    [False, False, True]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.qa.rules import Rule, rules_of
from rushes.qa.subject import Subject

RULES: Final = rules_of(
    # A game of one key leaves it alone for most of the time; above this hardly a decision is left to learn.
    Rule("actions.one_action", "steps that all have one action", limit=98.0, unit="%"),
    Rule("actions.action_range", "actions that the space lacks", limit=0.0, unit="steps", severity="error"),
    Rule("actions.reward_nan", "rewards that are no numbers, beside others that are", limit=0.0, unit="steps"),
)

_ENOUGH: Final = 100
"""Steps from which on a share of them means something."""
_ROUNDING: Final = 1e-5
"""Relative error that float32 leaves in a limit of a box."""


def check_steps(subject: Subject) -> Iterator[Finding]:
    """Check the steps of an environment.

    Args:
        subject: A recording of one.

    Yields:
        Findings of this module's `RULES`.
    """
    steps, space = subject.steps, subject.recording.info.action_space
    if not len(steps):
        return
    yield from _one(subject, steps, space)
    wrong = bad_actions(space, steps["action"])
    yield from _count(
        subject, steps, wrong, "actions.action_range", "actions are not in the space",
        "the space or the column is another game's; restore one of them",
    )  # fmt: skip
    reward = steps["reward"].to_numpy(np.float64, na_value=np.nan)
    none = ~np.isfinite(reward)
    if not none.all():
        yield from _count(
            subject, steps, none, "actions.reward_nan", "rewards are no numbers", "leave these steps out of returns"
        )


def bad_actions(space: ActionSpace, actions: pd.Series) -> npt.NDArray[np.bool_]:
    """Say which actions a space lacks.

    Args:
        space: What can be done.
        actions: Numbers of actions where it is discrete, else vectors.

    Returns:
        (N,) bool.
    """
    if space.kind == "discrete":
        number = pd.to_numeric(actions, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return np.asarray(~((number >= 0) & (number < len(space)) & (number == np.floor(number))))
    fits = np.array([np.size(action) == len(space) for action in actions], bool)
    found = ~fits
    if fits.any():
        rows = np.stack([np.asarray(action, np.float64).ravel() for action in actions[fits]])
        low, high = (np.array(limit, np.float64) for limit in zip(*(s.limits for s in space.slots), strict=True))
        slack = _ROUNDING * np.maximum(1.0, np.abs(np.where(np.isfinite(high), high, 0.0)))
        found[fits] = ~(np.isfinite(rows) & (rows >= low - slack) & (rows <= high + slack)).all(axis=1)
    return found


def _one(subject: Subject, steps: pd.DataFrame, space: ActionSpace) -> Iterator[Finding]:
    rule = RULES["actions.one_action"]
    if space.kind != "discrete" or len(space) < 2 or len(steps) < _ENOUGH:  # noqa: PLR2004 - a choice
        return
    count = steps["action"].value_counts()
    share = 100 * float(count.iloc[0]) / len(steps)
    if share > subject.limit(rule):
        number = count.index[0]
        known = isinstance(number, int | np.integer) and 0 <= number < len(space)
        name = space.names[int(number)] if known else str(number)
        sentence = (
            f"{share:.1f} % of {len(steps)} steps are {name} (limit {subject.limit(rule):g} %): nothing can be learned "
            "from them; see what the policy gave"
        )
        yield subject.finding(rule, sentence, value=share, stream="actions")


def _count(
    subject: Subject, steps: pd.DataFrame, wrong: npt.NDArray[np.bool_], name: str, what: str, fix: str
) -> Iterator[Finding]:
    rule = RULES[name]
    if wrong.sum() > subject.limit(rule):
        first = steps.iloc[int(wrong.argmax())]
        sentence = (
            f"{wrong.sum()} of {len(steps)} {what}, first at frame {first['frame_index']} "
            f"({first['t_ns'] / NS:.2f} s): {fix}"
        )
        yield subject.finding(
            rule, sentence, value=float(wrong.sum()), stream="actions",
            frame_index=int(first["frame_index"]), t_ns=int(first["t_ns"]),
        )  # fmt: skip
