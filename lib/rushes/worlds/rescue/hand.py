"""The hand of the planted rescue: somebody who looks, decides after a moment, flicks the mouse and holds keys.

It sees the rescuer at every step and answers with what it does during the next one. It walks the streets to whoever
waits nearest, turns by aimed movements that land beside their goal and are corrected (their speed is bell-shaped: Flash
and Hogan, 1985), looks about, strafes, stops, jumps now and then; near a victim it holds E, near rubble R, at a station
F. Nothing in it is periodic but the mouse's own reports, 125 a second.

Example:
    >>> from rushes.worlds.rescue.city import City
    >>> rescuer = Rescuer(City.drawn(7))
    >>> hand = Hand(np.random.default_rng(0), rescuer)
    >>> did = [event for k in range(240) for event in hand.act(k / 60, (k + 1) / 60)]
    >>> did[0].device in ("mouse", "keyboard"), all(a.t_s <= b.t_s for a, b in zip(did, did[1:]))
    (True, True)
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from typing import Final, NamedTuple

import numpy as np

from rushes.worlds.rescue.city import CELLS, City, cell_of, middle_of
from rushes.worlds.rescue.rescuer import CHARGES, REACH, TURN, Rescuer

REPORTS_HZ: Final = 125.0
_LOW: Final = 60.0
_AHEAD: Final = 2
_WIDE: Final = 0.55
_NARROW: Final = 0.07


class Did(NamedTuple):
    """One thing that the hand did.

    Attributes:
        t_s: When, s of the game.
        device: `keyboard` or `mouse`.
        control: W3C code, or `Mouse`.
        kind: `press`, `release` or `move`.
        dx: Pixels to the right.
        dy: Pixels downwards.
    """

    t_s: float
    device: str
    control: str
    kind: str
    dx: float = 0.0
    dy: float = 0.0


class Hand:
    """The hand of somebody who plays.

    Args:
        rng: Decides what is not decided by what is seen.
        rescuer: What it sees and steers.
    """

    def __init__(self, rng: np.random.Generator, rescuer: Rescuer) -> None:
        self._rng, self._it = rng, rescuer
        self._report_s = float(rng.random()) / REPORTS_HZ
        self._motion: deque[tuple[float, float]] = deque()
        self._part = [0.0, 0.0]  # pixels that are not whole yet
        self._looks_s = 0.3 + float(rng.random()) * 0.2
        self._down: dict[str, float] = {}  # key -> when it is let go
        self._later: list[Did] = []
        self._stops_s = self._strafes_s = 0.0
        self._away_s = -1.0
        self._away = 0.0
        self._route: list[tuple[int, int]] = []
        self._goal: tuple[int, int] | None = None

    def act(self, start_s: float, end_s: float, *, quiet: bool = False) -> list[Did]:
        """Play for a moment.

        Args:
            start_s: s of the game, the end of the last step.
            end_s: s of the game.
            quiet: Let everything go and rest.

        Returns:
            What was done in [start_s, end_s), in the order of time.
        """
        did: list[Did] = []
        if quiet:
            self._motion.clear()
            for key in list(self._down):
                did.append(self._edge(key, "release", start_s, end_s))
                del self._down[key]
            self._looks_s = max(self._looks_s, end_s + 0.25)
        else:
            turn, far = self._sight()
            self._look(start_s, turn)
            did += self._press(start_s, end_s, turn, far)
        did += self._reports(end_s)
        return sorted(did, key=lambda one: one.t_s)

    # --- what it wants ---

    def _sight(self) -> tuple[float, float]:
        """Say by how much to turn, and how far it is to where it goes."""
        it = self._it
        victim, _ = it.nearest()
        target = it.station()[0] if it.battery < _LOW or victim is None else (victim.x, victim.z)
        far = math.hypot(target[0] - it.x, target[1] - it.z)
        place = target
        if far > REACH:
            here, goal = (cell_of(it.x), cell_of(it.z)), (cell_of(target[0]), cell_of(target[1]))
            if goal != self._goal or here not in self._route:
                self._goal, self._route = goal, route(it.city, here, goal)
            rest = self._route[self._route.index(here) + 1 :] if here in self._route else []
            if rest:
                column, row = rest[min(_AHEAD, len(rest)) - 1]
                place = (middle_of(column), middle_of(row)) if len(rest) > 1 else target
        yaw = math.atan2(-(place[0] - it.x), -(place[1] - it.z))
        return math.remainder(yaw - it.yaw, 2 * math.pi), far

    # --- the mouse ---

    def _look(self, now_s: float, turn: float) -> None:
        """Begin a movement of the mouse where it is time for one."""
        rng, it = self._rng, self._it
        if self._motion or now_s < self._looks_s:
            return
        if self._away and now_s >= self._away_s:  # back from a look about
            turn, self._away = -self._away, 0.0
        elif not self._away and abs(turn) < _WIDE and rng.random() < 0.09:  # noqa: PLR2004 - a look about
            self._away = turn = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.35, 0.95))
            self._away_s = now_s + float(rng.uniform(0.5, 1.1))
            self._stops_s = max(self._stops_s, self._away_s + 0.2)
        elif self._away:
            turn = float(rng.normal(0, 0.02))
        up = -it.pitch * 0.6 + float(rng.normal(-0.01, 0.05))
        goal = (turn * float(rng.normal(1.0, 0.09)), up if rng.random() < 0.7 or abs(turn) > _NARROW else 0.0)  # noqa: PLR2004
        if abs(turn) < _NARROW and rng.random() < 0.45:  # noqa: PLR2004 - follows the street with a swaying hand
            length = int(REPORTS_HZ * rng.uniform(0.4, 1.3))
            sway = np.cumsum(rng.normal(0, 0.0009, (length, 2)), axis=0) * (1.0, 0.35) * _bell(length)[:, None] * length
            steps = sway + np.array(goal) * _bell(length)[:, None]
        else:
            wide = abs(goal[0]) + abs(goal[1])
            length = max(6, int(REPORTS_HZ * (0.13 + 0.30 * math.sqrt(wide)) * rng.lognormal(0, 0.2)))
            steps = np.array(goal) * _bell(length)[:, None]
        self._motion.extend((-float(x) / TURN, -float(y) / TURN) for x, y in steps)
        self._looks_s = now_s + length / REPORTS_HZ + float(rng.exponential(0.16)) + 0.08

    def _reports(self, end_s: float) -> list[Did]:
        """Send what the mouse went, in whole pixels."""
        did = []
        while self._report_s < end_s:
            if self._motion:
                for axis, value in enumerate(self._motion.popleft()):
                    self._part[axis] += value
                whole = [float(round(value)) for value in self._part]
                if any(whole):
                    self._part = [value - w for value, w in zip(self._part, whole, strict=True)]
                    did.append(Did(self._report_s, "mouse", "Mouse", "move", *whole))
            self._report_s += 1 / REPORTS_HZ + float(self._rng.normal(0, 2e-5))
        return did

    # --- the keys ---

    def _press(self, start_s: float, end_s: float, turn: float, far: float) -> list[Did]:
        wanted = self._wanted(start_s, turn, far)
        did = []
        for key in sorted(set(self._down) | wanted):
            if key in wanted and key not in self._down:
                did.append(self._edge(key, "press", start_s, end_s))
                self._down[key] = start_s + 0.05 + float(self._rng.random()) * 0.04
            elif key not in wanted and key in self._down and start_s >= self._down[key]:
                did.append(self._edge(key, "release", start_s, end_s))
                del self._down[key]
        return did

    def _wanted(self, now_s: float, turn: float, far: float) -> set[str]:
        rng, it = self._rng, self._it
        wanted: set[str] = set()
        _, away = it.nearest()
        low = it.battery < _LOW
        if away < REACH * 0.9 and not low:
            return {"KeyE"} if math.hypot(it.velocity[0], it.velocity[2]) < 2 else wanted  # noqa: PLR2004 - when it stands
        if it.heap() is not None:
            wanted.add("KeyR")
        if low and far < CHARGES * 0.7:
            return {"KeyF"}
        if now_s >= self._stops_s and rng.random() < 0.0025:  # noqa: PLR2004 - a rest every seven seconds or so
            self._stops_s = now_s + float(rng.uniform(0.25, 0.9))
        steers = abs(turn) < (1.3 if "KeyW" in self._down else 0.8)
        if now_s >= self._stops_s and steers and not self._away:
            wanted.add("KeyW")
        for key in ("KeyA", "KeyD", "KeyS", "Space"):
            if key in self._down and now_s < self._strafes_s:
                wanted.add(key)
        if now_s >= self._strafes_s + 0.5 and rng.random() < 0.016:  # noqa: PLR2004 - once a second
            key = str(rng.choice(["KeyA", "KeyD", "KeyS", "Space"], p=[0.38, 0.38, 0.12, 0.12]))
            wanted.add(key)
            self._strafes_s = now_s + float(rng.uniform(0.1, 0.14) if key == "Space" else rng.uniform(0.15, 0.55))
        return wanted

    def _edge(self, key: str, kind: str, start_s: float, end_s: float) -> Did:
        return Did(start_s + float(self._rng.random()) * (end_s - start_s), "keyboard", key, kind)


def route(city: City, start: tuple[int, int], goal: tuple[int, int]) -> list[tuple[int, int]]:
    """Find a way from cell to cell that keeps off walls and danger.

    Args:
        city: Where.
        start: (column, row).
        goal: (column, row).

    Returns:
        Cells from start to goal; only the start where there is no way.
    """
    best: dict[tuple[int, int], float] = {start: 0.0}
    came: dict[tuple[int, int], tuple[int, int]] = {}
    waiting = [(0.0, start)]
    while waiting:
        cost, here = heapq.heappop(waiting)
        if here == goal:
            way = [goal]
            while way[-1] != start:
                way.append(came[way[-1]])
            return way[::-1]
        for dx, dz in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            there = (here[0] + dx, here[1] + dz)
            if not (0 <= there[0] < CELLS and 0 <= there[1] < CELLS) or city.facade[there[1], there[0]] >= 0:
                continue
            zone = city.zone(middle_of(there[0]), middle_of(there[1]))
            now = cost + {"safe": 1.0, "yellow": 1.3, "red": 2.0}[zone]
            if now < best.get(there, math.inf):
                best[there], came[there] = now, here
                heapq.heappush(waiting, (now, there))
    return [start]


def _bell(length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Give the speed of an aimed movement, which sums up to 1."""
    t = (np.arange(length) + 0.5) / length
    return np.asarray(30 * t**2 * (1 - t) ** 2 / length, np.float64)
