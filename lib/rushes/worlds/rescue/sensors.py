"""What the rescuer's instruments say: the telemetry of one moment, flat names, each from the state of the game.

Places and distances are units, angles radians, velocities units a second, accelerations units a second squared.
`battery` and `fuel` are the same 0 to 100, `damage` is (100 - health) / 100. Proximity is how far a ray is free, 10
where nothing is nearer; `nearest_victim_angle` is atan2(dx, dz). Without anybody who waits, that is left out.

Example:
    >>> from rushes.worlds.rescue.city import City
    >>> row = telemetry(Rescuer(City.drawn(7)))
    >>> row["event"], row["battery"], row["damage"], row["victims_total"]
    ('periodic_update_10hz', 100.0, 0.0, 9)
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from rushes.worlds.rescue.city import City
from rushes.worlds.rescue.rescuer import EYE, SENSED, Rescuer

PERIODIC: Final = "periodic_update_10hz"
"""`event` of the row of a captured frame."""
REACH: Final = 10.0
"""Units that the proximity sensors reach."""


def telemetry(rescuer: Rescuer, event: str = PERIODIC) -> dict[str, Any]:
    """Read all instruments.

    Args:
        rescuer: Whose.
        event: What the row is about.
    """
    return {**state(rescuer, event), **proximity(rescuer.city, rescuer.x, rescuer.z, rescuer.yaw)}


def proximity(city: City, x: float, z: float, yaw: float) -> dict[str, float]:
    """Say how far one could go in each direction.

    Args:
        city: Where.
        x: Units to the east.
        z: Units to the south.
        yaw: Radians.
    """
    sin, cos = math.sin(yaw), math.cos(yaw)
    ways_x, ways_z = np.array([-sin, -cos, cos, sin]), np.array([-cos, sin, -sin, cos])
    free = np.minimum(city.rays(x, z, ways_x, ways_z).far, REACH).tolist()
    sides = zip(("forward", "left", "right", "back"), free, strict=True)
    return {"proximity": min(free), **{f"proximity_{side}": value for side, value in sides}}


def state(rescuer: Rescuer, event: str = PERIODIC) -> dict[str, Any]:
    """Read all instruments but those of proximity, which take the longest."""
    victim, away = rescuer.nearest()
    waiting = [v for v in rescuer.victims if v.state == "waiting"]
    eye = rescuer.y + EYE
    fields: dict[str, Any] = {
        "event": event,
        "battery": rescuer.battery,
        "fuel": rescuer.battery,
        "damage": (100.0 - rescuer.health) / 100.0,
        "health": rescuer.health,
        "zone": rescuer.zone,
        **_axes("position", (rescuer.x, rescuer.y, rescuer.z)),
        **_axes("rotation", (0.0, rescuer.yaw, 0.0)),
        **_axes("velocity", rescuer.velocity),
        **_axes("acceleration", rescuer.acceleration),
        **_axes("camera", (rescuer.x, eye, rescuer.z)),
        "camera_yaw": rescuer.yaw,
        "camera_pitch": rescuer.pitch,
        "is_jumping": rescuer.jumping,
        "inspect": rescuer.inspecting,
        "destroy": rescuer.destroying,
        "fuel_station_distance": rescuer.station()[1],
        "in_yellow_zone": rescuer.zone == "yellow",
        "in_red_zone": rescuer.zone == "red",
        "victims_total": len(rescuer.victims),
        "victims_saved": sum(v.state == "saved" for v in rescuer.victims),
        "victims_died": sum(v.state == "dead" for v in rescuer.victims),
        "victims_detected": sum(math.hypot(v.x - rescuer.x, v.z - rescuer.z) < SENSED for v in waiting),
        "score": rescuer.score,
    }
    if victim is not None:
        fields |= {
            "nearest_victim_distance": away,
            "nearest_victim_angle": math.atan2(victim.x - rescuer.x, victim.z - rescuer.z),
            "nearest_victim_health": victim.health,
        }
    return fields


def _axes(name: str, values: tuple[float, float, float]) -> dict[str, float]:
    return {f"{name}_{axis}": float(value) for axis, value in zip("xyz", values, strict=True)}
