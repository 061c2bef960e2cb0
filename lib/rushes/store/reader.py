"""Reading a session: tables by segment, pictures by frame index, memory bounded whatever the length.

Example:
    >>> def first_frame(path):
    ...     return open_session(path).frame(0)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import MissingError
from rushes.model.events import events_frame
from rushes.model.findings import Problem
from rushes.model.ledger import Ledger
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS, Picture, Recording, Sessions
from rushes.model.session import SessionInfo
from rushes.store import images, tables
from rushes.store.facts import Fact, read_facts
from rushes.store.layout import EVENTS, IMAGES, INDEX, STEPS, TELEMETRY, chunk_folders, is_sealed, is_session
from rushes.store.manifest import merge_segments, read_description, read_summary

_KEPT: Final = 4
"""Tables that a session keeps at hand; an episode's steps are asked for several times in a row."""


class Session(Recording):
    """A session directory, open for reading. It never changes what it reads.

    Args:
        path: The directory.

    Raises:
        MissingError: The path is no session.
        BadDataError: A manifest is damaged or of another schema.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.info = SessionInfo.from_json(read_description(self.path))
        folders = chunk_folders(self.path)
        self._chunks = [(folder, read_summary(folder)) for folder in folders if is_sealed(folder)]
        self.segments = merge_segments(summary for _, summary in self._chunks)
        self.ledger = sum((Ledger.from_json(summary["ledger"]) for _, summary in self._chunks), Ledger())
        self.problems = tuple(
            Problem(
                "unfinished_chunk",
                str(folder),
                1,
                "a chunk without its chunk.json: it is still being written, or its writer died and "
                "`rushes recover` brings it back",
            )
            for folder in folders
            if not is_sealed(folder)
        )
        self._tables: OrderedDict[tuple[str, int | None], pd.DataFrame] = OrderedDict()
        self._group: tuple[Path, int, list[bytes], list[str]] | None = None

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The side facts that hold now."""
        return read_facts(self.path)

    def _table(self, name: str, segment: int | None, columns: Sequence[str]) -> pd.DataFrame:
        key = (name, segment)
        if key not in self._tables:
            parts = [
                tables.read_table(folder / name).to_pandas()
                for folder, summary in self._chunks
                if name in summary["files"]
                and (segment is None or any(s["index"] == segment for s in summary["segments"]))
            ]
            whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({c: [] for c in columns})
            if segment is not None and "segment" in whole:
                whole = whole[whole["segment"] == segment].reset_index(drop=True)
            self._tables[key] = whole
            while len(self._tables) > _KEPT:
                self._tables.popitem(last=False)
        return self._tables[key].copy(deep=False)

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row a frame; see `Recording.index`."""
        return self._table(INDEX, segment, INDEX_COLUMNS)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an action; see `Recording.steps`."""
        return self._table(STEPS, segment, STEP_COLUMNS)

    def telemetry(self, segment: int | None = None) -> pd.DataFrame:
        """Return what the game reported; see `Recording.telemetry`."""
        return self._table(TELEMETRY, segment, ("t_ns", "segment", "frame_index"))

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """Return one row an input event; see `Recording.events`.

        For one segment the rows begin with the state of what was down or moved away from rest at its start.
        """
        if self.is_environment and not any(EVENTS in summary["files"] for _, summary in self._chunks):
            return self.step_edges(segment)
        whole = self._all_events()
        if segment is None:
            return whole
        chosen = self.segments[segment]
        inside = whole[(whole["t_ns"] >= chosen.start_ns) & (whole["t_ns"] < chosen.end_ns)]
        before = whole[(whole["t_ns"] < chosen.start_ns) & whole["kind"].isin(["press", "release", "axis", "state"])]
        state = before.drop_duplicates(["device", "control"], keep="last")
        state = state[(state["kind"] != "release") & (state["value"] != 0)]
        state = state.assign(kind="state", t_ns=chosen.start_ns)
        return pd.concat([state, inside], ignore_index=True)

    def _all_events(self) -> pd.DataFrame:
        """Put the chunks' events together; the state that heads a later chunk repeats what is known."""
        parts = [
            tables.read_table(folder / EVENTS).to_pandas()
            for folder, summary in self._chunks
            if EVENTS in summary["files"]
        ]
        parts = parts[:1] + [part[part["kind"] != "state"] for part in parts[1:]]
        return pd.concat(parts, ignore_index=True) if parts else events_frame()

    def _picture_numbers(self, folder: Path, summary: dict[str, Any], start: int, stop: int) -> list[int]:
        first, counts = summary["first_frame"], summary["counts"]
        if counts["pictures"] == counts["frames"]:
            return list(range(start - first, stop - first))
        index = tables.read_table(folder / INDEX, ["frame_index", "picture"]).to_pandas()
        inside = (index["frame_index"] >= start) & (index["frame_index"] < stop)
        return [int(p) for p in index["picture"][inside]]

    def pictures(self, start: int, stop: int) -> Iterator[Picture]:
        """Give pictures as they are stored; see `Recording.pictures`.

        Raises:
            IndexError: A frame index that the session does not have.
            BadDataError: The table of pictures is damaged.
        """
        count = self.frame_count
        if not 0 <= start <= stop <= count:
            raise IndexError(f"frames {start} to {stop} of a session that has {count}")
        for folder, summary in self._chunks:
            first = summary["first_frame"]
            here = max(start, first), min(stop, first + summary["counts"]["frames"])
            if here[0] < here[1]:
                yield from self._from_chunk(folder, self._picture_numbers(folder, summary, *here))

    def _from_chunk(self, folder: Path, numbers: list[int]) -> Iterator[Picture]:
        path = folder / IMAGES
        with tables.open_table(path) as file:
            sizes = [file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups)]
            edges = np.cumsum([0, *sizes])
            for number in numbers:
                group = int(np.searchsorted(edges, number, side="right")) - 1
                if self._group is None or self._group[:2] != (path, group):
                    with tables.damage(path, f", pictures {edges[group]} to {edges[group + 1]}"):
                        table = file.read_row_group(group, columns=["codec", "data"])
                    self._group = (path, group, table["data"].to_pylist(), table["codec"].to_pylist())
                row = number - int(edges[group])
                yield Picture(self._group[3][row], self._group[2][row])

    def frames(self, start: int, stop: int) -> Iterator[npt.NDArray[np.uint8]]:
        """Decode pictures in order; see `Recording.frames`."""
        for number, picture in enumerate(self.pictures(start, stop), start):
            yield images.decode(picture.data, where=f"{self.path}, frame {number}")


def open_session(path: str | Path) -> Session:
    """Open a session directory.

    Args:
        path: The directory.

    Returns:
        The session; what cannot be read in it stands in `problems`.

    Raises:
        MissingError: The path is no session.
        BadDataError: A manifest is damaged or of another schema.
    """
    return Session(path)


def open_sessions(path: str | Path) -> Sessions:
    """Open one session, or all sessions that lie in a folder.

    Args:
        path: A session directory, a folder of them, or a folder with a `sessions` folder in it.

    Returns:
        The sessions, sorted by name.

    Raises:
        MissingError: There is no session.
        BadDataError: A manifest is damaged.
    """
    root = Path(path)
    if is_session(root):
        return Sessions([Session(root)], format="session")
    found = _find(root) or _find(root / "sessions")
    if not found:
        raise MissingError(
            f"{root}, which holds no session",
            accepts="a session directory or a folder of them",
            fix="`rushes info PATH` says what a path is",
        )
    return Sessions([Session(p) for p in found], format="session")


def _find(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if p.is_dir() and is_session(p)) if root.is_dir() else []
