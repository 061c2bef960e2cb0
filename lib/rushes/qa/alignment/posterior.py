"""From rows of log-likelihoods to an offset, a drift, and intervals that hold.

Rows of all kinds of evidence and of all stretches are added along lines d(t) = offset + drift * (t - middle). How sure
that is, is not read off the likelihood alone, which believes that its model is true and its frames independent: the
blocks are drawn anew a hundred times (a Bayesian bootstrap), each draw gives a posterior, and their mean is the answer
("BayesBag", Buehlmann 2014; Huggins and Miller 2023). It is as wide as the likelihood says where the model holds and as
wide as the blocks disagree where it does not.

Example:
    >>> from rushes.qa.alignment.look import Look, Rows, columns
    >>> look = Look(np.arange(0, 60_000, 100 / 3), np.ones(1800, bool), events=None, signs=None)
    >>> rng = np.random.default_rng(0)
    >>> near = [-((columns() - ms) ** 2) / 50 for ms in rng.normal(7, 5, look.blocks)]
    >>> told = tell([(look, [Rows(40.0, np.array(near, np.float32)[None])])])
    >>> told.low_ms < 47 < told.high_ms, told.high_ms - told.low_ms < 20, told.ppm_high - told.ppm_low > 100
    (True, True, True)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from rushes.qa.alignment.look import MOST_PPM, NEAR_MS, Line, Look, Rows

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Heard = tuple[Look, Sequence[Rows]]

DRAWS: Final = 100
INTERVAL: Final = 0.9
_OWN_FRAMES: Final = 0.15
"""What the method itself is uncertain by: shifts that are wrong in kind where layers move unlike, eases between those
that are tried, when within its time a frame was grabbed. From planted worlds."""
_LINES: Final = 41  # drifts that are tried at once
_FEW: Final = 12  # draws with which the region is found
_NOTHING: Final = 1e-6  # of the posterior
_MARGIN: Final = 15  # ms about the region
_PER_BLOCK: Final = 25.0
"""Log-likelihoods of one block below its best by more than this count as this: no block alone rules out an offset."""


class Told(NamedTuple):
    """An answer.

    Attributes:
        ms: The offset at `at_ms`: the median.
        low_ms: Lower end of the 90 % interval.
        high_ms: Upper end.
        ppm: The drift: the median.
        ppm_low: Lower end of its interval.
        ppm_high: Upper end.
        at_ms: Where the offset holds.
    """

    ms: float
    low_ms: float
    high_ms: float
    ppm: float
    ppm_low: float
    ppm_high: float
    at_ms: float


def best_line(look: Look, rows: Sequence[Rows], *, most_ppm: float = MOST_PPM) -> Line:
    """Give the most likely line of one stretch."""
    at_ms = look.middle_ms
    ms, ppm, table = _table([(look, rows)], at_ms, (0.0, most_ppm), np.ones((1, look.blocks)))
    row, column = np.unravel_index(int(table[0].argmax()), table[0].shape)
    return Line(float(ms[column]), float(ppm[row]), at_ms)


def tell(heard: Sequence[Heard], *, draws: int = DRAWS, seed: int = 0) -> Told:
    """Combine what was heard in stretches into one line with its intervals.

    Args:
        heard: Each stretch with the rows of its evidence.
        draws: Of the bootstrap.
        seed: Of its draws.

    Returns:
        Offset and drift at the middle of the stretches.
    """
    start, end = heard[0][0].t_ms[0], heard[-1][0].t_ms[-1]
    at_ms = float(start + end) / 2
    blocks = sum(look.blocks for look, _ in heard)
    rng = np.random.default_rng(seed)
    weights = np.concatenate([np.ones((1, blocks)), rng.exponential(size=(draws, blocks))])
    middle, reach, few = 0.0, MOST_PPM, weights[:_FEW]
    for _ in range(8):
        ms, ppm, table = _table(heard, at_ms, (middle, reach), few)
        one = _posterior(table)
        by_ppm = np.cumsum(one.sum(axis=1))
        spread = float(ppm[np.searchsorted(by_ppm, 0.999)] - ppm[np.searchsorted(by_ppm, 0.001)])
        if spread > 8 * (ppm[1] - ppm[0]):
            break
        middle, reach = float(ppm @ one.sum(axis=1)), max(spread, 2 * float(ppm[1] - ppm[0]))
    held = np.flatnonzero(one.sum(axis=0) > _NOTHING)
    within = slice(max(int(held[0]) - _MARGIN, 0), int(held[-1]) + _MARGIN + 1)
    ms, ppm, table = _table(heard, at_ms, (middle, reach), weights, within)
    one = _posterior(table)
    low, ms_, high = _quantiles(ms, one.sum(axis=0))
    ppm_low, ppm_, ppm_high = _quantiles(ppm, one.sum(axis=1))
    own = _OWN_FRAMES * float(np.median([look.frame_ms for look, _ in heard]))
    return Told(ms_, low - own, high + own, ppm_, ppm_low, ppm_high, at_ms)


def _table(
    heard: Sequence[Heard], at_ms: float, drifts: tuple[float, float], weights: Floats, within: slice = slice(None)
) -> tuple[Floats, Floats, Singles]:
    """Add up rows along lines.

    Args:
        heard: Each stretch with its rows.
        at_ms: Where lines have their offset.
        drifts: Middle and reach of the drifts, ppm.
        weights: (R, B) weights of all blocks.
        within: Columns that are wanted.

    Returns:
        Offsets (D,), drifts (S,), log-likelihoods (R, S, D).
    """
    centre = float(np.median([rows.centre_ms for _, several in heard for rows in several]))
    ms = (centre + np.arange(-NEAR_MS, NEAR_MS + 1, dtype=np.float64))[within]
    ppm = drifts[0] + np.linspace(-drifts[1], drifts[1], _LINES)
    table = np.zeros((len(weights), len(ppm), len(ms)), np.float32)
    first = 0
    for look, several in heard:
        weight = weights[:, first : first + look.blocks].astype(np.float32)
        first += look.blocks
        for rows in several:
            ways = bounded(rows.ways)
            for number, slant in enumerate(ppm):
                slanted = _slanted(ways, look, rows.centre_ms - centre, slant, at_ms)[:, :, within]
                each = np.matmul(weight, slanted)  # (V, R, D)
                most = each.max(axis=0)
                table[:, number] += most + np.log(np.exp(each - most).sum(axis=0))
    return ms, ppm, table


def bounded(ways: Singles) -> Singles:
    """Let no block count for more than it should."""
    best = ways.max(axis=(0, 2), keepdims=True)
    return np.asarray(_PER_BLOCK * np.tanh((ways - best) / _PER_BLOCK), np.float32)


def _slanted(ways: Singles, look: Look, beside_ms: float, ppm: float, at_ms: float) -> Singles:
    """Give rows along a drift: column c is the offset that a line through it has in each block: (V, B, L)."""
    place = ppm * 1e-6 * (look.block_ms - at_ms) - beside_ms
    whole = np.floor(place).astype(np.int64)
    part = (place - whole).astype(np.float32)[None, :, None]
    wide = ways.shape[2]
    column = np.arange(wide)[None, :] + whole[:, None]
    block = np.arange(ways.shape[1])[:, None]
    left = ways[:, block, np.clip(column, 0, wide - 1)]
    right = ways[:, block, np.clip(column + 1, 0, wide - 1)]
    return np.asarray(left * (1 - part) + right * part)


def _posterior(table: Singles) -> Floats:
    """Average the posteriors of the draws: (S, D); the first, of all blocks alike, counts as a quarter of all."""
    flat = table.reshape(len(table), -1).astype(np.float64)
    each = np.exp(flat - logsumexp(flat, axis=1, keepdims=True))
    mean = each[0] if len(each) == 1 else 0.25 * each[0] + 0.75 * each[1:].mean(axis=0)
    return np.asarray(mean.reshape(table.shape[1:]))


def _quantiles(at: Floats, share: Floats) -> Iterator[float]:
    """Give the quantiles of an interval and its middle, cells taken as wide as they are."""
    step = at[1] - at[0]
    sums = np.append(0.0, np.cumsum(share))
    edges = np.append(at - step / 2, at[-1] + step / 2)
    for quantile in ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2):
        yield float(np.interp(quantile * sums[-1], sums, edges))
