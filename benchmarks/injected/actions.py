"""Faults of mouse, sticks and an environment's steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from injected.hands import put
from injected.held import Held
from injected.plan import Rng, fault
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.readings import Event

STICKS = ("J_LEFT_X", "J_LEFT_Y", "J_RIGHT_X", "J_RIGHT_Y")


def motions(held: Held, *, least: int) -> np.ndarray:
    """Give the positions of the motions of a mouse that moves."""
    events = held.events_table
    moves = np.flatnonzero((events["kind"] == "move").to_numpy())
    assert len(moves) >= least, f"{len(moves)} motions"
    return moves


def with_pad(held: Held, rng: Rng) -> None:
    """Let a pad play along: two sticks that are moved and let go."""
    names = [slot.name for slot in held.info.action_space.slots if not slot.name.startswith("unused")]
    held.info = replace(held.info, action_space=ActionSpace.from_names([*names, *STICKS, "SOUTH", "EAST"]))
    rows = []
    for segment in held.segments:
        t_ns = np.arange(segment.start_ns + 20_000_000, segment.end_ns - 20_000_000, 16_000_000)
        for name in STICKS:
            value = np.zeros(len(t_ns))
            at = 0
            while at < len(t_ns):
                rest, push = int(rng.integers(10, 60)), int(rng.integers(8, 60))
                swing = rng.uniform(-1.1, 1.1) * np.sin(np.linspace(0, np.pi, push)) ** 0.4
                part = slice(at + rest, min(len(t_ns), at + rest + push))
                value[part] = swing.clip(-1, 1)[: max(0, part.stop - part.start)]
                at += rest + push
            value += np.where(value == 0, rng.normal(0, 0.01), 0)
            moved = np.flatnonzero(np.diff(value, prepend=9.0) != 0)
            rows += [Event(int(t_ns[k]), "pad0", name, "axis", value=float(value[k])) for k in moved]
        for at in np.arange(segment.start_ns + NS, segment.end_ns - NS, 1.3 * NS):
            rows += [Event(int(at), "pad0", "SOUTH", "press"), Event(int(at + 1e8), "pad0", "SOUTH", "release")]
    put(held, rows)


@fault("actions.dead_axis", base="play", strengths=(20, 40, 80, 300), stated=80, unit="motions of the other axis")
def dead_axis(held: Held, strength: float, rng: Rng) -> None:
    """The mouse moves in one direction only: the other axis was lost."""
    events = held.events_table
    moves = motions(held, least=300)
    dead, alive = rng.permutation(["dx", "dy"])
    kept = rng.choice(moves, min(len(moves), int(strength)), replace=False)
    gone = np.setdiff1d(moves, kept)
    still = events[alive].to_numpy().copy()
    still[kept] = np.where(still[kept] == 0, rng.choice([-3.0, 2.0, 5.0], len(kept)), still[kept])
    lost = events[dead].to_numpy().copy()
    lost[moves] = 0.0
    held.events_table = events.assign(**{alive: still, dead: lost}).drop(index=gone).reset_index(drop=True)


@fault("actions.clipped_mouse", base="play", strengths=(3, 4, 7, 20), stated=7, unit="% of the motions")
def clipped_mouse(held: Held, strength: float, rng: Rng) -> None:
    """Fast motions are cut off at one value."""
    events = held.events_table
    del rng
    moves = motions(held, least=100)
    dx, dy = (events[name].to_numpy().copy() for name in ("dx", "dy"))
    most = np.quantile(np.abs(dx[moves]), 1 - strength / 100)
    dx[moves], dy[moves] = dx[moves].clip(-most, most), dy[moves].clip(-most, most)
    held.events_table = events.assign(dx=dx, dy=dy)


@fault("actions.pointer_at_border", base="play", strengths=(30, 45, 60, 90), stated=60, unit="% of the motions")
def pointer_at_border(held: Held, strength: float, rng: Rng) -> None:
    """The pointer stands at the edge of the screen and can go no further."""
    events = held.events_table
    moves = motions(held, least=100)
    x, y = (events[name].to_numpy(float).copy() for name in ("x", "y"))
    wide, high = 1920, 1080
    x[moves] = (wide / 2 + np.cumsum(rng.normal(0, 30, len(moves)))) % (wide - 200) + 100
    y[moves] = (high / 2 + np.cumsum(rng.normal(0, 20, len(moves)))) % (high - 200) + 100
    count = round(strength / 100 * len(moves))
    first = int(rng.integers(0, len(moves) - count + 1))
    stuck = moves[first : first + count]
    if rng.random() < 0.5:
        x[stuck] = rng.choice([0, wide - 1])
    else:
        y[stuck] = rng.choice([0, high - 1])
    held.events_table = events.assign(x=x, y=y)


@fault("actions.axis_range", base="play", strengths=(1, 3, 10), stated=1, unit="events")
def axis_range(held: Held, strength: float, rng: Rng) -> None:
    """Positions of a stick lie outside of -1 to 1."""
    with_pad(held, rng)
    value = held.events_table["value"].to_numpy().copy()
    mine = np.flatnonzero((held.events_table["kind"] == "axis").to_numpy())
    value[rng.choice(mine, int(strength), replace=False)] = rng.choice([-1, 1]) * rng.uniform(1.01, 3)
    held.events_table = held.events_table.assign(value=value)


def axis_of(held: Held, rng: Rng) -> np.ndarray:
    """Draw a stick's axis: the positions of its events."""
    name = rng.choice(STICKS)
    return np.flatnonzero((held.events_table["control"] == name).to_numpy())


@fault("actions.saturated_axis", base="play", strengths=(30, 50, 70, 95), stated=70, unit="% of an axis' positions")
def saturated_axis(held: Held, strength: float, rng: Rng) -> None:
    """A stick is at its stop most of the time: its range was read wrongly."""
    with_pad(held, rng)
    value = held.events_table["value"].to_numpy().copy()
    mine = axis_of(held, rng)
    chosen = rng.choice(mine, round(strength / 100 * len(mine)), replace=False)
    value[chosen] = np.where(value[chosen] == 0, rng.choice([-1.0, 1.0]), np.sign(value[chosen]))
    held.events_table = held.events_table.assign(value=value)


@fault("actions.stick_drift", base="play", strengths=(0.05, 0.08, 0.15, 0.3), stated=0.3, unit="of the way")
def stick_drift(held: Held, strength: float, rng: Rng) -> None:
    """A stick that is let go rests away from the middle."""
    with_pad(held, rng)
    value = held.events_table["value"].to_numpy().copy()
    mine = axis_of(held, rng)
    value[mine] = (value[mine] + rng.choice([-1, 1]) * strength).clip(-1, 1)
    held.events_table = held.events_table.assign(value=value)


@fault("actions.mouse_jump", base="play", strengths=(3, 10, 30, 100), stated=30, unit="times the largest motion")
def mouse_jump(held: Held, strength: float, rng: Rng) -> None:
    """The pointer was put elsewhere and the mouse seems to have leapt."""
    moves = motions(held, least=100)
    name = str(rng.choice(["dx", "dy"]))
    values = held.events_table[name].to_numpy().copy()
    values[rng.choice(moves)] = rng.choice([-1, 1]) * round(
        strength * np.abs(held.events_table[["dx", "dy"]].to_numpy()[moves]).max()
    )
    held.events_table = held.events_table.assign(**{name: values})


@fault("actions.motion_unit", base="play", strengths=(1.0,), stated=1.0, unit="streams without a unit")
def motion_unit(held: Held, strength: float, rng: Rng) -> None:
    """Nothing says whether the mouse counts or moves px."""
    del strength, rng
    held.stream("events", unit="")


def set_action(held: Held, rows: Any, action: int, name: str) -> None:
    """Change the action of some steps."""
    actions = held.steps_table["action"].to_numpy().copy()
    names = held.steps_table["action_name"].to_numpy(object).copy()
    actions[rows], names[rows] = action, name
    held.steps_table = held.steps_table.assign(action=actions, action_name=names)


@fault("actions.one_action", base="env", strengths=(90, 97, 99, 100), stated=99, unit="% of the steps")
def one_action(held: Held, strength: float, rng: Rng) -> None:
    """The policy does one thing only."""
    names = held.info.action_space.names
    action = int(rng.integers(len(names)))
    rows = rng.choice(len(held.steps_table), round(strength / 100 * len(held.steps_table)), replace=False)
    set_action(held, rows, action, names[action])


@fault("actions.action_range", base="env", strengths=(1, 3, 10), stated=1, unit="steps")
def action_range(held: Held, strength: float, rng: Rng) -> None:
    """Steps have an action that the game does not have."""
    count = len(held.info.action_space.names)
    rows = rng.choice(len(held.steps_table), int(strength), replace=False)
    set_action(held, rows, int(rng.choice([-1, count, count + 7])), "")


@fault("actions.reward_nan", base="env", strengths=(1, 3, 10), stated=1, unit="steps")
def reward_nan(held: Held, strength: float, rng: Rng) -> None:
    """Rewards are no numbers."""
    reward = held.steps_table["reward"].to_numpy(float).copy()
    reward[rng.choice(len(reward), int(strength), replace=False)] = rng.choice([np.nan, np.inf])
    held.steps_table = held.steps_table.assign(reward=reward)
