"""Copies: new rows made of rows, with drawn transforms and the action that then belongs to the pixels.

A copy names its parent, inherits group and split, and keeps what was drawn in `transform`; pixels are changed when they
are read. The draws of a copy follow from the seed, its parent's id and its number alone: not from other rows, their
order, or which of them are there. Where a table is split already, only the rows of `train` get copies, since copies in
the other splits would only repeat what is measured there.

Example:
    >>> from rushes.model.actions import ActionSpace
    >>> from rushes.model.samples import samples_frame
    >>> press = {"control": "Space", "label": 1.0, "keys": [1.0], "sample_id": "a", "session": "s", "frame_index": 3}
    >>> samples = Samples(samples_frame([press | {"t_ns": 9}]), ActionSpace.from_names(["Space"]))
    >>> made = augment(samples, recipe="brightness=1:0.5", copies=1)
    >>> made.rows["sample_id"].tolist(), made.rows["transform"].tolist()
    (['a', 'a+1'], ['', '[{"name":"brightness","factor":0.5}]'])
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadInputError, BadNameError, near
from rushes.model.controls import resolve
from rushes.model.ledger import Tally
from rushes.model.recording import Recording, by_id
from rushes.model.sample_table import Samples, Step
from rushes.model.samples import SampleKind
from rushes.prepare.augment.base import Action, Drawn, World, family, read, steps_back, written
from rushes.prepare.augment.recipe import Part, parse_recipe

ALL: Final = "all"
NO_CHANGE: Final = "no_change"
NO_MIRROR: Final = "no_mirror"
CROSSES_EDGE: Final = "crosses_edge"
"""Reasons in the ledger of `transforms`: a draw that changes nothing, a flip without a correct action, a stretch that
needs frames from outside of its segment."""
NOTHING_LEFT: Final = "nothing_left"
"""Reason in the ledger of `samples`: a copy of which every transform was left out."""
AS_ITS_PARENT: Final = "as_its_parent"
"""Remark in the ledger of `samples`: a copy for which nothing was drawn, as some of the reference's are."""


class _Copy(NamedTuple):
    parent: int
    number: int
    transforms: tuple[Drawn, ...]
    action: Action
    unchanged: bool


def augment(
    samples: Samples,
    *,
    recipe: str = "jumpnet",
    copies: int = 2,
    seed: int = 0,
    kinds: str = "all",
    splits: str = "train",
    recordings: Iterable[Recording] = (),
    pairs: str | Mapping[str, str] = "",
    refuse: Literal["error", "skip"] = "error",
) -> Samples:
    """Give a set with copies behind its rows.

    Args:
        samples: Any set. Rows that are copies themselves get none.
        recipe: Transforms as `recipe.parse_recipe` reads them, or a preset such as `jumpnet` or `jumpnet_no_flip`.
        copies: Copies a row.
        seed: Of the draws.
        kinds: Kinds of rows that get copies, with commas between, or `all`. Where some kinds get none, what a
            transform leaves in a picture tells them apart; `rushes qa` says so.
        splits: Splits whose rows get copies, once splits are decided, with commas between, or `all`.
        recordings: The sessions; a stretch to faster play asks them for the edges of segments.
        pairs: Controls and their images in a mirrored picture where this game differs from common use, such as
            `KeyQ:KeyE, 0:-0`.
        refuse: What becomes of a flip that has no correct action: an error, or a copy without it, counted.

    Returns:
        All rows, then the copies in the order of their parents. The step's ledger accounts for `samples` and for
        `transforms` (drawn, kept, left out and why).

    Raises:
        BadInputError: A recipe, kinds, splits or pairs that do not read, a flip where the actions have no mirror
            image, a stretch of windows of one frame or without the recordings that it needs.
        BadNameError: A transform, preset, kind or control that does not exist.
    """
    parts = parse_recipe(recipe)
    if copies < 0 or seed < 0:
        raise BadInputError(f"copies={copies}, seed={seed}", accepts="0 or more", fix="pass copies=2, seed=0")
    if refuse not in {"error", "skip"}:
        raise BadInputError(f"refuse={refuse!r}", accepts="error or skip", fix="pass refuse='skip'")
    world = World(samples.space, _pairs(pairs))
    chosen = np.flatnonzero(_chosen(samples.rows, kinds, splits))
    drawn_parts = [part for part in parts if not part.everywhere]
    _check_stretch(samples, drawn_parts, chosen)
    before = _frames_before(samples, recordings, drawn_parts, chosen)
    if refuse == "error" and any(part.name == "flip" for part in drawn_parts):
        _check_mirror(samples, chosen, world)
    tally, made = Tally(), []
    tally.offer("samples", len(samples) + (len(chosen) * copies if drawn_parts else 0))
    columns = {name: samples.rows[name].tolist() for name in ("sample_id", "control", "hold_s", "length", "transform")}
    columns["keys"] = samples.rows["keys"].to_numpy(object).tolist()
    taken = set(columns["sample_id"])
    for row in chosen.tolist() if drawn_parts else []:
        parent = {name: values[row] for name, values in columns.items()}
        numbers = _numbers(parent["sample_id"], taken, copies)
        for number in numbers:
            copy = _copy(row, number, parent, drawn_parts, world, int(before[row]), seed, tally)
            if copy is None:
                tally.lose("samples", NOTHING_LEFT)
            else:
                made.append(copy)
    tally.mark("samples", AS_ITS_PARENT, sum(copy.unchanged for copy in made))
    rows = _everywhere(_with_copies(samples.rows, made), [part for part in parts if part.everywhere])
    parameters = {
        "recipe": recipe, "parts": [part.text for part in parts], "copies": copies, "seed": seed, "kinds": kinds,
        "splits": splits, "pairs": dict(world.pairs), "refuse": refuse,
    }  # fmt: skip
    return samples.then(rows, Step("augment", parameters, tally.close()))


def _pairs(given: str | Mapping[str, str]) -> dict[str, str]:
    if isinstance(given, str):
        words = [tuple(name.strip() for name in one.split(":")) for one in given.split(",") if one.strip()]
    else:
        words = list(given.items())
    if any(len(one) != 2 or not all(one) for one in words):  # noqa: PLR2004 - both sides
        raise BadInputError(f"pairs={given!r}", accepts="CONTROL:IMAGE with commas between", fix="write KeyQ:KeyE")
    return {_control(one[0]): "-" * one[1].startswith("-") + _control(one[1].removeprefix("-")) for one in words}


def _control(name: str) -> str:
    """Resolve a name; numbers of a box have none."""
    found = (name,) if name.isdecimal() else resolve(name)
    if len(found) > 1:
        raise BadInputError(f"pairs with {name!r}", accepts="one control", fix=f"write {' or '.join(found)}")
    return found[0]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _chosen(rows: pd.DataFrame, kinds: str, splits: str) -> npt.NDArray[np.bool_]:
    """Say which rows get copies."""
    names, known = _words(kinds), [ALL, *(kind.value for kind in SampleKind)]
    odd = [name for name in names if name not in known]
    if odd or not names:
        raise BadNameError(
            f"kinds={kinds!r}",
            accepts="some of " + ", ".join(known),
            fix=near(odd[0] if odd else "", known) or "write kinds='positive'",
        )
    found: npt.NDArray[np.bool_] = (rows["parent"] == "").to_numpy(bool)
    if ALL not in names:
        found = found & rows["kind"].isin(names).to_numpy(bool)
    wanted, decided = _words(splits), sorted(set(rows["split"]) - {""})
    if not decided or ALL in wanted:
        return found
    gone = [name for name in wanted if name not in decided]
    if gone or not wanted:
        raise BadInputError(
            f"splits={splits!r} of a table that is split into {', '.join(decided)}",
            accepts=f"{ALL}, or some of its splits",
            fix="name the splits whose rows get copies",
        )
    return found & rows["split"].isin(wanted).to_numpy(bool)


def _check_stretch(samples: Samples, parts: Sequence[Part], chosen: npt.NDArray[np.int64]) -> None:
    if any(part.name == "stretch" for part in parts) and (samples.rows["length"].to_numpy()[chosen] < 2).any():  # noqa: PLR2004 - one frame has no speed
        raise BadInputError(
            "a stretch of windows of one frame",
            accepts="windows of 2 frames or more",
            fix="leave out the stretch, or make the rows with length=4",
        )


def _frames_before(
    samples: Samples, recordings: Iterable[Recording], parts: Sequence[Part], chosen: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Count the frames in front of each window that its segment has; none is known where no stretch asks."""
    before = np.zeros(len(samples), np.int64)
    faster = [part for part in parts if part.name == "stretch" and getattr(part.transform, "high", 1.0) > 1]
    if not faster:
        return before
    known = by_id(recordings)
    sessions = samples.rows["session"].to_numpy(object)
    for name in sorted(set(sessions[chosen])):
        if name not in known:
            raise BadInputError(
                f"a stretch to faster play without the recording {name}",
                accepts="the recordings of all rows: they tell where segments begin",
                fix=f"pass recordings=, or write {faster[0].name}={faster[0].probability:g}:0.8..1",
            )
        mine = np.flatnonzero(sessions == name)
        firsts = np.array([segment.first_frame for segment in known[name].segments], np.int64)
        frame = samples.rows["frame_index"].to_numpy(np.int64)[mine]
        place = np.searchsorted(firsts, frame, side="right") - 1
        before[mine] = np.where(place < 0, 0, frame - firsts[place] if len(firsts) else 0)
    return before


def _check_mirror(samples: Samples, chosen: npt.NDArray[np.int64], world: World) -> None:
    """Refuse a flip before anything is drawn."""
    controls = samples.rows["control"].to_numpy(object)
    for control in dict.fromkeys(controls[chosen].tolist()):
        still = Action(np.zeros(len(world.space), np.float32), control, math.nan)
        try:
            family("flip").action(still, {}, world)
        except BadInputError as error:
            raise BadInputError(
                f"a flip of {control}: {error.given}",
                accepts=error.accepts,
                fix="leave the flip out (recipe jumpnet_no_flip, or flip=0), name the partner with pairs, or skip",
            ) from error


def _numbers(sample_id: str, taken: set[str], copies: int) -> Iterator[int]:
    """Number copies beside those that are there already."""
    return islice((number for number in count(1) if f"{sample_id}+{number}" not in taken), copies)


def _copy(
    row: int,
    number: int,
    parent: Mapping[str, Any],
    parts: Sequence[Part],
    world: World,
    before: int,
    seed: int,
    tally: Tally,
) -> _Copy | None:
    """Draw one copy; None where all that was drawn had to be left out."""
    rng = np.random.default_rng([seed, zlib.crc32(parent["sample_id"].encode()), number])
    transforms = old = read(parent["transform"])
    action = Action(np.asarray(parent["keys"], np.float32), parent["control"], float(parent["hold_s"]))
    length, left_out = int(parent["length"]), 0
    for part in parts:
        if rng.random() >= part.probability:
            continue
        tally.offer("transforms")
        parameters = part.transform.draw(rng, length)
        if parameters is None:
            tally.lose("transforms", NO_CHANGE)
            continue
        drawn = Drawn(part.name, parameters)
        with_it = (drawn, *transforms) if part.name == "mask" else (*transforms, drawn)
        if part.name == "stretch" and int(steps_back(length, with_it)[0]) - (length - 1) > before:
            tally.lose("transforms", CROSSES_EDGE)
            left_out += 1
            continue
        try:
            action = family(part.name).action(action, parameters, world)
        except BadInputError:  # a flip; where it is an error it was refused before
            tally.lose("transforms", NO_MIRROR)
            left_out += 1
            continue
        transforms = with_it
    unchanged = transforms == old
    return None if left_out and unchanged else _Copy(row, number, transforms, action, unchanged)


def _with_copies(rows: pd.DataFrame, copies: Sequence[_Copy]) -> pd.DataFrame:
    if not copies:
        return rows.reset_index(drop=True)
    children = rows.iloc[[copy.parent for copy in copies]].reset_index(drop=True)
    ids = children["sample_id"].tolist()
    children = children.assign(
        sample_id=[f"{name}+{copy.number}" for name, copy in zip(ids, copies, strict=True)],
        parent=ids,
        control=[copy.action.control for copy in copies],
        keys=pd.Series([copy.action.keys for copy in copies], dtype=object),
        hold_s=[copy.action.hold_s for copy in copies],
        transform=[written(copy.transforms) for copy in copies],
    ).astype({name: rows[name].dtype for name in ("sample_id", "parent", "control", "hold_s", "transform")})
    return pd.concat([rows, children], ignore_index=True)


def _everywhere(rows: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Put what every row gets before all that it has."""
    if not parts or rows.empty:
        return rows
    rng = np.random.default_rng(0)  # what is everywhere draws nothing
    common = [Drawn(part.name, part.transform.draw(rng, 1) or {}) for part in parts]
    known = {text: written([*common, *read(text)]) for text in rows["transform"].unique()}
    return rows.assign(transform=rows["transform"].map(known)).astype({"transform": rows["transform"].dtype})
