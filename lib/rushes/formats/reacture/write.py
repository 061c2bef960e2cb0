"""A recording as a set: rows, pictures, times and what belongs to no frame, written as it comes and hashed on the way.

Memory is bounded by the tables of one segment. By default each frame is a row at its own time; strict sets are
resampled (`strict`). What the game told between frames, and every input event, goes into the file of events; in a
strict set the inputs that the game has a word for.

Example:
    >>> "KeyW" in Plan.places(), "MouseDX" in Plan.places(), "KeyM" in Plan.places()
    (True, True, False)
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.formats.card import Job
from rushes.formats.inputs import Account, Rows
from rushes.formats.reacture import names
from rushes.formats.reacture.fields import plain
from rushes.formats.reacture.guide import readme
from rushes.formats.reacture.hashed import Hashed
from rushes.formats.reacture.own import KEY, REPEATS_SCHEMA
from rushes.formats.reacture.pictures_write import PictureWriter
from rushes.formats.reacture.rows_write import (
    MODES,
    SPACE,
    Clock,
    as_line,
    frame_row,
    game_row,
    input_row,
    keys_of,
)
from rushes.formats.reacture.strict import GRID_NS, on_grid, regridded
from rushes.formats.reacture.summary import Totals, metadata
from rushes.model.clock import NS
from rushes.model.controls import CONTROLS
from rushes.model.events import COLUMNS, cut_events
from rushes.model.recording import Recording
from rushes.store.pad_maps import read_pad_map
from rushes.store.pairing import Pair, pairs

Tell = Callable[[int], None]

_MS: Final = 1_000_000
_EVERY: Final = 64
_OUTSIDE: Final = ("t_ns", "segment", "frame_index")


@dataclass(frozen=True)
class Plan:
    """How recordings are to be written.

    Attributes:
        strict: On the exact grid, with the game's keys alone.
        forms: `png`, `npy`, or both.
        size: Pixels a side; 0 for the session's own.
    """

    strict: bool
    forms: tuple[str, ...]
    size: int

    @staticmethod
    def places() -> frozenset[str]:
        """Name the physical controls that rows have a place for, a pad's through the default map."""
        return Rows(SPACE, read_pad_map()).controls


def write_set(recording: Recording, root: Path, plan: Plan, job: Job, *, executor: Executor | None, tell: Tell) -> None:
    """Write one recording.

    Args:
        recording: What to write; at least one control of it has a place.
        root: A folder that is there.
        plan: How.
        job: Where to count.
        executor: Where to resize; None takes a thread a core.
        tell: Called with the frames written since the last call.

    Raises:
        BadInputError: `size` is 0 and the pictures are of several sizes.
    """
    with ExitStack() as stack:
        writer = _SetWriter(recording, root, plan, job, stack)
        writer.write(executor, tell)
        writer.finish()


class _SetWriter:
    """One recording on its way into a set."""

    def __init__(self, recording: Recording, root: Path, plan: Plan, job: Job, stack: ExitStack) -> None:
        self._recording, self._root, self._plan, self._job, self._stack = recording, root, plan, job, stack
        first = next((s for s in recording.segments if s.frames), None)
        wall_ns = first.wall_ns if first is not None else None
        self.id = names.set_id(wall_ns, recording.info.id)
        self._rows = Rows(SPACE, read_pad_map(game=recording.info.game))
        spoken = {control for slot in recording.info.action_space.slots for control in slot.plus}
        self._modes = tuple(name for name, control in MODES.items() if control in spoken)
        told = recording.telemetry()
        self._telemetry: dict[int, dict[str, Any]] = {}
        for row in _records(told[told["frame_index"].notna()]):
            self._telemetry.setdefault(int(row["frame_index"]), _fields(row))
        self._between = sorted(_records(told[told["frame_index"].isna()]), key=lambda r: int(r["t_ns"]))
        self._files: dict[str, Hashed] = {}
        self._times: list[int] = []
        self._totals = Totals(self.id, wall_ns, 0 if first is None else self._first_ns(first.index))
        every = frozenset({*CONTROLS, *recording.events()["control"]})
        self._controls = self._rows.controls if plan.strict else every
        self._account = Account(job.tally, self._controls)
        self._repeats: list[int] = []
        self._data, self._events = self._new(names.DATA), self._new(names.EVENTS)
        self._pictures = PictureWriter(
            recording, root / self.id, plan.forms, plan.size, rows=self._row_count(), new=self._new
        )

    def _first_ns(self, segment: int) -> int:
        return int(self._recording.index(segment)["t_ns"].iloc[0])

    def _new(self, ending: str) -> Hashed:
        made = self._stack.enter_context(Hashed(self._root / f"{self.id}{ending}"))
        self._files[made.name] = made
        return made

    def write(self, executor: Executor | None, tell: Tell) -> None:
        """Write rows and pictures."""
        unique = offered = segments = 0
        for whole in pairs(self._recording):
            offered, segments = offered + len(whole), segments + 1
            pair, source, repeated = self._placed(whole)
            unplaced = len(whole) - len(set(source.tolist()))
            self._job.lose("frames", "not_on_grid", unplaced)
            self._account.take(whole)
            if pair is None:
                self._job.lose("episodes", "shorter_than_grid", 1)
                self._account.lose("shorter_than_grid", len(whole.rows_with_place(self._controls)))
                continue
            unique += len(whole) - unplaced
            if self._plan.strict:
                early = (len(one.rows_with_place(self._controls)) for one in (whole, pair))
                self._account.lose("before_first_row", next(early) - next(early))
            self._segment(pair, whole.index["frame_index"].to_numpy(np.int64)[source], repeated, executor, tell)
        for row in self._between:
            self._game_row(row, None)
        self._account.close(self._recording)
        frames, episodes = self._recording.frame_count, len(self._recording.segments)
        self._job.wrote(episodes=len(self._totals.segments), frames=unique, actions=len(self._times))
        self._job.counts["frames"] += len(self._repeats)
        self._job.tally.mark("frames", "repeated", len(self._repeats))
        screen, side = self._recording.info.stream("frames"), self._plan.size
        if side and screen is not None and (screen.height, screen.width) not in ((side, side), (0, 0)):
            self._job.tally.mark("frames", f"averaged_to_{side}x{side}", unique)
        self._job.lose("frames", "without_action", frames - offered)
        self._job.lose("episodes", "without_action", episodes - segments)
        there = self._recording.ledger.get("telemetry")
        told = self._totals.telemetry
        if there is not None or told:
            offered = max(told, there.kept if there is not None else 0)
            self._job.tally.offer("telemetry", offered)
            self._job.tally.lose("telemetry", "frame_not_written", offered - told)

    def _placed(self, whole: Pair) -> tuple[Pair | None, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Give a segment's rows as they are to be written, which frame each shows, and which repeat one."""
        if not self._plan.strict:
            return whole, np.arange(len(whole)), np.zeros(len(whole), bool)
        grid = on_grid(whole.grid.t_ns, end_ns=int(whole.grid.ends_ns[-1]), origin_ns=self._totals.origin_ns)
        if not len(grid.t_ns):
            return None, grid.source, grid.repeated
        return regridded(whole, grid), grid.source, grid.repeated

    def _segment(
        self,
        pair: Pair,
        frames: npt.NDArray[np.int64],
        repeated: npt.NDArray[np.bool_],
        executor: Executor | None,
        tell: Tell,
    ) -> None:
        segment, strict = pair.segment, self._plan.strict
        clock = Clock(self._totals.origin_ns, segment.start_ns, segment.wall_ns)
        first = len(self._times)
        keys = keys_of(self._rows, pair.grid, modes=self._modes)
        flags = pair.index[["tick", "late", "duplicate"]].to_numpy(np.int64).tolist()
        shown = self._pictures.shown(frames, repeated, executor)
        for k, (t_ns, pixels) in enumerate(zip(pair.grid.t_ns.tolist(), shown, strict=True)):
            number = first + k
            data = self._pictures.write(number, pixels)
            tick, late, duplicate = flags[k]
            own: dict[str, Any] = {"t_ns": t_ns, "tick": tick}
            own |= {name: True for name, flag in (("late", late), ("duplicate", duplicate)) if flag}
            own |= {"sha256": hashlib.sha256(data).hexdigest()} if data else {}
            telemetry = self._telemetry.get(int(frames[k]))
            path = f"{self.id}{names.png_name(number)}" if data else f"{self.id}{names.FRAMES}#{number:06d}"
            row = frame_row(
                clock.stamps(t_ns), keys[k], telemetry, picture=path, own=None if strict else own, number=number
            )
            self._data.write(as_line(row))
            self._totals.see(telemetry)
            self._totals.telemetry += telemetry is not None and not repeated[k]
            if repeated[k]:
                self._repeats.append(number)
            self._times.append(t_ns)
            if (k + 1) % _EVERY == 0:
                tell(_EVERY)
        tell(len(frames) % _EVERY)
        told = replace(segment, index=len(self._totals.segments), frames=len(pair)).to_json()
        told.pop("first_frame"), told.pop("frames")
        self._totals.segments.append({**told, "first_row": first, "rows": len(pair)})
        self._totals.end(segment, int(pair.grid.ends_ns[-1]))
        self._between_rows(pair, clock)

    def _between_rows(self, pair: Pair, clock: Clock) -> None:
        """Write what belongs to no frame, by time: what the game told up to the segment's end, and inputs."""
        start_ns, end_ns = int(pair.grid.t_ns[0]), int(pair.grid.ends_ns[-1])
        table = cut_events(pair.events.sort_values("t_ns", kind="stable"), start_ns, end_ns)
        table = table[table["flag"] != "hotkey"][list(COLUMNS)].astype(object)
        for event in table.where(table.notna(), None).itertuples(index=False, name=None):
            while self._between and self._between[0]["t_ns"] <= event[0]:
                self._game_row(self._between.pop(0), clock)
            values = (int(event[0]), *(plain(value) for value in event[1:]))
            row = input_row(values, clock.stamps(int(event[0])), strict=self._plan.strict)
            if row is not None:
                self._totals.inputs += 1
                self._events.write(as_line(row))
        while self._between and self._between[0]["t_ns"] < end_ns:
            self._game_row(self._between.pop(0), clock)

    def _game_row(self, record: dict[str, Any], clock: Clock | None) -> None:
        t_ns = int(record["t_ns"])
        fields = _fields(record)
        stamps = (clock or Clock(self._totals.origin_ns, 0, None)).stamps(t_ns)
        self._events.write(as_line(game_row(stamps, fields, t_ns=None if self._plan.strict else t_ns)))
        self._totals.see(fields)
        self._totals.telemetry += 1

    def _row_count(self) -> int:
        """Count the rows that will be written."""
        found = 0
        for segment in self._recording.segments:
            t_ns = self._recording.index(segment.index)["t_ns"].to_numpy(np.int64)
            steps = self._recording.is_environment
            count = len(self._recording.steps(segment.index)) if steps else len(t_ns)
            if self._plan.strict and count:
                end_ns = segment.end_ns if count == len(t_ns) else int(t_ns[count])
                count = len(on_grid(t_ns[:count], end_ns=end_ns, origin_ns=self._totals.origin_ns).t_ns)
            found += count
        return found

    def finish(self) -> None:
        """Write times, texts and metadata."""
        strict = self._plan.strict
        since = (np.array(self._times, np.int64) - self._totals.origin_ns) / _MS
        times = self._new(names.TIMESTAMPS)
        buffer = io.BytesIO()
        np.save(buffer, since.astype(np.float32), allow_pickle=False)
        times.write(buffer.getvalue())
        rate_hz = NS / GRID_NS if strict else self._recording.rate_hz
        size = self._pictures.size
        text = readme(self.id, rows=len(self._times), size=size, forms=self._plan.forms, rate_hz=rate_hz, strict=strict)
        self._new(names.README).write(text.encode())
        if strict:
            said = {"schema": REPEATS_SCHEMA, "step_ms": GRID_NS // _MS, "rows": self._repeats}
            self._new(names.REPEATS).write(json.dumps(said).encode() + b"\n")
        values = metadata(self._recording, self._totals, rows=len(self._times), rate_hz=rate_hz)
        if not strict:
            files = {name: file.about() for name, file in sorted(self._files.items())}
            values[KEY] = self._totals.own(self._recording, size=size, files=files)
        path = self._root / f"{self.id}{names.METADATA}"
        path.write_text(json.dumps(values, indent=1, ensure_ascii=True, allow_nan=False) + "\n", encoding="ascii")


def _records(table: Any) -> list[dict[str, Any]]:
    """Give a table's rows with plain values, None where there is none."""
    return [{name: plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _OUTSIDE}
