"""A recording as the recorder's file: one row for each press and release, as the recorder writes them.

A row shows the frame that stands when the key moves, and says what is down after it. `prev_interval` is seconds since
the last release, 0.0 before the first and for releases; `hold_durations` has the length of the hold at the released
key, 0 else; `frame_idx` is how many frames were there by then. By default typed columns are written, with the times in
ns; strict is the file of the reference: `data` (N, 6) of objects and `keys`, which loads with allow_pickle alone.

Example:
    >>> from rushes.model.readings import Event
    >>> events = [Event(100, "keyboard", "KeyW", "press"), Event(300_000_100, "keyboard", "KeyW", "release")]
    >>> state = State(("KeyW",))
    >>> [state.take(*event[:1], *event[2:4]).hold_s for event in events]
    [0.0, 0.3]
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.formats.base import Progress
from rushes.formats.card import Job
from rushes.formats.inputs import NO_PLACE
from rushes.formats.jumpnet.look import RAW, SCHEMA
from rushes.formats.jumpnet.names import key_name
from rushes.formats.jumpnet.npz import NpzWriter
from rushes.formats.jumpnet.raw_read import ABOUT, IMAGE
from rushes.formats.jumpnet.rows import DATA, KEYS, PRESS, RELEASE, VALUES
from rushes.model.clock import NS
from rushes.model.controls import kind_of
from rushes.model.recording import Recording
from rushes.store.resized import resized

_EDGES: Final = (PRESS, RELEASE)


class Edge(NamedTuple):
    """A press or a release as a row.

    Attributes:
        t_ns: When.
        key: Number of the key.
        phase: `press` or `release`.
        interval_s: Seconds since the last release.
        hold_s: Length of the hold that ends here; 0 for a press.
        down: (K,) what is down after it.
        frame: frame_index of what is seen.
        segment: Number of its segment.
    """

    t_ns: int
    key: int
    phase: str
    interval_s: float
    hold_s: float
    down: npt.NDArray[np.float32]
    frame: int
    segment: int


@dataclass
class State:
    """What is down.

    Attributes:
        controls: Of each key.
        pressed: Key -> when it went down; None where that was not seen.
    """

    controls: tuple[str, ...]
    pressed: dict[int, int | None] = field(default_factory=dict)
    released_ns: int | None = None

    def take(self, t_ns: int, control: str, kind: str, *, frame: int = 0, segment: int = 0) -> Edge | None:
        """Take an event; None where it changes nothing."""
        key = self.controls.index(control)
        if (kind == PRESS) == (key in self.pressed):
            return None
        interval, hold = 0.0, 0.0
        if kind == PRESS:
            interval = (t_ns - self.released_ns) / NS if self.released_ns is not None else 0.0
            self.pressed[key] = t_ns
        else:
            since = self.pressed.pop(key)
            hold = (t_ns - since) / NS if since is not None else 0.0
            self.released_ns = t_ns
        down = np.zeros(len(self.controls), np.float32)
        down[list(self.pressed)] = 1
        return Edge(t_ns, key, kind, interval, hold, down, frame, segment)


def controls_of(recording: Recording, *, strict: bool) -> tuple[str, ...]:
    """Name the buttons that were pressed, in alphabetical order; strict has a place for characters alone.

    Raises:
        BadInputError: None.
    """
    events = recording.events()
    seen = sorted(set(events["control"][(events["kind"] == PRESS) & (events["flag"] != "hotkey")]))
    found = tuple(c for c in seen if kind_of(c) == "button" and (not strict or len(key_name(c)) == 1))
    if not found:
        raise BadInputError(
            f"{recording.info.id}, in which no {'key with a character' if strict else 'button'} goes down"
            + f" (there are {', '.join(seen)})" * bool(seen),
            accepts="a recording with presses, such as KeyW"
            + "; strict has no place for keys without a character" * strict,
            fix="write it without strict" if strict and seen else "choose a recording in which keys were pressed",
        )
    return found


def edges(recording: Recording, controls: tuple[str, ...], job: Job) -> tuple[list[Edge], list[list[str]]]:
    """Go through the events of a recording, and count what makes no row.

    Returns:
        The rows, and for each segment what is down when it begins.
    """
    found: list[Edge] = []
    begun: list[list[str]] = []
    lost: Counter[str] = Counter()
    offered = 0
    released: int | None = None
    for segment in recording.segments:
        index = recording.index(segment.index)
        times, numbers = index["t_ns"].to_numpy(np.int64), index["frame_index"].tolist()
        events = recording.events(segment.index)
        state = State(controls, released_ns=released)
        begun.append([])
        rows = zip(*(events[name].tolist() for name in ("t_ns", "control", "kind", "value", "flag")), strict=True)
        for t_ns, control, kind, value, flag in rows:
            if kind == "state":
                if control in controls and value:
                    state.pressed[controls.index(control)] = None
                    begun[-1] += [control] * (control not in begun[-1])
                continue
            offered += 1
            if flag == "hotkey":
                lost["hotkey"] += 1
            elif control not in controls or kind not in _EDGES:
                lost[f"{NO_PLACE}{control}"] += 1
            else:
                place = int(np.searchsorted(times, t_ns, side="right")) - 1
                if place < 0 or t_ns >= segment.end_ns:
                    lost["outside_segment"] += 1
                    continue
                edge = state.take(t_ns, control, kind, frame=numbers[place], segment=segment.index)
                if edge is None:
                    lost["changes_nothing"] += 1
                else:
                    found.append(edge)
        released = state.released_ns
    job.tally.offer("events", offered)
    for reason, count in lost.items():
        job.tally.lose("events", reason, count)
    return found, begun


def write_raw(
    recording: Recording,
    path: Path,
    job: Job,
    *,
    strict: bool,
    size: int,
    executor: Executor | None,
    progress: Progress | None,
) -> None:
    """Write a recording.

    Args:
        recording: What to write.
        path: A new file.
        job: Where to count.
        strict: The file of the reference.
        size: Pixels a side.
        executor: Where to decode.
        progress: Told the rows that are written.

    Raises:
        BadInputError: No key that has a place goes down in it.
    """
    controls = controls_of(recording, strict=strict)
    rows, begun = edges(recording, controls, job)
    keys = np.array([key_name(control) for control in controls])
    pictures = _told(_pictures(recording, rows, size, executor), len(rows), progress)
    with NpzWriter(path) as npz:
        if strict:
            with npz.objects(DATA, (len(rows), VALUES)) as data:
                for row, pixels in zip(rows, pictures, strict=True):
                    image = pixels.astype(np.float32) / np.float32(255)
                    data.write([image, row.interval_s, row.down, _holds(row), row.phase, row.frame + 1])
            npz.array(KEYS, keys)
        else:
            _write_twin(npz, recording, rows, begun, keys, pictures, size)
    shown = len({row.frame for row in rows})
    job.wrote(episodes=len(recording.segments), frames=shown, samples=len(rows))
    job.lose("frames", "no_event_on_it", recording.frame_count - shown)


def _told(pictures: Iterator[Any], total: int, progress: Progress | None) -> Iterator[Any]:
    for done, picture in enumerate(pictures, 1):
        yield picture
        if progress is not None and (done % 64 == 0 or done == total):
            progress(done, total, "rows")


def _pictures(
    recording: Recording, rows: list[Edge], size: int, executor: Executor | None
) -> Iterator[npt.NDArray[np.uint8]]:
    """Give the picture of each row; their frames do not fall."""
    wanted = sorted({row.frame for row in rows})
    with ExitStack() as stack:
        batches = resized(recording, wanted, size=size, executor=executor)
        stack.callback(batches.close)  # type: ignore[attr-defined]
        one_by_one = (pixels for batch in batches for pixels in batch)
        shown, pixels = -1, None
        for row in rows:
            if row.frame != shown:
                shown, pixels = row.frame, next(one_by_one)
            assert pixels is not None
            yield pixels


def _holds(row: Edge) -> npt.NDArray[np.float32]:
    holds = np.zeros(len(row.down), np.float32)
    holds[row.key] = row.hold_s
    return holds


def _write_twin(
    npz: NpzWriter,
    recording: Recording,
    rows: list[Edge],
    begun: list[list[str]],
    keys: npt.NDArray[Any],
    pictures: Iterator[npt.NDArray[np.uint8]],
    size: int,
) -> None:
    info, controls = recording.info.to_json(), controls_of(recording, strict=False)
    names = [slot for slot in info["action_space"]["slots"] if set(slot["plus"]) & set(controls)]
    space = {"kind": "buttons", "slots": names} if names and info["action_space"]["kind"] == "buttons" else None
    about = {
        "session": info | ({"action_space": space} if space else {}),
        "segments": [
            segment.to_json() | {"down": down} for segment, down in zip(recording.segments, begun, strict=True)
        ],
    }
    npz.array(SCHEMA, np.array(RAW))
    npz.array(ABOUT, np.array(json.dumps(about, sort_keys=True, ensure_ascii=True)))
    npz.array(KEYS, keys)
    npz.array("controls", np.array(controls))
    npz.array("prev_interval", np.array([row.interval_s for row in rows], np.float32))
    npz.array("multi_hot", np.array([row.down for row in rows], np.float32).reshape(len(rows), len(controls)))
    npz.array("hold_durations", np.array([_holds(row) for row in rows], np.float32).reshape(len(rows), len(controls)))
    npz.array("phase", np.array([row.phase for row in rows], "U7"))
    npz.array("frame_idx", np.array([row.frame + 1 for row in rows], np.int64))
    npz.array("t_ns", np.array([row.t_ns for row in rows], np.int64))
    npz.array("segment", np.array([row.segment for row in rows], np.int64))
    with npz.rows(IMAGE, np.uint8, (len(rows), size, size, 3)) as file:
        for pixels in pictures:
            file.write(np.ascontiguousarray(pixels).data)
