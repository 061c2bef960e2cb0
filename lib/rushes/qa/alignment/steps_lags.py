"""Which lag is the first at which actions say something of the pictures that older actions do not.

What a picture's change owes to its own past is taken out first: sprites that flicker, things that go on moving. Then,
for each lag, features are regressed on the action of that lag beside the actions before it; how much the newest one
adds is a partial F statistic for each feature. People and policies hold actions for a while and effects last, so older
actions explain much; but before the true lag the newest action adds nothing, and at the true lag it does. What chance
gives is read off the same statistic with actions turned around each episode by a long way, which keeps how they follow
on each other and breaks what they did.

Example:
    >>> rng = np.random.default_rng(0)
    >>> pressed = rng.integers(0, 2, (400, 1)).astype(float)
    >>> moved = np.vstack([rng.normal(size=(2, 6)), pressed[:-2] * [1, 2, 0, 0, 0, 0] + rng.normal(size=(398, 6))])
    >>> lags, strength, _ = strengths([Stretch({"motion": moved}, pressed)])
    >>> int(lags[strength.argmax()])
    2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LAGS: Final = range(-8, 9)
"""Lags in steps that are looked at."""
OLDER: Final = 3
"""Older actions that stand beside the newest one."""
_PAST: Final = 3
"""Steps of a feature's own past that are taken out of it."""
_COMMON: Final = 12
"""Principal components of a group whose past is taken out of all its features."""
_PERIODS: Final = (2, 3, 4, 6, 8)
"""Steps after which games repeat themselves: flicker, and counters that count emulated frames."""
_CHANCES: Final = 40
"""Far shifts from which it is read what chance gives."""
_NEAREST: Final = 20
"""The nearest of them, in steps."""
_CLIP: Final = 4.0
"""Standard deviations beyond which a feature counts no more: a flash, a new scene."""


_NOTHING: Final = 1e-6
"""Size below which a column counts as explained by the others."""
_FREE: Final = 20
"""Degrees of freedom that a regression needs."""


class Stretch(NamedTuple):
    """An unbroken stretch of play.

    Attributes:
        seen: Features by the name of their group, each (N, P); row t belongs to the change from observation t to t + 1.
        done: (N, Q) what was done on observation t.
    """

    seen: Mapping[str, Floats]
    done: Floats


def strengths(
    stretches: Sequence[Stretch], *, lags: Sequence[int] = LAGS
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Tell for each lag how much the action of that lag adds to what older ones say.

    Args:
        stretches: What was seen and done; features and actions have the same columns in all.
        lags: Whole steps; at lag m the action of observation k is held against the change from k + m to k + m + 1.

    Returns:
        The lags, (L,); their strengths in standard deviations of what chance gives, (L,); those of far shifts, (C,).
    """
    groups = {name: _without_past([stretch.seen[name] for stretch in stretches]) for name in stretches[0].seen}
    groups = {name: values for name, values in groups.items() if values.shape[1]}
    seen = np.concatenate(list(groups.values()), 1).astype(np.float32) if groups else np.zeros((0, 0), np.float32)
    edges = np.cumsum([values.shape[1] for values in groups.values()])[:-1]
    done = [stretch.done for stretch in stretches]
    if not seen.size:
        return np.array(lags), np.zeros(len(lags)), np.zeros(0)
    near = np.array([_summary(_partial(seen, done, lag), edges) for lag in lags])
    far = np.array(
        [
            _summary(_partial(seen, [np.roll(a, s, 0) for a, s in zip(done, turn, strict=True)], 0), edges)
            for turn in _turns([len(a) for a in done])
        ]
    )
    return np.array(lags), *_beside_chance(near, far)


def _summary(found: tuple[Floats, Floats], edges: npt.NDArray[np.int64]) -> list[float]:
    """Give of each group the mean and the three highest of the joint statistic, and the highest of single actions."""
    joint, single = (np.split(values, edges) for values in found)
    return [
        float(value)
        for one, other in zip(joint, single, strict=True)
        for value in (one.mean(), np.sort(one)[-3:].mean(), np.sort(other)[-3:].mean())
    ]


def _beside_chance(near: Floats, far: Floats) -> tuple[Floats, Floats]:
    centre, spread = far.mean(0), far.std(0, ddof=1) + 0.03 * far.mean(0)
    return ((near - centre) / spread).max(1), ((far - centre) / spread).max(1)


def _turns(lengths: Sequence[int]) -> list[list[int]]:
    rng = np.random.default_rng(0)
    return [[int(rng.integers(_NEAREST, max(n - _NEAREST, _NEAREST + 1))) for n in lengths] for _ in range(_CHANCES)]


def _without_past(parts: Sequence[Floats]) -> Floats:
    """Take out of each feature what it owes to its past and to the clock; scale it to a standard deviation of one."""
    values = np.concatenate(parts)
    values = values - np.median(values, 0)
    spread = np.sqrt((values**2).mean(0))
    moving = spread > _NOTHING * max(float(spread.max()), 1e-12)
    values = np.clip(values[:, moving] / spread[moving], -_CLIP, _CLIP)
    if not values.size:
        return np.asarray(values)
    values -= values.mean(0)
    power, axes = np.linalg.eigh(values.T @ values)
    common = values @ axes[:, np.argsort(power)[::-1][:_COMMON]]
    clock = np.concatenate([np.arange(len(part)) for part in parts])[:, None] * 2 * np.pi
    waves = [(clock * turn / period) for period in _PERIODS for turn in range(1, period // 2 + 1)]
    told = [np.ones((len(values), 1)), *(_back(common, parts, lag) for lag in (1, 2))]
    basis = _basis(np.concatenate([*told, *map(np.cos, waves), *map(np.sin, waves)], 1))
    own = [_back(values, parts, lag) for lag in range(1, _PAST + 1)]
    own = [past - basis @ (basis.T @ past) for past in own]
    values = values - basis @ (basis.T @ values)
    for past in own * 3:  # by turns, which comes close to least squares of all three at once
        values -= past * ((past * values).sum(0) / np.maximum((past**2).sum(0), 1e-9))
    spread = values.std(0)
    left = spread > _NOTHING
    values = np.clip(values[:, left] / spread[left], -_CLIP, _CLIP)
    return np.asarray(values - values.mean(0))


def _back(values: Floats, parts: Sequence[Floats], lag: int) -> Floats:
    """Give what stood `lag` rows before, 0 at the start of a part."""
    out, start = np.zeros_like(values), 0
    for part in parts:
        stop = start + len(part)
        out[min(start + lag, stop) : stop] = values[start : max(stop - lag, start)]
        start = stop
    return out


def _basis(columns: npt.NDArray[np.floating]) -> Floats:
    """Give an orthonormal basis of what the columns span."""
    turned, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(turned[:, sizes > _NOTHING * sizes[0]])


def _partial(seen: npt.NDArray[np.float32], done: Sequence[Floats], lag: int) -> tuple[Floats, Floats]:
    """Give the partial F statistic of the action of a lag beside the older ones, for each feature.

    Returns:
        That of all its columns together, and the highest of any one column, (P,) each.
    """
    newest, *older = (np.concatenate([_shifted(a, lag + back) for a in done]) for back in range(OLDER + 1))
    new = np.concatenate([newest, _changed(newest, older[0])], 1)
    old = np.concatenate([np.ones((len(seen), 1)), *older, _changed(older[0], older[1])], 1)
    whole = np.isfinite(new).all(1) & np.isfinite(old).all(1)
    there, new, old = seen[whole], new[whole], old[whole]
    nothing = np.ones(seen.shape[1])
    if len(there) < new.shape[1] + old.shape[1] + _FREE:
        return nothing, nothing
    by_old = _basis(old)
    new = new - by_old @ (by_old.T @ new)
    sizes = np.linalg.norm(new, axis=0)
    if not (sizes > _NOTHING).any():
        return nothing, nothing
    new = new[:, sizes > _NOTHING] / sizes[sizes > _NOTHING]
    by_new = _basis(new)
    free = len(there) - by_old.shape[1] - by_new.shape[1]
    left = (there**2).sum(0, dtype=np.float64) - _explained(by_old, there).sum(0)
    joint = _explained(by_new, there).sum(0)
    single = _explained(new, there).max(0)
    least = _NOTHING * np.maximum(left, _NOTHING)
    together = (joint / by_new.shape[1]) / (np.maximum(left - joint, least) / free)
    alone = single / (np.maximum(left - single, least) / (free + by_new.shape[1] - 1))
    return np.asarray(together), np.asarray(alone)


def _explained(columns: Floats, values: npt.NDArray[np.float32]) -> Floats:
    """Give the sum of squares that each column of length one explains by itself: (columns, P)."""
    return np.asarray((columns.T.astype(np.float32) @ values) ** 2, np.float64)


def _changed(now: Floats, before: Floats) -> Floats:
    """Give what is done now where it is not what was done before: presses."""
    return np.where(np.isnan(now) | np.isnan(before), np.nan, now * (now != before))


def _shifted(done: Floats, lag: int) -> Floats:
    """Give what was done `lag` rows before, NaN where nothing is known."""
    out = np.full_like(done, np.nan, dtype=np.float64)
    count = len(done)
    if abs(lag) < count:
        out[max(lag, 0) : count + min(lag, 0)] = done[max(-lag, 0) : count - max(lag, 0)]
    return out
