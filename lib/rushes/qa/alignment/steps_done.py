"""What was done at each step of an environment, in columns that can be held against what was seen.

Discrete actions of buttons become their buttons (`ALE/UPFIRE` is up and fire) and directions, others one column an
action, since neither their order nor their distance means anything; vectors stay as they are, in units of their spread.

Example:
    >>> import pandas as pd
    >>> from rushes.model.actions import ActionSpace
    >>> steps = pd.DataFrame({"frame_index": [10, 12], "action": [1, 2]})
    >>> columns(ActionSpace.discrete(["NOOP", "FIRE", "UPFIRE"], world="ALE"), steps, first=10, count=3)
    array([[ 1.,  0.],
           [nan, nan],
           [ 1.,  1.]])
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import RushesError
from rushes.model.actions import ActionSpace
from rushes.model.controls import action_buttons

Floats = npt.NDArray[np.float64]

_MOST: Final = 24
"""Columns at the most; of more actions, or longer vectors, those that vary most are looked at."""

_OPPOSITE: Final = (("ALE/RIGHT", "ALE/LEFT"), ("ALE/DOWN", "ALE/UP"))
"""Buttons whose difference is a column of its own, since they move the same thing both ways."""


def columns(space: ActionSpace, steps: pd.DataFrame, *, first: int, count: int) -> Floats:
    """Lay out what was done by observation.

    Args:
        space: The actions.
        steps: Columns `frame_index` and `action`, of one segment.
        first: The segment's first frame_index.
        count: How many observations are asked for.

    Returns:
        (count, Q) float64; row k is what was done on observation `first + k`, NaN where nothing is known.
    """
    place = steps["frame_index"].to_numpy(np.int64) - first
    inside = (place >= 0) & (place < count)
    if space.kind == "discrete":
        table = _table(space.names)
        number = steps["action"].to_numpy(np.int64)
        known = inside & (number >= 0) & (number < len(table))
        values = table[number[known]]
    else:
        known = inside
        values = np.array([np.ravel(action) for action in steps["action"][known]], np.float64).reshape(known.sum(), -1)
    out = np.full((count, values.shape[1]), np.nan)
    out[place[known]] = values
    return out


def telling(parts: list[Floats]) -> list[Floats]:
    """Leave the columns that vary, scaled, the same ones in all parts.

    Args:
        parts: (N, Q) each, as `columns` gives them.

    Returns:
        (N, R) each, R <= Q; 0 columns where the same was done all the time.
    """
    whole = np.concatenate(parts)
    known = whole[np.isfinite(whole).all(1)]
    spread = known.std(0) if len(known) else np.zeros(whole.shape[1])
    order = np.sort(np.argsort(spread, kind="stable")[::-1][:_MOST])
    kept = order[spread[order] > 0]
    on_off = np.isin(known[:, kept], (0.0, 1.0)).all(0) if len(known) else np.ones(len(kept), bool)
    scale = np.where(on_off, 1.0, spread[kept])  # a button stays 0 or 1, so that presses can be told from holds
    return [part[:, kept] / scale for part in parts]


def _table(names: tuple[str, ...]) -> Floats:
    """Give the columns of each action: (actions, Q)."""
    try:
        held = [action_buttons(name) for name in names]
    except RushesError:
        held = []
    buttons = sorted(frozenset[str]().union(*held))
    if held and len(buttons) < len(names):
        down = {button: np.array([button in one for one in held], np.float64) for button in buttons}
        pairs = [(a, b) for a, b in _OPPOSITE if {a, b} <= down.keys()]
        return np.stack([*down.values(), *(down[a] - down[b] for a, b in pairs)], 1)
    return np.eye(len(names))[:, 1:]
