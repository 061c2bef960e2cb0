"""What chance reaches: the same inputs against the same pictures, apart by many seconds.

Shifting one round against the other keeps all that both have of their own (rhythm, bursts, pauses) and takes away only
that they belong together. The best within a window as wide as the search is drawn many times so; a Gumbel
distribution, that of maxima, through these draws says how often chance reaches what the search found.

Example:
    >>> rng = np.random.default_rng(0)
    >>> drawn = maxima(rng.normal(0, 1, 30_000), width=24, away=60)
    >>> reached_by_chance(3.0, drawn) > 0.01, reached_by_chance(9.0, drawn) < 1e-4
    (True, True)
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SIGNIFICANT: Final = 1e-3
"""How often chance may reach what is taken for evidence."""
FEWEST: Final = 12
"""Windows below which chance cannot be told."""
_EULER: Final = 0.5772156649


def maxima(turned: Floats, *, width: int, away: int) -> Floats:
    """Give the best of each window as wide as the search.

    Args:
        turned: (N,) scores with the inputs turned round by 0, 1, 2 ... frames from the best.
        width: Frames that the search spans.
        away: Turns nearer than this belong to the offset itself.

    Returns:
        (W,) maxima.
    """
    far = turned[away : len(turned) - away]
    windows = len(far) // max(width, 1)
    return far[: windows * width].reshape(windows, width).max(axis=1) if windows else np.zeros(0)


def reached_by_chance(score: float, drawn: Floats) -> float:
    """Say how likely chance is to reach a score: 0 to 1.

    Args:
        score: What the search found.
        drawn: (W,) what it finds by chance.
    """
    if len(drawn) < FEWEST or not np.isfinite(score):
        return 1.0
    spread = max(float(drawn.std(ddof=1)), 1e-12) * np.sqrt(6) / np.pi
    middle = float(drawn.mean()) - _EULER * spread
    with np.errstate(over="ignore"):
        by_law = -np.expm1(-np.exp(-(score - middle) / spread))
    return float(max(by_law, 0.3 * np.mean(drawn >= score)))
