"""The first entries of any stage of a preparation: what each holds, line by line, and a picture of each with its label.

It says of a table of samples, or of a JumpNet file, what the guide's last script prints of its file, and shows the
picture that the script leaves to be imagined. A recording without labels (a raw JumpNet file, a session) shows the
frames on which something was pressed or let go.

Example:
    >>> first = Entry((227, 227, 3), 1.0, (1.0,), (0.294,), "press", 7720, {"kind": "positive"})
    >>> print(entry_text(1, first))
    Entry #1
      image.shape     : (227, 227, 3)
      label           : 1.0
      keys_raw        : [1.]
      hold_duration   : [0.294]
      phase           : press
      frame_index     : 7720
      kind            : positive
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.errors import BadInputError
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.prepare.press_release import key_space, key_vectors
from rushes.prepare.reading import load_pictures
from rushes.preview.sample_sheet import COLUMNS, Cell, Line, Pixels, Row, paint
from rushes.preview.sample_words import transform_words
from rushes.preview.style import BLUE, GREEN, INK, MUTED, ORANGE
from rushes.store.pairing import pairs

MOST: Final = 60
"""Entries at the most."""
_TIE: Final = ("press", "release")


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        shape: Of its picture as it is stored; with the length of the window first where it is longer than one frame.
        label: 1.0 for an action, 0.0 for none; None in a recording without labels.
        keys: What was down, in the order of the file's keys; after the event in a recording without labels.
        hold: Seconds a key was held, in the same order; NaN where a hold was left open.
        phase: `press`, `release` and so on.
        frame_index: As the file numbers its frames.
        more: Whatever else is known of it, by name.
        pixels: (H, W, 3) uint8 RGB, with its transforms; of a window the last picture.
    """

    shape: tuple[int, ...]
    label: float | None
    keys: tuple[float, ...]
    hold: tuple[float, ...]
    phase: str
    frame_index: int
    more: Mapping[str, Any] = field(default_factory=dict)
    pixels: Pixels | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; a hold that was left open is null."""
        return {
            "image_shape": list(self.shape),
            "label": self.label,
            "keys_raw": list(self.keys),
            "hold_duration": [value if math.isfinite(value) else None for value in self.hold],
            "phase": self.phase,
            "frame_index": self.frame_index,
            **self.more,
        }


@dataclass(frozen=True)
class Entries:
    """The first entries of a file.

    Attributes:
        format: What the file is.
        total: How many entries it has.
        keys: What the numbers of `keys_raw` are.
        counts: Rows of each kind.
        shown: The first of them.
    """

    format: str
    total: int
    keys: tuple[str, ...]
    counts: Mapping[str, int]
    shown: tuple[Entry, ...]


def first_entries(sessions: Sessions, count: int = 5) -> Entries:
    """Read the first entries of what was opened.

    Args:
        sessions: A table of samples, a JumpNet file of any stage, or recordings.
        count: How many.

    Raises:
        BadInputError: A count outside of 1 to `MOST`.
        MissingError: The recording that a row takes its picture from is not there.
    """
    if not 1 <= count <= MOST:
        raise BadInputError(f"entries={count!r}", accepts=f"a whole number from 1 to {MOST}", fix="pass entries=5")
    if sessions.samples is not None:
        return replace(_of_samples(sessions.samples, sessions, count), format=sessions.format)
    return _of_recordings(sessions, count)


def entry_text(number: int, entry: Entry) -> str:
    """Say what an entry holds, a line each.

    Args:
        number: Of the entry, from 1.
        entry: The entry.
    """
    lines = {
        "image.shape": entry.shape,
        "label": "none" if entry.label is None else entry.label,
        "keys_raw": _array(entry.keys),
        "hold_duration": _array(entry.hold),
        "phase": entry.phase,
        "frame_index": entry.frame_index,
        **{name: value for name, value in entry.more.items() if value != ""},
    }
    return "\n".join([f"Entry #{number}", *(f"  {name:<16}: {value}" for name, value in lines.items())])


def entries_sheet(entries: Entries, path: str | Path | None = None, *, title: str = "First entries") -> Pixels:
    """Show the pictures of entries with their labels.

    Args:
        entries: See `first_entries`.
        path: Where to write it as a PNG file, new; None for nowhere.
        title: Of the sheet.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        BadInputError: No entry with a picture.
        OccupiedError: `path` exists.
    """
    cells = [_cell(number, entry) for number, entry in enumerate(entries.shown, 1) if entry.pixels is not None]
    across = COLUMNS
    lines = [
        Row(f"#{k + 1} to #{min(k + across, len(cells))}" if len(cells) > 1 else "#1", (), tuple(cells[k : k + across]))
        for k in range(0, len(cells), across)
    ]
    counts = ", ".join(f"{n:,} {kind}" for kind, n in entries.counts.items())
    rest = f"{entries.format}: the first {len(cells)} of {entries.total:,}{f' ({counts})' * bool(counts)}"
    return paint(title, rest, lines, path)


def _of_samples(samples: Samples, recordings: Sequence[Recording], count: int) -> Entries:
    some = replace(samples, rows=samples.rows.iloc[:count].reset_index(drop=True))
    given = {recording.info.id: recording for recording in recordings}
    ticks = {name: _ticks(recording) for name, recording in given.items() if _is_numbered(recording)}
    shown = []
    for row in some.rows.to_dict("records"):
        pixels = load_pictures(replace(some, rows=some.rows[some.rows["sample_id"] == row["sample_id"]]), recordings)
        last = int(row["frame_index"] + row["length"] - 1)
        stored = given[row["session"]].frame(last).shape
        shape = (int(row["length"]), *stored) if row["length"] > 1 else tuple(int(n) for n in stored)
        shown.append(
            Entry(
                shape,
                float(row["label"]),
                tuple(float(value) for value in row["keys"]),
                _hold({str(name): value for name, value in row.items()}, samples),
                str(row["phase"]),
                ticks[row["session"]].get(last, last) if row["session"] in ticks else last,
                {name: row[name] for name in ("control", "kind", "reason", "session", "transform", "split")},
                pixels[0, -1],
            )
        )
    return Entries("samples", len(samples), samples.space.names, samples.count(), tuple(shown))


def _of_recordings(sessions: Sessions, count: int) -> Entries:
    """Take the frames on which something was pressed or let go."""
    shown: list[Entry] = []
    total = 0
    names: tuple[str, ...] = ()
    for recording in sessions:
        space = key_space(recording)
        names = names or space.names
        for pair in pairs(recording):
            vectors = key_vectors(recording, pair, space)
            edges = _edges(recording, pair.segment.index)
            moved = {name for _, _, hold, _ in edges for name in hold}
            rows = np.searchsorted(pair.grid.t_ns, [at for at, *_ in edges], side="right") - 1
            inside = [(row, edge) for row, edge in zip(rows.tolist(), edges, strict=True) if 0 <= row < len(pair)]
            total += len(inside)
            for row, (_, kind, hold, down) in inside[: max(0, count - len(shown))]:
                frame = int(pair.index["frame_index"].iloc[row])
                pixels = recording.frame(frame)
                number = int(pair.index["tick"].iloc[row]) if _is_numbered(recording) else frame
                held = tuple(hold.get(name, 0.0) for name in space.names)
                more = {"control": ", ".join(hold), "session": recording.info.id}
                shape = tuple(int(n) for n in pixels.shape)
                both = zip(space.names, vectors[row].tolist(), strict=True)
                keys = tuple(float(name in down) if name in moved else float(value) for name, value in both)
                shown.append(Entry(shape, None, keys, held, kind, number, more, pixels))
    return Entries(sessions.format, total, names, {}, tuple(shown))


def _edges(recording: Recording, segment: int) -> list[tuple[int, str, dict[str, float], frozenset[str]]]:
    """List presses and releases: when, which, how long the control was held at its release, and what is down after."""
    events = recording.events(segment)
    begun = events[(events["kind"] == "state") & (events["value"] > 0)]
    events = events[events["kind"].isin(_TIE) & (events["flag"] != "hotkey")]
    down: dict[str, int] = {}
    held = set(begun["control"])
    found = []
    for t_ns, control, kind in zip(events["t_ns"], events["control"], events["kind"], strict=True):
        hold = 0.0
        if kind == "press":
            down.setdefault(control, int(t_ns))
            held.add(control)
        elif control in down:
            hold = (int(t_ns) - down.pop(control)) / 1e9
        if kind != "press":
            held.discard(control)
        found.append((int(t_ns), str(kind), {str(control): hold}, frozenset(held)))
    return found


def _hold(row: Mapping[str, Any], samples: Samples) -> tuple[float, ...]:
    """Give the hold at the place of its control, as the reference has it; alone where the control is no key."""
    hold = 0.0 if row["label"] == 0 and math.isnan(row["hold_s"]) else float(row["hold_s"])
    places = [k for k, name in enumerate(samples.space.names) if name in str(row["control"]).split("|")]
    if not places:
        return (hold,)
    return tuple(hold if k in places else 0.0 for k in range(len(samples.space)))


def _is_numbered(recording: Recording) -> bool:
    """Whether its file numbers frames by itself: the ticks of a JumpNet file."""
    return str(recording.info.source.get("name", "")).startswith("jumpnet")


def _ticks(recording: Recording) -> dict[int, int]:
    index = recording.index()
    return dict(zip(index["frame_index"].tolist(), index["tick"].tolist(), strict=True))


def _array(values: Sequence[float]) -> str:
    return np.array2string(np.round(np.asarray(values, float), 3), separator=" ", max_line_width=100_000)


def _cell(number: int, entry: Entry) -> Cell:
    assert entry.pixels is not None
    label = entry.phase if entry.label is None else f"label {entry.label:g}"
    said = [Line(f"#{number}: {label}", GREEN if entry.label or entry.label is None else INK, bold=True)]
    said.append(Line(str(entry.more.get("control", "")), BLUE))
    hold = max(entry.hold, key=lambda value: -1.0 if math.isnan(value) else value, default=0.0)
    if any(math.isnan(value) for value in entry.hold):
        said.append(Line("left open"))
    elif hold > 0:
        said.append(Line(f"held {hold:.3f} s"))
    kind = str(entry.more.get("kind", ""))
    said += [Line(kind)] if kind not in ("", "positive") else []
    said += [Line(text, ORANGE) for text in transform_words(str(entry.more.get("transform", "")))]
    said.append(Line(f"frame {entry.frame_index:,}", MUTED))
    return Cell(entry.pixels, tuple(said))
