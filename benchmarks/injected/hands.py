"""Faults of keys and buttons: releases that were lost, repeats that were kept, hands that no person has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from injected.held import Held
from injected.plan import Rng, fault
from injected.played import KEYS as GAME_KEYS
from rushes.model.clock import NS
from rushes.model.events import events_frame
from rushes.model.readings import Event

KEYS = ("KeyW", "KeyE", "Space", "ShiftLeft", "KeyR", "KeyF", "Tab")


def put(held: Held, rows: Any) -> None:
    """Add events, in the order of time."""
    joined = pd.concat([held.events_table, events_frame(rows)], ignore_index=True)
    held.events_table = joined.sort_values("t_ns", kind="stable").reset_index(drop=True)


def take_out(held: Held, controls: Any, start_ns: float, end_ns: float) -> None:
    """Take the edges of some controls out of a stretch, those of holds that reach into it too."""
    events = held.events_table
    gone = np.zeros(len(events), bool)
    t_ns, kind = events["t_ns"].to_numpy(), events["kind"].to_numpy(object)
    for control in controls:
        mine = np.flatnonzero((events["control"] == control).to_numpy() & np.isin(kind, ["press", "release"]))
        inside = mine[(t_ns[mine] >= start_ns) & (t_ns[mine] < end_ns)]
        gone[inside] = True
        if len(inside) and kind[inside[0]] == "release":
            gone[mine[mine < inside[0]][-1:]] = True
        if len(inside) and kind[inside[-1]] == "press":
            gone[mine[mine > inside[-1]][:1]] = True
        around = mine[t_ns[mine] < start_ns][-1:]
        if not len(inside) and len(around) and kind[around[0]] == "press":  # held all through
            gone[around] = True
            gone[mine[mine > around[0]][:1]] = True
    held.events_table = events[~gone].reset_index(drop=True)


def hold(control: str, start_ns: float, end_ns: float, device: str = "keyboard") -> list[Event]:
    """Press and release."""
    return [Event(int(start_ns), device, control, "press"), Event(int(end_ns), device, control, "release")]


def somewhere(held: Held, length_s: float, rng: Rng, *, segment: int = 0) -> float:
    """Draw when a stretch begins that lies in a segment, ns."""
    one = held.segments[segment]
    return float(rng.uniform(one.start_ns + 0.1 * NS, one.end_ns - length_s * NS - 0.1 * NS))


@fault("actions.stuck_key", base="long", strengths=(30, 55, 65, 80), stated=65, unit="s held")
def stuck_key(held: Held, strength: float, rng: Rng) -> None:
    """A release was lost: a key stays down while the play goes on."""
    control = str(rng.choice(KEYS))
    start = somewhere(held, strength, rng)
    take_out(held, [control], start, start + strength * NS)
    put(held, hold(control, start, start + strength * NS))


@fault("actions.never_released", base="long", strengths=(2, 4, 7, 15), stated=7, unit="times its longest hold before")
def never_released(held: Held, strength: float, rng: Rng) -> None:
    """A key goes down near the end and is never let go, many times longer than ever before."""
    control = str(rng.choice(["KeyE", "Space", "KeyR", "KeyF"]))  # these are tapped
    end = held.segments[-1].end_ns
    events = held.events_table
    mine = events[(events["control"] == control) & events["kind"].isin(["press", "release"])]
    t_ns = mine["t_ns"].to_numpy()
    down = t_ns[(mine["kind"] == "press").to_numpy()]
    up = t_ns[(mine["kind"] == "release").to_numpy()]
    start = end - max(5.5 * NS, strength * (up - down).max())
    longest = (up - down)[up < start].max()
    start = end - max(5.5 * NS, strength * longest)
    take_out(held, [control], start, end + NS)
    put(held, [Event(int(start), "keyboard", control, "press")])


@fault("actions.impossible_pairs", base="play", strengths=(1.0, 1.8, 2.5, 6.0), stated=2.5, unit="s held together")
def impossible_pairs(held: Held, strength: float, rng: Rng) -> None:
    """Left and right are down together."""
    pair = [("KeyA", "KeyD"), ("KeyW", "KeyS")][int(rng.integers(2))]
    start = somewhere(held, strength + 1, rng)
    take_out(held, pair, start - 0.5 * NS, start + (strength + 1) * NS)
    put(
        held,
        hold(pair[0], start, start + strength * NS) + hold(pair[1], start - 0.1 * NS, start + (strength + 0.2) * NS),
    )


@fault("actions.too_many_keys", base="play", strengths=(7, 9, 12, 16), stated=12, unit="keys at once")
def too_many(held: Held, strength: float, rng: Rng) -> None:
    """More keys are down at once than hands hold."""
    names = list(GAME_KEYS)
    chosen = rng.choice(names, int(strength), replace=False).tolist()
    start = somewhere(held, 1.0, rng)
    take_out(held, names, start - 0.1 * NS, start + 0.8 * NS)
    put(held, [e for k, name in enumerate(chosen) for e in hold(name, start + k * 2e6, start + 0.5 * NS + k * 1e6)])


@fault("actions.superhuman", base="play", strengths=(15, 22, 30, 60), stated=30, unit="presses within a second")
def superhuman(held: Held, strength: float, rng: Rng) -> None:
    """A key is pressed faster than anybody can."""
    control = str(rng.choice(KEYS))
    start, step = somewhere(held, 1.2, rng), NS / strength
    take_out(held, [control], start - 0.1 * NS, start + 1.2 * NS)
    rows = [e for k in range(int(strength)) for e in hold(control, start + k * step, start + (k + 0.5) * step)]
    put(held, rows)


@fault("actions.short_holds", base="long", strengths=(5, 9, 15, 50), stated=15, unit="% of the holds")
def short_holds(held: Held, strength: float, rng: Rng) -> None:
    """Presses last less than a millisecond: contacts that bounce."""
    events = held.events_table
    t_ns, kind = events["t_ns"].to_numpy().copy(), events["kind"].to_numpy(object)
    presses = np.flatnonzero(kind == "press")
    for at in rng.choice(presses, round(strength / 100 * len(presses)), replace=False):
        same = (events["control"] == events["control"].iloc[at]).to_numpy()
        after = np.flatnonzero(same & (kind == "release") & (np.arange(len(events)) > at))
        if len(after):
            t_ns[after[0]] = t_ns[at] + int(rng.integers(100_000, 900_000))
    held.events_table = events.assign(t_ns=t_ns).sort_values("t_ns", kind="stable").reset_index(drop=True)


def holds_of(held: Held) -> list[tuple[str, str, int, int]]:
    """List holds of at least 80 ms: (device, control, down, up)."""
    found, down = [], {}
    for row in held.events_table.itertuples():
        if row.kind == "press":
            down[row.control] = row.t_ns
        elif row.kind == "release" and row.t_ns - down.get(row.control, row.t_ns) > 80_000_000:
            found.append((row.device, row.control, down[row.control], row.t_ns))
    return found


@fault("actions.repeats", base="play", strengths=(1, 3, 10), stated=1, unit="presses of what is down")
def repeats(held: Held, strength: float, rng: Rng) -> None:
    """The keyboard's own repeats were kept, or a release was lost."""
    several = holds_of(held)
    rows = []
    for at in rng.choice(len(several), int(strength), replace=False):
        device, control, down, up = several[at]
        rows.append(Event(int(rng.integers(down + 1_000_000, up - 1_000_000)), device, control, "press"))
    put(held, rows)


@fault("actions.orphan_release", base="play", strengths=(1, 3, 10), stated=1, unit="releases of what is up")
def orphan_release(held: Held, strength: float, rng: Rng) -> None:
    """A press was lost; not a control's first one, since what is let go then may have been held from before."""
    events = held.events_table
    first = events.drop_duplicates("control").set_index("control")["t_ns"]
    several = [one for one in holds_of(held) if one[2] > first[one[1]]]
    gone = np.zeros(len(events), bool)
    for at in rng.choice(len(several), int(strength), replace=False):
        _, control, down, _ = several[at]
        gone |= ((events["control"] == control) & (events["t_ns"] == down) & (events["kind"] == "press")).to_numpy()
    held.events_table = events[~gone].reset_index(drop=True)


@fault("actions.unknown_control", base="play", strengths=(1, 3, 10), stated=1, unit="holds")
def unknown_control(held: Held, strength: float, rng: Rng) -> None:
    """Keys come that the action space does not name."""
    control = str(rng.choice(["KeyZ", "F5", "Numpad3", "MouseX2"]))
    device = "mouse" if control.startswith("Mouse") else "keyboard"
    times = np.sort(rng.uniform(0.2, 10.0, int(strength))) * NS
    put(held, [e for k, at in enumerate(times) for e in hold(control, at + k * 3e5, at + k * 3e5 + 2e5, device)])


@fault("actions.all_idle", base="long", strengths=(95, 98, 99.5, 100), stated=99.5, unit="% of the frames")
def all_idle(held: Held, strength: float, rng: Rng) -> None:
    """Nobody played, or the inputs were not recorded."""
    held.events_table = events_frame()
    busy_s = (100 - strength) / 100 * held.frame_count / 30
    if busy_s:
        start = somewhere(held, busy_s, rng)
        put(held, hold(str(rng.choice(KEYS)), start, start + (busy_s - 1 / 30) * NS))
