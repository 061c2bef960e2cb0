"""Inputs as rows of a layout, and the account of what the layout has no place for.

Keyboard and mouse go straight into a layout of keys; what a pad did goes there through the pad map. A layout of pad
controls takes both the other way round. Each event is kept, or lost under its reason: `no_place_KeyP`, `hotkey`,
`outside_segment`.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.store.pad_maps import read_pad_map
    >>> keys = Rows(ActionSpace.from_layout("capture28"), read_pad_map())
    >>> "KeyW" in keys.controls, "J_LEFT_Y" in keys.controls, "GUIDE" in keys.controls
    (True, True, False)
    >>> "KeyW" in Rows(ActionSpace.from_layout("nitrogen25"), read_pad_map()).controls
    True
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.actions import ActionSpace
from rushes.model.controls import PAD_BUTTONS, STICKS, TRIGGERS
from rushes.model.conversions import conversion
from rushes.model.grid import Grid
from rushes.model.ledger import Tally
from rushes.model.pad_map import PadMap
from rushes.model.recording import Recording
from rushes.store.pairing import Pair

Floats = npt.NDArray[np.float32]

_PAD_CONTROLS: Final = frozenset({*PAD_BUTTONS, *TRIGGERS, *STICKS})
_PAD: Final = ActionSpace.from_layout("nitrogen25")
NO_PLACE: Final = "no_place_"
"""What stands before a control's name in the ledger's reason."""


class Rows:
    """Reads steps as vectors of one layout.

    Args:
        target: A layout of keys and motion (`capture28`, `capture20` ...) or of pad controls (`nitrogen21`,
            `nitrogen25`).
        pad_map: What goes between the two.
        motion: Whether motion of the pointer has a place beside the layout's columns.

    Attributes:
        target: The layout.
        controls: Physical controls that have a place.
    """

    def __init__(self, target: ActionSpace, pad_map: PadMap, *, motion: bool = False) -> None:
        self.target, self._map = target, pad_map
        own = {control for slot in target.slots for control in (*slot.plus, *slot.minus)}
        self._for_pads = bool(own & _PAD_CONTROLS)
        if self._for_pads:
            places = set(target.names)
            slots = [s for s in pad_map.space.slots if s.name in places]
            through = {control for slot in slots for control in (*slot.plus, *slot.minus)}
        else:
            through = set(pad_map.ways_back(target))
        self.controls: frozenset[str] = frozenset(own | through | ({"MouseDX", "MouseDY"} if motion else set()))

    def vectors(self, grid: Grid) -> Floats:
        """Read steps.

        Args:
            grid: N steps.

        Returns:
            (N, len(target)) float32.
        """
        if self._for_pads:
            return conversion(_PAD, self.target).vectors(self._map.pad(grid))
        direct = grid.vector(self.target)
        if not _PAD_CONTROLS & {*grid.held, *grid.axes}:
            return direct
        mapped = self._map.keys(grid.vector(_PAD), self.target, partial=True)
        limits = np.array([slot.limits for slot in self.target.slots], np.float32)
        button = np.array([slot.role == "button" for slot in self.target.slots])
        both = np.where(button, np.maximum(direct, mapped), direct + mapped)
        return np.asarray(np.clip(both, limits[:, 0], limits[:, 1]), np.float32)


class Account:
    """What becomes of the events of one recording.

    Args:
        tally: Where to count.
        controls: Physical controls that have a place.
    """

    def __init__(self, tally: Tally, controls: frozenset[str]) -> None:
        self._tally, self._controls = tally, controls
        self._seen = 0
        self._lost: Counter[str] = Counter()

    def take(self, pair: Pair) -> None:
        """Count the events of one segment."""
        ledger = pair.grid.ledger
        lost = Counter({f"{NO_PLACE}{name}": count for name, count in pair.without_place(self._controls).items()})
        chords = int(((pair.events["flag"] == "hotkey") & (pair.events["kind"] != "state")).sum())
        lost += Counter(hotkey=chords)
        self._seen += ledger["used"] + ledger["repeat"] + chords
        self._lost += lost

    def lose(self, reason: str, count: int) -> None:
        """Count events of the segments that are lost for a reason of the format's own."""
        self._lost += Counter({reason: count})

    def close(self, recording: Recording) -> None:
        """Write the account, once all segments were taken."""
        earlier = recording.ledger.get("events")
        offered = max(self._seen, earlier.kept if earlier is not None else 0)
        self._tally.offer("events", offered)
        for reason, count in {**self._lost, "outside_segment": offered - self._seen}.items():
            self._tally.lose("events", reason, count)
