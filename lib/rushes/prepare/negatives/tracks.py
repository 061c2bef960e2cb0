"""Frames beside the presses of a target: how far each frame is from the nearest one, and whether the target is down.

Every press of the session counts, whatever became of it: one that was dropped by hand, one whose window would cross an
edge, one in a stretch that is marked invalid; and so does a frame that somebody called one. Distances do not reach
beyond a segment, since nobody knows what happened between two.

Example:
    >>> from rushes.model.targets import parse_targets
    >>> from rushes.store.reader import open_session
    >>> def frames_beside_a_jump(path):
    ...     (track,) = tracks(open_session(path), parse_targets("Space"))
    ...     return int((abs(track.since) <= 2).sum())
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.model.actions import ActionSpace
from rushes.model.delay import moved
from rushes.model.recording import Recording
from rushes.model.targets import Target
from rushes.prepare.negatives.reach import FAR
from rushes.prepare.press_release import key_space, key_vectors
from rushes.prepare.presses import Pressed, pressed
from rushes.store.pairing import Pair
from rushes.store.validity import Valid

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

AT_REST: Final = 0.1
"""How far a stick or trigger may stand from its middle while nothing is done."""


@dataclass(frozen=True)
class Frames:
    """The N frames of a recording on which something could be done, in order.

    Attributes:
        session: Id of the recording.
        space: What the columns of `keys` are.
        frame_index: (N,) int64, rising.
        t_ns: (N,) int64 ns since session start.
        segment: (N,) int64 segment of the recording as it was passed.
        into: (N,) int64, how many frames of the segment stand before it.
        shown: (N,) int64, equal for frames that the recorder noted as one picture.
        idle: (N,) bool: no control at all is down, and nothing moves.
        keys: (N, A) float32, as `press_release.key_vectors` gives them.
    """

    session: str
    space: ActionSpace
    frame_index: Ints
    t_ns: Ints
    segment: Ints
    into: Ints
    shown: Ints
    idle: Bools
    keys: Floats

    def __len__(self) -> int:
        return len(self.frame_index)

    def rows(self, frames: npt.ArrayLike) -> Ints:
        """Find frames by their frame_index: (K,) int64, -1 where there is none."""
        wanted = np.asarray(frames, np.int64)
        if not len(self):
            return np.full(len(wanted), -1, np.int64)
        found = np.searchsorted(self.frame_index, wanted).clip(max=len(self) - 1)
        return np.where(self.frame_index[found] == wanted, found, -1).astype(np.int64)


@dataclass(frozen=True)
class Track:
    """A target along the frames of a recording.

    Attributes:
        frames: The N frames.
        target: What it is about.
        since: (N,) int64 frames since the nearest press, 0 on it and below 0 before it; `FAR` where its segment has
            none.
        since_ns: (N,) int64, the same in ns between the times of both frames.
        apart_ns: (N,) int64 ns to the nearest press, either from frame to frame or from the frame to the press itself,
            whichever is less; `FAR` where there is none.
        held: (N,) bool: the target is down at any time in [t_k, t_{k+1}).
    """

    frames: Frames
    target: Target
    since: Ints
    since_ns: Ints
    apart_ns: Ints
    held: Bools


def tracks(
    recording: Recording,
    targets: Sequence[Target],
    *,
    action_delay_ms: float = 0.0,
    called: Mapping[Target, npt.ArrayLike] = MappingProxyType({}),
) -> tuple[Track, ...]:
    """Follow targets along a recording.

    Args:
        recording: Any recording; a view without marked stretches gives the frames that are left, and the presses of the
            whole session.
        targets: At least one.
        action_delay_ms: Moves every event this much later first.
        called: Target -> `frame_index` of frames that count as presses whatever the events say.

    Returns:
        One a target, all over the same frames.
    """
    whole = recording.session if isinstance(recording, Valid) else recording
    space, pictures = key_space(recording), 0
    shared: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _SHARED}
    own: list[dict[str, list[npt.NDArray[Any]]]] = [{name: [] for name in _OWN} for _ in targets]
    for ones in zip(*(pressed(whole, target, action_delay_ms=action_delay_ms) for target in targets), strict=True):
        pair = ones[0].pair
        segment, into = _places(recording, pair)
        left = np.flatnonzero(segment >= 0)
        index = pair.index
        pictures += len(pair) + 1  # a segment begins with a picture of its own
        keys = key_vectors(whole, pair, space)
        found = (
            index["frame_index"].to_numpy(np.int64),
            index["t_ns"].to_numpy(np.int64),
            segment,
            into,
            np.cumsum(~index["duplicate"].to_numpy(bool)) + pictures,
            _idle(pair, keys, space),
            keys,
        )
        for name, values in zip(_SHARED, found, strict=True):
            shared[name].append(values[left])
        for target, mine, one in zip(targets, own, ones, strict=True):
            more = np.flatnonzero(np.isin(found[0], np.asarray(called.get(target, ()), np.int64)))
            for name, values in zip(_OWN, (*_distances(one, more), one.down_in_rows()), strict=True):
                mine[name].append(values[left])
    frames = Frames(recording.info.id, space, **{n: _joined(v, n, len(space)) for n, v in shared.items()})
    return tuple(
        Track(frames, target, **{n: _joined(v, n, 0) for n, v in mine.items()})
        for target, mine in zip(targets, own, strict=True)
    )


_SHARED: Final = ("frame_index", "t_ns", "segment", "into", "shown", "idle", "keys")
_OWN: Final = ("since", "since_ns", "apart_ns", "held")


def _joined(parts: list[npt.NDArray[Any]], name: str, width: int) -> npt.NDArray[Any]:
    if parts:
        return np.concatenate(parts)
    if name == "keys":
        return np.zeros((0, width), np.float32)
    return np.zeros(0, bool if name in {"idle", "held"} else np.int64)


def _places(recording: Recording, pair: Pair) -> tuple[Ints, Ints]:
    """Say for each row which segment of the recording it lies in, and how far: -1 where it is marked invalid."""
    if not isinstance(recording, Valid):
        return np.full(len(pair), pair.segment.index, np.int64), np.arange(len(pair))
    segment, into = np.full(len(pair), -1, np.int64), np.zeros(len(pair), np.int64)
    frame_index = pair.index["frame_index"].to_numpy(np.int64)
    for index, first, stop in _stretches(recording):
        inside = (frame_index >= first) & (frame_index < stop)
        segment[inside] = index
        into[inside] = np.arange(int(inside.sum()))
    return segment, into


def _stretches(recording: Recording) -> Iterator[tuple[int, int, int]]:
    """Give number, first frame and the one after the last of each segment's frames that have an action."""
    for one in recording.segments:
        rows = len(recording.steps(one.index)) if recording.is_environment else one.frames
        yield one.index, one.first_frame, one.first_frame + rows


def _idle(pair: Pair, keys: Floats, space: ActionSpace) -> Bools:
    grid = pair.grid
    busy = (np.abs(keys) > AT_REST).any(axis=1) if space.kind == "box" else np.zeros(len(pair), bool)
    for held in grid.held.values():
        busy |= held
    for motion in grid.motion.values():
        busy |= motion != 0
    for position in grid.axes.values():
        busy |= np.abs(position) > AT_REST
    return np.asarray(~busy, bool)


def _distances(one: Pressed, called: Ints) -> tuple[Ints, Ints, Ints]:
    """Give since, since_ns and apart_ns; see `Track`. `called` are rows that count as presses too."""
    starts, told = one.pair.grid.t_ns, one.found.told
    row, down = one.row[told], moved(one.found.down_ns[told], one.delay_ms)
    called = called[~np.isin(called, row)]
    order = np.argsort(np.concatenate([row, called]), kind="stable")
    row, down = np.concatenate([row, called])[order], np.concatenate([down, starts[called]])[order]
    count = len(starts)
    if not len(row):
        none = np.full(count, FAR, np.int64)
        return none, none.copy(), none.copy()
    inside = (row >= 0) & (row < count)
    shown = np.where(inside, starts[row.clip(0, count - 1)], down)  # the time of the frame on which it falls
    at = np.arange(count)
    before = np.searchsorted(row, at, side="right") - 1
    after = before + 1
    known = np.stack([before >= 0, after < len(row)])
    nearest = np.stack([before.clip(0), after.clip(max=len(row) - 1)])
    since = np.where(known, at - row[nearest], FAR)
    time = np.where(known, starts - shown[nearest], FAR)
    apart = np.where(known, np.minimum(np.abs(starts - shown[nearest]), np.abs(starts - down[nearest])), FAR)
    side = np.argmin(np.abs(since), axis=0)  # the earlier one of two as near
    return since[side, at], time[side, at], apart.min(axis=0)
