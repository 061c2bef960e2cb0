"""The rescuer: walks by W A S D, turns by the mouse, jumps, inspects and rescues, clears rubble, charges the battery.

Steps are 1/60 s. Yaw 0 looks north and grows to the left, pitch grows upwards, both in radians; a pixel of the mouse
turns by 0.002. Walking takes 2 points of the battery a second, a red zone 2 points of health; running hard into a wall
hurts too. What happens is told as an event, with the time at the end of its step.

Example:
    >>> rescuer = Rescuer(City.drawn(7))
    >>> for _ in range(60):
    ...     rescuer.step(Doing(keys=frozenset({"KeyW"})))
    >>> round(rescuer.z, 1), round(rescuer.battery, 1)
    (6.2, 98.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rushes.worlds.rescue.city import START, City

RATE: Final = 60
"""Steps a second."""
TURN: Final = 0.002
"""Radians a pixel of the mouse."""
EYE: Final = 1.68
"""Units from the feet to the eye."""
REACH: Final = 2.7
"""Units within which a victim can be helped."""
CHARGES: Final = 5.5
"""Units within which a station charges."""
SENSED: Final = 18.0
"""Units within which a victim is detected."""
DRAIN: Final = 2.0
_SPEED: Final = 6.4
_GRIP: Final = 0.16
_RADIUS: Final = 0.6
_JUMP: Final = 5.8
_GRAVITY: Final = 15.0
_HARD: Final = 3.0
_SORE_S: Final = 0.6
_STEEPEST: Final = 1.2
_INSPECT_S: Final = 1.0
_RESCUE_S: Final = 1.4
_DESTROY_S: Final = 1.5
_RED_COST: Final = 2.0
WALKS: Final = ("KeyW", "KeyA", "KeyS", "KeyD")


class Doing(NamedTuple):
    """What is done during a step.

    Attributes:
        keys: What is down at its end.
        dx: Pixels of the mouse to the right.
        dy: Pixels of the mouse downwards.
    """

    keys: frozenset[str] = frozenset()
    dx: float = 0.0
    dy: float = 0.0


@dataclass
class Victim:
    """Somebody who waits.

    Attributes:
        x: Units to the east.
        z: Units to the south.
        health: 0 to 100.
        state: `waiting`, `saved` or `dead`.
        inspected: Share of the inspection.
        helped: Share of the rescue.
    """

    x: float
    z: float
    health: float
    state: str = "waiting"
    inspected: float = 0.0
    helped: float = 0.0


@dataclass
class Rescuer:
    """Somebody who rescues, and what there is to rescue.

    Attributes:
        city: Where.
        x: Units to the east, of the feet.
        y: Units above the ground.
        z: Units to the south.
        yaw: Radians, grows to the left.
        pitch: Radians, grows upwards.
        battery: 0 to 100.
        health: 0 to 100.
        score: Points.
        zone: `safe`, `yellow` or `red`.
        velocity: Units a second along x, y and z: the last step times 60.
        acceleration: The change of the velocity, units a second squared.
        inspecting: Whether it inspects or rescues.
        destroying: Whether it clears rubble.
        victims: Everybody.
        heaps: (x, z) -> what is left of the rubble, 1 to 0.
        told: Events of the last step.
    """

    city: City
    x: float = START[0]
    y: float = 0.0
    z: float = START[1]
    yaw: float = 0.0
    pitch: float = -0.02
    battery: float = 100.0
    health: float = 100.0
    score: int = 0
    zone: str = "safe"
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    acceleration: tuple[float, float, float] = (0.0, 0.0, 0.0)
    inspecting: bool = False
    destroying: bool = False
    victims: list[Victim] = field(default_factory=list)
    heaps: dict[tuple[float, float], float] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    _falls: float = 0.0
    _sore_s: float = 0.0
    _burnt: int = 0

    def __post_init__(self) -> None:
        self.victims = [Victim(x, z, 96.0 - 4.0 * number) for number, (x, z) in enumerate(self.city.victims)]
        self.heaps = dict.fromkeys([(x, z) for x, z in self.city.heaps], 1.0)
        self.zone = self.city.zone(self.x, self.z)

    @property
    def jumping(self) -> bool:
        """Whether the feet are off the ground."""
        return self.y > 0

    def step(self, doing: Doing) -> None:
        """Go on by 1/60 s."""
        self.told = []
        self.yaw -= doing.dx * TURN
        self.pitch = min(max(self.pitch - doing.dy * TURN, -_STEEPEST), _STEEPEST)
        self._walk(doing.keys)
        if any(key in doing.keys for key in WALKS):
            self.battery = max(0.0, self.battery - DRAIN / RATE)
        self._help(doing.keys)
        self._clear(doing.keys)
        if "KeyF" in doing.keys and self.battery < 98 and self.station()[1] < CHARGES:  # noqa: PLR2004 - as good as full
            self.battery = 100.0
            self.told.append("refuel")
        self._danger()

    def nearest(self) -> tuple[Victim | None, float]:
        """Find who waits nearest, and how far away; None and infinity where nobody does."""
        waiting = [v for v in self.victims if v.state == "waiting"]
        found = min(waiting, key=self._away, default=None)
        return found, math.inf if found is None else self._away(found)

    def station(self) -> tuple[tuple[float, float], float]:
        """Find the nearest station, and how far away it is."""
        found = min(self.city.stations, key=lambda s: math.hypot(s.x - self.x, s.z - self.z))
        return (found.x, found.z), math.hypot(found.x - self.x, found.z - self.z)

    def heap(self) -> tuple[float, float] | None:
        """Find rubble within reach."""
        left = [place for place, share in self.heaps.items() if share > 0]
        near = min(left, key=lambda p: math.hypot(p[0] - self.x, p[1] - self.z), default=None)
        return near if near and math.hypot(near[0] - self.x, near[1] - self.z) < REACH else None

    def _away(self, victim: Victim) -> float:
        return math.hypot(victim.x - self.x, victim.z - self.z)

    def _walk(self, keys: frozenset[str]) -> None:
        ahead = ("KeyW" in keys) - ("KeyS" in keys)
        right = ("KeyD" in keys) - ("KeyA" in keys)
        pace = _SPEED * (1.0 if self.battery > 0 else 0.22) / (math.hypot(ahead, right) or 1.0)
        sin, cos = math.sin(self.yaw), math.cos(self.yaw)
        wished_x = (right * cos - ahead * sin) * pace
        wished_z = (-right * sin - ahead * cos) * pace
        grip = _GRIP if self.y <= 0 else _GRIP / 3
        old = self.velocity
        vx, vz = old[0] + (wished_x - old[0]) * grip, old[2] + (wished_z - old[2]) * grip
        x, z = self.x + vx / RATE, self.z + vz / RATE
        x = self.x if self._blocked(x, self.z) else x
        z = self.z if self._blocked(x, z) else z
        y = self._jump("Space" in keys)
        self.velocity = ((x - self.x) * RATE, (y - self.y) * RATE, (z - self.z) * RATE)
        self.acceleration = tuple((now - was) * RATE for now, was in zip(self.velocity, old, strict=True))  # type: ignore[assignment]
        self.x, self.y, self.z = x, y, z
        stopped = math.hypot(vx - self.velocity[0], vz - self.velocity[2])
        self._sore_s = max(0.0, self._sore_s - 1 / RATE)
        if stopped > _HARD and not self._sore_s:
            self._sore_s = _SORE_S
            self._hurt(min(10.0, (stopped - _HARD) * 1.5), "collision_damage")

    def _blocked(self, x: float, z: float) -> bool:
        corners = ((x + dx, z + dz) for dx in (-_RADIUS, _RADIUS) for dz in (-_RADIUS, _RADIUS))
        return any(self.city.solid(*corner) for corner in corners)

    def _jump(self, wants: bool) -> float:
        if self.y <= 0 and wants:
            self._falls = _JUMP
        elif self.y <= 0:
            return 0.0
        self._falls -= _GRAVITY / RATE
        return max(0.0, self.y + self._falls / RATE)

    def _help(self, keys: frozenset[str]) -> None:
        for victim in self.victims:
            if victim.state == "waiting":
                victim.health = max(0.0, victim.health - 0.3 / RATE)
        self.inspecting = "KeyE" in keys
        victim_near, away = self.nearest()
        if not self.inspecting or victim_near is None or away > REACH:
            return
        if victim_near.inspected < 1:
            victim_near.inspected += 1 / (_INSPECT_S * RATE)
            if victim_near.inspected >= 1:
                self.score += 10
                self.told.append("inspect")
            return
        victim_near.helped += 1 / (_RESCUE_S * RATE)
        if victim_near.helped >= 1:
            victim_near.state = "saved"
            self.score += round(100 + victim_near.health)
            self.told.append("rescue")

    def _clear(self, keys: frozenset[str]) -> None:
        self.destroying = "KeyR" in keys
        place = self.heap() if self.destroying else None
        if place is None:
            return
        self.heaps[place] = max(0.0, self.heaps[place] - 1 / (_DESTROY_S * RATE))
        if not self.heaps[place]:
            self.score += 20
            self.told.append("destroy_rubble")

    def _danger(self) -> None:
        zone = self.city.zone(self.x, self.z)
        if zone != self.zone:
            self.zone = zone
            self.told.append("zone_change")
        self._burnt = self._burnt + 1 if zone == "red" else 0
        if self._burnt and self._burnt % RATE == 0:
            self._hurt(_RED_COST, "damage_from_zone")

    def _hurt(self, points: float, event: str) -> None:
        self.health = max(0.0, self.health - points)
        self.told.append(event)
