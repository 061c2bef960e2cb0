"""The recorder's file as a recording: the pictures of its rows, or a video, with the events of its log.

Example:
    >>> most_frequent([(227, 227), (454, 454), (227, 227)])
    (227, 227)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.formats.imported import Frames, Imported, Part
from rushes.formats.jumpnet.arrays import Pictures, header_of, read_array
from rushes.formats.jumpnet.film import open_video
from rushes.formats.jumpnet.log import PERIOD_NS, RATE_HZ, Ints, Log, frame_ns, read_log, stretches, times_of
from rushes.formats.jumpnet.members import Members
from rushes.formats.jumpnet.names import Named, columns, name_controls
from rushes.formats.jumpnet.rows import DATA, Row, Rows, load_keys, load_rows
from rushes.formats.jumpnet.values import Stored
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.findings import Problem
from rushes.model.ledger import Ledger, Tally
from rushes.model.session import SessionInfo, StreamSpec

IMAGE: Final = "image"
ABOUT: Final = "about"
UNKNOWN: Final = "unknown"
_PAUSE_NS: Final = NS


class LogRecording(Imported):
    """A recording of pictures that were kept at certain moments: what lies between two of them was not dropped.

    Attributes:
        applied: Frame -> what was done to its picture before it was stored, as JSON; frames that are not named are as
            they were seen.
    """

    kept_at_moments = True

    def __init__(
        self,
        info: SessionInfo,
        parts: Sequence[Part],
        frames: Frames,
        *,
        ledger: Ledger,
        problems: Iterable[Problem] = (),
        applied: dict[int, str] | None = None,
    ) -> None:
        super().__init__(info, parts, frames, ledger=ledger, problems=problems)
        self._index["dropped_before"] = 0
        self.applied = applied or {}


def most_frequent(sizes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    """Give the size that most pictures have; of equals the first."""
    height, width = Counter(size[:2] for size in sizes).most_common(1)[0][0]
    return height, width


def mixed_sizes(where: str, sizes: Sequence[tuple[int, ...]], chosen: tuple[int, int]) -> list[Problem]:
    """Tell that pictures of several sizes stand in one file."""
    other = [size[:2] for size in sizes if size[:2] != chosen]
    if not other:
        return []
    known = ", ".join(f"{n} of {w} x {h}" for (h, w), n in Counter(size[:2] for size in sizes).most_common())
    text = f"pictures of several sizes in one file ({known}); all are shown as {chosen[1]} x {chosen[0]}"
    return [Problem("mixed_sizes", where, len(other), text)]


def shape_of(rows: Rows) -> int:
    """Give the width that the key vectors of most rows have."""
    return Counter(row.keys.size for row in rows.rows).most_common(1)[0][0]


def read_raw(path: Path, *, video: str = "", keys: str = "") -> Imported:
    """Read the recorder's file.

    Args:
        path: The file.
        video: Take the frames from this video; empty takes the pictures of the rows.
        keys: Names of the columns; empty takes those of the file.

    Raises:
        MissingError: The video is not there.
        BadDataError: The file or the video is damaged.
    """
    members, where = Members(path), str(path)
    rows = load_rows(members)
    width = shape_of(rows)
    named = name_controls(columns(load_keys(members), keys, width, where))
    tally, problems = Tally(), [*rows.problems(where), *named.problems(where)]
    good = [row for row in rows.rows if row.keys.size == width]
    lost = {**rows.malformed, "wrong_width": len(rows.rows) - len(good)}
    if lost["wrong_width"]:
        text = f"rows that are left out: their key vectors have not {width} columns as most"
        problems.append(Problem("wrong_width", where, lost["wrong_width"], text))
    _lose(tally, "events", lost)
    problems += unnamed(members, keys, named, where)
    if video:
        return _with_video(path, video, good, named, tally, problems)
    _lose(tally, "frames", lost)
    parts: list[Part] = []
    at = 0
    logs: list[Log] = []
    for some in stretches(good):
        times = times_of(some)
        times += at - frame_ns(some[0].frame) if parts else 0
        log = read_log(some, times, named.controls)
        parts.append(_part(times, log.events, np.array([row.frame for row in some])))
        logs.append(log)
        at = parts[-1].end_ns + _PAUSE_NS
    if len(parts) > 1:
        text = "frame numbers that fall: another recording begins there, as a segment of its own"
        problems.append(Problem("numbers_fall", where, len(parts) - 1, text))
    sizes = [row.picture.shape for row in good]
    size = most_frequent(sizes)
    problems += mixed_sizes(where, sizes, size) + _told(logs, tally, where)
    tally.offer("frames", len(good))
    tally.offer("episodes", len(parts))
    frames = Pictures(path, DATA, [row.picture for row in good], size)
    info = _info(path.stem, named, size, {})
    return LogRecording(info, parts, frames, ledger=tally.close(), problems=problems)


def _with_video(
    path: Path, video: str, rows: Sequence[Row], named: Named, tally: Tally, problems: list[Problem]
) -> Imported:
    found = open_video(video)
    times = np.array([frame_ns(k) for k in range(found.count)], np.int64)
    end_ns = frame_ns(found.count)
    first, *rest = stretches(rows)
    inside = [row for row in first if row.frame < found.count]
    lost = {"numbers_fall": sum(map(len, rest)), "behind_video": len(first) - len(inside)}
    _lose(tally, "events", lost)
    for reason, count in lost.items():
        if count:
            text = "rows of the log without a frame of the video: is it the video of this log?"
            problems.append(Problem(reason, str(path), count, text))
    log = read_log(inside, times_of(inside), named.controls)
    late = int((log.events["t_ns"] >= end_ns).sum())
    problems += _told([log], tally, str(path))
    tally.lose("events", "behind_video", late)
    events = log.events[log.events["t_ns"] < end_ns].reset_index(drop=True)
    part = Part(times, end_ns, np.arange(found.count), events, "end")
    tally.offer("frames", found.count)
    tally.offer("episodes", 1)
    info = _info(path.stem, named, (found.height, found.width), {"video": Path(video).name})
    return Imported(info, [part], found.frames, ledger=tally.close(), problems=problems)


def _part(times: Ints, events: pd.DataFrame, ticks: npt.NDArray[np.int64]) -> Part:
    end_ns = int(times[-1]) + PERIOD_NS
    if len(events):
        end_ns = max(end_ns, int(events["t_ns"].iloc[-1]) + 1)
    return Part(times, end_ns, ticks, events, "end")


def _lose(tally: Tally, stream: str, lost: dict[str, int]) -> None:
    for reason, count in lost.items():
        if count:
            tally.offer(stream, count)
            tally.lose(stream, reason, count)


def unnamed(members: Members, asked: str, named: Named, where: str) -> list[Problem]:
    """Tell that columns have no names, or other ones than the file says."""
    if asked:
        return []
    there = load_keys(members)
    if there is None:
        text = f"no names of keys: they are called {', '.join(named.names)}; name them with the option keys=w"
        return [Problem("without_keys", where, 1, text)]
    if there != named.names:
        text = f"{len(there)} names of keys ({', '.join(there)}) for rows of {len(named.names)}: none of them is used"
        return [Problem("keys_do_not_fit", where, len(there), text)]
    return []


_REMARKS: Final = {
    "key_repeat": "presses of what was down already, as the system repeats them; they are no events",
    "unmatched_release": "releases of what was up; they are no events",
    "press_not_logged": "keys that are down without a press of their own; they go down where that is seen",
    "release_not_logged": "keys that are up without a release of their own; they go up where that is seen",
    "hold_not_a_number": "releases without a length; they lie at the time of their row",
    "hold_negative": "releases with a length below 0; they lie at the time of their row",
    "hold_clipped": "holds that go on beyond the next press of the same key; they end there",
}


def _told(logs: Sequence[Log], tally: Tally, where: str) -> list[Problem]:
    """Write the accounts of logs, and say what was odd."""
    remarks: Counter[str] = Counter()
    for log in logs:
        log.account(tally)
        remarks += log.remarks
    return [Problem(name, where, count, _REMARKS[name]) for name, count in remarks.items()]


def _info(name: str, named: Named, size: tuple[int, int], provenance: dict[str, Any]) -> SessionInfo:
    streams = (
        StreamSpec("screen", "frames", "", exact=True, width=size[1], height=size[0], rate_hz=float(RATE_HZ)),
        StreamSpec("events", "events"),
    )
    source = {"kind": "import", "name": "jumpnet_raw"}
    return SessionInfo(name, UNKNOWN, source, "assumed", streams, ActionSpace.from_names(named.controls), provenance)


def read_raw_twin(path: Path) -> Imported:
    """Read a log that we wrote, with its own times.

    Raises:
        BadDataError: Columns are missing, or do not fit each other.
    """
    members = Members(path)
    about, table = twin_table(members, ("multi_hot", "phase", "frame_idx", "t_ns", "segment"))
    pictures = picture_places(members, len(table["t_ns"]))
    tally = Tally()
    try:
        parts = _twin_parts(members, about, table, pictures, tally)
        info = SessionInfo.from_json(about["session"]).without("sound")  # a log has no place for it
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        said = error.given if isinstance(error, BadDataError) else f"{type(error).__name__} {error}"
        raise _odd(path, f"whose columns do not read ({said})") from error
    tally.offer("frames", len(pictures))
    tally.offer("episodes", len(parts))
    _, height, width, *_ = header_of(members, IMAGE).shape
    info = info.with_size(height, width)  # it described the recording that was written, whose pictures were larger
    frames = Pictures(path, IMAGE, pictures, (height, width))
    return LogRecording(info, parts, frames, ledger=tally.close())


def _twin_parts(
    members: Members,
    about: dict[str, Any],
    table: dict[str, npt.NDArray[Any]],
    pictures: Sequence[Stored | npt.NDArray[Any]],
    tally: Tally,
) -> list[Part]:
    controls = tuple(str(one) for one in read_array(members, "controls").tolist())
    t_ns, number, frame = (table[name].astype(np.int64) for name in ("t_ns", "segment", "frame_idx"))
    hot = table["multi_hot"].astype(np.float64)
    if hot.shape != (len(t_ns), len(controls)) or (np.diff(t_ns) < 0).any() or (np.diff(number) < 0).any():
        raise TypeError("keys of another number, or times that fall")
    none, parts = np.zeros(len(controls)), []
    for segment, said in enumerate(about["segments"]):
        mine = np.flatnonzero(number == segment)
        if not len(mine):
            continue
        some = [Row(k, pictures[k], 0.0, hot[k], none, str(table["phase"][k]), int(frame[k])) for k in mine.tolist()]
        steps = np.arange(len(mine))
        shown = np.maximum.accumulate(t_ns[mine] - steps) + steps
        log = read_log(some, t_ns[mine], controls, exact=True, begun=[str(one) for one in said["down"]])
        log.account(tally)
        end_ns = max(int(said["end_ns"]), int(shown[-1]) + 1)
        parts.append(Part(shown, end_ns, frame[mine], log.events, str(said["end_reason"])))
    if sum(len(part.t_ns) for part in parts) != len(t_ns):
        raise TypeError("rows of a segment that is not described")
    return parts


def twin_table(members: Members, names: Iterable[str]) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read the account and some columns of a twin.

    Raises:
        BadDataError: One is missing, pickled, or has another number of rows.
    """
    wanted = list(names)
    gone = [name for name in (*wanted, ABOUT, IMAGE) if name not in members]
    if gone:
        raise _odd(members.path, f"without {', '.join(gone)}")
    table = {name: read_array(members, name) for name in wanted}
    if not all(isinstance(column, np.ndarray) and column.ndim for column in table.values()):
        raise _odd(members.path, "columns of objects")
    if len({len(column) for column in table.values()}) > 1:
        raise _odd(members.path, "columns of several lengths")
    try:
        about = json.loads(str(read_array(members, ABOUT).reshape(-1)[0]))
    except (ValueError, IndexError, AttributeError, RecursionError) as error:
        raise _odd(members.path, f"an account that does not read ({error})") from error
    if not isinstance(about, dict):
        raise _odd(members.path, "an account that does not read")
    return about, table


def picture_places(members: Members, count: int) -> list[Stored | npt.NDArray[Any]]:
    """Say where each picture of a typed member lies.

    Raises:
        BadDataError: They are no (N, H, W, 3) uint8.
    """
    header = header_of(members, IMAGE)
    shape = header.shape
    if header.dtype != np.uint8 or shape[:1] != (count,) or shape[3:] != (3,) or not all(shape[1:]) or header.fortran:
        raise _odd(members.path, f"pictures of {header.dtype} and the shape {shape}")
    size = int(np.prod(header.shape[1:], dtype=object)) if count else 0
    return [Stored(header.dtype, header.shape[1:], header.place + k * size, size) for k in range(count)]


def _odd(path: Path, found: str) -> BadDataError:
    return BadDataError(
        f"{path}: a file of ours {found}",
        accepts="what rushes writes as jumpnet or jumpnet_raw",
        fix="write it again from its source",
    )
