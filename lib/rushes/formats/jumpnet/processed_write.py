"""Samples as a JumpNet file: pictures beside their labels, in bounded memory.

Pictures come in the order in which they are stored and stand in the file in that of the table; until all are there they
lie in a file of their own beside the target, which goes away in the end.

Example:
    >>> space = ActionSpace.from_names(["KeyW", "Space"])
    >>> [slot_of(control, space) for control in ("Space", "Space|KeyW", "J_LEFT_X>0.5")]
    [1, 1, None]
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError, RushesError
from rushes.formats.base import Progress
from rushes.formats.card import Job
from rushes.formats.jumpnet.look import PROCESSED, SCHEMA
from rushes.formats.jumpnet.names import key_name
from rushes.formats.jumpnet.npz import NpzWriter
from rushes.formats.jumpnet.raw_read import ABOUT, IMAGE, LogRecording
from rushes.formats.jumpnet.rows import DATA, KEYS, PRESS, VALUES
from rushes.formats.jumpnet.twin_read import GAMES, NUMBERS, SPACE, STEPS, TEXTS
from rushes.model.actions import ActionSpace
from rushes.model.recording import Recording, by_id
from rushes.model.sample_table import Samples
from rushes.model.targets import parse_targets
from rushes.prepare.reading import read_pictures

Pixels = npt.NDArray[np.uint8]

_SOURCES: Final = ("jumpnet", "jumpnet_raw")
_EVERY: Final = 64


def slot_of(control: str, space: ActionSpace) -> int | None:
    """Find the column of a space that a target is about; the first of several parts that has one."""
    try:
        parts = [part.control for part in parse_targets(control)[0].parts]
    except RushesError:
        parts = [control]
    for part in parts:
        for number, slot in enumerate(space.slots):
            if part == slot.name or part in slot.plus:
                return number
    return None


def write_processed(
    samples: Samples,
    recordings: Sequence[Recording],
    path: Path,
    job: Job,
    *,
    strict: bool,
    size: int,
    keep_open: bool,
    executor: Executor | None,
    progress: Progress | None,
) -> None:
    """Write samples.

    Args:
        samples: What to write, in this order.
        recordings: Where their pictures are.
        path: A new file.
        job: Where to count.
        strict: The file of the reference.
        size: Pixels a side.
        keep_open: Whether a strict file has open holds, with the length 0.
        executor: Where to decode.
        progress: Told the rows that are read.

    Raises:
        BadInputError: No row is left to write.
        MissingError: A recording is not there.
    """
    samples.validate()
    if strict:
        samples = _without_open(samples, job, keep_open=keep_open)
    if not len(samples):
        raise BadInputError(
            "no row to write",
            accepts="at least one sample"
            + "; strict leaves out holds that nobody ended, unless open_holds=keep" * strict,
            fix="look at the steps of the table: `rushes info FILE`",
        )
    job.wrote(samples=len(samples))
    longer = int((samples.rows["length"] > 1).sum())
    job.tally.mark("samples", "shown_by_its_last_frame", longer)
    known = by_id(recordings)
    with _in_order(samples, recordings, size, path, executor, progress) as pictures, NpzWriter(path) as npz:
        if strict:
            _write_strict(npz, samples, known, pictures, job)
        else:
            _write_twin(npz, samples, known, pictures, size)


def _without_open(samples: Samples, job: Job, *, keep_open: bool) -> Samples:
    rows = samples.rows
    left_open = (rows["label"] > 0) & rows["hold_s"].isna()
    count = int(left_open.sum())
    if keep_open:
        job.tally.mark("samples", "open_hold_as_0", count)
        return samples
    job.lose("samples", "open_hold", count)
    return replace(samples, rows=rows[~left_open].reset_index(drop=True))


@contextmanager
def _in_order(
    samples: Samples,
    recordings: Sequence[Recording],
    size: int,
    path: Path,
    executor: Executor | None,
    progress: Progress | None,
) -> Iterator[Iterator[Pixels]]:
    """Read all pictures into a file beside the target, and give them in the order of the table."""
    total = len(samples)
    each = size * size * 3
    with tempfile.TemporaryFile(dir=path.parent, prefix=f".{path.name}.pictures.") as spool:
        done = 0
        for pictures in read_pictures(samples, recordings, size=size, executor=executor, batch=_EVERY):
            for row, pixels in zip(pictures.rows.tolist(), pictures.pixels[:, -1], strict=True):
                spool.seek(row * each)
                spool.write(np.ascontiguousarray(pixels).data)
            done += len(pictures.rows)
            if progress is not None:
                progress(done, total, "samples")
        spool.seek(0)
        yield (np.frombuffer(spool.read(each), np.uint8).reshape(size, size, 3) for _ in range(total))


def _numbers(samples: Samples, by_id: dict[str, Recording]) -> tuple[list[int], list[int], list[str]]:
    """Give the numbers that frames are known by, their times, and what was done to their pictures."""
    rows = samples.rows
    last = (rows["frame_index"] + rows["length"] - 1).to_numpy(np.int64)
    sessions = rows["session"].to_numpy(object)
    number, t_ns = last.copy(), rows["t_ns"].to_numpy(np.int64).copy()
    applied = rows["transform"].to_numpy(object).copy()
    for name in dict.fromkeys(sessions.tolist()):
        recording = by_id[name]
        mine = np.flatnonzero(sessions == name)
        known = isinstance(recording, LogRecording) or recording.info.source.get("name") in _SOURCES
        longer = mine[rows["length"].to_numpy()[mine] > 1]
        if known or len(longer):
            index: pd.DataFrame = recording.index().set_index("frame_index")
            if known:
                number[mine] = index["tick"].loc[last[mine]].to_numpy()
            t_ns[longer] = index["t_ns"].loc[last[longer]].to_numpy()
        if isinstance(recording, LogRecording):
            for row in mine.tolist():
                applied[row] = _both(recording.applied.get(int(last[row]), ""), applied[row])
    return number.tolist(), t_ns.tolist(), applied.tolist()


def _both(before: str, after: str) -> str:
    """Put two lists of transforms behind each other."""
    if not before or not after:
        return before or after
    return json.dumps([*json.loads(before), *json.loads(after)], sort_keys=True, separators=(",", ":"))


def _write_strict(
    npz: NpzWriter, samples: Samples, by_id: dict[str, Recording], pictures: Iterator[Pixels], job: Job
) -> None:
    space, rows = samples.space, samples.rows
    number, _, _ = _numbers(samples, by_id)
    slots = {control: slot_of(control, space) for control in set(rows["control"])}
    told = zip(rows["label"].tolist(), rows["keys"], rows["hold_s"].tolist(), rows["control"], strict=True)
    homeless = 0
    with npz.objects(DATA, (len(rows), VALUES)) as data:
        for (label, keys, hold, control), frame, pixels in zip(told, number, pictures, strict=True):
            holds, slot = np.zeros(len(space), np.float32), slots[control]
            if label > 0 and hold == hold:  # noqa: PLR0124 - NaN
                if slot is None:
                    homeless += 1
                else:
                    holds[slot] = hold
            image = pixels.astype(np.float32) / np.float32(255)
            data.write([image, float(label), np.asarray(keys, np.float32), holds, PRESS, int(frame)])
    job.tally.mark("samples", "hold_without_column", homeless)
    npz.array(KEYS, np.array([key_name(name) for name in space.names], dtype=object))


def _write_twin(
    npz: NpzWriter, samples: Samples, by_id: dict[str, Recording], pictures: Iterator[Pixels], size: int
) -> None:
    rows = samples.rows
    number, t_ns, applied = _numbers(samples, by_id)
    hold = rows["hold_s"].to_numpy(np.float64)
    columns: dict[str, Any] = {name: rows[name].tolist() for name in TEXTS} | {"transform": applied}
    columns |= {"label": rows["label"], "weight": rows["weight"], "action_t_ns": rows["action_t_ns"]}
    columns |= {"t_ns": t_ns, "frame_index": number, "keys_raw": samples.keys}
    columns |= {"hold_duration": np.nan_to_num(hold, nan=0.0), "hold_known": ~np.isnan(hold)}
    about = {
        SPACE: samples.space.to_json(),
        STEPS: [step.to_json() for step in samples.steps],
        GAMES: {name: by_id[name].info.game for name in sorted(set(rows["session"]))},
    }
    npz.array(SCHEMA, np.array(PROCESSED))
    npz.array(ABOUT, np.array(json.dumps(about, sort_keys=True, ensure_ascii=True)))
    npz.array(KEYS, np.array(samples.space.names, dtype=np.str_))
    for name in TEXTS:
        npz.array(name, np.array(columns[name], dtype=np.str_))
    for name, dtype in NUMBERS.items():
        npz.array(name, np.asarray(columns[name], dtype))
    with npz.rows(IMAGE, np.uint8, (len(rows), size, size, 3)) as file:
        for pixels in pictures:
            file.write(pixels.tobytes())
