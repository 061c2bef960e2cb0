"""The files of the original's exporter, `gameon_0000.tfrecord` and so on: written on request, read from anywhere.

A record is a window: `frames` (T x H x W x 3 floats from 0 to 1), `frames_shape`, and `actions`, 20 floats for all of
it: 1 where the control was down in any of its rows. A window begins at every half of one, 1000 stand in a file. What
this form has no place for is lost and counted: times, sessions, which frame an action belongs to, motion. A record
takes four bytes a colour value, 9.6 MB for 16 frames of 224 x 224.

Read, each window is a segment of its own, its controls down from its first to its last frame, its times assumed at 30
frames a second; windows that overlap are not put together, since nothing says of which session they are.

Source: Luminare7/GameOn, src/export/tensorflow_export.py (`export_to_tfrecord`).

Example:
    >>> PATTERN.format(3), holds(Path("nowhere"))
    ('gameon_0003.tfrecord', False)
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError, BadInputError
from rushes.formats.imported import ASSUMED_HZ, Imported, Part
from rushes.formats.inputs import NO_PLACE
from rushes.formats.tfrecord.examples import Cutting
from rushes.formats.tfrecord.shards import Reader, Shards
from rushes.formats.tfrecord.wire import FOOTER, HEADER, decode_example, encode_example
from rushes.formats.tfrecord.writing import OUTSIDE, Writing
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.ledger import Account, Ledger
from rushes.model.recording import Picture, Recording, Sessions
from rushes.model.rows import events_from_rows
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.entry import Entry

PATTERN: Final = "gameon_{:04}.tfrecord"
_GLOB: Final = "gameon_*.tfrecord"
_FEATURES: Final = frozenset({"frames", "frames_shape", "actions"})
SLOTS: Final = 20
_AXES: Final = 4
_STEP_NS: Final = round(NS / ASSUMED_HZ)
_WHITE: Final = np.float32(255)


def refuse_without_keys(source: Sessions) -> None:
    """Refuse play that the 20 actions have no place for.

    Raises:
        BadInputError: A recording has steps instead of keyboard and mouse.
    """
    for recording in source:
        space = recording.info.action_space
        if space.kind != "buttons":
            raise BadInputError(
                f"session {recording.info.id} with {space!r}",
                accepts="keyboard and mouse, as the original records them",
                fix="leave strict out",
            )


class StrictWriting(Writing):
    """Files of the original's form under way; see `Writing`."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._shards = Shards(self._job.partial, PATTERN, most_records=self._plan.options.examples_per_file)
        buttons = [slot.role == "button" for slot in self._plan.space.slots]
        self._buttons = np.array(buttons, np.float32)

    def add(self, recording: Recording, entry: Entry) -> None:
        """Write the windows of one recording; see `Writing.add`."""
        frames = episodes = 0
        for stretch in entry.stretches:
            shown = int(self._stretch(Cutting(recording, stretch, self._plan)).shown.sum())
            frames, episodes = frames + shown, episodes + (shown > 0)
        self._job.wrote(episodes=episodes, frames=frames)
        self._job.lose("frames", OUTSIDE, recording.frame_count - frames)
        self._job.lose("episodes", OUTSIDE, len(recording.segments) - episodes)
        if "events" in recording.ledger:
            self._job.lose("events", f"{NO_PLACE}in_strict", recording.ledger["events"].kept)

    def _window(self, cutting: Cutting, start: int, pictures: list[bytes]) -> tuple[int, int]:
        height, width = self._plan.size
        part, rows = cutting.rows(start)
        pixels = np.frombuffer(b"".join(pictures), np.uint8)
        self._statistics.add_pictures(pixels.reshape(-1, height, width, 3)[:1])
        self.windows += 1
        features = {
            "frames": pixels.astype(np.float32) / _WHITE,
            "frames_shape": np.array([len(pictures), height, width, 3], np.int64),
            "actions": part.inputs[rows].max(axis=0) * self._buttons,
        }
        return self._shards.write(encode_example(features))

    def close(self) -> None:
        """Complete the files; see `Writing.close`."""
        self._refuse_empty()
        self._shards.close()
        self._job.counts["samples"] += self.windows
        self._job.statistics = self._statistics.to_json()


class Record(NamedTuple):
    """One window as it lies in a file.

    Attributes:
        file: Its name.
        offset: At which byte the record begins.
        shape: T, H, W, 3.
        actions: (20,) float32.
    """

    file: str
    offset: int
    shape: tuple[int, ...]
    actions: npt.NDArray[np.float32]


def holds(path: Path) -> bool:
    """Say whether a folder holds files of the original's form, or a file is one."""
    path = next(iter(files_of(path)), path)
    if path.suffix != ".tfrecord" or not path.is_file():
        return False
    try:
        return next(scan(path), None) is not None
    except BadDataError:
        return False


def files_of(path: Path) -> list[Path]:
    """List the files of a set in their order: those of a folder, or the file itself."""
    return sorted(path.glob(_GLOB)) if path.is_dir() else [path]


def scan(path: Path) -> Iterator[Record]:
    """List the records of a file without reading their pictures."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        offset = 0
        while offset + HEADER + FOOTER <= len(data):
            where = f"{path}, byte {offset}"
            length = int.from_bytes(data[offset : offset + 8], "little")
            behind = offset + HEADER + length + FOOTER
            with memoryview(data) as view, view[offset + HEADER : behind - FOOTER] as record:
                found = decode_example(record, where=where, without={"frames"}) if behind <= len(data) else {}
            shape, actions = found.get("frames_shape", []), found.get("actions", [])
            if len(shape) != _AXES or not isinstance(actions, np.ndarray):
                raise BadDataError(
                    f"{where}: a record that is cut, or none of the original's",
                    accepts=", ".join(sorted(_FEATURES)),
                    fix="leave the file out, or write the set again",
                )
            yield Record(path.name, offset, tuple(int(one) for one in shape), np.asarray(actions, np.float32))
            offset = behind


@dataclass(frozen=True)
class _Windows:
    """Where the pictures of such a set lie."""

    folder: Path
    records: tuple[Record, ...]

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order; see `formats.imported.Frames`."""
        edges = np.cumsum([0, *(record.shape[0] for record in self.records)])
        last, pixels = -1, np.zeros((0, 0, 0, 3), np.uint8)
        with Reader(self.folder) as reader:
            for frame in range(start, stop):
                number = int(np.searchsorted(edges, frame, side="right")) - 1
                if number != last:
                    pixels, last = self._pixels(reader, self.records[number]), number
                yield pixels[frame - edges[number]]

    def _pixels(self, reader: Reader, record: Record) -> npt.NDArray[np.uint8]:
        where = f"{self.folder / record.file}, byte {record.offset}"
        values = np.asarray(decode_example(reader.at(record.file, record.offset), where=where)["frames"], np.float32)
        if values.size != np.prod(record.shape):
            raise BadDataError(
                f"{where}: {values.size} numbers for frames of {record.shape}",
                accepts="as many as frames_shape says",
                fix="leave the file out",
            )
        return np.asarray(np.rint(values.reshape(record.shape) * _WHITE).clip(0, 255), np.uint8)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """Say that no frame has a file of its own."""
        return iter([None] * (stop - start))


def read(path: Path, form: str) -> Sessions:
    """Open such a set as one recording, a segment a window.

    Args:
        path: The folder, or one of its files.
        form: Name of the format.

    Raises:
        BadDataError: A record is cut or of another form.
    """
    records = tuple(record for file in files_of(path) for record in scan(file))
    space = ActionSpace.from_layout("gameon20")
    wrong = [len(record.actions) for record in records if len(record.actions) != len(space)]
    if wrong:
        raise BadDataError(
            f"{path}: windows of {wrong[0]} actions", accepts=f"the original's {len(space)}", fix="leave the set out"
        )
    frames = sum(record.shape[0] for record in records)
    edges = np.cumsum([0, *(record.shape[0] for record in records)])
    parts = []
    for first, record in zip(edges.tolist(), records, strict=False):
        ticks = first + np.arange(record.shape[0])
        end_ns = (first + record.shape[0]) * _STEP_NS
        events = events_from_rows(
            np.repeat(record.actions[None], len(ticks), axis=0), ticks * _STEP_NS, end_ns=end_ns, space=space
        )
        parts.append(Part(ticks * _STEP_NS, end_ns, ticks, events.events, "window"))
    height, width = records[0].shape[1:3] if records else (0, 0)
    info = SessionInfo(
        id=path.stem,
        game="unknown",
        source={"kind": "import", "name": form},
        time_source="assumed",
        streams=(
            StreamSpec("screen", "frames", "png", exact=False, width=width, height=height, rate_hz=ASSUMED_HZ),
            StreamSpec("events", "events"),
        ),
        action_space=space,
        provenance={"file": path.name},
    )
    ledger = Ledger({"frames": Account(frames, frames)})
    folder = path if path.is_dir() else path.parent
    return Sessions([Imported(info, parts, _Windows(folder, records), ledger=ledger)], format=form)
