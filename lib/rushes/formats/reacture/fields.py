"""Columns of telemetry and where they stand in a row of a set: flat names here, nested objects there.

What has no place in the game's rows goes into `telemetry` of the row under its own name. In reading, what stands at an
unknown place becomes a column named by its path (`finalStats_score`). A value that is no finite number, no text and no
truth value is left out; nothing is made up for what is missing.

Source of the places: gudlaa/ReActure game.js at d04b59d, logRobotState and getSensorData.

Example:
    >>> row = nested({"battery": 80.0, "position_x": 1.5, "score": 7})
    >>> row
    {'battery': 80.0, 'robot': {'position': {'x': 1.5}}, 'telemetry': {'score': 7}}
    >>> flat(row)
    ({'battery': 80.0, 'position_x': 1.5, 'score': 7}, 0)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

Path = tuple[str, ...]


def _axes(prefix: str, *path: str) -> dict[str, Path]:
    return {f"{prefix}_{axis}": (*path, axis) for axis in "xyz"}


PLACES: Final[Mapping[str, Path]] = {
    "battery": ("battery",),
    "damage": ("damage",),
    "health": ("health",),
    "fuel": ("fuel",),
    "zone": ("zone",),
    **_axes("position", "robot", "position"),
    **_axes("rotation", "robot", "rotation"),
    **_axes("velocity", "robot", "velocity"),
    "is_jumping": ("robot", "isJumping"),
    **_axes("acceleration", "accelerometer"),
    **_axes("camera", "camera", "position"),
    **_axes("camera_rotation", "camera", "rotation"),
    "camera_yaw": ("camera", "yaw"),
    "camera_pitch": ("camera", "pitch"),
    "inspect": ("key_presses", "inspect"),
    "destroy": ("key_presses", "destroy"),
    "proximity": ("sensors", "proximity"),
    **{f"proximity_{side}": ("sensors", "proximitySensors", side) for side in ("forward", "left", "right", "back")},
    "victims_detected": ("sensors", "victimsDetected"),
    "fuel_station_distance": ("sensors", "fuelStationDistance"),
    "in_yellow_zone": ("sensors", "inYellowZone"),
    "in_red_zone": ("sensors", "inRedZone"),
}
"""Column -> where it stands in a row."""
NEAREST: Final = ("distance", "angle", "health")
"""Of a victim in `sensors.victims`: columns `nearest_victim_*`."""
OTHERS: Final = "telemetry"
"""Object of a row that holds columns without a place of their own."""
WHOLE: Final = ("victims_total", "victims_saved", "victims_died", "victims_detected")
"""Counts: tables with gaps hold them as fractions."""
_COLUMN: Final = {path: name for name, path in PLACES.items()}
_TIMES: Final = ("timestamp", "timestamp_ms", "time_elapsed_s")
_NAMED: Final = ("type", "event", "action", "visual_frame_path", "frame_index", "key_presses", "rushes", "input")
_NOT_TELEMETRY: Final = frozenset({*_TIMES, *_NAMED})
"""What a row says beside telemetry."""
_TWICE: Final = ("sensors", "zone")
_MOST_COLUMNS: Final = 256
_MOST_DEPTH: Final = 6
_LONGEST: Final = 1000
_LONGEST_NAME: Final = 100


def nested(fields: Mapping[str, Any], *, strict: bool = False) -> dict[str, Any]:
    """Make the objects of a row.

    Args:
        fields: Columns of telemetry; a value that is None is left out.
        strict: Leave out what has no place in the game's rows.
    """
    row: dict[str, Any] = {}
    others: dict[str, Any] = {}
    victim = {}
    for name, value in fields.items():
        kept = plain(value)
        if kept is None:
            continue
        if name in WHOLE and isinstance(kept, float) and kept.is_integer():
            kept = int(kept)
        if name in PLACES:
            *path, last = PLACES[name]
            place = row
            for step in path:
                place = place.setdefault(step, {})
            place[last] = kept
        elif name.startswith("nearest_victim_") and name.removeprefix("nearest_victim_") in NEAREST:
            victim[name.removeprefix("nearest_victim_")] = kept
        else:
            others[name] = kept
    if "zone" in row and "sensors" in row:
        row["sensors"]["zone"] = row["zone"]
    if victim:
        row.setdefault("sensors", {})["victims"] = [victim]
    if others and not strict:
        row[OTHERS] = others
    return row


def flat(row: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Give the columns of a row, and how many values were left out because they are of no kind.

    Args:
        row: A row of a set, as JSON gives it.
    """
    found: dict[str, Any] = {}
    bad = 0
    for path, value in _leaves(row):
        kept = plain(value)
        bad += kept is None and value is not None
        name = path[1] if path[0] == OTHERS and len(path) > 1 else _COLUMN.get(path, "_".join(path))[:_LONGEST_NAME]
        if kept is not None and len(found) < _MOST_COLUMNS and name not in found:
            found[name] = kept
    for name, value in _nearest(row).items():
        found.setdefault(name, value)
    return found, bad


def _leaves(row: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Walk through what is telemetry: objects, no lists."""
    for name, value in row.items():
        here = (*path, str(name))
        if isinstance(value, Mapping):
            if (path or name not in _NOT_TELEMETRY) and len(here) < _MOST_DEPTH:
                yield from _leaves(value, here)
        elif not isinstance(value, list) and (path or name not in _NOT_TELEMETRY) and here != _TWICE:
            yield here, value
    if not path and isinstance(keys := row.get("key_presses"), Mapping):
        yield from ((("key_presses", name), keys[name]) for name in ("inspect", "destroy") if name in keys)


def _nearest(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give the nearest of the victims that a row lists."""
    sensors = row.get("sensors")
    listed = sensors.get("victims") if isinstance(sensors, Mapping) else None
    known = [v for v in listed if isinstance(v, Mapping)] if isinstance(listed, list) else []
    near = [(float(d), v) for v in known if isinstance(d := plain(v.get("distance")), int | float)]
    if not near:
        return {}
    victim = min(near, key=lambda one: one[0])[1]
    return {f"nearest_victim_{name}": value for name in NEAREST if (value := plain(victim.get(name))) is not None}


def plain(value: Any) -> bool | int | float | str | None:
    """Give a value that a table may hold; None where it is none, or no finite number."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value[:_LONGEST].encode("utf-8", "replace").decode()
    if isinstance(value, int | float):
        good = abs(value) < 1 << 53 if isinstance(value, int) else math.isfinite(value)
        return value if good else None
    return None


def of_one_kind(rows: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    """Put rows below each other, each column of one kind: truth values, numbers or texts, None where there is none.

    Args:
        rows: Columns of each row.

    Returns:
        Column -> one value a row. A column that holds several kinds becomes numbers, or texts where one is a text.
    """
    listed = list(rows)
    names = dict.fromkeys(name for row in listed for name in row)
    return {name: _alike([row.get(name) for row in listed]) for name in names}


def _alike(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) < 2:  # noqa: PLR2004 - one kind alone
        return values
    to = str if str in kinds else float
    return [None if value is None else to(value) for value in values]
