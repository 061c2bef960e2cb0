"""Local change after key edges: a figure hops, a slot lights; the first frame that shows it is a bracket.

What presses and releases of a control change is learned block by block from all of them together. Then every edge at t
says how likely it is that frame k is the first that shows it; d lies in (t_{k-1} - t, t_k - t]. Many brackets together
are far finer than a frame. How wide stamps scatter and how many edges change nothing is part of the likelihood.

Example:
    >>> from rushes.model.events import events_frame
    >>> rng, nan = np.random.default_rng(0), float("nan")
    >>> pressed = np.cumsum(rng.uniform(400, 1500, 60))
    >>> edge = [(t, "press") for t in pressed] + [(t + 200, "release") for t in pressed]
    >>> events = events_frame((int(t * 1e6), "k", "Space", kind, *[nan] * 5, "") for t, kind in sorted(edge))
    >>> frames = np.arange(0, 60_000, 100 / 3)
    >>> blocks = rng.exponential(1.0, (len(frames), 9, 16))
    >>> blocks[np.searchsorted(frames, pressed + 42) % len(frames), 4, 4] += 20
    >>> signs = {"blocks": blocks, "luma": np.zeros((len(frames), 9, 16))}
    >>> (hint,) = hints(Look(frames, np.arange(len(frames)) > 0, events, signs))
    >>> hint.name, abs(hint.ms - 42) < 40, hint.chance < 1e-4
    ('edges', True, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from rushes.model.events import edges
from rushes.qa.alignment.chance import SIGNIFICANT, maxima, reached_by_chance
from rushes.qa.alignment.look import MOST_PPM, NEAR_MS, REACH_MS, Hint, Line, Look, Rows, columns
from rushes.qa.alignment.posterior import best_line

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

FEWEST: Final = 5  # edges of one kind below which nothing is learned from them
SCATTERS_MS: Final = (1.0, 3.0, 8.0, 16.0, 30.0)
"""Standard deviations with which stamps may scatter."""
_STEADY_MS: Final = 8.0  # scatter that stamps and games have; that of people is wider
_ANSWER_MS: Final = -120.0  # offset above which nobody is so quick
_LOOSER: Final = 5.0  # log-odds of a wide scatter that make it a person's
_MOST_KINDS: Final = 40
_TURNS: Final = 700  # times that the inputs are turned round to see what chance does
_ENOUGH: Final = 120  # edges of a kind for the search
_AWAY_S: Final = 3.0
_ODD: Final = 0.05  # share of edges that change nothing, or other things
_LASTS_MS: Final = 100.0  # of a response, how much is looked at
_CLEAR: Final = 3.0  # standard errors from which a block takes part
_ROUNDS: Final = 5
_BEGINS: Final = 0.7  # frames, how wide learning begins
_AROUND: Final = 1.5  # frames beside the search's best that first frames are looked at, in steps of
_PART: Final = 0.125  # frames
_RELEASE: Final = 0.7
"""What releases weigh: where all holds last equally long, what follows a press could follow the release before."""
_BESIDE_MS: Final = 50.0  # how far the search may be beside the first response
_VOTE: Final = 200.0  # of a clear response; one control does not outvote several
_ONSET: Final = 0.3  # of the strongest response, what the first may be


def hints(look: Look, *, chance: float = SIGNIFICANT) -> list[Hint]:
    """Search a stretch for edges that change something.

    Args:
        look: The stretch.
        chance: How often chance may reach what is taken for evidence.

    Returns:
        One hint, or none where nothing is significant.
    """
    kinds = _kinds(look)
    if not kinds or look.usable.sum() < 30:  # noqa: PLR2004
        return []
    seen = _seen(look)
    if seen.shape[1] == 0:
        return []
    found = _search(look, kinds, seen)
    if found is None or found.chance > chance:
        return []
    chosen = [kinds[n].t_ms for n in found.kinds]
    counts = {"edges": float(sum(map(len, chosen))), "kinds_of_edges": float(len(chosen))}
    return [Hint("edges", found.ms, found.chance, found.lag_ms, found.score, _Edges(look, chosen, seen).rows, counts)]


def answered(rows: Rows, ms: float) -> bool:
    """Say whether edges rather follow what is seen: people answer 150 to 400 ms later, each time anew by 20 or more."""
    tops = rows.ways.sum(axis=1).max(axis=1)
    steady = np.array(SCATTERS_MS) <= _STEADY_MS
    return bool(ms < _ANSWER_MS and tops[~steady].max() > tops[steady].max() + _LOOSER)


class _Kind(NamedTuple):
    """Presses of a control, or its releases: when, ms, rising."""

    t_ms: Floats
    down: bool


def _kinds(look: Look) -> list[_Kind]:
    """Give the presses and the releases of every control that has enough of them."""
    found = edges(look.events)
    t_ms = found.t_ns * 1e-6
    inside = (t_ms > look.t_ms[0]) & (t_ms < look.t_ms[-1]) & found.told & (found.before != found.after)
    kinds = []
    for stream in range(len(found.controls)):
        for down in (True, False):
            times = t_ms[inside & (found.stream == stream) & (found.after == down)]
            if len(times) >= FEWEST:
                kinds.append(_Kind(np.sort(times), down))
    return sorted(kinds, key=lambda kind: -len(kind.t_ms))[:_MOST_KINDS]


def _seen(look: Look) -> Singles:
    """Give what pictures show, evened out so that block and kind of change weigh alike: (N, F) float32.

    What all blocks do at once, flicker and a camera's motion, is taken off; a key's small thing is in few of them.
    """
    change = np.nan_to_num(np.asarray(look.signs["blocks"], np.float32)).reshape(len(look.t_ms), -1)
    luma = 1 + np.nan_to_num(np.asarray(look.signs["luma"], np.float32)).reshape(len(look.t_ms), -1)
    flicker = np.median(luma[1:] / luma[:-1], axis=1, keepdims=True)
    brighter = np.append(np.zeros_like(luma[:1]), luma[1:] - luma[:-1] * flicker, axis=0)
    differs = np.log(0.5 + change)
    both = np.concatenate([differs - np.median(differs, axis=1, keepdims=True), np.arcsinh(brighter)], axis=1)
    both[~look.usable] = np.median(both[look.usable], axis=0)
    both -= np.median(both, axis=0)
    spread = both.std(axis=0)
    return np.asarray(both[:, spread > 0.02] / np.maximum(spread[spread > 0.02], 0.1), np.float32)  # noqa: PLR2004


@dataclass(frozen=True)
class _Found:
    ms: float
    chance: float
    lag_ms: Floats
    score: Floats
    kinds: tuple[int, ...]


def _search(look: Look, kinds: list[_Kind], seen: Singles) -> _Found | None:
    """Search by whole frames; a frame and the next are taken together, so that one of them shows the response."""
    count = len(look.t_ms)
    pair = seen + np.roll(seen, -1, axis=0)
    pair = (pair - pair.mean(axis=0)) / np.maximum(pair.std(axis=0), 1e-6)
    first = [np.searchsorted(look.t_ms, times[:: 1 + len(times) // _ENOUGH]) for times, _ in kinds]
    reach = int(REACH_MS / look.frame_ms) + 1
    near = np.arange(-reach, reach + 1)
    away = round(1000 * _AWAY_S / look.frame_ms) + reach
    if count < 2 * away + 20 * len(near):
        return None
    windows = min(_TURNS // 8, (count - 2 * away) // len(near))
    starts = np.linspace(away, count - away - len(near), windows).astype(np.int64)
    turns = np.concatenate([near, (starts[:, None] + np.arange(len(near))).ravel()])
    raw = np.stack([_strength(pair, rows, turns) for rows in first])  # (K, turns)
    far = raw[:, len(near) :]
    scaled = (raw - far.mean(axis=1, keepdims=True)) / np.maximum(far.std(axis=1, keepdims=True), 1e-6)
    scaled[[not kind.down for kind in kinds]] *= _RELEASE
    whole = np.maximum(scaled, 0).sum(axis=0) / np.sqrt(len(kinds))
    score = whole[: len(near)]
    top = int(score.argmax())
    drawn = maxima(np.log1p(whole[len(near) :]), width=len(near), away=0)
    chance = reached_by_chance(float(np.log1p(score[top])), drawn)
    nearby = scaled[:, max(top - 1, 0) : top + 2].max(axis=1)
    chosen = tuple(int(n) for n in np.flatnonzero(nearby > max(4.0, 0.02 * nearby.max())))
    if not chosen:
        return None
    lag_ms = (near + 0.5) * look.frame_ms  # the first frame behind an edge and `near` more, or one more than that
    return _Found(float(lag_ms[top]), chance, lag_ms.astype(np.float64), score, chosen)


def _strength(pair: Singles, rows: Ints, turns: Ints) -> Floats:
    """Say how clearly pictures differ after edges, with the inputs turned by several numbers of frames: (turns,)."""
    result = np.empty(len(turns))
    for number, turn in enumerate(turns.tolist()):
        clear = pair[(rows + turn) % len(pair)].mean(axis=0) ** 2 * len(rows)
        result[number] = np.maximum(clear - _CLEAR**2, 0).sum()
    return result


class _Edges:
    """All edges that change something: what they change, and how likely offsets are."""

    def __init__(self, look: Look, kinds: list[Floats], seen: Singles) -> None:
        self.look, self.seen, self.kinds = look, seen, kinds
        self.lasts = int(np.clip(round(_LASTS_MS / look.frame_ms), 2, 6))
        self.near = int(NEAR_MS / look.frame_ms) + 2

    def rows(self, centre_ms: float) -> Rows:
        """Say how likely offsets near one are, for each width of scatter."""
        look = self.look
        line, wide = Line(self._begin(centre_ms), 0.0, look.middle_ms), _BEGINS * look.frame_ms
        middles = [np.searchsorted(look.t_ms, times + centre_ms) for times in self.kinds]
        likely = [np.zeros((len(times), 2 * self.near + 1)) for times in self.kinds]
        ways = np.zeros((len(SCATTERS_MS), look.blocks, 2 * NEAR_MS + 1), np.float32)
        for turn in range(_ROUNDS):
            expected = [
                self._expected(times, line, wide, middle) for times, middle in zip(self.kinds, middles, strict=True)
            ]
            response, energy = self._learn(expected, likely, middles)
            onset, early = _onset(energy, max(1, round(_BESIDE_MS / look.frame_ms)))
            if onset and turn < _ROUNDS - 2:
                line = Line(line.ms + onset * look.frame_ms, line.ppm, line.at_ms)
                likely = [np.zeros_like(one) for one in likely]
                continue
            ways[:] = 0
            for number, (times, middle) in enumerate(zip(self.kinds, middles, strict=True)):
                likely[number] = self._likely(response[number] * (not early[number]), middle)
                self._add(times, likely[number], middle, centre_ms, ways)
            line = best_line(look, [Rows(centre_ms, ways)], most_ppm=MOST_PPM)
            wide = SCATTERS_MS[int(ways.sum(axis=1).max(axis=1).argmax())] + 0.3 * look.frame_ms
        return Rows(centre_ms, ways)

    def _begin(self, centre_ms: float) -> float:
        """Give the offset near one at which first frames show most, to a part of a frame.

        Learning that begins half a frame away finds a response of two frames, and stays there.
        """
        best = (-1.0, centre_ms)
        for beside in np.linspace(-_AROUND, _AROUND, round(2 * _AROUND / _PART) + 1):
            ms = centre_ms + float(beside) * self.look.frame_ms
            first = [np.searchsorted(self.look.t_ms, times + ms) for times in self.kinds]
            shown = sum(float(_strength(self.seen, rows, np.zeros(1, np.int64))[0]) for rows in first)
            best = max(best, (shown, ms))
        return best[1]

    def _learn(
        self, expected: list[Floats], likely: list[Floats], middles: list[Ints]
    ) -> tuple[npt.NDArray[np.float32], Floats]:
        """Learn what all kinds change, all at once, so that a press is not taken for its release.

        Returns:
            (K, lasts, F) responses from the first frame on, and how clear they are from `lasts` frames before it to
            twice as many behind: (K, 3 * lasts).
        """
        count, lasts = len(self.seen), self.lasts
        design = np.zeros((count, len(self.kinds), 3 * lasts), np.float32)
        for kind, (share, told, middle) in enumerate(zip(expected, likely, middles, strict=True)):
            mine = share * np.exp(told - told.max(axis=1, keepdims=True))
            mine /= mine.sum(axis=1, keepdims=True) + 1e-12
            frames = middle[:, None] + np.arange(-self.near, self.near + 1)
            inside = (frames >= 0) & (frames < count)
            first = np.bincount(frames[inside], mine[inside], count)
            for step in range(3 * lasts):
                by = step - lasts
                design[max(by, 0) : count + min(by, 0), kind, step] = first[max(-by, 0) : count - max(by, 0)]
        flat = design.reshape(count, -1)
        flat = flat - flat.mean(axis=0)
        square = (flat.T @ flat).astype(np.float64)
        square[np.diag_indices_from(square)] += 0.5
        inverse = np.linalg.inv(square)
        learned = (inverse @ (flat.T @ self.seen)).reshape(len(self.kinds), 3 * lasts, -1)
        error = np.sqrt(np.diag(inverse)).reshape(len(self.kinds), 3 * lasts, 1)
        clear = (learned / error) ** 2
        energy = np.maximum(clear - _CLEAR**2, 0).sum(axis=2)
        response = np.where(clear > _CLEAR**2, learned, 0.0)[:, lasts : 2 * lasts]
        return response.astype(np.float32), energy

    def _expected(self, times: Floats, line: Line, wide: float, middle: Ints) -> Floats:
        """Give how likely each frame is to be the first, by the line alone: (E, K)."""
        frames = np.clip(middle[:, None] + np.arange(-self.near, self.near + 1), 1, len(self.look.t_ms) - 1)
        apart = (self.look.t_ms[frames] + self.look.t_ms[frames - 1]) / 2 - (times + line.at(times))[:, None]
        return np.asarray(np.exp(-0.5 * (apart / wide) ** 2) + 1e-9)

    def _likely(self, response: npt.NDArray[np.float32], middle: Ints) -> Floats:
        """Give the log-likelihood ratio of each frame being the first, tempered by how blocks vary together: (E, K)."""
        every = self.seen @ response.T  # (N, lasts)
        whole = np.zeros(len(every))
        for step in range(len(response)):
            whole += np.roll(every[:, step], -step)
        size = float((response**2).sum())
        if size <= 0:
            return np.zeros((len(middle), 2 * self.near + 1))
        apart = np.abs(whole - np.median(whole))
        temper = max(1.0, 2.0 * float(whole[apart <= np.quantile(apart, 0.9)].var()) / size)
        frames = np.clip(middle[:, None] + np.arange(-self.near, self.near + 1), 0, len(whole) - 1)
        return np.asarray((whole[frames] - size / 2) / temper)

    def _add(
        self, times: Floats, likely: Floats, middle: Ints, centre_ms: float, ways: npt.NDArray[np.float32]
    ) -> None:
        """Add what brackets say of the columns, for each scatter, to the blocks of the edges."""
        look = self.look
        wanted = times[:, None] + centre_ms + columns()
        first = np.searchsorted(look.t_ms, wanted.ravel()).reshape(wanted.shape) - middle[:, None] + self.near
        at = np.take_along_axis(
            np.exp(np.clip(likely - likely.max(axis=1, keepdims=True), -30, 0)),
            np.clip(first, 0, likely.shape[1] - 1),
            axis=1,
        )
        ground = at.mean(axis=1, keepdims=True)
        block = look.block_of(times)
        for number, scatter in enumerate(SCATTERS_MS):
            even = gaussian_filter1d(at, scatter, axis=1, mode="nearest", truncate=3.0)
            np.add.at(ways[number], block, np.log((1 - _ODD) * even + _ODD * ground + 1e-12).astype(np.float32))


def _onset(energy: Floats, most_frames: int) -> tuple[int, npt.NDArray[np.bool_]]:
    """Say by how many frames most first responses lie beside where they are expected, and whose lie before them.

    Args:
        energy: (K, 3 * lasts) how clear each kind's response is, from `lasts` frames before the expected one on.
        most_frames: Responses that begin further away than this follow something else.

    Returns:
        Frames, and (K,) whether a kind's own response comes before: it follows something else.
    """
    lasts = energy.shape[1] // 3
    most = energy.max(axis=1)
    first = (energy > _ONSET * most[:, None]).argmax(axis=1) - lasts
    votes = np.bincount(
        first + lasts, np.minimum(most, _VOTE) * (most > _CLEAR**2) * (np.abs(first) <= most_frames), 3 * lasts
    )
    onset = int(votes.argmax()) - lasts if votes.any() else 0
    return onset, (first < onset) & (most > _CLEAR**2)
