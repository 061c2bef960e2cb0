"""Files of JumpNet's scripts as samples: each row is a picture with its label.

What the scripts leave open is told and not guessed at: a hold of NaN is a hold that nobody ended, why a row is no jump
the file does not say, and key vectors of one 0, which the scripts give negatives whatever the keys, are taken as no key
down. Rows that say nothing sensible are left out under their reason.

Example:
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "jumps.npz"
    >>> row = [np.zeros((80, 80, 3), np.float32), 1.0, np.ones(1), np.array([np.nan]), "press", 60]
    >>> np.savez(path, data=np.array([row], dtype=object), keys=np.array(["w"]))
    >>> found = read_processed(path)
    >>> found.samples.rows.loc[0, ["control", "phase"]].tolist(), found[0].index()["tick"].tolist()
    (['KeyW', 'open'], [60])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.formats.imported import Imported, Part
from rushes.formats.jumpnet.arrays import Pictures
from rushes.formats.jumpnet.film import open_video
from rushes.formats.jumpnet.log import LONGEST_S, PERIOD_NS, RATE_HZ, frame_ns, times_of
from rushes.formats.jumpnet.members import Members
from rushes.formats.jumpnet.names import Named, columns, name_controls
from rushes.formats.jumpnet.raw_read import UNKNOWN, LogRecording, mixed_sizes, most_frequent, unnamed
from rushes.formats.jumpnet.rows import DATA, Row, load_keys, load_rows
from rushes.formats.options import absolute
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.events import events_frame
from rushes.model.findings import Problem
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Event
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples, Source, Step
from rushes.model.samples import SampleKind, samples_frame
from rushes.model.session import SessionInfo, StreamSpec

REASON: Final = "the file does not say why it is no jump"
_HALF: Final = 0.5
_LOST: Final = {
    "wrong_width": "their key vectors have another width than most",
    "label_not_a_number": "their label is NaN",
    "label_out_of_range": "their label is not from 0 to 1",
    "keys_not_numbers": "their key vector has NaN",
    "behind_video": "the video has no frame of their number: is it the video of this file?",
    "same_frame": "copies of a row on the same frame, which are one picture of the video",
}
_MARKED: Final = {
    "hold_open": "holds of NaN: nobody saw their end; the label stays, the length is not known",
    "hold_negative": "lengths below 0, taken as not known",
    "hold_too_long": f"lengths from {LONGEST_S:,.0f} s on, taken as not known",
    "label_rounded": "labels between 0 and 1, taken as 1 from 0.5 on",
    "one_zero_for_all_keys": "rows with one 0 for all keys, taken as no key down",
}


class Labelled(NamedTuple):
    """A row that makes sense.

    Attributes:
        row: As it stands in the file.
        positive: Whether it is a jump.
        keys: (A,) float32 what is down.
        key: Number of the key that it is labelled for.
        hold_s: NaN where it is not known.
        phase: `press`, `open` or `up`.
    """

    row: Row
    positive: bool
    keys: npt.NDArray[np.float32]
    key: int
    hold_s: float
    phase: str


def read_processed(path: Path, *, video: str = "", keys: str = "") -> Sessions:
    """Read a file of the scripts.

    Args:
        path: The file.
        video: Take the frames from this video; empty takes the pictures of the rows.
        keys: Names of the columns; empty takes those of the file.

    Raises:
        MissingError: The video is not there.
        BadDataError: The file or the video is damaged, or no row can be used.
    """
    members, where = Members(path), str(path)
    rows = load_rows(members)
    width = _width(rows.rows)
    named = name_controls(columns(load_keys(members), keys, width, where))
    problems = [*rows.problems(where), *named.problems(where), *unnamed(members, keys, named, where)]
    lost, marked = Counter(rows.malformed), Counter[str]()
    good = [found for row in rows.rows if (found := _labelled(row, width, lost, marked)) is not None]
    if not good:
        raise BadDataError(
            f"{where}, key 'data': {rows.offered} rows, none of which can be used ({', '.join(lost)})",
            accepts="rows whose label is a number from 0 to 1",
            fix="look at the step that wrote it",
        )
    usual = Counter(one.key for one in good if one.positive).most_common(1)
    good = [one if one.positive else one._replace(key=usual[0][0] if usual else 0) for one in good]
    recording: Recording
    if video:
        recording, good = _over_video(path, video, good, named, lost)
        frames = [one.row.frame for one in good]
    else:
        recording = _of_pictures(path, good, named)
        sizes = [one.row.picture.shape for one in good]
        problems += mixed_sizes(where, sizes, most_frequent(sizes)) if good else []
        frames = list(range(len(good)))
    ledger = Ledger({"samples": Account(rows.offered, len(good), dict(+lost), dict(+marked))})
    problems += [
        Problem(name, where, lost[name], f"rows that are left out: {why}") for name, why in _LOST.items() if lost[name]
    ]
    problems += [Problem(name, where, marked[name], why) for name, why in _MARKED.items() if marked[name]]
    options = (*((f"video={video}",) if video else ()), *((f"keys={keys}",) if keys else ()))
    samples = Samples(
        samples_frame(_sample(recording.info.id, one, at, named) for one, at in zip(good, frames, strict=True)),
        ActionSpace.from_names(named.controls),
        (Step("import", {"format": "jumpnet", "file": path.name, "options": list(options)}, ledger),),
        {recording.info.id: Source(str(path.absolute()), absolute(options))},
    )
    return Sessions([recording], format="jumpnet", problems=problems, ledger=ledger, samples=samples)


def _width(rows: Sequence[Row]) -> int:
    """Give the width of key vectors: that of rows in which a key is down, if there are such."""
    down = [row.keys.size for row in rows if (row.keys > 0).any()]
    return Counter(down or [row.keys.size for row in rows]).most_common(1)[0][0]


def _labelled(row: Row, width: int, lost: Counter[str], marked: Counter[str]) -> Labelled | None:
    """Read a row, and count what is odd about it."""
    keys, holds = row.keys, row.holds
    if keys.size != width and keys.size == 1 and keys[0] == 0:
        keys, holds = np.zeros(width), np.zeros(width)
        marked["one_zero_for_all_keys"] += 1
    why = ""
    if keys.size != width:
        why = "wrong_width"
    elif np.isnan(row.value):
        why = "label_not_a_number"
    elif not 0 <= row.value <= 1:
        why = "label_out_of_range"
    elif not np.isfinite(keys).all():
        why = "keys_not_numbers"
    if why:
        lost[why] += 1
        return None
    marked["label_rounded"] += row.value not in {0.0, 1.0}
    vector = np.clip(keys, 0, 1).astype(np.float32)
    if row.value < _HALF:
        return Labelled(row, positive=False, keys=vector, key=0, hold_s=np.nan, phase="up")
    down = np.flatnonzero(keys >= _HALF)
    held = np.flatnonzero(~(holds == 0))
    both = np.intersect1d(down, held)
    key = int(next((some[0] for some in (both, held, down) if len(some)), 0))
    hold = float(holds[key])
    known = 0 <= hold < LONGEST_S
    marked["hold_negative"] += hold < 0
    marked["hold_too_long"] += LONGEST_S <= hold < np.inf
    marked["hold_open"] += not hold < np.inf
    return Labelled(row, True, vector, key, hold if known else np.nan, "press" if known else "open")  # noqa: FBT003


def _sample(session: str, one: Labelled, frame_index: int, named: Named) -> dict[str, Any]:
    control = named.controls[one.key]
    return {
        "sample_id": f"{session}:{control}:row{one.row.number}",
        "session": session,
        "frame_index": frame_index,
        "t_ns": frame_ns(one.row.frame),
        "control": control,
        "label": float(one.positive),
        "keys": one.keys,
        "hold_s": one.hold_s,
        "phase": one.phase,
        "kind": SampleKind.POSITIVE.value if one.positive else SampleKind.UNIFORM.value,
        "reason": "" if one.positive else REASON,
        "group": session,
    }


def _of_pictures(path: Path, good: Sequence[Labelled], named: Named) -> Recording:
    """Give the pictures of the rows as a recording, in the order of the file."""
    rows = [one.row for one in good]
    ticks = np.array([row.frame for row in rows], np.int64)
    rising = bool((np.diff(ticks) >= 0).all())
    times = times_of(rows) if rising else np.array([frame_ns(k) for k in range(len(rows))], np.int64)
    size = most_frequent([row.picture.shape for row in rows]) if rows else (0, 0)
    parts = [Part(times, int(times[-1]) + PERIOD_NS, ticks, events_frame(), "end")] if rows else []
    frames = Pictures(path, DATA, [row.picture for row in rows], size)
    info = _info(path.stem, named, size, events=False)
    ledger = Ledger({"frames": Account(len(rows), len(rows)), "episodes": Account(len(parts), len(parts))})
    return LogRecording(info, parts, frames, ledger=ledger)


def _over_video(
    path: Path, video: str, good: Sequence[Labelled], named: Named, lost: Counter[str]
) -> tuple[Recording, list[Labelled]]:
    """Give a video as a recording with the positives as its events, and the rows that lie on it."""
    found = open_video(video)
    seen: set[tuple[int, int, bool]] = set()
    kept = []
    for one in good:
        place = (one.row.frame, one.key, one.positive)
        if one.row.frame >= found.count:
            lost["behind_video"] += 1
        elif place in seen:
            lost["same_frame"] += 1
        else:
            kept.append(one)
            seen.add(place)
    end_ns = frame_ns(found.count)
    events: list[tuple[int, str, str]] = []
    for key, control in enumerate(named.controls):
        mine = sorted((one for one in kept if one.positive and one.key == key), key=lambda one: one.row.frame)
        starts = [frame_ns(one.row.frame) for one in mine]
        for one, start, following in zip(mine, starts, [*starts[1:], end_ns], strict=True):
            events.append((start, "press", control))
            stop = start + round(one.hold_s * NS) if one.hold_s > 0 else following
            if min(stop, following) < end_ns:
                events.append((min(stop, following), "release", control))
    events.sort(key=lambda event: (event[0], event[1] == "press"))
    table = events_frame(Event(t, "keyboard", control, kind) for t, kind, control in events)
    times = np.array([frame_ns(k) for k in range(found.count)], np.int64)
    part = Part(times, end_ns, np.arange(found.count), table, "end")
    info = _info(path.stem, named, (found.height, found.width), events=True, video=Path(video).name)
    count = len(table)
    ledger = Ledger(
        {
            "frames": Account(found.count, found.count),
            "episodes": Account(1, 1),
            "events": Account(count, count),
        }
    )
    return Imported(info, [part], found.frames, ledger=ledger), kept


def _info(name: str, named: Named, size: tuple[int, int], *, events: bool, **provenance: str) -> SessionInfo:
    streams = [StreamSpec("screen", "frames", "", width=size[1], height=size[0], rate_hz=float(RATE_HZ))]
    streams += [StreamSpec("events", "events")] if events else []
    source = {"kind": "import", "name": "jumpnet"}
    space = ActionSpace.from_names(named.controls)
    return SessionInfo(name, UNKNOWN, source, "assumed", tuple(streams), space, provenance)
