"""An episode as it lies in an Atari file, ours or the reference's, before anything is made of it.

Example:
    >>> parse_action("8: DOWNRIGHT"), parse_action("downright"), parse_action(" ")
    ((8, 'DOWNRIGHT'), (None, 'downright'), None)
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from rushes.errors import BadDataError
from rushes.model.session import SessionInfo

_ACTION: Final = re.compile(r"\s*(?:(\d{1,9})\s*:)?\s*([^\s:](?:[^:]*[^\s:])?)\s*")


class Extra(NamedTuple):
    """Our own extra columns of an episode.

    Attributes:
        session: Id of its session.
        info: Description of that session, None where it was lost.
        segment: Its segment as JSON values.
        t_ns: (F,) int64 ns since session start.
        columns: (F,) values of `atari.ACTION_COLUMNS`; a frame without an action holds anything.
    """

    session: str
    info: SessionInfo | None
    segment: Mapping[str, Any]
    t_ns: npt.NDArray[np.int64]
    columns: Mapping[str, list[Any]]


@dataclass
class Found:
    """One episode as it lies in a file.

    Attributes:
        environment: Its environment as written.
        episode: Its name as written.
        where: Where it lies, relative to what was opened.
        numbers: (F,) int64 frame numbers, rising.
        actions: (F,) texts as written, None where there is none.
        fetch: Gives the PNG files from a position to another.
        randomness: Where a column says it.
        lost: Kind of problem (`without_frame`, `duplicate_frame`, `damaged_sidecar`) -> how many.
        broken: Numbers of frames without a whole picture -> `truncated_png` or `missing_image`; they are not in
            `numbers`.
        extra: Our own columns where they are there.
    """

    environment: str
    episode: str
    where: str
    numbers: npt.NDArray[np.int64]
    actions: list[str | None]
    fetch: Callable[[int, int], Iterator[bytes]]
    randomness: float | None
    lost: Counter[str]
    broken: Mapping[int, str] = field(default_factory=dict)
    extra: Extra | None = None


def make_extra(
    where: str, *, session: str, info: SessionInfo | None, segment: str, t_ns: Any, columns: Mapping[str, list[Any]]
) -> Extra:
    """Make `Extra` of columns that somebody may have touched.

    Args:
        where: Where they stand, for the message.
        session: Id of the session.
        info: Its description.
        segment: The segment as JSON.
        t_ns: (F,) whole numbers.
        columns: See `Extra`.

    Raises:
        BadDataError: They are not what this program writes.
    """
    try:
        times = np.array(t_ns, np.int64)
        told = json.loads(segment)
        fits = all(len(column) == len(times) for column in columns.values()) and isinstance(told["attrs"], dict)
        _ = told["frames"], told["end_reason"], np.array(columns["action"], np.int64)
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise BadDataError(
            f"{where}: extra columns that do not fit each other",
            accepts="those that this program writes",
            fix="leave out the columns session and segment to have the set read as a foreign one",
        )
    return Extra(str(session), info, told, times, columns)


def parse_action(text: str) -> tuple[int | None, str] | None:
    """Take an action apart.

    Args:
        text: `8: DOWNRIGHT`, `DOWNRIGHT` or `downright`.

    Returns:
        Its number, None where it has none, and its name as written; None for what is no action.
    """
    match = _ACTION.fullmatch(text)
    if match is None or "\ufffd" in text or not match[2].isprintable():
        return None
    return int(match[1]) if match[1] else None, match[2]
