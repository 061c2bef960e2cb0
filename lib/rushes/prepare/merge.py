"""Merge: several tables in one, their vocabularies united, each sample in it once, and nothing dropped silently.

What is the same is found by content: pictures that are equal at 64 x 64, seen through the same transform, with the same
control, label, keys and hold, are one sample, under whatever id, in whatever session; the first stays, an original
before a copy of it. Where the same pictures and control carry different labels all stay, are marked `contradicts` in
the ledger, and named in the step's parameters. Without recordings the place of the pixels stands for the pictures.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> row = {"control": "Space", "label": 1.0, "session": "s", "frame_index": 3, "t_ns": 9, "hold_s": 0.2}
    >>> def table(name, keys, *names):
    ...     return Samples(samples_frame([row | {"sample_id": name, "keys": keys}]), ActionSpace.from_names(names))
    >>> merged = merge([table("a", [1, 0], "Space", "KeyA"), table("b", [0, 1], "KeyA", "Space")])
    >>> len(merged), dict(merged.steps[-1].ledger["samples"].lost)
    (1, {'duplicate': 1})
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError
from rushes.model.ledger import Tally
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples, Step, join
from rushes.model.samples import inherit, roots
from rushes.store.looks import look_at, windows
from rushes.store.validity import Valid

Clash = Literal["refuse", "rename"]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

DUPLICATE: Final = "duplicate"
"""Reason in the ledger."""
CONTRADICTS: Final = "contradicts"
"""Remark in the ledger: other rows give the same pictures and control another label."""
_NAMED: Final = 20
"""Ids that a step's parameters name at the most."""


def merge(
    sets: Sequence[Samples],
    recordings: Recording | Iterable[Recording] = (),
    *,
    clash: Clash = "refuse",
    names: Sequence[str] = (),
    executor: Executor | None = None,
) -> Samples:
    """Put sets behind each other and take each sample once.

    Args:
        sets: One or more.
        recordings: Where their pixels lie; rows of sessions that are not among them are compared by their place.
        clash: What to do where one id means different samples in two sets: `refuse`, or `rename` both to `ID@NAME`.
        names: One a set, for `rename`; their numbers from 1 where not given.
        executor: Where pictures are decoded; None makes a thread a core for as long as it takes.

    Returns:
        The rows in the order of the sets, in the united space, with the steps of all; children of a sample that was
        taken once descend from the one that stayed. The step's ledger has `duplicate` among what is lost, marks
        `contradicts`, `renamed` and `compared_by_place`.

    Raises:
        BadInputError: No set, or names that do not fit.
        BadDataError: One id, slot, session or group means different things in two sets, or a row names frames that its
            recording does not have; the message names it.
    """
    if clash not in {"refuse", "rename"} or (names and len(names) != len(sets)):
        raise BadInputError(
            f"clash={clash!r} with {len(names)} names for {len(sets)} sets",
            accepts="clash=refuse or clash=rename, and one name a set or none",
            fix="pass clash=rename with the names of the tables",
        )
    several = [recordings] if isinstance(recordings, Recording) else list(recordings)
    tally = Tally()
    offered = sum(len(one) for one in sets)
    tally.offer("samples", offered)
    renamed: list[str] = []
    if clash == "rename":
        sets, renamed = _renamed(sets, [*names] or [str(k) for k in range(1, len(sets) + 1)])
        tally.mark("samples", "renamed", len(renamed))
    joined, again = join(sets)
    pictures, by_place = _pictures(joined.rows, several, executor)
    first = _first_alike(joined, pictures)
    kept = first == np.arange(len(joined))
    tally.lose("samples", DUPLICATE, len(again) + int((~kept).sum()))
    odd = _contradicting(joined.rows, pictures) & kept
    tally.mark("samples", CONTRADICTS, int(odd.sum()))
    tally.mark("samples", "compared_by_place", int((by_place & kept).sum()))
    ids = joined.rows["sample_id"].to_numpy(object)
    stayed = dict(zip(ids[~kept], ids[first[~kept]], strict=True))
    rows = joined.rows[kept].assign(parent=[stayed.get(p, p) for p in joined.rows["parent"][kept]])
    rows = inherit(rows.astype({"parent": "str"}).reset_index(drop=True))
    one_part_a_group(rows)
    said: dict[str, Any] = {"sets": [len(one) for one in sets], "clash": clash, "names": list(names)}
    for name, found in (("duplicates", [*again, *stayed]), (CONTRADICTS, list(ids[odd])), ("renamed", renamed)):
        said |= {name: found[:_NAMED]} if found else {}
    return replace(joined, steps=steps_of(sets)).then(rows, Step("merge", said, tally.close()))


def steps_of(sets: Iterable[Samples]) -> tuple[Step, ...]:
    """Give the steps of several sets in order, those that they have in common once."""
    steps: list[Step] = []
    for one in sets:
        steps += [step for step in one.steps if step not in steps]
    return tuple(steps)


def one_part_a_group(rows: pd.DataFrame) -> None:
    """Check that every group is for one part.

    Raises:
        BadDataError: One is for two, since sets were split by themselves; the message names it.
    """
    parts = rows[["group", "split"]].drop_duplicates()
    odd = parts["group"][parts["group"].duplicated() & (parts["group"] != "")]
    if len(odd):
        found = sorted(parts["split"][parts["group"] == odd.iloc[0]])
        raise BadDataError(
            f"group {odd.iloc[0]!r} for {' and '.join(repr(part) for part in found)} (and {len(odd) - 1} more groups)",
            accepts="sets that were split alike, or not at all",
            fix="split them after they are together, or the second like the first (like=splits.parquet)",
        )


def _renamed(sets: Sequence[Samples], names: Sequence[str]) -> tuple[list[Samples], list[str]]:
    """Rename in each set the ids that mean different samples in two of them, with what descends from them."""
    seen: dict[str, bytes] = {}
    clashing: dict[str, None] = {}
    for one in sets:
        for name, content in _told(one):
            if seen.setdefault(name, content) != content:
                clashing[name] = None
    made: list[Samples] = []
    renamed: list[str] = []
    for one, name in zip(sets, names, strict=True):
        new = {old: f"{old}@{name}" for old in one.rows["sample_id"] if old in clashing}
        renamed += new.values()
        changed = {c: [new.get(v, v) for v in one.rows[c]] for c in ("sample_id", "parent")}
        made.append(replace(one, rows=one.rows.assign(**changed).astype(dict.fromkeys(changed, "str"))))
    return made, renamed


def _told(one: Samples) -> Iterable[tuple[str, bytes]]:
    """Give id and content of each row, keys by their names."""
    order = np.argsort(np.array(one.space.names, str))
    keys = one.keys[:, order]
    names = [one.space.names[k] for k in order]
    plain = one.rows.drop(columns="keys").to_dict("records")
    for row, vector in zip(plain, keys, strict=True):
        held = [(name, value) for name, value in zip(names, vector.tolist(), strict=True) if value]
        yield row["sample_id"], repr((sorted(row.items()), held)).encode()


def _pictures(
    rows: pd.DataFrame, recordings: Sequence[Recording], executor: Executor | None
) -> tuple[npt.NDArray[Any], Bools]:
    """Give what each row shows, as something that can be compared; and where that is only its place."""
    session = rows["session"].to_numpy(object)
    first, length = rows["frame_index"].to_numpy(np.int64), rows["length"].to_numpy(np.int64)
    shown: npt.NDArray[Any] = np.empty(len(rows), object)
    shown[:] = list(zip(session, first.tolist(), strict=True))
    by_place = np.ones(len(rows), bool)
    for recording in recordings:
        mine = np.flatnonzero(session == recording.info.id)
        if not len(mine):
            continue
        stops = first[mine] + length[mine]
        _check_there(rows, mine, stops, recording)
        looks = look_at(recording, _frames(first[mine], stops), executor=executor)
        for long in np.unique(length[mine]):
            some = mine[length[mine] == long]
            content = looks.content[looks.rows(first[some, None] + np.arange(long))]
            shown[some] = windows(content).tolist()
        by_place[mine] = False
    return shown, by_place


def _check_there(rows: pd.DataFrame, mine: Ints, stops: Ints, recording: Recording) -> None:
    """Refuse rows that name frames which their recording does not have."""
    whole = recording.session if isinstance(recording, Valid) else recording
    beyond = mine[stops > max((segment.stop_frame for segment in whole.segments), default=0)]
    if len(beyond):
        row = rows.iloc[int(beyond[0])]
        raise BadDataError(
            f"row {beyond[0]} ({row['sample_id']}): frames from {row['frame_index']} on of {row['session']}, which "
            f"ends before (and {len(beyond) - 1} more rows)",
            accepts="frames that the recording has",
            fix="make the table anew from the recording as it is now",
        )


def _frames(first: Ints, stop: Ints) -> Ints:
    return np.unique(np.concatenate([np.arange(a, b) for a, b in zip(first, stop, strict=True)]))


def _first_alike(joined: Samples, pictures: npt.NDArray[Any]) -> Ints:
    """Number for each row the one that stands for the same sample: the first, an original before its copies."""
    rows = joined.rows
    told = zip(
        pictures,
        rows["length"],
        rows["transform"],
        rows["control"],
        rows["label"],
        [vector.tobytes() for vector in joined.keys],
        [value.tobytes() for value in rows["hold_s"].to_numpy(float)],
        strict=True,
    )
    contents = list(told)
    first: dict[Any, int] = {}
    for number in np.argsort(_generations(rows), kind="stable").tolist():  # a parent before its children
        first.setdefault(contents[number], number)
    return np.array([first[content] for content in contents], np.int64)


def _generations(rows: pd.DataFrame) -> Ints:
    """Count for each row from how many others, one after the other, it descends: 0 for originals."""
    roots(rows)  # nobody descends from himself
    place = {name: row for row, name in enumerate(rows["sample_id"])}
    up = np.array([place.get(name, row) for row, name in enumerate(rows["parent"])], np.int64)
    generation, at = np.zeros(len(rows), np.int64), np.arange(len(rows))
    while (up[at] != at).any():
        generation += up[at] != at
        at = up[at]
    return generation


def _contradicting(rows: pd.DataFrame, pictures: npt.NDArray[Any]) -> Bools:
    """Say which rows share pictures, transform and control with a row of another label."""
    where = list(zip(pictures, rows["length"], rows["transform"], rows["control"], strict=True))
    labels: dict[Any, set[float]] = {}
    for place, label in zip(where, rows["label"], strict=True):
        labels.setdefault(place, set()).add(float(label))
    return np.array([len(labels[place]) > 1 for place in where], bool)
