"""What a set's metadata says of the session, read with care: plain values, cut to lengths.

Example:
    >>> about = About({"player_name": "Ada", "environment": "tsunami", "game_result": {"final_score": 7}, "x": [1]})
    >>> about.provenance
    {'player': 'Ada', 'environment': 'tsunami', 'game_result': {'final_score': 7}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rushes.errors import BadDataError
from rushes.formats.reacture import names
from rushes.formats.reacture.fields import plain
from rushes.formats.reacture.find import Found
from rushes.formats.reacture.remarks import Notes
from rushes.model.actions import ActionSpace
from rushes.model.layouts import Slot, slot
from rushes.model.session import SessionInfo, StreamSpec

ROBOT: Final = "ReActure_v1"
"""`robot_model` of the game itself; this program writes it only where it read it."""
KNOWN: Final = (
    "session_id",
    "start_time",
    "end_time",
    "duration_s",
    "player_id",
    "environment",
    "environment_name",
    "robot_model",
)
"""Keys of the metadata that a session keeps under the same name."""
_MOST: Final = 16 << 20
_LONGEST: Final = 200
_NS_A_MS: Final = 1_000_000


@dataclass(frozen=True)
class About:
    """What the metadata says.

    Attributes:
        said: The JSON object; empty where there is none.
    """

    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def provenance(self) -> dict[str, Any]:
        """Who played, where, and how it ended; what is not said is not there."""
        named = {"player": self.said.get("player_name"), **{key: self.said.get(key) for key in KNOWN}}
        told: dict[str, Any] = {name: kept for name, value in named.items() if (kept := _short(value)) is not None}
        result = self.said.get("game_result")
        if isinstance(result, dict):
            scores = {str(k)[:_LONGEST]: kept for k, v in list(result.items())[:32] if (kept := _short(v)) is not None}
            told |= {"game_result": scores} if scores else {}
        return told

    @property
    def is_games(self) -> bool:
        """Whether the game itself wrote it."""
        return self.said.get("robot_model") == ROBOT

    @property
    def wall_ns(self) -> int | None:
        """Unix time in ns of the game's start; None where it is not told."""
        text = self.said.get("start_time")
        try:
            found = datetime.fromisoformat(text) if isinstance(text, str) and len(text) <= _LONGEST else None
            return round(found.timestamp() * 1000) * _NS_A_MS if found and found.tzinfo else None
        except (ValueError, OverflowError):
            return None

    @property
    def rate_hz(self) -> float:
        """Frames a second."""
        rate = plain(self.said.get("sampling_rate_hz"))
        return float(rate) if isinstance(rate, int | float) and 0 < rate <= 1000 else 10.0  # noqa: PLR2004

    def counted(self, name: str) -> int | None:
        """Give a number of `data_stats`; None where it is not told."""
        stats = self.said.get("data_stats")
        value = stats.get(name) if isinstance(stats, dict) else None
        return value if type(value) is int else None


def _short(value: Any) -> Any:
    kept = plain(value)
    return kept[:_LONGEST] if isinstance(kept, str) else kept


def read_about(found: Found, notes: Notes) -> About:
    """Read the metadata of a set.

    Args:
        found: The set.
        notes: Where to say what was wrong.
    """
    name = found.file(names.METADATA)
    if name is None:
        notes.add("missing_metadata", 1)
        return About()
    try:
        values = json.loads(found.place.read(name, most=_MOST), parse_constant=lambda _: None)
    except (BadDataError, ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        notes.add("damaged_metadata", 1, name)
        return About()
    return About(values)


def repeats_of(found: Found, schema: str) -> frozenset[int]:
    """Read which rows of a strict set repeat the picture before; empty where nothing says it."""
    name = found.file(names.REPEATS)
    try:
        values = json.loads(found.place.read(name, most=_MOST)) if name else {}
        rows = values["rows"] if values.get("schema") == schema else []
        return frozenset(row for row in rows if type(row) is int)
    except (BadDataError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return frozenset()


def slots_of(columns: tuple[str, ...]) -> tuple[Slot, ...]:
    """Give the slots of columns of `key_presses`."""
    return tuple(slot(name) for name in columns)


def info_of(
    found: Found, about: About, columns: tuple[str, ...], *, size: tuple[int, int] | None, measured: bool
) -> SessionInfo:
    """Describe a set that this program did not write.

    Args:
        found: The set.
        about: Its metadata.
        columns: Columns of `key_presses` that say something.
        size: (height, width) of its pictures; None where there are none.
        measured: Whether its times are.
    """
    height, width = size or (0, 0)
    return SessionInfo(
        id=found.id,
        game="ReActure",
        source={"kind": "import", "name": "reacture"},
        time_source="measured" if measured else "nominal",
        streams=(
            StreamSpec("screen", "frames", "png", width=width, height=height, rate_hz=about.rate_hz),
            StreamSpec("events", "events", unit="px"),
            StreamSpec("telemetry", "telemetry"),
        ),
        action_space=ActionSpace("buttons", slots_of(columns)),
        provenance=about.provenance,
    )
