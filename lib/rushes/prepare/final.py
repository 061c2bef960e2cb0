"""Final: any number of sets in one, with their weights, in an order that training can take as it is.

Positives, negatives, several games: all rows are kept, key vectors are permuted to one vocabulary, and the rows are
shuffled with a seed. `weights` say what share of the training each set has, whatever its size: the column `weight` is
scaled so that the sums of the sets stand in that ratio, and the mean over all rows stays what it was.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> row = {"control": "Space", "label": 1.0, "keys": [1.0], "session": "s", "frame_index": 0, "t_ns": 0}
    >>> one, two = (Samples(samples_frame([row | {"sample_id": f"{name}{k}"} for k in range(n)]),
    ...                     ActionSpace.from_names(["Space"])) for name, n in (("a", 2), ("b", 6)))
    >>> final([one, two], weights=[1, 1]).rows.groupby(lambda k: k * 0)["weight"].sum().item()
    8.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.model.sample_table import Samples, Step, join, step_ledger
from rushes.prepare.merge import one_part_a_group, steps_of


def final(sets: Sequence[Samples], *, weights: Sequence[float] = (), seed: int = 42) -> Samples:
    """Put sets together for training.

    Args:
        sets: One or more.
        weights: One a set, in what ratio the sums of their weights shall stand; empty leaves each row's own weight.
        seed: Of the order, `np.random.default_rng(seed)`. The reference shuffles with NumPy's legacy generator and
            the same number, so its order is another one.

    Returns:
        All rows, shuffled, with the steps of all sets. Ids that stand in several sets with the same content are taken
        once, and counted as `duplicate`.

    Raises:
        BadInputError: No set, weights that do not fit the sets, or a seed below 0.
        BadDataError: Two sets mean different things by one id, or one group is for different parts in two of them.
    """
    if weights and (len(weights) != len(sets) or not all(0 < w < np.inf for w in weights)):
        raise BadInputError(
            f"{len(weights)} weights ({', '.join(f'{w:g}' for w in weights)}) for {len(sets)} sets",
            accepts="one number above 0 for each set",
            fix="give as many weights as sets, or none",
        )
    if seed < 0:
        raise BadInputError(f"seed={seed}", accepts="a seed from 0 on", fix="pass seed=42")
    joined, ids = join(sets)
    one_part_a_group(joined.rows)
    offered = sum(len(one) for one in sets)
    rows = joined.rows
    if weights:
        rows = rows.assign(weight=_weighed(joined, sets, weights))
    order = np.random.default_rng(seed).permutation(len(rows))
    said = {"weights": [float(w) for w in weights], "seed": seed, "sets": [len(one) for one in sets]}
    step = Step("final", said, step_ledger("samples", offered, {"duplicate": len(ids)}))
    return replace(joined, steps=steps_of(sets)).then(rows.iloc[order], step)


def _weighed(joined: Samples, sets: Sequence[Samples], weights: Sequence[float]) -> npt.NDArray[np.float32]:
    """Scale the weights of each set's rows; a row of two sets counts to the first."""
    owner: dict[str, int] = {}
    for number, one in enumerate(sets):
        for name in one.rows["sample_id"]:
            owner.setdefault(name, number)
    of = np.array([owner[name] for name in joined.rows["sample_id"]], np.int64)
    weight = joined.rows["weight"].to_numpy(float)
    sums = np.bincount(of, weight, minlength=len(sets))
    there = sums > 0
    wanted = np.where(there, np.asarray(weights, float), 0.0)
    factor = np.where(there, wanted / np.where(there, sums, 1.0), 0.0) * weight.sum() / max(wanted.sum(), 1e-300)
    return np.asarray(weight * factor[of], np.float32)
