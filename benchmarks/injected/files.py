"""Faults of files: bytes that were changed, files and chunks that are gone, tables that say something else.

A table that is changed gets its size and hash stated anew, so that only its meaning is wrong: what a program would do
that rewrites a session.
"""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from injected.held import Held
from injected.plan import Rng, fault

ONCE = (1.0,)


def chunk_of(path: Path, rng: np.random.Generator, *, holding: str = "chunk.json") -> Path:
    """Draw a chunk that holds a file."""
    found = sorted(folder for folder in (path / "chunks").iterdir() if (folder / holding).exists())
    return found[rng.integers(len(found))]


def reseal(chunk: Path, name: str) -> None:
    """State size and hash of a file anew."""
    summary = json.loads((chunk / "chunk.json").read_text())
    data = (chunk / name).read_bytes()
    summary["files"][name] = {"bytes": len(data), "sha256": sha256(data).hexdigest()}
    (chunk / "chunk.json").write_text(json.dumps(summary))


def named(chunk: Path, rng: np.random.Generator) -> Path:
    """Draw one of the files that a chunk names."""
    return chunk / str(rng.choice(sorted(json.loads((chunk / "chunk.json").read_text())["files"])))


def flip(path: Path, count: float, rng: np.random.Generator) -> None:
    """Change bytes of one of a session's files."""
    file = named(chunk_of(path, rng), rng)
    data = bytearray(file.read_bytes())
    for at in rng.choice(len(data), min(len(data), int(count)), replace=False):
        data[at] ^= int(rng.integers(1, 256))
    file.write_bytes(data)


@fault("structure.changed_file", base="env_files", strengths=(1, 8, 64), stated=1, unit="bytes changed")
def changed_env(path: Path, strength: float, rng: Rng) -> None:
    """Bytes of a file were changed on the disk."""
    flip(path, strength, rng)


@fault("structure.changed_file", base="play_files", strengths=(1, 8, 64), stated=1, unit="bytes changed")
def changed_play(path: Path, strength: float, rng: Rng) -> None:
    """Bytes of a film, a sound or a table were changed on the disk."""
    flip(path, strength, rng)


@fault("structure.missing_file", base="play_files", strengths=ONCE, stated=1, unit="files gone")
def missing_file(path: Path, strength: float, rng: Rng) -> None:
    """A file of a chunk is gone."""
    del strength
    named(chunk_of(path, rng), rng).unlink()


@fault("structure.missing_chunk", base="play_files", strengths=(1, 2), stated=1, unit="chunks gone")
def missing_chunk(path: Path, strength: float, rng: Rng) -> None:
    """A chunk in front of others is gone."""
    folders = sorted((path / "chunks").iterdir())
    for folder in rng.choice(folders[:-1], int(strength), replace=False):
        shutil.rmtree(folder)


@fault("structure.not_closed", base="env_files", strengths=ONCE, stated=1, unit="segments not listed")
def not_closed(path: Path, strength: float, rng: Rng) -> None:
    """The description lists other segments than the chunks hold."""
    stored = json.loads((path / "session.json").read_text())
    segments = stored["segments"]
    if rng.random() < 0.5:
        segments.pop(int(rng.integers(len(segments))))
    else:
        segments[int(rng.integers(len(segments)))]["frames"] += int(strength)
    (path / "session.json").write_text(json.dumps(stored))


@fault("structure.unfinished_chunk", base="play_files", strengths=ONCE, stated=1, unit="journals left")
def unfinished(path: Path, strength: float, rng: Rng) -> None:
    """The recorder died: the last chunk is an open journal."""
    del strength, rng
    from rushes.model.readings import Start
    from rushes.store.reader import open_session
    from rushes.store.writer import SessionWriter

    writer = SessionWriter(path, open_session(path).info, resume=True)
    writer.write(Start(10**11))
    writer.abandon()


@fault("structure.ledger", base="play_files", strengths=(1, 5, 50), stated=1, unit="frames unaccounted for")
def ledger(path: Path, strength: float, rng: Rng) -> None:
    """The sums of what came in and what is kept do not add up."""
    file = chunk_of(path, rng) / "chunk.json"
    summary = json.loads(file.read_text())
    account = summary["ledger"]["frames" if rng.random() < 0.6 else "events"]
    account["offered" if rng.random() < 0.5 else "kept"] += int(strength)
    file.write_text(json.dumps(summary))


def change_table(chunk: Path, name: str, change: Any) -> None:
    """Rewrite a table of a chunk, honest to the hashes."""
    table = change(pq.read_table(chunk / name))
    pq.write_table(table, chunk / name)
    reseal(chunk, name)


@fault("structure.time", base="play_files", strengths=(1, 3, 10), stated=1, unit="frames out of order")
def time_on_disk(path: Path, strength: float, rng: Rng) -> None:
    """The times of some frames run back."""

    def change(table: Any) -> Any:
        t_ns = table["t_ns"].to_pylist()
        for at in rng.choice(np.arange(1, len(t_ns) - 1), min(len(t_ns) - 2, int(strength)), replace=False):
            t_ns[at], t_ns[at + 1] = t_ns[at + 1], t_ns[at]
        return table.set_column(table.schema.get_field_index("t_ns"), "t_ns", pa.array(t_ns, pa.int64()))

    change_table(chunk_of(path, rng, holding="index.parquet"), "index.parquet", change)


@fault("structure.count", base="env", strengths=(1, 2, 5), stated=1, unit="steps too few")
def step_count(held: Held, strength: float, rng: Rng) -> None:
    """An episode has fewer actions than it needs for its observations."""
    number = int(rng.integers(len(held.segments)))
    mine = np.flatnonzero(held.steps_table["segment"].to_numpy() == number)
    gone = rng.choice(mine, int(strength), replace=False)
    held.steps_table = held.steps_table.drop(index=held.steps_table.index[gone]).reset_index(drop=True)


@fault("structure.action_without_outcome", base="env", strengths=ONCE, stated=1, unit="outcomes gone")
def without_outcome(held: Held, strength: float, rng: Rng) -> None:
    """The picture after the last action of an episode was not stored."""
    del strength
    segment = held.segments[int(rng.integers(len(held.segments)))]
    held.drop(np.array([segment.stop_frame - 1]))


@fault("structure.picture", base="folders", strengths=(1, 4), stated=1, unit="pictures damaged")
def damaged_picture(path: Path, strength: float, rng: Rng) -> None:
    """Pictures of a foreign set cannot be decoded."""
    files = sorted(path.rglob("*.png"))
    for file in rng.choice(files, int(strength), replace=False):
        data = bytearray(Path(file).read_bytes())
        at = len(data) // 3 + int(rng.integers(len(data) // 3))
        data[at : at + 24] = rng.bytes(24)
        Path(file).write_bytes(data)


@fault("structure.damaged_journal", base="play_files", strengths=ONCE, stated=1, unit="damaged journals")
def damaged_journal(path: Path, strength: float, rng: Rng) -> None:
    """The disk damaged what a killed recorder had written; the rest was recovered."""
    del strength
    from rushes.model.readings import Event, Start
    from rushes.store.reader import open_session
    from rushes.store.recover import recover
    from rushes.store.writer import SessionWriter

    writer = SessionWriter(path, open_session(path).info, resume=True, sync_s=0)
    writer.write(Start(10**11))
    for k in range(40):
        writer.write(Event(10**11 + k * 10**7, "keyboard", "KeyW", ("press", "release")[k % 2]))
    writer.abandon()
    journal = next(path.glob("chunks/*/journal.bin"))
    data = bytearray(journal.read_bytes())
    data[len(data) // 2 + int(rng.integers(len(data) // 3))] ^= 0xFF
    journal.write_bytes(data)
    recover(path)
