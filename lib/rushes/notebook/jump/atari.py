"""An Atari game with FIRE as the control: Atlantis, played by a gunner who fires by what stands on the screen.

Ships cross the sky in four lanes. The gunner presses FIRE when one comes within reach of the middle, sooner the higher
it flies, and holds the key the longer the higher it flies; which of three cannons fires is drawn, so that no two games
are alike. Whether a ship comes or goes is seen in two pictures and not in one: windows have two frames here.

Example:
    >>> sky = np.zeros((210, 160, 3), np.uint8)
    >>> sky[22:28, 70:86] = 200
    >>> ships(sky)
    [(0, 77.5)]
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError

Pixels = npt.NDArray[np.uint8]

GAME: Final = "Atlantis"
POLICY: Final = "rushes.notebook.jump.atari:Gunner"
TARGET: Final = "ALE/FIRE"
LENGTH: Final = 2
_LANES: Final = ((16, 32), (37, 53), (58, 74), (79, 95))
"""Rows of the four lanes, from the top."""
_REACH_PX: Final = (44, 36, 28, 20)
"""Distance from the middle at which a ship of each lane is fired at."""
_HOLDS: Final = (8, 6, 4, 3)
"""Steps for which the key is then held."""
_MIDDLE_PX: Final = 76.0
_NARROWEST_PX, _GAP_PX = 8, 3
_CANNONS: Final = ("ALE/FIRE", "ALE/RIGHTFIRE", "ALE/LEFTFIRE")


class _Moment(Protocol):
    @property
    def action_names(self) -> tuple[str, ...]: ...
    @property
    def rng(self) -> np.random.Generator: ...
    def rgb(self) -> Pixels: ...


def ships(picture: Pixels) -> list[tuple[int, float]]:
    """Find the ships in the sky.

    Args:
        picture: (210, 160, 3) uint8 RGB.

    Returns:
        (lane from the top, column of its middle) of each; what is narrower than a ship, as a shot, is none.
    """
    found = []
    for lane, (top, bottom) in enumerate(_LANES):
        columns = np.flatnonzero(picture[top:bottom].any(axis=(0, 2)))
        runs = [run for run in np.split(columns, np.flatnonzero(np.diff(columns) > _GAP_PX) + 1) if len(run)]
        wide = [run for run in runs if run[-1] - run[0] + 1 >= _NARROWEST_PX]
        found += [(lane, float(run[0] + run[-1]) / 2) for run in wide]
    return found


class Gunner:
    """The policy; one for each episode."""

    def __init__(self) -> None:
        self._within: set[int] = set()
        self._left = 0
        self._cannon = 0

    def __call__(self, moment: _Moment) -> int:
        """Fire, hold or wait.

        Raises:
            BadInputError: The game has other actions.
        """
        names = moment.action_names
        if not set(_CANNONS) <= set(names):
            raise BadInputError(
                f"the gunner for a game with the actions {', '.join(names)}",
                accepts=f"{GAME}, with {', '.join(_CANNONS)}",
                fix=f"sample {GAME} with him",
            )
        within = {lane for lane, column in ships(moment.rgb()) if abs(column - _MIDDLE_PX) <= _REACH_PX[lane]}
        come, self._within = sorted(within - self._within), within
        if self._left > 0:
            self._left -= 1
        elif come:
            self._left = _HOLDS[come[0]]
            self._cannon = names.index(_CANNONS[int(moment.rng.integers(len(_CANNONS)))])
        return self._cannon if self._left else 0
