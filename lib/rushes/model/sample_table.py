"""Samples with what belongs to them: rows, action space, where their pixels lie, and how they were made.

Every step of a preparation takes such a set and gives a new one; none changes what it was given. The steps stand in it
with their parameters and a ledger that balances, so that a file says where each of its rows came from and what became
of those that are not there.

Example:
    >>> space = ActionSpace.from_names(["Space"])
    >>> press = {"control": "Space", "label": 1.0, "keys": [1.0], "sample_id": "a", "session": "s", "frame_index": 3}
    >>> samples = Samples(samples_frame([press | {"t_ns": 9}]), space)
    >>> joined, _ = join([samples, Samples(samples_frame(), ActionSpace.from_names(["KeyW"]))])
    >>> joined.space.names, joined.rows.loc[0, "keys"].tolist(), len(samples)
    (('Space', 'KeyW'), [1.0, 0.0], 1)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Ledger, Tally
from rushes.model.samples import samples_frame, validate_samples

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True)
class Step:
    """One step of a preparation.

    Attributes:
        name: `pairs`, `merge`, `negatives` ...
        parameters: As plain JSON values; a seed is one of them.
        ledger: What was offered to it, what it kept, what it left out and why; streams `samples`, `presses` ...
    """

    name: str
    parameters: Mapping[str, Any]
    ledger: Ledger

    def to_json(self) -> dict[str, Any]:
        """Return the step as plain JSON values."""
        return {"name": self.name, "parameters": dict(self.parameters), "ledger": self.ledger.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Step:
        """Rebuild a step from `to_json()`."""
        return cls(value["name"], value["parameters"], Ledger.from_json(value["ledger"]))


@dataclass(frozen=True)
class Source:
    """Where the pixels of a session lie.

    Attributes:
        path: What to open: a session directory, or a file of any format that can be read.
        options: `key=value` options to read it with; a path among them is absolute.
    """

    path: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Samples:
    """A set of labelled rows.

    Attributes:
        rows: A table with `samples.COLUMNS`.
        space: What the columns of `keys` are.
        steps: How it was made, in order.
        sources: Session id -> where its pixels lie; a session that is not named has to be passed by the reader.
    """

    rows: pd.DataFrame
    space: ActionSpace
    steps: tuple[Step, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def then(self, rows: pd.DataFrame, step: Step) -> Samples:
        """Give the set that a step makes of this one.

        Args:
            rows: Its rows.
            step: What was done.
        """
        return replace(self, rows=rows.reset_index(drop=True), steps=(*self.steps, step))

    def validate(self) -> None:
        """Check that it can be trained on; see `samples.validate_samples`.

        Raises:
            BadDataError: It cannot; the message counts the rows and names the first.
        """
        validate_samples(self.rows, self.space)

    @property
    def keys(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """All key vectors: (N, A) float32."""
        rows = self.rows["keys"].to_numpy(object)
        return np.stack(list(rows)) if len(rows) else np.zeros((0, len(self.space)), np.float32)

    def count(self, column: str = "kind") -> dict[str, int]:
        """Count the rows by what stands in a column, in alphabetical order."""
        return {str(name): int(n) for name, n in self.rows[column].value_counts().sort_index().items()}

    def __repr__(self) -> str:
        kinds = ", ".join(f"{n} {kind}" for kind, n in self.count().items())
        return f"<Samples: {len(self)} rows{f' ({kinds})' * bool(kinds)}, {len(self.space)} controls>"


def join(sets: Sequence[Samples]) -> tuple[Samples, tuple[str, ...]]:
    """Put sets behind each other, their vocabularies united and their key vectors permuted to match.

    A sample that stands in several sets under one id, all columns alike, is taken once.

    Args:
        sets: One or more.

    Returns:
        All rows in the order given, in the united space (slots in the order in which they first come; a set that
        lacks a slot has 0 there), with the sources of all and without steps; and the ids that stood more than once.

    Raises:
        BadInputError: No set.
        BadDataError: Two sets mean different things by one name: a slot, a sample id, or a session id.
    """
    if not sets:
        raise BadInputError("no set of samples", accepts="one or more", fix="name at least one file")
    space = _united([one.space for one in sets])
    sources: dict[str, Source] = {}
    parts = []
    for one in sets:
        for name, source in one.sources.items():
            if sources.setdefault(name, source) != source:
                raise BadDataError(
                    f"session {name} at {sources[name].path} and at {source.path}",
                    accepts="one place for each session id",
                    fix="prepare both sets from one copy of the session; an .npz has pictures of its own, so join "
                    "tables (.parquet) and write .npz last, or rename a file whose name is that of its session",
                )
        parts.append(one.rows.assign(keys=_permuted(one, space)))
    filled = [part for part in parts if len(part)]
    rows = pd.concat(filled, ignore_index=True) if filled else samples_frame()
    again = rows["sample_id"].duplicated(keep="first").to_numpy()
    twice = rows["sample_id"].isin(rows["sample_id"][again])
    bare = rows[twice]
    plain = bare.assign(keys=pd.Series([v.tobytes() for v in bare["keys"]], bare.index, object)).drop_duplicates()
    odd = plain["sample_id"][plain["sample_id"].duplicated()]
    if len(odd):
        raise BadDataError(
            f"sample {odd.iloc[0]!r} twice, with different content (and {len(odd) - 1} more)",
            accepts="one meaning for each sample id",
            fix="prepare both sets with the same parameters, or rename the ids of one",
        )
    ids = tuple(rows["sample_id"][again])
    return Samples(rows[~again].reset_index(drop=True), space, sources=sources), ids


def _united(spaces: Sequence[ActionSpace]) -> ActionSpace:
    slots = {slot.name: slot for space in reversed(spaces) for slot in reversed(space.slots)}
    names = dict.fromkeys(slot.name for space in spaces for slot in space.slots)
    for space in spaces:
        for slot in space.slots:
            if slots[slot.name] != slot:
                raise BadDataError(
                    f"slot {slot.name} as {slot!r} and as {slots[slot.name]!r} of another set",
                    accepts="one meaning for each name",
                    fix="prepare the sets in the same action space",
                )
    kinds = {space.kind for space in spaces if len(space)} or {"buttons"}
    if len(kinds) > 1:
        raise BadDataError(
            f"action spaces of the kinds {', '.join(sorted(kinds))}",
            accepts="sets of one kind",
            fix="join sets of one kind of environment",
        )
    return ActionSpace(kinds.pop(), tuple(slots[name] for name in names))


def _permuted(one: Samples, space: ActionSpace) -> pd.Series[Any]:
    place = np.array([space.index(name) for name in one.space.names], np.int64)
    keys = np.zeros((len(one), len(space)), np.float32)
    keys[:, place] = one.keys
    return pd.Series(list(keys), index=one.rows.index, dtype=object)


def step_ledger(stream: str, offered: int, lost: Mapping[str, int] = _NOTHING) -> Ledger:
    """Make the ledger of a step that handles one stream.

    Args:
        stream: `samples`, `presses` ...
        offered: How many came in.
        lost: Reason -> how many of them are not kept.
    """
    tally = Tally()
    tally.offer(stream, offered)
    for reason, count in lost.items():
        tally.lose(stream, reason, count)
    return tally.close()
