"""Training files held against the sessions that they were made of: rows by their times, pictures by their pixels.

What a row should hold is worked out here from the sessions' events and frames, not by what wrote the files.

Example (a cell of a recipe, after `write_files`):
    >>> def cell(files, sessions):
    ...     return compare_files(files, sessions)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from rushes.formats.card import card_paths
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.model.recording import Recording, Sessions
from rushes.notebook.portable.files import Files, readable
from rushes.notebook.portable.readers import Found, read_file
from rushes.preview.action_strip import action_strip
from rushes.preview.choose import evenly
from rushes.preview.figure import HouseFigure
from rushes.preview.html import Html, table
from rushes.store.pairing import pairs

_LOOKED_AT: Final = 48
"""Pictures that are compared in each file, evenly spaced."""
_APART: Final = 4.0
"""How far a squashed picture may be from OpenCV's INTER_AREA, in levels of 255 on the mean."""
_ALIKE: Final = 1e-6


@dataclass(frozen=True)
class Truth:
    """What a session says of one row.

    Attributes:
        recording: The session.
        frame_index: Its frame.
        inputs: (A,) float32 in the order of the file's columns.
    """

    recording: Recording
    frame_index: int
    inputs: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """One file, held against the sessions.

    Attributes:
        output: Its name.
        found: What its reader found.
        expected: Rows that the sessions have.
        rows: Rows in the file.
        inputs: Of these, with the inputs that the session says.
        looked_at: Pictures that were compared.
        pictures: Of these, alike.
        apart: The largest mean distance of a picture, in levels of 255.
        heard: Rows with sound; None without.
    """

    output: str
    found: Found
    expected: int
    rows: int
    inputs: int
    looked_at: int
    pictures: int
    apart: float
    heard: int | None

    @property
    def equal(self) -> bool:
        """Whether all of it is as it should be; record files may leave the end of a stretch out."""
        whole = self.rows == self.expected or (self.found.reader == "tensorflow" and 0 < self.rows <= self.expected)
        return whole and self.inputs == self.rows and self.pictures == self.looked_at


@dataclass(frozen=True)
class Compared:
    """All files, held against the sessions.

    Attributes:
        lines: One a file.
        remarks: What could not be read here.
    """

    lines: tuple[Line, ...]
    remarks: tuple[str, ...]

    @property
    def findings(self) -> list[Finding]:
        """A remark for a file that holds what it should, an error for one that does not."""
        said = [Finding("exports.unread", "info", text) for text in self.remarks]
        for x in self.lines:
            told = (
                f"{x.output}: read by {x.found.reader}; of {x.expected} rows {x.rows} are there and {x.inputs} have "
                f"the session's inputs, of {x.looked_at} pictures {x.pictures} are alike"
            )
            said.append(Finding(f"exports.{'equal' if x.equal else 'differs'}", "info" if x.equal else "error", told))
        return said

    @property
    def figures(self) -> dict[str, Any]:
        """Figures for a verdict."""
        return {
            "files_equal": sum(one.equal for one in self.lines),
            "rows": max((one.expected for one in self.lines), default=0),
            "rows_with_sound": max((one.heard or 0 for one in self.lines), default=0),
        }

    def show(self) -> Html:
        """Show the files, a row each."""
        rows = [
            [
                x.output, x.found.reader, " x ".join(map(str, x.found.shape)), len(x.found.columns), x.rows, x.inputs,
                f"{x.pictures} of {x.looked_at}", f"{x.apart:.2f}", "no sound" if x.heard is None else x.heard,
                "yes" if x.equal else "NO",
            ]
            for x in self.lines
        ]  # fmt: skip
        columns = ["output", "read by", "pictures", "columns", "rows", "inputs equal", "pictures alike", "levels apart",
                   "rows heard", "equal"]  # fmt: skip
        return table(columns, rows, caption="; ".join(self.remarks))

    def _repr_html_(self) -> str:
        return self.show().html

    def __repr__(self) -> str:
        return repr(self.show())


def compare_files(files: Files, sessions: Sessions, space: ActionSpace) -> Compared:
    """Read each file by its own reader and hold it against the sessions.

    Args:
        files: What was written.
        sessions: From what, marks honoured.
        space: What the columns are.
    """
    paths, remarks = readable(files)
    truth = {key: row for recording in sessions for key, row in _rows(recording, space)}
    lines = [_line(path, truth, space) for path in paths.values()]
    return Compared(tuple(lines), remarks)


def _rows(recording: Recording, space: ActionSpace) -> Iterator[tuple[tuple[str, int], Truth]]:
    """Say what each row holds, by session and time."""
    for pair in pairs(recording):
        if recording.is_environment and space.kind == "discrete":
            names = recording.steps(pair.segment.index)["action_name"]
            vectors = np.eye(len(space), dtype=np.float32)[[space.index(name) for name in names]]
        else:
            vectors = pair.grid.vector(space)
        for frame, t_ns, inputs in zip(pair.index["frame_index"], pair.grid.t_ns.tolist(), vectors, strict=True):
            yield (recording.info.id, t_ns), Truth(recording, int(frame), inputs)


def _line(path: Path, truth: Mapping[tuple[str, int], Truth], space: ActionSpace) -> Line:
    found = read_file(path)
    try:
        keys = list(zip(found.session.tolist(), found.rows["t_ns"].tolist(), strict=True))
        known = [truth.get(key) for key in keys]
        same_columns = found.columns == space.names
        right = sum(
            same_columns and one is not None and bool((np.abs(one.inputs - row) <= _ALIKE).all())
            for one, row in zip(known, found.rows["inputs"], strict=True)
        )
        chosen = np.array([k for k in evenly(len(known), _LOOKED_AT) if known[k] is not None], np.int64)
        apart = [_apart(known[k], shown) for k, shown in zip(chosen, found.pictures(chosen), strict=True)]
        heard = int(found.rows["audio_mask"].sum()) if "audio_mask" in found.rows else None
        return Line(
            path.name, found, len(truth), len(set(keys) & set(truth)), right, len(apart),
            sum(value <= _APART for value in apart), max(apart, default=0.0), heard,
        )  # fmt: skip
    finally:
        found.close()


def _apart(one: Truth | None, shown: npt.NDArray[np.uint8]) -> float:
    """Say how far a picture is from the session's, squashed by OpenCV."""
    assert one is not None
    picture = one.recording.frame(one.frame_index)
    if picture.shape != shown.shape:
        picture = np.asarray(cv2.resize(picture, shown.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)
    return float(np.abs(picture.astype(np.int16) - shown).mean())


def samples_strip(files: Files, space: ActionSpace, *, samples: int = 5, length: int = 16) -> HouseFigure:
    """Show rows of the first file, evenly spaced: each picture with its own and the next rows of inputs."""
    paths, _ = readable(files)
    path = next(iter(paths.values()))
    found = read_file(path)
    try:
        t_ns, last = found.rows["t_ns"], len(found.session) - length
        step = np.median(np.abs(np.diff(t_ns)))
        whole = [  # windows that cross no edge
            k
            for k in range(last + 1)
            if found.session[k] == found.session[k + length - 1]
            and (np.abs(np.diff(t_ns[k : k + length])) < 2 * step).all()
        ]
        chosen = np.array([whole[k] for k in evenly(len(whole), samples)], np.int64)
        actions = np.stack([found.rows["inputs"][k : k + length] for k in chosen])
        captions = [f"row {k}, {t_ns[k] / NS:.2f} s" for k in chosen.tolist()]
        return action_strip(
            found.pictures(chosen), actions, space.names, captions=captions, title=f"Rows of {path.name}"
        )
    finally:
        found.close()


def columns_table(files: Files) -> Html:
    """Show what each column holds, as the card of the first file says it."""
    report = next(iter(files.reports.values()))
    said = json.loads(card_paths(report.target)[0].read_text(encoding="utf-8")).get("statistics")
    if said is None:
        return table(["column"], [])
    rows = [
        [c["name"], c["role"], c["count"], f"{c['share'] or 0:.1%}", c["mean"], c["std"], c["weight_used"]]
        for c in said["columns"]
    ]
    pictures, sound = said["pictures"], said["sound"]
    mean, std = (", ".join(f"{v:.3f}" for v in pictures[name] if v is not None) for name in ("mean", "std"))
    heard = f"; sound was heard in {sound['heard']} of {sound['rows']} rows" if sound.get("rows") else ""
    caption = f"{said['rows']} rows; pictures have mean {mean} and deviation {std} in red, green, blue{heard}"
    return table(
        ["column", "role", "used in rows", "share", "mean", "deviation", "class weight"], rows, caption=caption
    )
