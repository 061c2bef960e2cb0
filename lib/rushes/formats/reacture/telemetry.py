"""The table of what the game reported, from the rows of a set.

Example:
    >>> import pandas as pd
    >>> table = telemetry_table([{"event": "game_start"}, {"battery": 90.0}], [0, 100], [None, 0], [None, 0])
    >>> table["segment"].isna().tolist(), table["battery"].tolist()[1]
    ([True, False], 90.0)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rushes.formats.reacture.fields import of_one_kind


def telemetry_table(
    fields: Iterable[Mapping[str, Any]],
    t_ns: Sequence[int],
    segment: Sequence[int | None],
    frame_index: Sequence[int | None],
) -> pd.DataFrame:
    """Make the table of what the game reported.

    Args:
        fields: Columns of each row.
        t_ns: ns since session start of each.
        segment: The segment in which it lies, or None.
        frame_index: The frame to which it belongs, or None.

    Returns:
        One row each in the order of time, that of a frame before others of its time.
    """
    own = {"t_ns", "segment", "frame_index"}
    columns = of_one_kind({name: value for name, value in row.items() if name not in own} for row in fields)
    numbers = {
        "t_ns": np.array(t_ns, np.int64),
        "segment": np.array([np.nan if s is None else s for s in segment], np.float64),
        "frame_index": np.array([np.nan if f is None else f for f in frame_index], np.float64),
    }
    order = np.lexsort((np.isnan(numbers["frame_index"]), numbers["t_ns"]))
    table: dict[str, Any] = {name: values[order] for name, values in numbers.items()}
    table |= {name: pd.Series([values[k] for k in order]) for name, values in columns.items()}
    return pd.DataFrame(table)
