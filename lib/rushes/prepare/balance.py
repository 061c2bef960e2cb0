"""Balance: as many negatives as asked for, spread over sessions and over the time of each; and plain thinning.

`balance` keeps every positive unless it is given a count. The ratio holds in each session by itself, so that a session
does not give the label away; with `per="all"` it holds over all, shared evenly among sessions. Within a session the
rows in the order of time are cut into equal stretches and one is drawn from each, so that its first minute does not
decide. `reduce` is the step of the JumpNet scripts: so many rows at random.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> row = {"control": "Space", "label": 0.0, "keys": [0.0], "session": "s", "kind": "uniform", "reason": "r"}
    >>> rows = [row | {"sample_id": str(k), "frame_index": k, "t_ns": k} for k in range(8)]
    >>> one = row | {"sample_id": "p", "frame_index": 9, "t_ns": 9, "label": 1.0, "kind": "positive"}
    >>> samples = Samples(samples_frame([*rows, one]), ActionSpace.from_names(["Space"]))
    >>> balance(samples, ratio=2).count(), reduce(samples, rows=3).rows["sample_id"].tolist()
    ({'positive': 1, 'uniform': 2}, ['1', '5', '7'])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError
from rushes.model.sample_table import Samples, Step, step_ledger
from rushes.model.samples import SampleKind, roots

Ints = npt.NDArray[np.int64]
Per = Literal["session", "all"]

_POSITIVES: Final = 0
_NEGATIVES: Final = 1
"""Purposes of the draws."""


def balance(
    samples: Samples,
    *,
    ratio: float = 1.0,
    count: int = 0,
    seed: int = 0,
    per: Per = "session",
    kinds: str | Mapping[str, float] = "",
) -> Samples:
    """Thin the classes of each control to a ratio or a count.

    Args:
        samples: Any set; children of other rows are left out of the arithmetic and stay with their parents.
        ratio: Negatives for each positive; without `count` positives are never left out.
        count: Rows of each class and control, in place of `ratio`; 0 means that `ratio` decides.
        seed: Of the draws within each stretch of time.
        per: Where ratio or count hold: in each `session`, or over `all`, where what one session lacks the others give.
        kinds: Shares of the kinds of negatives, as `hard=2, uniform=1`; kinds that are not named get none, and empty
            means that each kind keeps its share.

    Returns:
        The rows that are kept, in their order; the step's ledger has the rest under `surplus_positive` and
        `surplus_negative`, and its parameters how many were wanted and found.

    Raises:
        BadInputError: A ratio, count or seed below 0, an unknown `per` or kind, or a set without a positive to which a
            ratio could apply.
    """
    shares = _shares(kinds)
    if not 0 <= ratio < np.inf or count < 0 or seed < 0 or per not in {"session", "all"}:
        raise BadInputError(
            f"ratio={ratio}, count={count}, seed={seed}, per={per!r}",
            accepts="numbers from 0 on, and per=session or per=all",
            fix="pass ratio=1.0 for as many negatives as positives",
        )
    table = samples.rows
    child = table["parent"].isin(table["sample_id"]).to_numpy()
    positive = (table["kind"] == SampleKind.POSITIVE).to_numpy()
    control = table["control"].to_numpy(object)
    if not count and len(table) and not positive.any():
        raise BadInputError(
            "samples without a positive",
            accepts="positives and negatives together, or a count",
            fix="merge positives and negatives first, or pass count=500",
        )
    kept: npt.NDArray[np.bool_] = np.zeros(len(table), bool)
    wanted: dict[str, dict[str, int]] = {}
    session = table["session"].to_numpy(object)
    groups = [session == name for name in sorted(set(session))] if per == "session" else [np.ones(len(table), bool)]
    for name in sorted(set(control)):
        draws = [np.random.default_rng([seed, crc32(name.encode()), way]) for way in (_POSITIVES, _NEGATIVES)]
        sums = np.zeros((2, 3), np.int64)
        for group in groups:
            mine = group & (control == name) & ~child
            there = (np.flatnonzero(mine & positive), np.flatnonzero(mine & ~positive))
            most = (count or len(there[_POSITIVES]), count or round(ratio * len(there[_POSITIVES])))
            for way, rows in enumerate(there):
                chosen = _choose(table, rows, most[way], draws[way], shares if way == _NEGATIVES else {})
                kept[chosen] = True
                sums[way] += (most[way], len(rows), len(chosen))
        for what, row in zip(("positives", "negatives"), sums.tolist(), strict=True):
            wanted[f"{name} {what}"] = dict(zip(("wanted", "found", "kept"), row, strict=True))
    kept = kept[roots(table)]
    lost = {
        "surplus_positive": int((~kept & positive).sum()),
        "surplus_negative": int((~kept & ~positive).sum()),
    }
    said = {"ratio": ratio, "count": count, "seed": seed, "per": per, "kinds": shares, "classes": wanted}
    return samples.then(table[kept], Step("balance", said, step_ledger("samples", len(table), lost)))


def reduce(samples: Samples, *, rows: int = 500, seed: int = 42) -> Samples:
    """Keep so many rows of all that are given, at random, as `Data_reducier.py` of JumpNet does.

    Args:
        samples: Any set; the reference gives it its negatives.
        rows: How many to keep; a set with no more is kept whole.
        seed: Of NumPy's legacy generator, as `np.random.seed(seed)`: the same number of rows and the same seed keep
            the rows that the reference keeps.

    Returns:
        The rows that are kept, in their order; the rest stands in the ledger as `reduced`.

    Raises:
        BadInputError: A number of rows below 0, or a seed that the generator does not take.
    """
    if rows < 0 or not 0 <= seed < 2**32:
        raise BadInputError(
            f"rows={rows}, seed={seed}", accepts="rows from 0 on, a seed from 0 to 2**32 - 1", fix="pass rows=500"
        )
    total = len(samples)
    kept: Ints = (
        np.sort(np.random.RandomState(seed).choice(total, min(rows, total), replace=False))
        if total
        else np.zeros(0, np.int64)
    )
    ledger = step_ledger("samples", total, {"reduced": total - len(kept)})
    return samples.then(samples.rows.iloc[kept], Step("reduce", {"rows": rows, "seed": seed}, ledger))


def _shares(kinds: str | Mapping[str, float]) -> dict[str, float]:
    """Read the shares of kinds."""
    parts = [one.split("=") for one in kinds.split(",") if one.strip()] if isinstance(kinds, str) else kinds.items()
    try:
        found = {str(name).strip(): float(share) for name, share in parts}
    except ValueError:
        found = {"": -1.0}
    known = {str(kind) for kind in SampleKind} - {SampleKind.POSITIVE.value}
    if not (found.keys() <= known and all(0 <= share < np.inf for share in found.values())):
        raise BadInputError(
            f"kinds={kinds!r}",
            accepts="kinds of negatives (" + ", ".join(sorted(known)) + ") with shares from 0 on, as hard=2, uniform=1",
            fix="write kinds=hard=2,uniform=1, or leave it out",
        )
    if found and not sum(found.values()):
        raise BadInputError(f"kinds={kinds!r}", accepts="at least one share above 0", fix="write uniform=1")
    return found


def _choose(table: pd.DataFrame, rows: Ints, most: int, draw: np.random.Generator, shares: Mapping[str, float]) -> Ints:
    """Choose up to `most` of some rows: first among kinds, then among sessions, then evenly in time."""
    if most >= len(rows) and not shares:
        return rows
    order = np.lexsort((table["sample_id"].to_numpy(str)[rows], table["frame_index"].to_numpy(np.int64)[rows]))
    rows = rows[order]
    kind, session = (table[name].to_numpy(object)[rows] for name in ("kind", "session"))
    names = sorted(set(kind))
    sizes = np.array([int((kind == name).sum()) for name in names], np.int64)
    want = sizes.astype(float) if not shares else np.array([shares.get(name, 0.0) for name in names])
    quotas = _share_out(most, want, np.where(want > 0, sizes, 0))
    chosen = []
    for name, quota in zip(names, quotas.tolist(), strict=True):
        sessions = sorted(set(session[kind == name]))
        each = [rows[(kind == name) & (session == one)] for one in sessions]
        parts = _share_out(quota, np.ones(len(each)), [len(one) for one in each])
        chosen += [_even(one, part, draw) for one, part in zip(each, parts.tolist(), strict=True)]
    return np.concatenate([np.zeros(0, np.int64), *chosen])


def _even(rows: Ints, count: int, draw: np.random.Generator) -> Ints:
    """Choose `count` rows in the order of time, one from each of as many equal stretches of them."""
    edges = np.linspace(0, len(rows), count + 1)
    low = np.ceil(edges[:-1] - 1e-9).astype(np.int64)
    high = np.maximum(np.ceil(edges[1:] - 1e-9).astype(np.int64), low + 1)
    return rows[draw.integers(low, high)] if count else rows[:0]


def _share_out(total: int, weights: npt.ArrayLike, limits: npt.ArrayLike) -> Ints:
    """Share a whole number by weights, none above its limit; what one cannot take the others get."""
    weight, limit = np.asarray(weights, float), np.asarray(limits, np.int64)
    given = np.zeros(len(limit), np.int64)
    while (left := min(total, int(limit.sum())) - int(given.sum())) > 0:
        open_ = (given < limit) & (weight > 0)
        if not open_.any():
            break
        part = np.where(open_, weight, 0) * left / weight[open_].sum()
        more = np.minimum(np.floor(part + 1e-9).astype(np.int64), limit - given)
        if not more.any():  # fewer are left than there are takers: the largest remainders first
            order = np.argsort(np.where(open_, -part, np.inf), kind="stable")[: min(left, int(open_.sum()))]
            more[order] = 1
        given += more
    return given


def as_said(step: Step) -> list[str]:
    """Say in words what a balance wanted and found, a line a class."""
    classes: Mapping[str, Any] = step.parameters.get("classes", {})
    return [f"{name}: {c['kept']} of {c['found']}, {c['wanted']} wanted" for name, c in classes.items()]
