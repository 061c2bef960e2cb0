"""Augmentations to look at: each picture before and after, with the action that it now goes with.

A flip must turn the action with the picture: what was left is right. A crop must show the same thing larger, brightness
and noise must leave visible what is to be done. If a person could not tell what to do on a picture any more, a model
cannot learn it there.

Example (sets of originals with their copies):
    >>> def look(flipped, load):
    ...     return before_and_after({"flip": flipped, "stretch": "refused: windows of one frame"}, load)
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rushes.errors import BadInputError
from rushes.model.sample_table import Samples
from rushes.preview.sample_grid import Load, chosen_rows, label_line, motion_lines
from rushes.preview.sample_sheet import COLUMNS, Cell, Line, Pixels, Row, paint
from rushes.preview.sample_words import action_of, hold_words, place_words, transform_words
from rushes.preview.style import BLUE, MUTED, ORANGE

_PAIRS: Final = 2
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_FAMILIES: Final = 4


def before_and_after(
    sets: Mapping[str, Samples | str],
    load: Load,
    path: str | Path | None = None,
    *,
    notes: Mapping[str, str] = _NOTHING,
    first: Container[str] = (),
    pairs: int = _PAIRS,
) -> Pixels:
    """Show what each augmentation does, an original beside its copy.

    Args:
        sets: Name of an augmentation -> originals with the copies that it made of them, or the sentence that says why
            it made none.
        load: Gives their pictures.
        path: Where to write it as a PNG file, new; None for nowhere.
        notes: Name of an augmentation -> what else is said of it.
        first: Names of those of which the first picture of a window is shown, in place of the last.
        pairs: Originals a row.

    Returns:
        (H, W, 3) uint8 RGB: a row an augmentation; of a window the last picture.

    Raises:
        BadInputError: No set, or a number of pairs below 1.
        OccupiedError: `path` exists.
    """
    if pairs < 1:
        raise BadInputError(f"pairs={pairs!r}", accepts="a whole number from 1", fix="leave pairs out")
    lines = []
    for name, made in sets.items():
        said = tuple(filter(None, (notes.get(name, ""),)))
        if isinstance(made, str):
            lines.append(Row(name, (*said, made)))
            continue
        children = made.rows[(made.rows["parent"] != "") & made.rows["parent"].isin(made.rows["sample_id"])]
        if children.empty:
            lines.append(Row(name, (*said, "it made no copy of these samples")))
            continue
        chosen = chosen_rows(children.drop_duplicates("parent"), pairs)
        cells = _cells(
            made,
            [id_ for row in chosen.itertuples() for id_ in (row.parent, row.sample_id)],
            load,
            -(name not in first),
        )
        lines.append(Row(name, said, tuple(cells), together=2))
    rest = "Left of each pair the original, right its copy (framed), each with its action; then what was done."
    return paint("Augmentations", rest, lines, path)


def families(samples: Samples, load: Load, path: str | Path | None = None, *, most: int = _FAMILIES) -> Pixels:
    """Show originals with all copies that were made of them.

    Args:
        samples: A set with copies.
        load: Gives their pictures.
        path: Where to write it as a PNG file, new; None for nowhere.
        most: Originals at the most.

    Returns:
        (H, W, 3) uint8 RGB: a row an original, its copies behind it.

    Raises:
        BadInputError: A set without copies.
        OccupiedError: `path` exists.
    """
    rows = samples.rows
    children = rows[(rows["parent"] != "") & rows["parent"].isin(rows["sample_id"])]
    if children.empty:
        raise BadInputError(
            "families of samples without copies", accepts="a set that was augmented", fix="augment it first"
        )
    parents = rows[rows["sample_id"].isin(children["parent"])]
    lines = []
    for row in chosen_rows(parents, most).itertuples():
        own = children.loc[children["parent"] == row.sample_id, "sample_id"].tolist()
        left = len(own) - (COLUMNS - 1)
        shown = own[: COLUMNS - 1]
        cells = _cells(samples, [row.sample_id, *shown], load, -1)
        notes = (f"{len(own)} cop{'ies' if len(own) != 1 else 'y'}", *([f"{left} not shown"] if left > 0 else []))
        lines.append(Row(str(row.control), notes, tuple(cells)))
    return paint("What the recipe made", "An original, and behind it (framed) its copies.", lines, path)


def _cells(samples: Samples, ids: list[Any], load: Load, frame: int) -> list[Cell]:
    place = {name: k for k, name in enumerate(samples.rows["sample_id"])}
    rows = samples.rows.iloc[[place[name] for name in ids]].reset_index(drop=True)
    distinct = rows.drop_duplicates("sample_id").reset_index(drop=True)
    pictures = load(replace(samples, rows=distinct))
    where = {name: k for k, name in enumerate(distinct["sample_id"])}
    return [_cell(row, pictures[where[row["sample_id"]], frame], samples) for row in rows.to_dict("records")]


def _cell(row: Mapping[Any, Any], pixels: Pixels, samples: Samples) -> Cell:
    done = action_of(row["keys"], samples.space)
    child = row["parent"] != ""
    said = [label_line(row), Line(f"keys: {done.keys}", BLUE), *motion_lines(done)]
    hold = hold_words(row)
    said += [Line(hold)] if hold else []
    if child:
        words = transform_words(str(row["transform"])) or ("left as it is",)
        said += [Line(text, ORANGE) for text in words]
    else:
        said.append(Line(f"original, {place_words(row)}", MUTED))
    return Cell(pixels, tuple(said), arrow=done.arrow, frame=ORANGE if child else "")
