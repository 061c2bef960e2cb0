"""The simple Parquet of the Atari pipeline: one row a frame, with the action taken on it.

`action` is cleaned and in upper case (`DOWNRIGHT`), `action_raw` is as the sampler writes it (`8:
DOWNRIGHT`); both are null on an episode's last frame, on which nothing was done. `strict=True` leaves that
frame out and writes the reference's columns alone. The extra columns hold what came of the action and what
holds for the whole episode.

Source of the layout: the reference guide, "Simple Format".

Example:
    >>> STRICT_SCHEMA.names
    ['environment', 'episode', 'frame_number', 'action', 'action_raw', 'image']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from rushes.errors import BadDataError
from rushes.formats.atari import (
    ACTION_COLUMNS,
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
from rushes.formats.parquet import PartReader, PartWriter, flaws
from rushes.model.session import SessionInfo

STRICT_SCHEMA: Final = pa.schema(
    [
        ("environment", pa.string()),
        ("episode", pa.string()),
        ("frame_number", pa.int64()),
        ("action", pa.string()),
        ("action_raw", pa.string()),
        ("image", pa.large_binary()),
    ]
)
"""The reference's columns."""
SCHEMA: Final = pa.schema(
    [
        *STRICT_SCHEMA,
        pa.field("reward", pa.float64()),
        pa.field("terminated", pa.bool_()),
        pa.field("truncated", pa.bool_()),
        pa.field("lives", pa.int64()),
        pa.field("seed", pa.int64()),
        pa.field("env_id", pa.string()),
        pa.field("frameskip", pa.int64()),
        pa.field("sticky", pa.float64()),
        pa.field("full_action_space", pa.bool_()),
        pa.field("random_action", pa.bool_()),
        pa.field("action_index", pa.int64()),
        pa.field("action_name", pa.string()),
        pa.field("is_human", pa.bool_()),
        pa.field("t_ns", pa.int64()),
        pa.field("randomness", pa.float64()),
        pa.field("end_reason", pa.string()),
        pa.field("policy", pa.string()),
        pa.field("session", pa.string()),
        pa.field("segment", pa.string()),
    ]
)
"""The reference's columns, then ours."""
_OWN_NAME: Final = {"action": "action_index"}
"""Column of `Recording.steps` -> ours, where the reference has taken the name."""
_EXTRA: Final = frozenset({"session", "segment", "t_ns", *(_OWN_NAME.get(n, n) for n in ACTION_COLUMNS)})
_ROWS: Final = 4096
_PICTURES: Final = 64


class AtariSimple(AtariTable):
    """One row a frame."""

    name: ClassVar[str] = "atari_simple"
    looks_for: ClassVar[str] = (
        "a Parquet file (or a folder of part-00000.parquet ...) with the columns "
        "environment, episode, frame_number and image"
    )
    known_by: ClassVar[frozenset[str]] = frozenset({"environment", "episode", "frame_number", "image"})
    schema: ClassVar[pa.Schema] = SCHEMA
    strict_schema: ClassVar[pa.Schema] = STRICT_SCHEMA
    plain: ClassVar[tuple[str, ...]] = ("image",)

    def read_rows(self, reader: PartReader) -> Iterator[Found]:
        """Find the episodes; see `AtariTable.read_rows`."""
        return _read_rows(reader)

    def write_episode(
        self, take: Take, files: Iterator[bytes], writer: PartWriter, job: Job, *, names: list[str], strict: bool
    ) -> None:
        """Write one episode, a row a frame; strict leaves out the frame on which nothing was done."""
        kept = take.actions if strict else take.frames
        for row in _rows(take, files, names):
            if row[2] < kept:
                writer.add(row, len(row[5]))
        job.wrote(episodes=int(kept > 0), frames=kept, actions=take.actions)
        job.lose("frames", "strict_without_action", take.frames - kept)
        job.lose("episodes", "strict_without_action", int(kept == 0))


def _rows(take: Take, files: Iterator[bytes], names: list[str]) -> Iterator[list[Any]]:
    steps = per_action(take.steps())
    columns = per_frame(steps, take.frames)
    texts = [action_texts(a, n) for a, n in zip(steps["action"], steps["action_name"], strict=True)]
    texts += [(None, None)] * (take.frames - len(texts))  # type: ignore[list-item]
    constant = {
        "environment": take.environment,
        "episode": take.name,
        **take.constants(),
        "randomness": take.randomness,
        "end_reason": take.segment.end_reason,
        "session": take.recording.info.id,
        "segment": take.segment_text(),
    }
    own = {_OWN_NAME.get(name, name): values for name, values in columns.items()}
    t_ns = take.times().tolist()
    for number, data in enumerate(files):
        row = {**constant, **{name: values[number] for name, values in own.items()}, "t_ns": t_ns[number]}
        row |= {
            "frame_number": number,
            "action": texts[number][0],
            "action_raw": texts[number][1],
            "image": data,
        }
        yield [row[name] for name in names]


@dataclass
class _Rows:
    """The rows of one episode, gathered from wherever they stand."""

    numbers: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    actions: list[str | None] = field(default_factory=list)
    own: list[tuple[Any, ...]] = field(default_factory=list)
    segment: str = ""
    randomness: float | None = None


def _read_rows(reader: PartReader) -> Iterator[Found]:
    text = reader.metadata(METADATA_KEY)
    infos = read_sessions_text(text) if text else {}
    ours = set(reader.columns) >= _EXTRA
    episodes: dict[tuple[str, str, str], _Rows] = {}
    own = ["t_ns", *(_OWN_NAME.get(n, n) for n in ACTION_COLUMNS)] if ours else []
    wanted = {"environment", "episode", "frame_number", "action", "action_raw", "randomness", *own}
    wanted |= {"session", "segment"} if ours else set()
    columns = [name for name in reader.columns if name in wanted]
    for first, batch in reader.batches(columns, batch_rows=_ROWS):
        values = {name: batch.column(name).to_pylist() for name in columns}
        raw = values.get("action_raw") or values.get("action") or [None] * batch.num_rows
        clean = values.get("action") or raw
        for k in range(batch.num_rows):
            session = values["session"][k] if ours else ""
            key = (str(values["environment"][k]), str(values["episode"][k]), session)
            rows = episodes.setdefault(key, _Rows())
            if values["frame_number"][k] is None:
                raise BadDataError(
                    f"{reader.place(first + k)}: no frame_number", accepts="a whole number", fix="leave the row out"
                )
            rows.numbers.append(int(values["frame_number"][k]))
            rows.rows.append(first + k)
            rows.actions.append(_said(raw[k]) or _said(clean[k]))
            if ours:
                rows.own.append(tuple(values[name][k] for name in own))
                rows.segment = values["segment"][k]
    bad = {} if text else _flaws(reader)
    for (environment, episode, session), rows in episodes.items():
        yield _found(environment, episode, session, rows, reader, infos, bad)


def _flaws(reader: PartReader) -> dict[int, str]:
    """Find the rows without a whole picture; files of ours carry checksums instead."""
    found: dict[int, str] = {}
    for first, batch in reader.batches(["image"], batch_rows=_PICTURES):
        found |= {first + k: kind for k, kind in flaws(batch.column(0)).items()}
    return found


def _said(text: Any) -> str | None:
    return text if isinstance(text, str) and text.strip() else None


def _found(
    environment: str,
    episode: str,
    session: str,
    rows: _Rows,
    reader: PartReader,
    infos: Mapping[str, SessionInfo],
    bad: Mapping[int, str],
) -> Found:
    order = np.argsort(rows.numbers, kind="stable")
    lost: Counter[str] = Counter()
    kept: list[int] = []
    for k in order.tolist():
        if kept and rows.numbers[kept[-1]] == rows.numbers[k]:
            lost["duplicate_frame"] += 1
            lost["without_frame"] += rows.actions[k] is not None
        else:
            kept.append(k)
    where = f"{reader.place(rows.rows[kept[0]])}, {environment}/{episode}"
    broken = {rows.numbers[k]: bad[rows.rows[k]] for k in kept if rows.rows[k] in bad}
    if broken:
        lost["without_frame"] += sum(rows.actions[k] is not None for k in kept if rows.rows[k] in bad)
        kept = [k for k in kept if rows.rows[k] not in bad]
    extra = None
    if rows.own and kept:
        columns = list(zip(*(rows.own[k] for k in kept), strict=True))
        values = {name: list(column) for name, column in zip(ACTION_COLUMNS, columns[1:], strict=True)}
        extra = make_extra(
            reader.place(rows.rows[kept[0]]),
            session=session,
            info=infos.get(session),
            segment=rows.segment,
            t_ns=columns[0],
            columns=values,
        )
    return Found(
        environment,
        episode,
        where,
        np.array([rows.numbers[k] for k in kept], np.int64),
        [rows.actions[k] for k in kept],
        partial(_fetch, reader, [rows.rows[k] for k in kept]),
        rows.randomness,
        lost,
        broken,
        extra,
    )


def _fetch(reader: PartReader, rows: list[int], start: int, stop: int) -> Iterator[bytes]:
    for row in rows[start:stop]:
        value = reader.value("image", row, batch_rows=_PICTURES)
        if isinstance(value, pa.StructScalar):
            value = value["bytes"]
        if not value.is_valid:
            raise BadDataError(
                f"{reader.place(row)}: a frame without its image",
                accepts="a PNG file in every row",
                fix="leave the row out, or write the set again",
            )
        yield value.as_py()
