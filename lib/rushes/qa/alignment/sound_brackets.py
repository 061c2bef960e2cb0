"""Which offset explains that one kind of thing follows another: stimuli at times, responses each between two times.

A response seen first in a hop or a frame lies in a bracket (low, high]. For an offset d each stimulus at t either has
its response in a bracket that holds t + d (with a share that its group has, and a jitter), or what lies there is by
chance, as often as responses are around it. The log-likelihood ratio of the two is summed over stimuli; what it reaches
by chance is seen where the stimuli are shifted by many seconds, round the whole stretch: a rhythm in both is no proof.

Example:
    >>> rng = np.random.default_rng(0)
    >>> pressed = np.sort(rng.uniform(0, 60_000, 60))
    >>> heard = np.sort(np.concatenate([pressed + 42, rng.uniform(0, 60_000, 200)])) // 5 * 5
    >>> told = tell([(Stimuli(pressed, np.zeros(60, int)), Brackets(heard, heard + 5))])
    >>> told.known, abs(told.ms - 42) < 2, told.low_ms < 42 < told.high_ms
    (True, True, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.special import logsumexp

Floats = npt.NDArray[np.float64]
Ratios = npt.NDArray[np.float32]

REACH_MS: Final = 500.0
"""Offsets are looked for up to this, either way."""
MOST_PPM: Final = 300.0
"""Drifts are looked for up to this, either way."""
FEWEST: Final = 8
"""Stimuli below which nothing is told."""
SHORTEST_MS: Final = 12_000.0
"""Stretches below this have no room for shifts that tell what chance does."""

_STEP_MS: Final = 4.0  # of the search; the jitter there is as wide
_FINE_MS: Final = 1.0
_NEAR_MS: Final = 40.0  # either side of the best that is looked at finely
_JITTERS_MS: Final = (1.5, 3.0, 6.0, 12.0)
_PERSON_MS: Final = (24.0, 48.0, 64.0)  # the spread of a person who answers what is heard or seen, no machine's
_CLEARLY: Final = 4.0  # log-likelihood ratio by which a machine has to explain it better than a person does
_SHARES: Final = (0.08, 0.2, 0.4, 0.65, 0.9)  # of stimuli that have a response
_AROUND_MS: Final = 1500.0  # where the rate by chance is counted, either side
_TURNS: Final = (np.arange(1, 41) * 0.6180339887) % 1  # how far nulls are shifted, in parts of the stretch
_AWAY_MS: Final = 2500.0  # the least shift of a null
_MOST: Final = 400  # stimuli in the search and in nulls; the fine look takes more
_MOST_FINE: Final = 800
_AT_ONCE: Final = 16  # factors whose product a float holds with ease
_CHANCE: Final = 0.001  # how often chance may reach what is claimed
_LEAST: Final = 7.0  # log-likelihood ratio below which nothing is claimed
_WIDEST_MS: Final = 60.0  # an interval beyond this tells nothing
_WIDEST_PPM: Final = 100.0  # likewise for the drift
_OWN_MS: Final = 1.5  # what the brackets themselves are uncertain by: attacks of sounds


class Stimuli(NamedTuple):
    """What comes first.

    Attributes:
        ms: (E,) float64 times, rising.
        group: (E,) which of several kinds, each with its own share of responses.
    """

    ms: Floats
    group: npt.NDArray[np.int64]


class Brackets(NamedTuple):
    """What follows: each lies in (low, high].

    Attributes:
        low: (J,) float64 ms, rising.
        high: (J,) float64 ms, rising.
    """

    low: Floats
    high: Floats


Way = tuple[Stimuli, Brackets]
"""A way of seeing what comes first and what follows."""


@dataclass(frozen=True)
class Told:
    """What was told; `rushes.qa.alignment.measured.Offset` is made of it.

    Attributes:
        ms: Offset at `middle_ms`; None where it cannot be told.
        low_ms: Lower end of its 90 % interval.
        high_ms: Upper end.
        drift_ppm: us each second; None where the stretch is too short for it.
        drift_low_ppm: Lower end of its 90 % interval.
        drift_high_ppm: Upper end.
        middle_ms: Where `ms` holds.
        confidence: 0 to 1.
        reason: Why it cannot be told, or `""`.
        share: Of the stimuli, how many have a response.
        jitter_ms: Spread of the response.
        which: Number of the way that told most.
        lag_ms: (L,) for a curve.
        score: (L,) log-likelihood ratio of each lag, over the best drift.
    """

    ms: float | None = None
    low_ms: float | None = None
    high_ms: float | None = None
    drift_ppm: float | None = None
    drift_low_ppm: float | None = None
    drift_high_ppm: float | None = None
    middle_ms: float = 0.0
    confidence: float = 0.0
    reason: str = ""
    share: float = 0.0
    jitter_ms: float = 0.0
    which: int = 0
    lag_ms: Floats | None = None
    score: Floats | None = None

    @property
    def known(self) -> bool:
        """Whether it could be told."""
        return self.ms is not None


def tell(ways: Sequence[Way], *, names: tuple[str, str] = ("stimuli", "responses")) -> Told:
    """Tell by how much responses follow stimuli.

    Args:
        ways: Several ways of seeing both; the one that tells most is taken.
        names: What both are called where it cannot be told.

    Returns:
        The offset with its interval, or why it cannot be told; a negative one says that responses come first.
    """
    for place, name in enumerate(names):
        most = max([0, *(len(way[place][0]) for way in ways)])
        if most < FEWEST:
            return Told(reason=f"{most} {name}, {FEWEST} are needed")
    several = [way for way in ways if min(len(part[0]) for part in way) >= FEWEST]
    start = min(brackets.low[0] for _, brackets in several)
    stop = max(brackets.high[-1] for _, brackets in several)
    several = [(_within(stimuli, start, stop), brackets) for stimuli, brackets in several]
    several = [(stimuli, brackets) for stimuli, brackets in several if len(stimuli.ms) >= FEWEST]
    if not several:
        return Told(reason=f"too few {names[0]} where there are {names[1]}")
    if stop - start < SHORTEST_MS:
        return Told(reason=f"{(stop - start) / 1000:.0f} s, {SHORTEST_MS / 1000:.0f} s are needed")
    best = max((_search(*way, number) for number, way in enumerate(several)), key=lambda found: found.height)
    nulls = np.array([_by_chance(several, turn, start, stop) for turn in _TURNS])
    spread = max(float(nulls.std()) * np.sqrt(6) / np.pi, 0.8)
    sure = float(np.exp(-np.exp(-np.clip((best.height - (nulls.mean() - 0.577 * spread)) / spread, -3, 40))))
    curve = _Curve(_lags(), best.profile, float(several[best.which][0].ms.mean()))
    if best.height < max(_LEAST, nulls.max()) or 1 - sure > _CHANCE:
        sure = min(sure, 0.999) if best.height > nulls.max() else 0.0
        reason = f"no offset explains the {names[1]} better than chance does"
        return Told(reason=reason, confidence=sure, **curve._asdict())
    return _fine(*several[best.which], best, min(sure, 0.999), curve)


class _Curve(NamedTuple):
    lag_ms: Floats
    score: Floats
    middle_ms: float


def _within(stimuli: Stimuli, start: float, stop: float) -> Stimuli:
    inside = (stimuli.ms > start - REACH_MS) & (stimuli.ms < stop + REACH_MS)
    return Stimuli(stimuli.ms[inside], stimuli.group[inside])


class _Found(NamedTuple):
    which: int
    ms: float
    ppm: float
    height: float
    profile: Floats


def _lags() -> Floats:
    return np.arange(-REACH_MS, REACH_MS + _STEP_MS / 2, _STEP_MS)


def _drifts(stimuli: Stimuli) -> Floats:
    """Give the drifts that the search tries: what they move the ends by lies two steps apart."""
    half = max(float(np.ptp(stimuli.ms)) / 2, 1.0)
    count = int(np.ceil(MOST_PPM * 1e-6 * half / (2 * _STEP_MS)))
    return np.linspace(-MOST_PPM, MOST_PPM, 2 * count + 1) if count else np.zeros(1)


def _search(stimuli: Stimuli, kind: Brackets, which: int) -> _Found:
    """Find the best lag and drift on a coarse grid."""
    drifts, middle = _drifts(stimuli), float(stimuli.ms.mean())
    scores = np.array([_scores(stimuli, kind, ppm, middle) for ppm in drifts])
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    height = float(scores.max() - np.log(len(drifts)))
    return _Found(which, float(_lags()[column]), float(drifts[row]), height, scores.max(axis=0))


def _scores(stimuli: Stimuli, kind: Brackets, ppm: float, middle: float) -> Floats:
    """Give the log-likelihood ratio at every lag, the share of each group at its best: (L,)."""
    thin = -(-len(stimuli.ms) // _MOST)
    ms, group = stimuli.ms[::thin], stimuli.group[::thin]
    ratio = _ratios(ms + ppm * 1e-6 * (ms - middle), ms, kind, _lags(), (_STEP_MS,))[0]
    return _over_groups(ratio, group, _SHARES[1::2])


def _over_groups(ratio: Ratios, group: npt.NDArray[np.int64], shares: Sequence[float]) -> Floats:
    """Add up what groups say, each at the share at which it says most, at each lag; to say nothing is one: (L,)."""
    said = np.zeros(ratio.shape[1])
    for one in np.unique(group):
        part = ratio[group == one].astype(np.float64)
        said += np.max([np.zeros_like(said), *(_log_of_product(1 + share * (part - 1)) for share in shares)], axis=0)
    return said


def _log_of_product(factors: Floats) -> Floats:
    """Add up logarithms over rows, of sixteen factors at once: (L,) from (E, L)."""
    products = np.multiply.reduceat(factors, np.arange(0, len(factors), _AT_ONCE), axis=0)
    return np.asarray(np.log(products).sum(axis=0))


def _ratios(moved: Floats, ms: Floats, kind: Brackets, lags: Floats, jitters: Sequence[float]) -> list[Ratios]:
    """Give how much likelier a response is, at each stimulus and lag, than by chance: (E, L) for each jitter."""
    step = float(lags[1] - lags[0])
    margin = int(np.ceil(3 * max(jitters) / step))
    wide = lags[0] + step * np.arange(-margin, len(lags) + margin)
    near = np.searchsorted(kind.low, ms + _AROUND_MS) - np.searchsorted(kind.low, ms - _AROUND_MS)
    rate = np.maximum(near, 1) / (2 * _AROUND_MS)
    boxes = _boxes(moved, kind, wide) / rate[:, None].astype(np.float32)
    size = next_fast_len(len(wide), real=True)
    lines = rfft(boxes, size, axis=1)
    hz = rfftfreq(size, step)
    found = []
    for jitter in jitters:
        smooth = irfft(lines * np.exp(-2 * (np.pi * hz * jitter) ** 2).astype(np.float32), size, axis=1)
        found.append(np.maximum(smooth[:, margin : margin + len(lags)], 0))
    return found


def _boxes(moved: Floats, kind: Brackets, lags: Floats) -> Ratios:
    """Lay the brackets near each stimulus on its line of lags, each with an area of 1: (E, L)."""
    step, count = float(lags[1] - lags[0]), len(lags)
    first = np.searchsorted(kind.high, moved + lags[0])
    many = np.maximum(np.searchsorted(kind.low, moved + lags[-1]) - first, 0)
    who = np.repeat(np.arange(len(moved)), many)
    which = np.arange(len(who)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)
    height = 1 / (kind.high[which] - kind.low[which])
    edges = np.zeros(len(moved) * (count + 2))
    for end, sign in ((kind.low, 1), (kind.high, -1)):
        place = np.clip((end[which] - moved[who] - lags[0]) / step + 0.5, 0, count)
        cell = place.astype(np.int64)
        part = place - cell  # the edge lies between two cells
        at = who * (count + 2) + cell
        edges += np.bincount(at, sign * height * (1 - part), len(edges))
        edges += np.bincount(at + 1, sign * height * part, len(edges))
    return np.asarray(edges.reshape(len(moved), count + 2).cumsum(axis=1)[:, :count], np.float32)


def _by_chance(ways: Sequence[Way], turn: float, start: float, stop: float) -> float:
    """Give the best score of stimuli that are shifted round the stretch by an amount of no rhythm."""
    span, best = stop - start, 0.0
    for stimuli, brackets in ways:
        ms = start + (stimuli.ms - start + _AWAY_MS + turn * (span - 2 * _AWAY_MS)) % span
        order = np.argsort(ms)
        scores = _scores(Stimuli(ms[order], stimuli.group[order]), brackets, 0.0, float(ms.mean()))
        best = max(best, float(scores.max()))
    return best


def _fine(stimuli: Stimuli, kind: Brackets, best: _Found, sure: float, curve: _Curve) -> Told:
    """Look finely around the best: lag, drift and jitter together."""
    thin = -(-len(stimuli.ms) // _MOST_FINE)
    ms, group = stimuli.ms[::thin], stimuli.group[::thin]
    middle, half = curve.middle_ms, max(float(np.ptp(ms)) / 2, 1.0)
    centre, ppm, reach = best.ms, best.ppm, 1.5 * float(np.diff(_drifts(stimuli)).max(initial=MOST_PPM))
    for last in (False, False, True):
        lags = np.arange(-_NEAR_MS, _NEAR_MS + _FINE_MS / 2, _FINE_MS) + centre
        drifts = ppm + np.linspace(-reach, reach, 11)
        joint = np.empty((len(drifts), len(_JITTERS_MS), len(lags)))
        for row, one in enumerate(drifts):
            several = _ratios(ms + one * 1e-6 * (ms - middle), ms, kind, lags, _JITTERS_MS)
            joint[row] = [_over_groups(ratio, group, _SHARES) for ratio in several]
        joint -= 0.5 * (drifts[:, None, None] / MOST_PPM) ** 2  # clocks are seldom so far apart
        of_drift = np.exp(logsumexp(joint, axis=(1, 2)) - logsumexp(joint))
        of_lag = np.exp(logsumexp(joint, axis=(0, 1)) - logsumexp(joint))
        ppm, centre = float(of_drift @ drifts), float(of_lag @ lags)
        if not last:
            sd = float(np.sqrt(of_drift @ (drifts - ppm) ** 2))
            reach = min(max(4 * sd, float(drifts[1] - drifts[0])), MOST_PPM)
    spread = _JITTERS_MS[int(np.unravel_index(int(joint.argmax()), joint.shape)[1])]
    low, high = _ends(lags, of_lag, _OWN_MS)
    drift_low, drift_high = _ends(drifts, of_drift, 1e6 * _OWN_MS / half)
    told = partial(Told, confidence=sure, jitter_ms=spread, which=best.which, **curve._asdict())
    answers = _ratios(ms + ppm * 1e-6 * (ms - middle), ms, kind, _lags(), _PERSON_MS)
    wider = np.array([_over_groups(ratio, group, _SHARES) for ratio in answers]).max(axis=0)
    if wider.max() > joint.max() - _CLEARLY:
        about = float(_lags()[int(wider.argmax())])
        return told(reason=f"they are spread around {about:+.0f} ms as widely as where a person answers")
    if high - low > _WIDEST_MS:
        return told(reason=f"offsets from {low:+.0f} to {high:+.0f} ms explain it as well")
    ratio = _ratios(ms + ppm * 1e-6 * (ms - middle), ms, kind, lags, (spread,))[0]
    told = partial(told, share=float((ratio[:, int(of_lag.argmax())] > 1).mean()))
    if drift_high - drift_low > _WIDEST_PPM:
        return told(ms=centre, low_ms=low, high_ms=high)
    drift = {"drift_ppm": ppm, "drift_low_ppm": drift_low, "drift_high_ppm": drift_high}
    return told(ms=centre, low_ms=low, high_ms=high, **drift)


def _ends(at: Floats, weight: Floats, own: float) -> tuple[float, float]:
    """Give the 90 % interval of a density on an even grid, widened by what the brackets themselves do not know."""
    middle = float(weight @ at)
    below = np.concatenate([[0.0], np.cumsum(weight)])
    edges = np.concatenate([[at[0]], (at[1:] + at[:-1]) / 2, [at[-1]]])
    low, high = np.interp([0.05, 0.95], below / below[-1], edges)
    wider = 1.645 * own
    return middle - float(np.hypot(middle - low, wider)), middle + float(np.hypot(high - middle, wider))
