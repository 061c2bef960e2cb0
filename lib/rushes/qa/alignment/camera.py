"""Camera motion against mouse, sticks and held keys: by how much the picture moved is what they did, some time before.

Over the time since the frame before, (t_{k-1}, t_k], inputs that take effect d later moved the camera by gain times
what their sums grew by from t_{k-1} - d to t_k - d. The gain of every control on both axes is learned, a camera may
ease in, and a game may move on with every picture by what is held then. Motion that no control explains (walkers, cuts,
wrong shifts) counts little. Since times are not put on a grid, how a motion is shared between two frames tells its
offset to a fraction of a frame.

Example:
    >>> from rushes.model.events import events_frame
    >>> rng, nan = np.random.default_rng(0), float("nan")
    >>> t = np.sort(rng.uniform(0, 60e9, 1500)).astype(int)
    >>> moves = [(s, "m", "Mouse", "move", nan, nan, nan, x, 0.0, "") for s, x in zip(t, rng.normal(0, 5, 1500))]
    >>> frames = np.arange(0, 60_000, 100 / 3)
    >>> events = events_frame(moves)
    >>> went = np.append(0, np.cumsum(events["dx"]))[np.searchsorted(t / 1e6, frames - 42.0, side="right")]
    >>> signs = {"shift": np.stack([-np.diff(went, prepend=0), 0 * went], 1), "sure": np.ones(len(went))}
    >>> (hint,) = hints(Look(frames, np.arange(len(went)) > 0, events, signs))
    >>> hint.name, abs(hint.ms - 42) < 10, hint.chance < 1e-6
    ('Mouse', True, True)
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.model.controls import POINTER
from rushes.qa.alignment.chance import SIGNIFICANT, maxima, reached_by_chance
from rushes.qa.alignment.controls import Sums, grew_of, sums_of
from rushes.qa.alignment.look import MOST_PPM, NEAR_MS, REACH_MS, Hint, Line, Look, Rows, columns
from rushes.qa.alignment.posterior import best_line, bounded

Floats = npt.NDArray[np.float64]

EASES_MS: Final = (0.0, 8.0, 16.0, 26.0, 38.0, 52.0, 68.0, 84.0, 100.0, 120.0, 145.0, 175.0, 210.0)
"""Time constants with which a camera may ease in."""
_MOST_GROUPS: Final = 5
_COARSE_MS: Final = 50.0  # motion is searched over so long: a game may draw less often than it is grabbed
_REPEATS: Final = 0.15
"""Share of still frames amid motion from which a game draws less often; motion is then added up over 100 ms."""
_UNSURE: Final = 0.03  # shifts less sure than this are not used
_SURE: Final = 0.15  # shifts surer than this count in full
_AWAY_S: Final = 3.0
_FREEDOM: Final = 4.0  # of Student's t: how far residuals stray
_ROUNDS: Final = 3
_TEMPER: Final = 30.0
"""How a camera eases in is learned from shifts that are wrong in kind, not only by chance: the log-likelihoods of its
time constants are divided by this."""
_STEPS_TEMPER: Final = 8.0  # the same of moving on with every picture against moving on all the time
_EASED: Final = 2.0  # log-odds against a camera that eases in
_LAZY_MS: Final = 50.0  # and one more for each such time constant
_LOST: Final = 8.0  # log-odds of a time constant behind which longer ones are not tried


def hints(look: Look, *, chance: float = SIGNIFICANT) -> list[Hint]:
    """Search a stretch for controls that move the camera.

    Args:
        look: The stretch.
        chance: How often chance may reach what is taken for evidence.

    Returns:
        What was found, the strongest first; what is not significant is left out.
    """
    shift = np.nan_to_num(np.asarray(look.signs["shift"], np.float64))
    sure = np.nan_to_num(np.asarray(look.signs["sure"], np.float64))
    weight = np.clip((sure - _UNSURE) / (_SURE - _UNSURE), 0, 1) * look.usable
    moved = np.abs(shift[weight > 0]).max(axis=1, initial=0.0) > 0
    if not len(look.events) or not moved.sum() >= 8:  # noqa: PLR2004 - nothing that moves
        return []
    limit = np.quantile(np.abs(shift[weight > 0][moved]), 0.995, axis=0) + 1e-6
    shift = np.clip(shift, -limit, limit)
    coarse = max(1, round(_COARSE_MS / look.frame_ms))
    fine = math.ceil(2 * _COARSE_MS / look.frame_ms) if _repeats(shift, weight) > _REPEATS else 1
    left, even = _over(shift, weight, coarse)
    left = left * even[:, None]
    sums = sums_of(look.events, round(look.t_ms[0] * 1e6), round(look.t_ms[-1] * 1e6))
    groups = {group: sums.of(group) for group in dict.fromkeys(sums.groups)}
    found: list[tuple[str, _Search, Sums, Floats]] = []
    while groups and len(found) < _MOST_GROUPS:
        tried = {name: _search(look, of, left, coarse) for name, of in groups.items()}
        name = min(tried, key=lambda one: (tried[one].chance, -tried[one].score.max()))
        best = tried[name]
        if best.chance > chance:
            break
        mine = groups.pop(name)
        rest = shift - sum(motion for *_, motion in found)
        motion = _Camera(look, mine, rest, weight, fine).explain(best.ms)
        left = left - _over(motion, weight, coarse)[0] * even[:, None]
        found.append((name, best, mine, motion))
    return _together(look, found, shift, weight, fine)


def _together(
    look: Look, found: list[tuple[str, _Search, Sums, Floats]], shift: Floats, weight: Floats, frames: int
) -> list[Hint]:
    """Look at each group anew with what the others moved taken off."""
    motions = [motion for *_, motion in found]
    fits = []
    for number, (_, best, mine, _) in enumerate(found):
        others = sum(motion for other, motion in enumerate(motions) if other != number)
        fits.append(_Camera(look, mine, shift - others, weight, frames))
        motions[number] = fits[-1].explain(best.ms)
    return [
        Hint(name, best.ms, best.chance, best.lag_ms, best.score, fit.rows, {"motion_s": fit.motion_s})
        for (name, best, *_), fit in zip(found, fits, strict=True)
    ]


class _Search:
    def __init__(self, ms: float, chance: float, lag_ms: Floats, score: Floats) -> None:
        self.ms, self.chance, self.lag_ms, self.score = ms, chance, lag_ms, score


def _repeats(shift: Floats, weight: Floats) -> float:
    """Say which share of the frames amid motion stand still: a game that draws slower than frames are grabbed."""
    size = np.hypot(shift[:, 0], shift[:, 1])
    moving = size > 1.0  # px
    amid = np.zeros(len(size), bool)
    amid[1:-1] = (moving[:-2] | moving[1:-1]) & moving[2:] & (weight[1:-1] > 0)
    around = np.minimum(np.roll(size, 1), np.roll(size, -1)) if len(size) else size
    still = amid & (size < 0.15 * np.maximum(around, np.roll(size, -1)))
    return float(still.sum() / max(amid.sum(), 1))


def _over(shift: Floats, weight: Floats, frames: int) -> tuple[Floats, Floats]:
    """Add motion up over several frames, each with those before it: what it was, and its weight."""
    whole, least = shift.copy(), weight.copy()
    for back in range(1, frames):
        whole[back:] += shift[:-back]
        least[back:] = np.minimum(least[back:], weight[:-back])
    least[: frames - 1] = 0
    return whole, least / frames


def _search(look: Look, sums: Sums, left: Floats, frames: int) -> _Search:
    """Search one group over all offsets and eases; a score is the share of the motion that is explained."""
    step = float(np.clip(look.frame_ms / 4, 4.0, 12.0))
    lag_ms = np.arange(-REACH_MS, REACH_MS + step / 2, step)
    whole = float((left**2).sum()) + 1e-12
    best = (-1.0, 0, 0.0)
    scores = []
    for ease in (0.0, 60.0):
        eased = sums.eased(ease)
        score = np.array([_explained(grew_of(eased, look.t_ms - lag, frames), left) for lag in lag_ms]) / whole
        scores.append(score)
        top = int(score.argmax())
        best = max(best, (float(score[top]), top, ease))
    share, top, ease = best
    score = np.max(scores, axis=0)
    basis = np.linalg.qr(grew_of(sums.eased(ease), look.t_ms - lag_ms[top], frames))[0]
    turned = np.fft.irfft(
        np.conj(np.fft.rfft(basis, axis=0))[:, :, None] * np.fft.rfft(left, axis=0)[:, None, :], len(left), axis=0
    )
    by_turn = -np.log1p(-np.clip((turned**2).sum(axis=(1, 2)) / whole, 0, 1 - 1e-9))
    drawn = maxima(
        by_turn,
        width=max(1, round(2 * REACH_MS / look.frame_ms)),
        away=round(1000 * _AWAY_S / look.frame_ms),
    )
    chance = reached_by_chance(float(-np.log1p(-min(share, 1 - 1e-9))), drawn)
    return _Search(float(lag_ms[top]), chance, lag_ms, score)


def _explained(grew: Floats, left: Floats) -> float:
    """Sum of squares that the best gains explain."""
    with_left = grew.T @ left
    square = grew.T @ grew
    square[np.diag_indices_from(square)] *= 1 + 1e-6
    square[np.diag_indices_from(square)] += 1e-9
    return float((with_left * np.linalg.solve(square, with_left)).sum())


class _Camera:
    """One group's motion of the camera: gains, noise, and how likely offsets are."""

    def __init__(self, look: Look, sums: Sums, shift: Floats, weight: Floats, frames: int) -> None:
        self.look, self.sums, self.frames = look, sums, frames
        self.left, self.weight = _over(shift, weight, frames)
        self.motion_s = 0.0

    def explain(self, ms: float) -> Floats:
        """Give the motion explained with one offset, and note for how long there is any: (N, 2)."""
        gains = self._gains(grew_of(self.sums, self.look.t_ms - ms, self.frames))
        motion = np.asarray(grew_of(self.sums, self.look.t_ms - ms) @ gains)
        moving = np.abs(motion).max(axis=1) > 0.25  # noqa: PLR2004 - px
        self.motion_s = float(moving.sum() * self.look.frame_ms / 1000)
        return motion

    def _gains(self, grew: Floats) -> Floats:
        """Learn gains, letting what strays count little: (C, 2)."""
        weight = np.repeat(self.weight[:, None], 2, axis=1)
        gains = np.zeros((grew.shape[1], 2))
        for _ in range(4):
            for axis in range(2):
                heavy = grew * weight[:, axis : axis + 1]
                square = heavy.T @ grew
                square[np.diag_indices_from(square)] *= 1 + 1e-4
                square[np.diag_indices_from(square)] += 1e-9
                gains[:, axis] = np.linalg.solve(square, heavy.T @ self.left[:, axis])
            motion = grew @ gains
            apart = self.left - motion
            noise = self._noise(apart, motion)
            weight = self.weight[:, None] / (1 + apart**2 / (_FREEDOM * noise**2))
        return gains

    def _noise(self, apart: Floats, motion: Floats) -> Floats:
        """Give the scale of what is left over: of still frames, and in proportion to the motion of others: (N, 2)."""
        used = self.weight > 0
        size = np.hypot(motion[:, 0], motion[:, 1])
        still = used & (size < 0.25)  # noqa: PLR2004 - px
        moving = used & ~still
        noise = np.empty_like(apart)
        for axis in range(2):
            base = 0.05 + (1.48 * np.median(np.abs(apart[still, axis])) if still.sum() > 20 else 0.0)  # noqa: PLR2004
            share = 0.0
            if moving.sum() > 20:  # noqa: PLR2004
                share = float(1.48 * np.median(np.abs(apart[moving, axis]) / (size[moving] + 1)))
            noise[:, axis] = np.hypot(base, share * (size + 1) * (size >= 0.25))  # noqa: PLR2004
        return noise

    def rows(self, centre_ms: float) -> Rows:
        """Say how likely offsets near one are, for each way of easing in."""
        line, ways, tops, there, tried = Line(centre_ms, 0.0, self.look.middle_ms), [], [], [], []
        steps = self.frames == 1 and self.sums.groups[0] != POINTER
        for ease, stepped in ([(0.0, True)] if steps else []) + [(ease, False) for ease in EASES_MS]:
            way, line = self._way(
                self.sums.eased(ease), centre_ms, line, rounds=1 if ease else _ROUNDS, stepped=stepped
            )
            tops.append(self._along(way, line, centre_ms))
            ways.append(bounded(way[None])[0])
            there.append(self._along(ways[-1], line, centre_ms))
            tried.append(_EASED * (ease > 0) + ease / _LAZY_MS)
            if ease and tops[-1] < max(tops) - _LOST * _TEMPER:
                break
        wanted = (np.array(tops) - max(tops)) / _TEMPER - np.array(tried)
        if steps:
            wanted[0] = wanted[1] + (tops[0] - tops[1]) / _STEPS_TEMPER
        even = (wanted - np.array(there)) / self.look.blocks
        return Rows(centre_ms, np.stack([way + np.float32(more) for way, more in zip(ways, even, strict=True)]))

    def _along(self, way: npt.NDArray[np.float32], line: Line, centre_ms: float) -> float:
        """Give the log-likelihood of a line."""
        column = np.rint(line.at(self.look.block_ms) - centre_ms).astype(np.int64) + NEAR_MS
        return float(way[np.arange(len(way)), np.clip(column, 0, way.shape[1] - 1)].sum())

    def _way(
        self, sums: Sums, centre_ms: float, line: Line, *, rounds: int, stepped: bool
    ) -> tuple[npt.NDArray[np.float32], Line]:
        """Give the log-likelihoods of one way of easing in, and its best line, starting from another's."""
        look = self.look
        for _ in range(rounds):
            grew = grew_of(sums, look.t_ms - line.at(look.t_ms), self.frames, stepped=stepped)
            gains = self._gains(grew)
            noise = self._noise(self.left - grew @ gains, grew @ gains)
            rows = self._likely(sums, gains, noise, centre_ms, stepped=stepped)
            was, line = line, best_line(look, [Rows(centre_ms, rows[None])], most_ppm=MOST_PPM)
            if abs(was.ms - line.ms) < 1 and abs(was.ppm - line.ppm) < 5:  # noqa: PLR2004
                break
        return rows, line

    def _likely(
        self, sums: Sums, gains: Floats, noise: Floats, centre_ms: float, *, stepped: bool
    ) -> npt.NDArray[np.float32]:
        """Give log-likelihoods for the columns, summed in each block: (B, L)."""
        look, lags = self.look, columns()
        path = np.asarray(sums.values @ gains)
        fine = np.arange(2 * len(path) - 1) / 2  # every ms
        path = np.stack([np.interp(fine, np.arange(len(path)), path[:, axis]) for axis in range(2)], axis=1)
        if stepped:
            path = np.diff(path, axis=0, prepend=path[:1])
        every_ms = np.diff(look.t_ms, prepend=look.t_ms[0])[:, None]
        place = look.t_ms - centre_ms - sums.start_ms - lags[-1]
        row = np.clip(np.floor(place).astype(np.int64), 0, len(path) - len(lags) - 2)
        part = (place - np.floor(place))[:, None]
        rows = np.zeros((look.blocks, len(lags)))
        edges = np.searchsorted(look.block_of(look.t_ms), np.arange(look.blocks + 1))
        reach = np.arange(len(lags) + 1)
        for block in range(look.blocks):
            start, stop = max(int(edges[block]), self.frames), int(edges[block + 1])
            if stop <= start or not self.weight[start:stop].any():
                continue
            near = slice(start - self.frames, stop)
            for axis in range(2):
                there = path[row[near, None] + reach, axis]
                there = there[:, :-1] * (1 - part[near]) + there[:, 1:] * part[near]
                scale = noise[start:stop, axis, None]
                moved = there[1:] * every_ms[start:stop] if stepped else there[self.frames :] - there[: -self.frames]
                apart = (self.left[start:stop, axis, None] - moved) / scale
                score = (_FREEDOM + 1) / 2 * np.log1p(apart**2 / _FREEDOM) + np.log(scale)
                rows[block] -= (self.weight[start:stop] @ score)[::-1]
        return rows.astype(np.float32)
