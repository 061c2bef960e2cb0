"""A set of ReActure as a recording.

Times are those of the rows, `timestamp_ms`, and `measured`; where no row has one, or each is number x 100 exactly,
they are `nominal`. Row i is never taken for frame i (`pairing`). What this program wrote beside the game's keys is used
where it is whole: times in ns, segments, and input events; else keys are those of the rows (`keys`).

A set without pictures is a recording all the same: its times, keys and telemetry are read, and a picture that is asked
for is an error that says so. Black pictures would be data that nobody recorded.

Example:
    >>> from rushes.formats.reacture.find import find_sets
    >>> def lengths(path):
    ...     return [read_set(found).frame_count for found in find_sets(path)]
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError
from rushes.formats.imported import Imported, Part
from rushes.formats.reacture import names
from rushes.formats.reacture.about import info_of, read_about, repeats_of
from rushes.formats.reacture.actions import PAUSED, without_repeats
from rushes.formats.reacture.album import open_album
from rushes.formats.reacture.cut import Stretch, own_stretches, stretches
from rushes.formats.reacture.find import Found
from rushes.formats.reacture.kept import keep
from rushes.formats.reacture.keys import Said
from rushes.formats.reacture.lines import Row, TooManyLinesError, read_rows
from rushes.formats.reacture.own import KEY, REPEATS_SCHEMA, events_of, read_own, row_time
from rushes.formats.reacture.remarks import Notes
from rushes.formats.reacture.telemetry import telemetry_table
from rushes.model.events import cut_events
from rushes.model.ledger import Tally
from rushes.model.session import SessionInfo

Ints = npt.NDArray[np.int64]

_MS: Final = 1_000_000
_MOST_BYTES: Final = 1 << 32


def read_set(found: Found, *, bottom_up: bool = False) -> Imported:
    """Read a set.

    Args:
        found: Where it lies.
        bottom_up: Whether its pictures are stored bottom-up, and are to be turned.

    Raises:
        BadDataError: Nothing of it can be read.
        BadInputError: Pictures that this program wrote shall be turned: they are upright.
    """
    return _Reader(found, bottom_up=bottom_up).recording()


class _Reader:
    """A set on its way into a recording."""

    def __init__(self, found: Found, *, bottom_up: bool) -> None:
        self._found, self._flip = found, bottom_up
        self._notes, self._tally = Notes(found.id), Tally()
        self._about = read_about(found, self._notes)
        self._own = read_own(self._about.said)
        if KEY in self._about.said and self._own is None:
            self._notes.add("damaged_description", 1, names.METADATA)
        if bottom_up and (KEY in self._about.said or found.file(names.REPEATS) is not None):
            raise BadInputError(
                f"bottom_up=true for {found.id}, which this program wrote",
                accepts="sets of the game: pictures of ours are upright",
                fix="leave the option out",
            )
        self._lost = Counter[str]()
        rows = self._lines(names.DATA)
        data_lines = len(rows) + sum(self._lost.values())
        self._frames = [row for row in rows if row.of_frame]
        self._others = [row for row in rows if not row.of_frame]
        self._between = bool(self._others)
        beside = self._lines(names.EVENTS)
        self._given = [row for row in beside if row.given is not None]
        self._others += [row for row in beside if row.given is None and not row.of_frame]
        self._is_games = self._about.is_games or (not self._about.said and any(row.games_path for row in self._frames))
        self._album = open_album(found, self._notes)
        if not self._frames:
            raise BadDataError(
                f"{found.place.name}: {found.id}{names.DATA} without a row of a frame, of {data_lines} lines",
                accepts=f"rows with visual_frame_path, or with the event {names.PERIODIC}",
                fix="restore the file from a copy, or export the play again",
            )
        self._say_counts(data_lines)

    def _lines(self, ending: str) -> list[Row]:
        name = self._found.file(ending)
        if name is None:
            return []
        if self._found.sizes[name] > _MOST_BYTES:
            raise BadDataError(
                f"{self._found.place.name}: {name} of {self._found.sizes[name]:,} bytes",
                accepts=f"at most {_MOST_BYTES:,}",
                fix="split the play into several sets",
            )
        rows: list[Row] = []
        try:
            with self._found.place.open(name) as file:
                rows.extend(read_rows(file, self._notes, self._lost))
        except TooManyLinesError as error:
            raise BadDataError(
                f"{self._found.place.name}: {name} of {error.given}", accepts=error.accepts, fix=error.fix
            ) from None
        except BadDataError:  # a member of an archive: what was read before its damage is there
            if not rows:
                raise
            self._notes.add("damaged_line", 1, name)
            self._lost["damaged_line"] += 1
        return rows

    def _say_counts(self, lines: int) -> None:
        if self._own is not None:
            there = self._found.sizes
            shorter = [n for n, size in self._own.files.items() if n in there and there[n] != size]
            self._notes.add("altered_file", len(shorter), shorter[0] if shorter else "")
        elif self._between:
            self._notes.add("rows_without_frame", sum(not row.action for row in self._others))
        told = {"total_samples": lines, "total_frames": len(self._album.stored)}
        wrong = [f"{k} {n}, there are {told[k]}" for k in told if (n := self._about.counted(k)) not in (None, told[k])]
        self._notes.add("counts_differ", len(wrong), more="; ".join(wrong))

    def recording(self) -> Imported:
        """Make it."""
        rows = keep(self._frames, self._album, self._own, self._notes, self._tally)
        t_ns, number, kept, values = rows.t_ns, rows.number, rows.good, rows.keys
        if not kept.any():
            problem = next(iter(self._notes.problems()), None)
            raise BadDataError(
                f"{self._found.place.name}: {self._found.id}: none of {len(kept)} frames can be kept"
                + (f"; {problem.where}: {problem.sentence}" if problem else ""),
                accepts="a picture, a time and keys a frame",
                fix="restore the files from a copy",
            )
        actions = self._actions()
        pauses = [at for name, at in actions if name == PAUSED]
        cut = (
            stretches(t_ns, number, kept, pauses) if self._own is None else own_stretches(t_ns, number, kept, self._own)
        )
        said = Said.of(values[kept], is_games=self._is_games, jumped=any(n == "jump" for n, _ in actions))
        parts = self._parts(cut, t_ns, number, values, said, actions)
        self._tally.offer("frames", sum(len(part.t_ns) for part in parts))
        self._tally.offer("episodes", len(parts))
        self._tally.offer("events", sum(int((part.events["kind"] != "state").sum()) for part in parts))
        order = np.concatenate([stretch.rows for stretch in cut])
        if self._album.stored and self._is_games and not self._flip:
            self._notes.add("upside_down", len(order))
        info = self._info(said, measured=rows.measured)
        telemetry = self._telemetry(parts, order, t_ns)
        made = Imported(
            info,
            parts,
            self._album.frames(self._found, number[order].tolist(), flip=self._flip),
            ledger=self._tally.close(),
            problems=self._notes.problems(),
            telemetry=telemetry,
        )
        made.segments = tuple(
            replace(segment, **self._wall(segment.start_ns, stretch))
            for segment, stretch in zip(made.segments, cut, strict=True)
        )
        return made

    def _at(self, row: Row) -> int | None:
        """Give the time of a row in ns since session start."""
        own = row_time(row.own) if self._own is not None else None
        if own is not None:
            return own[0]
        origin = self._own.origin_ns if self._own is not None else 0
        return None if row.t_ms is None else round(row.t_ms * _MS) + origin

    def _actions(self) -> list[tuple[str, int]]:
        """Put the game's actions in order of time, without the keyboard's auto-repeat."""
        timed = [(row, at) for row in self._others if row.action and (at := self._at(row)) is not None]
        timed.sort(key=lambda one: one[1])
        stay, repeats = without_repeats([row.action for row, _ in timed])
        self._notes.add("auto_repeat", repeats)
        dropped = {id(timed[k][0]) for k in set(range(len(timed))) - set(stay)}
        self._others = [row for row in self._others if id(row) not in dropped]
        self._lost["auto_repeat"] += repeats
        return [(timed[k][0].action, timed[k][1]) for k in stay]

    def _parts(
        self,
        cut: list[Stretch],
        t_ns: Ints,
        number: Ints,
        values: npt.NDArray[np.float64],
        said: Said,
        actions: list[tuple[str, int]],
    ) -> list[Part]:
        given = self._given_events()
        if given is None and self._own is None:
            said.tell(self._notes, len(number))
        repeats = repeats_of(self._found, REPEATS_SCHEMA) if self._own is None else frozenset()
        parts = []
        for one in cut:
            times, own = t_ns[one.rows], [self._frames[k].own for k in one.rows.tolist()]
            ticks = number[one.rows]
            if self._own is not None:
                told = [row_time(row) for row in own]
                ticks = np.array([t[1] if t is not None else n for t, n in zip(told, ticks, strict=True)], np.int64)
                if (np.diff(ticks) <= 0).any():
                    ticks = number[one.rows]
            if given is None:
                events = said.events(values[one.rows], times, one.end_ns, actions)
            else:
                events = self._cut_given(given, one, times)
            duplicate = np.array([row.get("duplicate") is True for row in own], bool)
            duplicate |= np.array([int(n) in repeats for n in number[one.rows]], bool)
            late = np.array([row.get("late") is True for row in own], bool)
            attrs = {} if one.own is None or self._own is None else self._own.segments[one.own].attrs
            parts.append(Part(times, one.end_ns, ticks, events, one.reason, attrs, duplicate, late))
        return parts

    def _cut_given(self, given: pd.DataFrame, one: Stretch, times: Ints) -> pd.DataFrame:
        """Give the events of a stretch; the state at its segment's start stands among those that were written."""
        assert self._own is not None
        assert one.own is not None
        segment = self._own.segments[one.own]
        within = given[(given["t_ns"] >= segment.start_ns) & (given["t_ns"] < one.end_ns)]
        if int(times[0]) == segment.start_ns:
            return within.reset_index(drop=True)
        return cut_events(within, int(times[0]), one.end_ns)

    def _given_events(self) -> pd.DataFrame | None:
        """Read the input events that this program wrote; None where they are not all there."""
        if self._own is None:
            return None
        table = events_of([row.given for row in self._given if row.given is not None])
        if table is None or len(table) != self._own.inputs:
            self._notes.add("missing_events", max(self._own.inputs - len(self._given), 1), names.EVENTS)
            return None
        return table.sort_values("t_ns", kind="stable", ignore_index=True)

    def _info(self, said: Said, *, measured: bool) -> SessionInfo:
        if self._own is None:
            return info_of(self._found, self._about, said.columns, size=self._album.size, measured=measured)
        height, width = self._album.size or (0, 0)
        made = self._own.info.with_size(height, width)
        if not self._own.delay_ms:
            return made
        return replace(made, provenance={**made.provenance, "action_delay_ms": self._own.delay_ms})

    def _wall(self, start_ns: int, stretch: Stretch) -> dict[str, Any]:
        if self._own is not None and stretch.own is not None:
            segment = self._own.segments[stretch.own]
            wall = None if segment.wall_ns is None else segment.wall_ns + start_ns - segment.start_ns
            return {"wall_ns": wall, "clock": segment.clock}
        wall = self._about.wall_ns
        return {"wall_ns": None if wall is None else wall + start_ns}

    def _telemetry(self, parts: list[Part], rows: Ints, t_ns: Ints) -> pd.DataFrame:
        """Put together what the game reported: with each frame, and between them."""
        frame_of = {row: index for index, row in enumerate(rows.tolist())}
        spans = [(int(part.t_ns[0]), part.end_ns) for part in parts]
        told: list[tuple[dict[str, Any], int, int | None]] = []
        for place, row in enumerate(self._frames):
            frame = frame_of.get(place)
            at = int(t_ns[place]) if frame is not None else self._at(row)
            told += [] if at is None or row.own.get("silent") is True else [(dict(row.fields), at, frame)]
            self._lost["missing_time"] += at is None
        for row in self._others:
            at = self._at(row)
            told += [] if at is None else [(dict(row.fields), at, None)]
            self._lost["missing_time"] += at is None
        starts = np.array([start for start, _ in spans])
        place_of = [int(np.searchsorted(starts, at, side="right")) - 1 for _, at, _ in told]
        segment = [p if p >= 0 and at < spans[p][1] else None for p, (_, at, _) in zip(place_of, told, strict=True)]
        if told or +self._lost:
            self._tally.offer("telemetry", len(told) + sum(self._lost.values()))
        for reason, count in self._lost.items():
            self._tally.lose("telemetry", reason, count)
        self._tally.mark("telemetry", "outside_segment", sum(s is None for s in segment))
        return telemetry_table(
            [fields for fields, _, _ in told], [at for _, at, _ in told], segment, [frame for _, _, frame in told]
        )
