"""The HDF5 of GameOn's own exporter: a group a session with its video and its events, read and written.

`metadata` has the attributes `num_sessions` and `game_name`; `session_0001` has `session_id`, `game_name`, `fps`, the
dataset `video` (N, H, W, 3) uint8 RGB and, where there are events, the group `inputs` with seven columns. It knows no
time of a frame, so frames are taken to stand at `fps` from the first event's clock on, and reading says so. Nothing in
it tells a value of 0 from none. Its groups are segments: written here, each of a recording becomes one of its own.

Source of the layout: src/export/hdf5_export.py of Luminare7/GameOn at 907d615.

Example:
    >>> COLUMNS["buttons"]
    'S50'
    >>> # convert("data/sessions", "theirs.h5", format="hdf5", options=["strict=true"])
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.formats.card import Job
from rushes.formats.gameon.rows_read import read_rows
from rushes.formats.gameon.rows_write import places, rows_of_segment
from rushes.formats.hdf5_objects import dataset_at, new_group, open_hdf5
from rushes.formats.imported import ASSUMED_HZ, Imported, Part, Pixels
from rushes.formats.inputs import Account
from rushes.formats.training.options import TrainingOptions, size_of
from rushes.formats.training.pictures import pictures
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.controls import CONTROLS, POINTER
from rushes.model.delay import moved
from rushes.model.events import cut_events
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.readings import Event
from rushes.model.recording import EVENT_COLUMNS, Picture, Recording
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.clips import Clips
from rushes.store.entry import describe
from rushes.store.pairing import Pair, delay_of, pairs

COLUMNS: Final = {
    "timestamps": "int64", "devices": "S20", "buttons": "S50", "actions": "S20", "values": "float32",
    "x_positions": "float32", "y_positions": "float32",
}  # fmt: skip
"""Of the group `inputs`; the first is in ms."""
GROUP: Final = re.compile(r"session_(\d+)")
_ROW: Final = ("timestamp_ms", "input_device", "button_key", "action", "value", "x_position", "y_position")
_RATES: Final = (1e-3, 1e4)


def is_original(file: Any) -> bool:
    """Say whether an open HDF5 file is of this kind."""
    return any(GROUP.fullmatch(name) and f"{name}/video" in file for name in file)


def write_original(file: Any, source: list[Recording], options: TrainingOptions, *, filters: dict[str, Any]) -> Writer:
    """Begin to write into an open file; call `write` for each recording."""
    about = new_group(file, "metadata")
    games = {recording.info.game for recording in source}
    about.attrs["num_sessions"] = sum(len(recording.segments) for recording in source)
    about.attrs["game_name"] = games.pop() if len(games) == 1 else "all"
    return Writer(file, options, filters)


class Writer:
    """Writes groups one behind the other."""

    def __init__(self, file: Any, options: TrainingOptions, filters: dict[str, Any]) -> None:
        self._file, self._options, self._filters = file, options, filters
        self._known = places(strict=True)
        self._number = 0

    def write(self, recording: Recording, job: Job) -> Iterator[int]:
        """Write the segments of a recording.

        Args:
            recording: Marks honoured; recorded play.
            job: Where to count.

        Yields:
            How many frames were written since.

        Raises:
            BadInputError: An environment, for whose steps there is no place.
        """
        if recording.is_environment:
            raise BadInputError(
                f"{recording.info.id}: steps of an environment in GameOn's HDF5",
                accepts="play with keyboard, mouse or pad",
                fix="leave strict out",
            )
        entry, account = describe(recording), Account(job.tally, self._known)
        delay_ms = delay_of(recording, self._options.action_delay_ms)
        job.delays_ms.append(delay_ms)
        height, width = entry.height, entry.width
        if not height or not width:
            height, width, _ = recording.frame(0).shape
        factor = self._options.downsample_factor
        size = size_of(self._options.size) or (max(1, height // factor), max(1, width // factor))
        with Clips(None if size == (height, width) else size) as clips:
            for pair, stretch in zip(pairs(recording, action_delay_ms=delay_ms), entry.stretches, strict=True):
                self._number += 1
                group = new_group(self._file, f"session_{self._number:04d}")
                group.attrs["session_id"] = self._number
                group.attrs["game_name"] = recording.info.game
                group.attrs["fps"] = round(recording.rate_hz or ASSUMED_HZ)
                shape = (stretch.frames, *size, 3)
                video = group.create_dataset("video", shape, "uint8", chunks=(1, *shape[1:]), **self._filters)
                at = 0
                for block in pictures(clips, recording, stretch, size):
                    video[at : at + len(block)] = block
                    at += len(block)
                    yield len(block)
                self._inputs(group, pair)
                account.take(pair)
                job.wrote(episodes=1, frames=stretch.frames)
        account.close(recording)

    def _inputs(self, group: Any, pair: Pair) -> None:
        times = moved(pair.events["t_ns"].to_numpy(np.int64), pair.grid.action_delay_ms)
        events = pair.events.assign(t_ns=times).sort_values("t_ns", kind="stable")
        table = cut_events(events, int(pair.grid.t_ns[0]), int(pair.grid.ends_ns[-1]))
        placed = table["control"].isin([*self._known, POINTER]) & (table["flag"] != "hotkey")
        plain = table[placed][list(EVENT_COLUMNS)].astype(object)
        found = [Event(*row) for row in plain.where(plain.notna(), None).itertuples(index=False, name=None)]
        rows = [written.values for written in rows_of_segment(found, pair.grid.t_ns)]
        if not rows:
            return
        inputs = new_group(group, "inputs")
        for (name, dtype), values in zip(COLUMNS.items(), zip(*rows, strict=True), strict=True):
            column = [v.encode() if isinstance(v, str) else 0 if v is None else v for v in values]
            inputs.create_dataset(name, data=np.array(column, dtype), **self._filters)


@dataclass(frozen=True)
class OriginalFrames:
    """The frames of a group; see `imported.Frames`.

    Attributes:
        path: The file.
        group: Name of the group.
    """

    path: Path
    group: str

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """Read pictures in order: (H, W, 3) uint8 RGB."""
        with open_hdf5(self.path) as file:
            video = dataset_at(file, f"{self.group}/video", str(self.path))
            for number in range(start, stop):
                try:
                    yield video[number]
                except OSError as error:
                    raise _damage(self.path, f"{self.group}, frame {number} cannot be read ({error})") from error

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file."""
        return iter([None] * (stop - start))


def read_original(path: Path) -> list[Imported]:
    """Open every group of a file as a recording.

    Raises:
        BadDataError: None of them can be read.
    """
    with open_hdf5(path) as file:
        names = sorted((name for name in file if GROUP.fullmatch(name)), key=lambda name: int(name[8:]))
        return [_recording(path, name, file[name]) for name in names]


def _recording(path: Path, name: str, group: Any) -> Imported:
    video = dataset_at(group.file, f"{name}/video", str(path))
    if video.ndim != 4 or video.shape[3] != 3 or video.dtype != np.uint8 or 0 in video.shape:  # noqa: PLR2004 - (N, H, W, 3)
        raise _damage(path, f"{name}, whose video is not (N, H, W, 3) uint8")
    problems = []
    rate = group.attrs.get("fps")
    if not isinstance(rate, int | float | np.number) or not _RATES[0] <= float(rate) <= _RATES[1]:
        problems.append(
            Problem("assumed_rate", f"{path}, {name}", 1, f"no rate is known; {ASSUMED_HZ:g} a second are taken")
        )
        rate = ASSUMED_HZ
    count = len(video)
    times: npt.NDArray[np.int64] = np.rint(np.arange(count + 1) * (NS / float(rate))).astype(np.int64)
    found = read_rows(_rows(path, name, group))
    inside = (found.events["t_ns"] >= 0) & (found.events["t_ns"] < times[-1])
    events = found.events[inside].reset_index(drop=True)
    tally = Tally()
    tally.offer("frames", count)
    tally.offer("episodes", 1)
    tally.offer("events", found.offered)
    for reason, lost in {**found.lost, "outside_segment": int((~inside).sum())}.items():
        tally.lose("events", reason, lost)
    controls = {name for name in events["control"].unique() if name in CONTROLS}
    controls |= {"MouseDX", "MouseDY"} if (events["kind"] == "move").any() else set()
    game = group.attrs.get("game_name")
    info = SessionInfo(
        id=f"{path.stem}-{name}",
        game=game if isinstance(game, str) and game.isprintable() and game else "unknown",
        source={"kind": "import", "name": "hdf5"},
        time_source="assumed",
        streams=(
            StreamSpec("screen", "frames", "png", exact=False, height=video.shape[1], width=video.shape[2],
                       rate_hz=float(rate)),
            StreamSpec("events", "events", unit="px"),
        ),
        action_space=ActionSpace.from_names([name for name in CONTROLS if name in controls]),
    )  # fmt: skip
    part = Part(times[:-1], int(times[-1]), np.arange(count), events, "unknown")
    return Imported(info, [part], OriginalFrames(path, name), ledger=tally.close(), problems=problems)


def _rows(path: Path, name: str, group: Any) -> list[dict[str, Any]]:
    if "inputs" not in group:
        return []
    try:
        columns = [dataset_at(group.file, f"{name}/inputs/{column}", str(path))[:].tolist() for column in COLUMNS]
        texts = [
            [value.decode(errors="replace") if isinstance(value, bytes) else value for value in column]
            for column in columns
        ]
        return [dict(zip(_ROW, row, strict=True)) for row in zip(*texts, strict=True)]
    except (ValueError, AttributeError, OSError) as error:
        if isinstance(error, BadDataError):
            raise
        raise _damage(path, f"{name}/inputs, which does not read ({error})") from error


def _damage(path: Path, what: str) -> BadDataError:
    return BadDataError(f"{path}: {what}", accepts="what GameOn's exporter writes", fix="export the session again")
