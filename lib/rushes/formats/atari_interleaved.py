"""The training-ready Parquet of the Atari pipeline: one row an episode, texts and images in turn.

The `inputs` of an episode with N frames have 2N+1 entries, as the reference guide shows them:

```python
{"type": "text", "has_loss": 0, "text": "Atari Alien Environment (randomness=0.2)"}
{"type": "text", "has_loss": 1, "text": "Episode episode_000_rand0.2. Starting game with 11 frames."}
{"type": "image_gen", "has_loss": 1, "image_index": 0}
{"type": "text", "has_loss": 0, "text": "downright"}
{"type": "image_gen", "has_loss": 1, "image_index": 1}
```

An image's `text` is empty and a text's `image_index` is -1: nothing is null, so integers are read as
integers.

The extra columns hold lists of one value an action (`actions`, `rewards`, `terminated`, `lives` ...), one a
frame (`t_ns`), and what `gymnasium.make` and `reset` were given: play the episode again with
`env.reset(seed=seed)` and `env.step(action)`. `strict=True` writes the reference's columns alone,
`randomness` as its string.

Source of the layout: the reference guide, "Interleaved Format (Training-Ready)".

Example:
    >>> [e["text"] for e in entries("A Game", "episode_000", ["NOOP"], 2) if e["type"] == "text"]
    ['A Game', 'Episode episode_000. Starting game with 2 frames.', 'noop']
"""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np
import pyarrow as pa

from rushes.errors import BadDataError
from rushes.formats.atari import (
    METADATA_KEY,
    Take,
    action_texts,
    per_action,
    per_frame,
    read_sessions_text,
)
from rushes.formats.atari_table import AtariTable
from rushes.formats.card import Job
from rushes.formats.found import Found, make_extra
from rushes.formats.parquet import PartReader, PartWriter, flaws, pictures_of
from rushes.model.session import SessionInfo

_ENTRY: Final = pa.struct(
    [("type", pa.string()), ("has_loss", pa.int64()), ("text", pa.string()), ("image_index", pa.int64())]
)
_IMAGES: Final = pa.large_list(pa.large_binary())
STRICT_SCHEMA: Final = pa.schema(
    [
        ("inputs", pa.large_list(_ENTRY)),
        ("images", _IMAGES),
        ("images_front", _IMAGES),
        ("environment", pa.string()),
        ("episode", pa.string()),
        ("num_frames", pa.int64()),
        ("randomness", pa.string()),
    ]
)
"""The reference's columns; nothing inside `inputs` is null, so that its integers are read as integers."""
_LISTS: Final = {
    "rewards": ("reward", pa.float64()),
    "terminated": ("terminated", pa.bool_()),
    "truncated": ("truncated", pa.bool_()),
    "lives": ("lives", pa.int64()),
    "random_action": ("random_action", pa.bool_()),
    "actions": ("action", pa.int64()),
    "action_names": ("action_name", pa.string()),
    "is_human": ("is_human", pa.bool_()),
}
"""Extra column -> column of `Recording.steps`; one value an action."""
SCHEMA: Final = pa.schema(
    [
        *(f for f in STRICT_SCHEMA if f.name != "randomness"),
        pa.field("randomness", pa.float64()),
        *(pa.field(name, pa.large_list(_LISTS[name][1])) for name in ("rewards", "terminated", "truncated", "lives")),
        pa.field("seed", pa.int64()),
        pa.field("env_id", pa.string()),
        pa.field("frameskip", pa.int64()),
        pa.field("sticky", pa.float64()),
        pa.field("full_action_space", pa.bool_()),
        *(
            pa.field(name, pa.large_list(_LISTS[name][1]))
            for name in ("random_action", "actions", "action_names", "is_human")
        ),
        pa.field("t_ns", pa.large_list(pa.int64())),
        pa.field("end_reason", pa.string()),
        pa.field("policy", pa.string()),
        pa.field("session", pa.string()),
        pa.field("segment", pa.string()),
    ]
)
"""The reference's columns with `randomness` as a number, then ours."""
_EXTRA: Final = frozenset({"session", "segment", "t_ns", *_LISTS})
_ROWS: Final = 8
"""Episodes that are looked at together while the columns without pictures are read."""


class AtariInterleaved(AtariTable):
    """One row an episode."""

    name: ClassVar[str] = "atari_interleaved"
    looks_for: ClassVar[str] = (
        "a Parquet file (or a folder of part-00000.parquet ...) with the columns inputs and images"
    )
    known_by: ClassVar[frozenset[str]] = frozenset({"inputs", "images"})
    schema: ClassVar[pa.Schema] = SCHEMA
    strict_schema: ClassVar[pa.Schema] = STRICT_SCHEMA
    plain: ClassVar[tuple[str, ...]] = ("images.list.element", "images_front.list.element")

    def read_rows(self, reader: PartReader) -> Iterator[Found]:
        """Find the episodes; see `AtariTable.read_rows`."""
        return _read_rows(reader)

    def write_episode(
        self, take: Take, files: Iterator[bytes], writer: PartWriter, job: Job, *, names: list[str], strict: bool
    ) -> None:
        """Write one episode as one row; its pictures are let go before the next one's are gathered."""
        images, size = _column(files)
        row = _row(take, images, strict=strict)
        writer.add([row.pop(name) for name in names], size)
        written = min(take.actions, take.frames - 1) if strict else take.actions
        job.wrote(episodes=1, frames=take.frames, actions=written)
        job.lose("actions", "action_without_outcome", take.actions - written)


def entries(title: str, episode: str, actions: Iterable[str], frames: int) -> list[dict[str, Any]]:
    """Write the sequence of an episode.

    Args:
        title: The description.
        episode: Its name.
        actions: Names of its actions; those after the last frame but one are not told.
        frames: How many pictures it has.

    Returns:
        2 * frames + 1 entries.
    """
    names = iter(actions)
    found = [_text(0, title), _text(1, f"Episode {episode}. Starting game with {frames} frames.")]
    for index in range(frames):
        found.append({"type": "image_gen", "has_loss": 1, "text": "", "image_index": index})
        if index < frames - 1:
            found.append(_text(0, next(names).lower()))
    return found


def _text(has_loss: int, text: str) -> dict[str, Any]:
    return {"type": "text", "has_loss": has_loss, "text": text, "image_index": -1}


def _column(files: Iterable[bytes]) -> tuple[pa.Array, int]:
    """Gather pictures as one list for Arrow, each copied once; also their bytes."""
    data, ends = bytearray(), array("q", [0])
    for file in files:
        data += file
        ends.append(len(data))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(data)]
    values = pa.Array.from_buffers(pa.large_binary(), len(ends) - 1, buffers)
    return _list_of(values), len(data)


def _list_of(values: pa.Array) -> pa.Array:
    return pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)


def _row(take: Take, files: pa.Array, *, strict: bool) -> dict[str, Any]:
    columns = per_action(take.steps())
    pairs = zip(columns["action"], columns["action_name"], strict=True)
    names = [action_texts(action, name)[0] for action, name in pairs]
    randomness = take.randomness
    title = take.title + ("" if randomness is None else f" (randomness={randomness:g})")
    row: dict[str, Any] = {
        "inputs": entries(title, take.name, names, take.frames),
        "images": files,
        "images_front": _list_of(files.values[:1]),
        "environment": take.environment,
        "episode": take.name,
        "num_frames": take.frames,
        "randomness": randomness,
    }
    if strict:
        return {**row, "randomness": "" if randomness is None else f"{randomness:g}"}
    return {
        **row,
        **{name: columns[step] for name, (step, _) in _LISTS.items()},
        **take.constants(),
        "t_ns": take.times(),
        "end_reason": take.segment.end_reason,
        "session": take.recording.info.id,
        "segment": take.segment_text(),
    }


def _read_rows(reader: PartReader) -> Iterator[Found]:
    text = reader.metadata(METADATA_KEY)
    infos = read_sessions_text(text) if text else {}
    ours = set(reader.columns) >= _EXTRA
    wanted = {"environment", "episode", "randomness", *(_EXTRA if ours else {"inputs", "num_frames"})}
    columns = [name for name in reader.columns if name in wanted]
    looks = None if text else _looks(reader)
    for first, batch in reader.batches(columns, batch_rows=_ROWS):
        for number, row in enumerate(batch.to_pylist(), first):
            look = next(looks) if looks else None
            yield _ours(row, number, reader, infos, look) if ours else _theirs(row, number, reader, look)


class _Look(NamedTuple):
    """What the pictures of a row look like: how many there are, and position -> what is wrong with one."""

    held: int
    flaws: Mapping[int, str]

    def flaw(self, position: int) -> str | None:
        if not 0 <= position < self.held:
            return "missing_image"
        return self.flaws.get(position)


def _looks(reader: PartReader) -> Iterator[_Look]:
    """Look at the pictures of every row, one row at a time; files of ours carry checksums instead."""
    for _, batch in reader.batches(["images"], batch_rows=1):
        value = batch.column(0)[0]
        look = _Look(len(value.values), flaws(value.values)) if value.is_valid else _Look(0, {})
        del batch, value  # a row may be large: it is not held beside the next one
        yield look


def _named(row: Mapping[str, Any], number: int, reader: PartReader) -> tuple[str, str, str, float | None]:
    """Give environment, episode, place and randomness of a row; a set of three columns has none of them."""
    said = row.get("randomness")
    try:
        randomness = None if _is_nothing(said) else float(str(said))
    except ValueError:
        randomness = None
    environment = str(row.get("environment") or "unknown")
    return environment, str(row.get("episode") or f"episode_{number:03d}"), reader.place(number), randomness


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _ours(
    row: Mapping[str, Any], number: int, reader: PartReader, infos: Mapping[str, SessionInfo], look: _Look | None
) -> Found:
    environment, episode, where, randomness = _named(row, number, reader)
    t_ns = row["t_ns"] or []
    values = {step: list(row[name] or []) for name, (step, _) in _LISTS.items()}
    if {len(column) for column in values.values()} == {len(t_ns) - 1}:
        values = per_frame(values, len(t_ns))
    extra = make_extra(
        where,
        session=row["session"],
        info=infos.get(row["session"]),
        segment=row["segment"],
        t_ns=t_ns,
        columns=values,
    )
    count = len(row["actions"])
    pairs = zip(values["action"], values["action_name"], strict=True)
    actions = [action_texts(*pair)[1] if k < count else None for k, pair in enumerate(pairs)]
    broken = {k: kind for k in range(len(t_ns)) if (kind := look.flaw(k))} if look else {}
    lost: Counter[str] = Counter()
    kept = [k for k in range(len(t_ns)) if k not in broken]
    if broken:
        lost["without_frame"] = sum(actions[k] is not None for k in broken)
        columns = {name: [column[k] for k in kept] for name, column in extra.columns.items()}
        extra = extra._replace(t_ns=extra.t_ns[kept], columns=columns)
    fetch = partial(_fetch, reader, number, kept)
    kept_actions = [actions[k] for k in kept]
    numbers = np.array(kept, np.int64)
    return Found(environment, episode, where, numbers, kept_actions, fetch, randomness, lost, broken, extra)


def _theirs(row: Mapping[str, Any], number: int, reader: PartReader, look: _Look | None) -> Found:
    environment, episode, where, randomness = _named(row, number, reader)
    lost: Counter[str] = Counter()
    inputs = row["inputs"]
    if isinstance(inputs, str | bytes):
        try:
            inputs = json.loads(inputs)
        except ValueError:
            inputs = None
    if not isinstance(inputs, list) or not all(isinstance(entry, dict) for entry in inputs):
        lost["bad_inputs"] += 1
        inputs = []
    images: list[int] = []
    actions: list[str | None] = []
    for entry in inputs:
        if str(entry.get("type", "")).startswith("image"):
            said = entry.get("image_index")
            images.append(len(images) if _is_nothing(said) else int(said) if isinstance(said, int | float) else -1)
            actions.append(None)
        elif images and entry.get("text"):
            if actions[-1] is None:
                actions[-1] = str(entry["text"])
            else:
                lost["second_text"] += 1
    held = row.get("num_frames")
    most = len(images) if _is_nothing(held) else int(held or 0)
    look = _Look(most, {}) if look is None else look
    look = look._replace(held=look.held if _is_nothing(held) else min(most, look.held))
    broken = {k: kind for k, image in enumerate(images) if (kind := look.flaw(image))}
    lost["without_frame"] += sum(actions[k] is not None for k in broken)
    kept = [k for k in range(len(images)) if k not in broken]
    fetch = partial(_fetch, reader, number, [images[k] for k in kept])
    numbers = np.array(kept, np.int64)
    return Found(environment, episode, where, numbers, [actions[k] for k in kept], fetch, randomness, lost, broken)


def _fetch(reader: PartReader, row: int, positions: list[int], start: int, stop: int) -> Iterator[bytes]:
    found = pictures_of(reader.value("images", row, batch_rows=1).values)
    for position in positions[start:stop]:
        if position >= len(found) or not found[position].is_valid:
            raise BadDataError(
                f"{reader.place(row)}: image {position} of {len(found)}",
                accepts="as many images as inputs name",
                fix="write the set again from its source",
            )
        yield found[position].as_py()
