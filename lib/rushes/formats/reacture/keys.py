"""Keys of rows as inputs, as far as the rows say them.

The game's own rows do not say all that they list: `Space`, `R` and `destroy` are never updated, nor is the motion of
the mouse, and `E` repeats the mode `inspect`. A column that is the same in every row is left out where the game wrote
it, since whether the key was used is not known. Jumps stand in the actions.

Example:
    >>> import numpy as np
    >>> rows = np.zeros((3, 11)); rows[1, 0] = rows[2, 5] = rows[2, 7] = 1
    >>> Said.of(rows, is_games=True, jumped=False).columns
    ('W', 'A', 'S', 'D', 'inspect')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.formats.reacture.about import slots_of
from rushes.formats.reacture.actions import inputs_of
from rushes.formats.reacture.lines import KEYS
from rushes.formats.reacture.remarks import Notes
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.rows import events_from_rows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_IDLE: Final = ("Space", "R", "destroy", "mouse_dx", "mouse_dy")
"""What the game lists and never updates."""
_SPACE, _INSPECT = "Space", "inspect"


@dataclass(frozen=True)
class Said:
    """What the rows of a set say of keys.

    Attributes:
        columns: Columns that say something.
        rows: Those of them that the rows themselves say.
        idle: Columns that the game never updated.
        mode_as_key: Whether column E repeats `inspect`.
    """

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    idle: tuple[str, ...]
    mode_as_key: bool

    @classmethod
    def of(cls, values: Floats, *, is_games: bool, jumped: bool) -> Said:
        """Find out.

        Args:
            values: (N, 11) the rows' values in the order of `KEYS`.
            is_games: Whether the game itself wrote them.
            jumped: Whether there are actions `jump`.
        """
        moved = dict(zip(KEYS, (values != 0).any(axis=0).tolist() if len(values) else [False] * len(KEYS), strict=True))
        idle = tuple(name for name in _IDLE if is_games and not moved[name])
        repeats = moved["E"] and bool((values[:, KEYS.index("E")] == values[:, KEYS.index(_INSPECT)]).all())
        mode = is_games and (repeats or not moved["E"])
        rows = tuple(name for name in KEYS if name not in idle and not (mode and name == "E"))
        columns = tuple(name for name in KEYS if name in rows or (name == _SPACE and jumped))
        return cls(columns, rows, tuple(n for n in idle if n not in columns), mode and repeats)

    def tell(self, notes: Notes, rows: int) -> None:
        """Say what is not known."""
        notes.add("never_updated", rows if self.idle else 0, more=", ".join(self.idle))
        notes.add("mode_as_key", rows if self.mode_as_key else 0)

    def events(self, values: Floats, t_ns: Ints, end_ns: int, actions: Sequence[tuple[str, int]]) -> pd.DataFrame:
        """Make the events of one stretch.

        Args:
            values: (N, 11) the rows' values.
            t_ns: (N,) their times.
            end_ns: The stretch's end.
            actions: Name and time of what was done, in the order of time.
        """
        space = ActionSpace("buttons", slots_of(self.rows))
        chosen = values[:, [KEYS.index(name) for name in self.rows]]
        end_ns = max(end_ns, int(t_ns[-1]) + 1)
        table = events_from_rows(chosen, t_ns, end_ns=end_ns, space=space).events
        jumps, inspects = _SPACE not in self.rows, not values[:, KEYS.index(_INSPECT)].any()
        taps = [
            event
            for name, at in actions
            if int(t_ns[0]) <= at < end_ns
            for event in inputs_of(name, at, jumps=jumps, inspects=inspects)
        ]
        if not taps:
            return table
        both = pd.concat([part for part in (table, events_frame(taps)) if len(part)], ignore_index=True)
        return both.sort_values("t_ns", kind="stable", ignore_index=True)
