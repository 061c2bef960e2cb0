"""The typed twin of labelled rows, read back: the samples as they were, over recordings of the file's own pictures.

Each session of the rows becomes a recording of its pictures in the order of their times; the tick of a frame is the
number that it had there. What was done to a picture before it was written is not done again: the rows come without
transform, and the recording keeps it for the next file (`applied`).

Example:
    >>> # read_twin(Path("final.npz")).samples.count()
    >>> list(TEXTS)[:3]
    ['sample_id', 'session', 'action_session']
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.formats.imported import Part
from rushes.formats.jumpnet.arrays import Pictures, header_of
from rushes.formats.jumpnet.log import PERIOD_NS, RATE_HZ
from rushes.formats.jumpnet.members import Members
from rushes.formats.jumpnet.raw_read import IMAGE, UNKNOWN, LogRecording, picture_places, twin_table
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.ledger import Account, Ledger
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples, Source, Step
from rushes.model.samples import COLUMNS
from rushes.model.session import SessionInfo, StreamSpec

TEXTS: Final = (
    "sample_id", "session", "action_session", "control", "phase", "kind", "reason", "parent", "transform", "group",
    "split",
)  # fmt: skip
NUMBERS: Final = {
    "label": np.float32,
    "weight": np.float32,
    "t_ns": np.int64,
    "action_t_ns": np.int64,
    "frame_index": np.int64,
    "hold_duration": np.float32,
    "hold_known": np.bool_,
    "keys_raw": np.float32,
}
"""Columns of numbers and their types."""
SPACE: Final = "action_space"
STEPS: Final = "steps"
GAMES: Final = "games"


def read_twin(path: Path) -> Sessions:
    """Read a file that `processed_write` wrote.

    Raises:
        BadDataError: Columns are missing, do not fit each other, or say what cannot be.
    """
    members = Members(path)
    about, table = twin_table(members, (*TEXTS, *NUMBERS))
    count = len(table["session"])
    places = picture_places(members, count)
    shape = header_of(members, IMAGE).shape
    try:
        space = ActionSpace.from_json(about[SPACE])
        steps = tuple(Step.from_json(step) for step in about[STEPS])
        games = dict(about[GAMES])
        frame, frames_of = _rows(table, len(space))
        recordings: list[Recording] = []
        for name, mine in frames_of.items():
            frames = Pictures(path, IMAGE, [places[k] for k in mine.tolist()], (shape[1], shape[2]))
            game = str(games.get(name, UNKNOWN))
            recordings.append(_recording(name, game, mine, table, frames, space))
        samples = Samples(frame, space, steps, {name: Source(str(path.absolute())) for name in frames_of})
        samples.validate()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = error.given if isinstance(error, BadDataError) else f"{type(error).__name__} {error}"
        raise BadDataError(
            f"{path}: a file of ours whose columns do not read ({said})",
            accepts="what rushes writes as jumpnet",
            fix="write it again from its source",
        ) from error
    ledger = Ledger({"samples": Account(count, count)})
    return Sessions(recordings, format="jumpnet", ledger=ledger, samples=samples)


def _rows(table: Mapping[str, npt.NDArray[Any]], width: int) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.int64]]]:
    """Make the table of samples, and say which rows each session has, in the order of their times."""
    keys = table["keys_raw"].astype(np.float32)
    count = len(keys)
    if keys.shape != (count, width):
        raise TypeError(f"keys_raw of the shape {keys.shape}")
    sessions = table["session"].astype(str)
    t_ns = table["t_ns"].astype(np.int64)
    order = np.lexsort((np.arange(count), t_ns))
    frames_of = {name: order[sessions[order] == name] for name in dict.fromkeys(sessions.tolist())}
    place = np.zeros(count, np.int64)
    for mine in frames_of.values():
        place[mine] = np.arange(len(mine))
    hold = np.where(table["hold_known"].astype(bool), table["hold_duration"].astype(np.float64), np.nan)
    columns: dict[str, Any] = {name: table[name].astype(str).tolist() for name in TEXTS}
    columns |= {name: table[name].astype(NUMBERS[name]) for name in ("label", "weight", "t_ns", "action_t_ns")}
    columns |= {"segment": np.zeros(count, np.int64), "length": np.ones(count, np.int64), "frame_index": place}
    columns |= {"hold_s": hold, "keys": pd.Series(list(keys), dtype=object), "transform": [""] * count}
    made = {name: pd.Series(columns[name], dtype="str" if kind == "str" else None) for name, kind in COLUMNS.items()}
    return pd.DataFrame(made), frames_of


def _recording(
    name: str,
    game: str,
    mine: npt.NDArray[np.int64],
    table: Mapping[str, npt.NDArray[Any]],
    frames: Pictures,
    space: ActionSpace,
) -> Recording:
    steps = np.arange(len(mine))
    times = np.maximum.accumulate(table["t_ns"][mine].astype(np.int64) - steps) + steps
    ticks = table["frame_index"][mine].astype(np.int64)
    part = Part(times, int(times[-1]) + PERIOD_NS, ticks, events_frame(), "end")
    height, width = frames.size
    stream = StreamSpec("screen", "frames", "", width=width, height=height, rate_hz=float(RATE_HZ))
    source = {"kind": "import", "name": "jumpnet"}
    info = SessionInfo(name, game, source, "assumed", (stream,), space)
    told = table["transform"][mine].astype(str).tolist()
    applied = {frame: text for frame, text in enumerate(told) if text}
    if not all(isinstance(json.loads(text), list) for text in set(applied.values())):
        raise TypeError("transform that is no list")
    ledger = Ledger({"frames": Account(len(mine), len(mine)), "episodes": Account(1, 1)})
    return LogRecording(info, [part], frames, ledger=ledger, applied=applied)
