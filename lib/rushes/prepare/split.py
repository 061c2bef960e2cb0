"""Split: which rows are for training, which for validation, which for the test, decided once for whole groups.

A group is a session, a segment, what the column `group` says, or a block of time; all rows of a group come into one
part, and their children with them. Groups are placed in an order drawn from the seed, then moved and swapped until no
exchange brings the parts nearer to the sizes asked for, positives and negatives each; every part gets positives where
there are groups enough. Between blocks of time of two parts a gap is left out.

A split belongs before augmentation and before windows overlap: by it a sample and what is like it stay together.
`splits` gives (group, part) for `store.splits`, and `like` takes it, so that a later table is split alike.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> row = {"control": "Space", "label": 1.0, "keys": [1.0], "frame_index": 0, "t_ns": 0}
    >>> rows = [row | {"sample_id": f"{s}:{k}", "session": s} for s in "abcd" for k in range(10)]
    >>> split(Samples(samples_frame(rows), ActionSpace.from_names(["Space"])), parts="train=3, test=1").count("split")
    {'test': 10, 'train': 30}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError
from rushes.model.clock import NS
from rushes.model.sample_table import Samples, Step, step_ledger
from rushes.model.samples import SampleKind, roots
from rushes.prepare.placing import place
from rushes.store.splits import Splits, read_splits

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
By = Literal["session", "segment", "group", "time"]

PARTS: Final = "train=0.8,val=0.1,test=0.1"
GAP: Final = "gap_at_border"
"""Reason in the ledger."""


def split(
    samples: Samples,
    *,
    by: By = "session",
    parts: str | Mapping[str, float] = PARTS,
    seed: int = 0,
    block_s: float = 30.0,
    gap_s: float = 2.0,
    like: str | Path | Splits | None = None,
) -> Samples:
    """Decide `group` and `split` of every row.

    Args:
        samples: Any set; what stood in `split` is decided anew.
        by: `session`, `segment`, `group` (the column as it is), or `time` (blocks of each session).
        parts: Names with their shares, in the order in which they are preferred; shares need not sum to 1.
        seed: Of the order in which groups are placed; the same groups with the same sizes are placed alike whatever
            the order of the rows.
        block_s: Seconds of a block of time.
        gap_s: Seconds by which the parts stand apart where blocks of two parts meet: rows whose window or action
            reaches into the gap are left out.
        like: Splits of an earlier table, or their file: groups that it knows come where they were.

    Returns:
        The rows with group and split; the step's ledger has what lies in a gap under `gap_at_border`, its parameters
        the size of each part, and the groups that `like` did not know under `new_groups`.

    Raises:
        BadInputError: Fewer groups than parts, options that mean nothing, or children (by time) whose parents
            are not in the table.
        BadDataError: `like` was made of other groups, or `group` is empty where it shall decide.
    """
    shares = parts_of(parts)
    if by not in {"session", "segment", "group", "time"}:
        raise BadInputError(f"by={by!r}", accepts="session, segment, group or time", fix="pass by=session")
    if by == "time" and not (block_s > gap_s >= 0 and np.isfinite(block_s)):
        raise BadInputError(
            f"block_s={block_s}, gap_s={gap_s}", accepts="seconds, the gap shorter than a block", fix="pass block_s=30"
        )
    made: dict[str, Any] = {"by": by} | ({"block_s": float(block_s)} if by == "time" else {})
    known = _known(like, made, shares)
    table, root = samples.rows, roots(samples.rows)
    group = _groups(table, root, by, round(block_s * NS))
    found, number = np.unique(group, return_inverse=True)
    names = [str(name) for name in found]
    positive = (table["kind"] == SampleKind.POSITIVE).to_numpy()
    sizes = np.stack([np.bincount(number[there], minlength=len(names)) for there in (positive, ~positive)], axis=1)
    if 0 < len(names) < len(shares) and not known:
        other = "" if by == "time" else "; or pass by=time, which cuts each session into blocks"
        raise BadInputError(
            f"{len(names)} groups (by={by}) for {len(shares)} parts",
            accepts="at least one group for each part",
            fix=("pass a shorter block_s" if by == "time" else f"record more, or ask for fewer parts{other}"),
        )
    order = sorted(range(len(names)), key=lambda k: _digest(seed, names[k]))
    fixed = np.array([list(shares).index(known[name]) if name in known else -1 for name in names], np.int64)
    where = place(sizes, np.array(list(shares.values())), np.array(order, np.int64), fixed)
    part = np.array(list(shares), object)[where] if names else np.zeros(0, object)
    kept = np.ones(len(table), bool)
    if by == "time":
        kept = _clear(table, root, where[number], dict(zip(names, where.tolist(), strict=True)), block_s, gap_s)
    chosen = part[number]
    rows = table.assign(group=group, split=chosen)[kept].astype({"group": "str", "split": "str"})
    figures = {
        name: {
            "rows": int((kept & (chosen == name)).sum()),
            "positives": int((kept & positive & (chosen == name)).sum()),
        }
        for name in shares
    }
    said = made | {"parts": shares, "seed": seed, "sizes": figures, "groups": len(names)}
    said |= {"gap_s": float(gap_s)} if by == "time" else {}
    said |= {"new_groups": [name for name in names if name not in known]} if like is not None else {}
    lost = {GAP: int((~kept).sum())}
    return samples.then(rows, Step("split", said, step_ledger("samples", len(table), lost)))


def splits(samples: Samples) -> Splits:
    """Give (group, part) of a set that was split, for `store.splits.write_splits`.

    Raises:
        BadInputError: There is no row, or no split was decided.
    """
    steps = [step for step in samples.steps if step.name == "split"]
    rows = samples.rows[samples.rows["split"] != ""]
    if not len(samples):
        raise BadInputError("samples without a row", accepts="a set with rows", fix="make the samples anew")
    if not steps or not len(rows):
        raise BadInputError("samples without a split", accepts="a set that `split` gave", fix="split it first")
    made = {name: steps[-1].parameters[name] for name in ("by", "block_s") if name in steps[-1].parameters}
    return Splits(dict(zip(rows["group"], rows["split"], strict=True)), made)


def parts_of(parts: str | Mapping[str, float]) -> dict[str, float]:
    """Read the parts of a split: name -> share, shares summing to 1.

    Raises:
        BadInputError: Fewer than two parts, one twice, or a share that is no number above 0.
    """
    pairs = (
        [(one.partition("=")[0].strip(), one.partition("=")[2]) for one in parts.split(",") if one.strip()]
        if isinstance(parts, str)
        else list(parts.items())
    )
    try:
        found = {name: float(share) for name, share in pairs}
    except ValueError:
        found = {}
    right = len(found) == len(pairs) > 1 and all(name and 0 < share < np.inf for name, share in found.items())
    if not right:
        raise BadInputError(
            f"parts={parts!r}", accepts="two or more names, each with a share above 0", fix=f"write parts={PARTS}"
        )
    whole = sum(found.values())
    return {name: share if whole == 1 else round(share / whole, 12) for name, share in found.items()}


def _known(like: str | Path | Splits | None, made: Mapping[str, Any], shares: Mapping[str, float]) -> dict[str, str]:
    if like is None:
        return {}
    found = like if isinstance(like, Splits) else read_splits(like)
    said = {name: value for name, value in found.made.items() if name in {"by", "block_s"}}
    odd = sorted(set(found.parts.values()) - set(shares))
    if said != made or odd:
        raise BadDataError(
            f"splits made by {said or 'nobody knows what'}" + (f" with the parts {', '.join(odd)}" if odd else ""),
            accepts=f"splits made by {dict(made)} of the parts {', '.join(shares)}",
            fix="split with the same options as then, or without like",
        )
    return dict(found.parts)


def _groups(table: pd.DataFrame, root: Ints, by: By, block_ns: int) -> npt.NDArray[Any]:
    """Name the group of each row: that of the row that it descends from."""
    base = table.iloc[root]
    session = base["session"].to_numpy(object)
    if by == "session":
        return session
    if by == "group":
        found = base["group"].to_numpy(object)
        if (found == "").any():
            raise BadDataError(
                f"{int((found == '').sum())} rows without a group",
                accepts="a group in every row",
                fix="fill the column, or pass by=session",
            )
        return found
    if by == "segment":
        return _names(session, base["segment"])
    orphans = table["parent"].to_numpy(object)[(table["parent"] != "").to_numpy() & (root == np.arange(len(table)))]
    if len(orphans):
        raise BadInputError(
            f"{len(orphans)} rows made from others that are not in the table (of {orphans[0]!r} first)",
            accepts="a table before augmentation, or one with the parents of its children",
            fix="split by time first and augment then",
        )
    return _names(session, base["t_ns"] // block_ns)


def _names(session: npt.NDArray[Any], number: pd.Series[Any]) -> npt.NDArray[Any]:
    return np.array([f"{name}/{k}" for name, k in zip(session, number, strict=True)], object)


def _clear(table: pd.DataFrame, root: Ints, own: Ints, where: Mapping[str, int], block_s: float, gap_s: float) -> Bools:
    """Say which rows stay out of the gaps: neither window nor action come near a block of another part."""
    block, half = round(block_s * NS), round(gap_s * NS / 2)
    start = table["t_ns"].to_numpy(np.int64)
    end = start + ((table["length"].to_numpy(np.int64) - 1) * _step_ns(table)).astype(np.int64)
    here = (table["action_session"] == table["session"]).to_numpy()
    action = np.where(here, table["action_t_ns"].to_numpy(np.int64), start)
    clear = np.ones(len(table), bool)
    session = table["session"].to_numpy(object)
    for first, last in ((start, end), (action, action)):
        low, high = (first - half) // block, (last + half) // block
        for ahead in range(int((high - low).max(initial=-1)) + 1):
            at = low + ahead
            part = [where.get(f"{name}/{k}", -1) for name, k in zip(session, at, strict=True)]
            clear &= (at > high) | np.isin(part, [-1]) | (np.array(part, np.int64) == own)
    return np.asarray(clear & clear[root], bool)


def _step_ns(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Estimate for each row the ns from frame to frame of its session, from the times of the rows themselves."""
    step = np.zeros(len(table))
    for _, rows in table.assign(row=np.arange(len(table))).groupby("session"):
        times = rows.drop_duplicates("frame_index").sort_values("frame_index")
        frames = np.diff(times["frame_index"].to_numpy(np.int64))
        ahead = np.diff(times["t_ns"].to_numpy(np.int64))
        same = np.diff(times["segment"].to_numpy(np.int64)) == 0
        if same.any():
            step[rows["row"].to_numpy()] = float(np.median(ahead[same] / frames[same]))
    return step


def _digest(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
