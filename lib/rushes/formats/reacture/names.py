"""Names of the files of a set, and what the number in a name is.

```
reacture_<ms>_metadata.json        what it is
reacture_<ms>_data.jsonl           one row a frame
reacture_<ms>_frame_000000.png     the pictures, one file each
reacture_<ms>_frames.npy           the pictures, uint8 (N, h, w, 3)
reacture_<ms>_timestamps.npy       float32 (N,), ms since the first frame
reacture_<ms>_README.md            what is what, for people
reacture_<ms>_events.jsonl         ours: rows that are no frame's
reacture_<ms>_repeats.json         ours, strict alone: which rows repeat a picture
```

`<ms>` is Unix time in ms of the session's start. Where no wall clock belongs to a session it follows from the session's
id, and is a number of January or February 1970, which nobody takes for a date.

Source of the names: gudlaa/ReActure at d04b59d and e46cbf2, game.js.

Example:
    >>> set_id(1_731_177_600_000_500_000, "demo"), set_id(None, "demo")
    ('reacture_1731177600000', 'reacture_3594706848')
    >>> number_in("frames/frame_000012.npy"), number_in("reacture_17_frame_000600.png"), number_in(None)
    (12, 600, None)
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Final

PREFIX: Final = "reacture_"
METADATA: Final = "_metadata.json"
DATA: Final = "_data.jsonl"
FRAMES: Final = "_frames.npy"
TIMESTAMPS: Final = "_timestamps.npy"
README: Final = "_README.md"
EVENTS: Final = "_events.jsonl"
REPEATS: Final = "_repeats.json"
ENCODED: Final = "_frames.json"
"""Pictures as base64, as the game wrote them before fb01649."""
PERIODIC: Final = "periodic_update_10hz"
"""`event` of a row that belongs to a frame."""
SPLIT: Final = re.compile(r"frames/frame_(\d{1,9})\.npy")
"""One array a picture, as npyExtracter.py of the game cuts `_frames.npy`."""
_NUMBER: Final = re.compile(r"(\d+)\D*$")
_PNG: Final = re.compile(r"_frame_(\d{1,9})\.png", re.IGNORECASE)
_LONGEST: Final = 9
_MS: Final = 1_000_000


def set_id(wall_ns: int | None, session: str) -> str:
    """Name a set.

    Args:
        wall_ns: Unix time in ns of its start, or None.
        session: The session's id.
    """
    number = wall_ns // _MS if wall_ns is not None and wall_ns >= 0 else zlib.crc32(session.encode())
    return f"{PREFIX}{number}"


def png_name(number: int) -> str:
    """Name a picture's file, without the set's id."""
    return f"_frame_{number:06d}.png"


def png_number(ending: str) -> int | None:
    """Give the number in what stands behind the set's id; None where it is no picture's name."""
    match = _PNG.fullmatch(ending)
    return int(match[1]) if match else None


def number_in(path: Any) -> int | None:
    """Give the last number in a path, as `visual_frame_path` has it; None where there is none."""
    match = _NUMBER.search(path[-64:]) if isinstance(path, str) else None
    return int(match[1]) if match and len(match[1]) <= _LONGEST else None
