"""Where the windows of a table of samples lie, and how they look: what checks compare.

Example:
    >>> from rushes.model.samples import samples_frame
    >>> row = {"control": "Space", "label": 1.0, "keys": [1.0], "session": "s", "t_ns": 0, "length": 4}
    >>> table = samples_frame([row | {"sample_id": "a", "frame_index": 3}, row | {"sample_id": "b", "frame_index": 6}])
    >>> Windows.of(table, []).shared(np.array(["train", "test"], object)).tolist()
    [True, True]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.recording import Recording, by_id
from rushes.store.looks import SMALL, is_lossy, look_at, windows
from rushes.store.validity import honour

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[Any]


@dataclass(frozen=True)
class Windows:
    """The windows of N rows.

    Attributes:
        table: The rows.
        recordings: Those of their recordings that are there, by id.
        first: (N,) int64 frame_index of the first frame.
        last: (N,) int64 frame_index of the last frame.
        shown: (N,) int64 frame_index of the first frame that is shown: before `first` where a copy plays faster.
        start_ns: (N,) int64 time of the first frame.
        end_ns: (N,) int64 time of the last frame; where the recording is not there, of the row's own action.
        tick: (N,) int64 number that the last frame has in the file that it comes from, where several frames of one
            session have one such number; else -1.
        played: (N,) int64 number of the last frame in the play: its tick where a file kept pictures of moments alone,
            whose own numbers say nothing about distances; else `last`.
        unseen: (N,) bool: its pictures are not there.
        marked: (N,) bool: a frame of it lies in a stretch that somebody marked invalid.
    """

    table: pd.DataFrame
    recordings: dict[str, Recording]
    first: Ints
    last: Ints
    shown: Ints
    start_ns: Ints
    end_ns: Ints
    tick: Ints
    played: Ints
    unseen: Bools
    marked: Bools

    @classmethod
    def of(cls, table: pd.DataFrame, recordings: Iterable[Recording]) -> Windows:
        """Find the windows of a table."""
        known = by_id(recordings)
        first, start = table["frame_index"].to_numpy(np.int64), table["t_ns"].to_numpy(np.int64)
        last = first + table["length"].to_numpy(np.int64) - 1
        own = (table["action_session"] == table["session"]).to_numpy()
        end = np.where(own, np.maximum(start, table["action_t_ns"].to_numpy(np.int64)), start)
        tick, unseen = np.full(len(table), -1, np.int64), np.ones(len(table), bool)
        marked, played = np.zeros(len(table), bool), last.copy()
        for session, rows in _by_session(table):
            if session not in known:
                continue
            index = known[session].index()
            frames = index["frame_index"].to_numpy(np.int64)
            if not len(frames):
                continue
            at, begin = (np.searchsorted(frames, f[rows]).clip(max=len(frames) - 1) for f in (last, first))
            there = (frames[at] == last[rows]) & (frames[begin] == first[rows])
            unseen[rows] = ~there
            marked[rows] = there & _marked(known[session], first[rows], last[rows])
            end[rows] = np.where(there, index["t_ns"].to_numpy(np.int64)[at], end[rows])
            ticks = index["tick"].to_numpy(np.int64)[at]
            if index.duplicated(["segment", "tick"]).any():
                tick[rows] = np.where(there, ticks, -1)
            if known[session].kept_at_moments:
                played[rows] = np.where(there, ticks, last[rows])
        return cls(table, known, first, last, _shown(table, last), start, end, tick, played, unseen, marked)

    def by_session(self) -> Iterator[tuple[str, Ints]]:
        """Give each session with the positions of its rows."""
        return _by_session(self.table)

    @property
    def content(self) -> npt.NDArray[np.uint64]:
        """(N,) uint64: equal where all pictures are equal at 64 x 64; 0 where they are not there. Decodes them."""
        return self._looks[0]

    @property
    def small(self) -> npt.NDArray[np.uint8]:
        """(N, 16, 16, 3) uint8: tiny pictures of the last frames; black where they are not there. Decodes them."""
        return self._looks[1]

    @cached_property
    def lossy(self) -> Bools:
        """(N,) bool: the pictures are there, and a codec changed them."""
        names = [name for name, recording in self.recordings.items() if is_lossy(recording)]
        return np.asarray(self.table["session"].isin(names).to_numpy() & ~self.unseen)

    @cached_property
    def _looks(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
        content = np.zeros(len(self.table), np.uint64)
        small = np.zeros((len(self.table), SMALL, SMALL, 3), np.uint8)
        lengths = self.last - self.first + 1
        for session, mine in _by_session(self.table):
            rows = mine[~self.unseen[mine]]
            if not len(rows):
                continue
            several = {int(n): rows[lengths[rows] == n] for n in np.unique(lengths[rows])}
            frames = {n: self.first[at][:, None] + np.arange(n) for n, at in several.items()}
            wanted = np.unique(np.concatenate([part.ravel() for part in frames.values()]))
            looks = look_at(self.recordings[session], wanted)
            for length, at in several.items():
                found = looks.rows(frames[length])
                content[at], small[at] = windows(looks.content[found]), looks.small[found[:, -1]]
        return content, small

    def shared(self, split: Texts) -> Bools:
        """Say which rows show a frame that a row of another split of their session shows too: (N,) bool."""
        names = {name: number for number, name in enumerate(sorted(set(split) - {""}))}
        found = np.zeros(len(self.table), bool)
        for _, mine in self.by_session():
            rows = mine[split[mine] != ""]
            for name in names:
                inside, others = rows[split[rows] == name], rows[split[rows] != name]
                starts, ends = np.sort(self.shown[others]), np.sort(self.last[others])
                # Others that begin at or before the last frame, less those that end before the first one.
                began = np.searchsorted(starts, self.last[inside], side="right")
                over = np.searchsorted(ends, self.shown[inside], side="left")
                found[inside] = began > over
        return found

    def gap_ns(self, split: Texts) -> npt.NDArray[np.float64]:
        """Give the ns from the nearest window before it that is of another split of the segment: (N,), inf for none."""
        found = np.full(len(self.table), np.inf)
        segments = self.table["segment"].to_numpy(np.int64)
        for _, mine in self.by_session():
            for segment in np.unique(segments[mine]):
                rows = mine[(segments[mine] == segment) & (split[mine] != "")]
                rows = rows[np.argsort(self.start_ns[rows], kind="stable")]
                for name in sorted(set(split[rows])):
                    own = split[rows] == name
                    before = np.maximum.accumulate(np.where(own, -np.inf, self.end_ns[rows].astype(float)))
                    found[rows[own]] = (self.start_ns[rows] - before)[own]
        return found


def _by_session(table: pd.DataFrame) -> Iterator[tuple[str, Ints]]:
    names = table["session"].to_numpy(object)
    for name in sorted(set(names)):
        yield name, np.flatnonzero(names == name).astype(np.int64)


def _marked(recording: Recording, first: Ints, last: Ints) -> Bools:
    """Say which stretches of frames hold one that is marked invalid; a recording of ours alone has marks."""
    left = honour(recording)
    if left is recording:
        return np.zeros(len(first), bool)
    frames = left.index()["frame_index"].to_numpy(np.int64)
    kept = np.searchsorted(frames, last, side="right") - np.searchsorted(frames, first, side="left")
    return np.asarray(kept < last - first + 1, bool)


def _shown(table: pd.DataFrame, last: Ints) -> Ints:
    """Find the first frame that each row shows, as its transforms stretch its window."""
    texts = table["transform"]
    speed = texts.map({text: _speed(text) for text in texts.unique()}).to_numpy(float)
    back = np.floor((table["length"].to_numpy(np.int64) - 1) * speed + 0.5).astype(np.int64)
    return np.asarray(last - back, np.int64)


def _speed(text: str) -> float:
    """Say how many frames pass from one frame of a window to the next; 1 where no transform says it."""
    several = json.loads(text) if '"speed"' in text else []
    numbers = [one.get("speed") for one in several if isinstance(one, dict)] if isinstance(several, list) else []
    return float(np.prod([n for n in numbers if isinstance(n, int | float)]))
