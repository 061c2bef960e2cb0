"""A recording as a set of the NitroGen Capture program: chunks of pictures and arrays, then the merged files.

By default a row is what happened in [t_k, t_{k+1}), `frame_indices` are the session's ticks, so that a drop is a gap,
and a chunk ends where its segment ends. Strict sets are what the program itself would have written: a counter without
gaps, keys as they are at t_k, motion of (t_{k-1}, t_k], chunks that are all full but the last. What a strict set cannot
say is counted: keys that went down and up again between two frames (`tap_between_frames`), what came behind the last
frame of a segment (`behind_last_frame`).

Example:
    >>> Numbering(500).places(first=499, rows=3)
    [(1, 500), (2, 1), (2, 2)]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.formats.card import Job
from rushes.formats.inputs import Account, Rows
from rushes.formats.nitrogen.capture_names import MOTION
from rushes.formats.nitrogen.capture_own import describe
from rushes.formats.nitrogen.capture_png import encoded, stored
from rushes.formats.nitrogen.chunks import Chunk
from rushes.formats.nitrogen.chunks_arrays import KINDS, Array, open_array
from rushes.formats.nitrogen.chunks_meta import FRAMES, OURS, TICKS, entry_of, meta_of
from rushes.formats.nitrogen.merge import write_merged, write_meta
from rushes.formats.nitrogen.noted import as_noted, lose_unseen
from rushes.model.controls import MOUSE_MOTIONS
from rushes.model.grid import Grid
from rushes.model.recording import Recording
from rushes.store.pairing import Pair, pairs

_EVERY: Final = 64
"""Frames between two calls of `progress`."""


@dataclass(frozen=True)
class Plan:
    """How a recording is to be written.

    Attributes:
        strict: Exactly as the program writes.
        chunk_size: Rows a chunk.
        rows: How steps are read.
        pad_map: Name of the map that was used.
        action_delay_ms: By how much events are moved later.
        fps: Frames a second.
    """

    strict: bool
    chunk_size: int
    rows: Rows
    pad_map: str
    action_delay_ms: float
    fps: float


@dataclass
class Numbering:
    """Cuts rows into chunks: the chunks so far, and the rows of the one that is open.

    Attributes:
        size: Rows a full chunk has.
        number: Number of the open chunk.
        filled: Rows in it.
    """

    size: int
    number: int = 1
    filled: int = 0

    def places(self, *, first: int, rows: int) -> list[tuple[int, int]]:
        """Say where rows come to lie: (number of the chunk, number of the picture).

        Args:
            first: Rows that stand in the open chunk before them.
            rows: How many.
        """
        found = [divmod(first + k, self.size) for k in range(rows)]
        return [(self.number + chunk, row + 1) for chunk, row in found]


@dataclass
class _Arrays:
    """Writes the arrays of chunks as rows come.

    Attributes:
        root: The set.
        numbering: Where rows come to lie.
        entries: Entries of meta.json of the chunks so far.
        chunks: The chunks so far.
    """

    root: Path
    numbering: Numbering
    entries: list[dict[str, Any]] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    waiting: list[Mapping[str, Array]] = field(default_factory=list)

    def add(self, columns: Mapping[str, Array]) -> list[tuple[int, int]]:
        """Take rows; full chunks are written.

        Returns:
            Where each row's picture shall lie.
        """
        one, size = self.numbering, self.numbering.size
        rows = len(columns["actions"])
        places = one.places(first=one.filled, rows=rows)
        first = 0
        while rows - first >= size - one.filled:
            stop = first + size - one.filled
            self.waiting.append({kind: values[first:stop] for kind, values in columns.items()})
            one.filled = size
            self.end()
            first = stop
        if first < rows:
            self.waiting.append({kind: values[first:] for kind, values in columns.items()})
            one.filled += rows - first
        return places

    def end(self) -> None:
        """Write the open chunk, where it has rows."""
        rows, number = self.numbering.filled, self.numbering.number
        if not rows:
            return
        start = self.chunks[-1].start + self.chunks[-1].rows if self.chunks else 0
        kinds = list(self.waiting[0])
        files = {kind: self.root / f"{kind}_chunk_{number:03d}.npy" for kind in kinds}
        for kind, path in files.items():
            whole = np.concatenate([part[kind] for part in self.waiting])
            np.save(path, whole.astype(KINDS[kind].dtype), allow_pickle=False)
        self.entries.append(entry_of(number, start=start, rows=rows, t_ns="t_ns" in kinds))
        arrays = {kind: open_array(path, kind) for kind, path in files.items()}
        self.chunks.append(Chunk(number, start, start, arrays, dict.fromkeys(kinds, rows)))
        self.waiting = []
        self.numbering.number, self.numbering.filled = number + 1, 0


def write_set(
    recording: Recording,
    root: Path,
    plan: Plan,
    job: Job,
    *,
    executor: Executor | None,
    tell: Callable[[int], None],
) -> None:
    """Write one recording.

    Args:
        recording: What to write; at least one control of it has a place.
        root: A folder that is there.
        plan: How.
        job: Where to count.
        executor: Where to encode; None takes a thread a core.
        tell: Called with the frames written since the last call.
    """
    writer = _SetWriter(recording, root, plan, job)
    threads = ThreadPoolExecutor(os.cpu_count() or 1) if executor is None else None
    context: AbstractContextManager[Any] = nullcontext() if threads is None else threads
    with context:
        writer.write(executor or threads, tell)
    writer.finish()


class _SetWriter:
    """One recording on its way into a set."""

    def __init__(self, recording: Recording, root: Path, plan: Plan, job: Job) -> None:
        self._recording, self._root, self._plan, self._job = recording, root, plan, job
        self._arrays = _Arrays(root, Numbering(plan.chunk_size))
        self._account = Account(job.tally, plan.rows.controls)
        self._segments: list[dict[str, Any]] = []
        self._marked: dict[str, list[npt.NDArray[np.bool_]]] = {"late": [], "duplicate": []}
        self._rows, self._last_tick, self._first_tick = 0, -1, 0

    def write(self, executor: Executor | None, tell: Callable[[int], None]) -> None:
        """Write chunks and pictures."""
        done = 0
        for pair in pairs(self._recording, action_delay_ms=self._plan.action_delay_ms):
            columns = self._strict(pair) if self._plan.strict else self._own(pair)
            places = self._arrays.add(columns)
            if not self._plan.strict:
                self._arrays.end()
            self._account.take(pair)
            self._count(pair)
            for number in dict.fromkeys(number for number, _ in places):
                (self._root / FRAMES / f"chunk_{number:03d}").mkdir(parents=True, exist_ok=True)
            first = pair.segment.first_frame
            files = encoded(stored(self._recording, first, first + len(pair)), executor)
            for (number, picture), data in zip(places, files, strict=True):
                (self._root / FRAMES / f"chunk_{number:03d}" / f"{picture:06d}.png").write_bytes(data)
                done += 1
                if done % _EVERY == 0:
                    tell(_EVERY)
        self._arrays.end()
        tell(self._recording.frame_count - done // _EVERY * _EVERY)

    def finish(self) -> None:
        """Write the merged files and meta.json, and close the account."""
        plan, info = self._plan, self._recording.info
        events = info.stream("events")
        unit = events.unit if events is not None and events.unit else "px"
        torch = write_merged(self._arrays.chunks, self._root)
        counts = "pixels" if plan.strict or unit == "px" else unit
        names = plan.rows.target.names[: -len(MOTION)]
        meta = meta_of(names, self._arrays.entries, fps=plan.fps, chunk_size=plan.chunk_size, unit=counts, torch=torch)
        if not plan.strict:
            span = self._last_tick - self._first_tick + 1
            meta |= {"frame_index_units": TICKS, "dropped_ticks": span - self._rows}
            meta[OURS] = describe(
                self._recording,
                self._segments,
                fps=plan.fps,
                unit=unit,
                action_delay_ms=plan.action_delay_ms,
                pad_map=plan.pad_map,
                marked={name: np.concatenate(values) for name, values in self._marked.items()},
            )
        write_meta(self._root, meta)
        self._account.close(self._recording)
        self._job.delays_ms.append(plan.action_delay_ms)
        frames, episodes = self._recording.frame_count, len(self._recording.segments)
        self._job.wrote(episodes=len(self._segments), frames=self._rows, actions=self._rows)
        self._job.lose("frames", "without_action", frames - self._rows)
        self._job.lose("episodes", "without_action", episodes - len(self._segments))
        if plan.strict and len(self._segments) > 1:
            self._job.tally.mark("episodes", "border_not_written", len(self._segments) - 1)

    def _count(self, pair: Pair) -> None:
        segment = pair.segment
        index = pair.index
        ticks = index["tick"].to_numpy(np.int64)
        if not self._segments:
            self._first_tick = int(ticks[0])
        shift = self._shift(ticks)
        self._last_tick = int(ticks[-1]) + shift
        told = {**segment.to_json(), "first_row": self._rows, "rows": len(pair), "tick_shift": shift}
        self._segments.append(told)
        for name, values in self._marked.items():
            values.append(index[name].to_numpy(bool))
        self._rows += len(pair)

    def _shift(self, ticks: npt.NDArray[np.int64]) -> int:
        """Say what to add to a segment's ticks so that they stand behind those before."""
        return max(self._last_tick + 1 - int(ticks[0]), 0) if self._segments else 0

    def _own(self, pair: Pair) -> dict[str, Array]:
        """Read a segment as [t_k, t_{k+1})."""
        ticks = pair.index["tick"].to_numpy(np.int64)
        keys, motion = self._split(self._plan.rows.vectors(pair.grid))
        self._mark_rounded(pair.grid, motion)
        return {
            "actions": keys,
            "mouse_deltas": motion,
            "frame_indices": ticks + self._shift(ticks),
            "t_ns": pair.grid.t_ns,
        }

    def _strict(self, pair: Pair) -> dict[str, Array]:
        """Read a segment as the program does: keys at t_k, motion and wheels of (t_{k-1}, t_k]."""
        keys, motion = self._split(as_noted(self._plan.rows, pair))
        self._mark_rounded(pair.before, motion)
        lose_unseen(self._account, self._plan.rows, pair)
        return {
            "actions": keys,
            "mouse_deltas": motion,
            "frame_indices": np.arange(self._rows + 1, self._rows + len(pair) + 1),
        }

    @staticmethod
    def _split(vectors: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        return (vectors[:, : -len(MOTION)] > 0).astype(np.int8), vectors[:, -len(MOTION) :]

    def _mark_rounded(self, grid: Grid, motion: npt.NDArray[np.float32]) -> None:
        """Count rows whose motion has more digits than a float32; a stick's share of it has no exact value."""
        if grid.axes:
            return
        exact = [np.asarray(grid.motion[name], np.float64) for name in MOUSE_MOTIONS[:2]]
        rounded = np.zeros(len(grid), bool)
        for column, values in enumerate(exact):
            rounded |= (motion[:, column] != values) & (values != 0)
        self._job.tally.mark("actions", "motion_rounded", int(rounded.sum()))
