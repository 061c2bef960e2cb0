"""Faults of tables: columns that are not there, rows that do not follow on each other, keys that join nothing."""

from __future__ import annotations

import numpy as np

from injected.held import Held
from injected.plan import Rng, fault
from injected.times import inner

TABLES = ("frames_table", "events_table", "steps_table")


@fault("structure.schema", base="play", strengths=(1.0,), stated=1.0, unit="columns")
def schema_of_play(held: Held, strength: float, rng: Rng) -> None:
    """A column of a table is gone, has another name or another type."""
    del strength
    spoil_column(held, TABLES[int(rng.integers(2))], rng)


@fault("structure.schema", base="env", strengths=(1.0,), stated=1.0, unit="columns")
def schema_of_steps(held: Held, strength: float, rng: Rng) -> None:
    """A column of the steps is gone, has another name or another type."""
    del strength
    spoil_column(held, "steps_table", rng)


def spoil_column(held: Held, name: str, rng: Rng) -> None:
    """Spoil a column of a table; never the one by which segments are found."""
    table = getattr(held, name)
    column = str(rng.choice([c for c in table.columns if c not in {"segment", "t_ns", "frame_index", "kind"}]))
    way = int(rng.integers(3))
    if way == 0:
        table = table.drop(columns=column)
    elif way == 1:
        table = table.rename(columns={column: f"{column}_2"})
    elif name == "events_table" or column == "action_name":
        table = table.assign(t_ns=table["t_ns"].astype(str))
    else:
        table = table.assign(**{column: table[column].astype(str)})
    setattr(held, name, table)


@fault("structure.frames", base="play", strengths=(1, 3, 10), stated=1, unit="rows")
def frames(held: Held, strength: float, rng: Rng) -> None:
    """Rows of the index are renumbered, doubled, in another order, or in another segment."""
    at = inner(held, strength, rng)
    numbers = held.frames_table["frame_index"].to_numpy().copy()
    way = int(rng.integers(4))
    if way == 0:
        numbers[at] += 1
    elif way == 1:
        numbers[at], numbers[at + 1] = numbers[at + 1].copy(), numbers[at].copy()
    elif way == 2:
        numbers[at[0] :] += int(strength)
    else:
        segments = held.frames_table["segment"].to_numpy().copy()
        segments[at] = 1 - segments[at]
        held.frames_table = held.frames_table.assign(segment=segments)
        return
    held.frames_table = held.frames_table.assign(frame_index=numbers)


@fault("structure.segment_time", base="play", strengths=(1, 3, 10), stated=1, unit="frames outside of their segment")
def segment_time(held: Held, strength: float, rng: Rng) -> None:
    """Frames lie before their segment begins or after it ends."""
    number = int(rng.integers(len(held.segments)))
    t_ns = held.index(number)["t_ns"].to_numpy()
    if rng.random() < 0.5:
        held.segment(number, start_ns=int(t_ns[int(strength) - 1]) + 1_000_000)
    else:
        held.segment(number, end_ns=int(t_ns[-int(strength)]) - 1_000_000)


@fault("structure.step_keys", base="env", strengths=(1, 3, 10), stated=1, unit="steps")
def step_keys(held: Held, strength: float, rng: Rng) -> None:
    """Steps name frames or times that are not those of their observation."""
    rows = rng.choice(np.arange(1, len(held.steps_table) - 1), int(strength), replace=False)
    column = str(rng.choice(["frame_index", "t_ns"]))
    values = held.steps_table[column].to_numpy().copy()
    values[rows] += 1 if column == "frame_index" else int(rng.integers(1, 30_000_000))
    held.steps_table = held.steps_table.assign(**{column: values})
