"""Folders of the Atari pipeline: a folder an episode, a PNG and a text file a frame.

```
atari_alien/episode_000_rand0.2/frame_000000.png
                                action_000000.txt    8: DOWNRIGHT
                                ...
                                frame_000010.png     the last frame; nothing was done on it
                                steps.parquet        a row a frame: t_ns, action, reward, terminated ...
                                episode.json         env_id, seed, frameskip, sticky, end_reason ...
```

Source of the layout: the reference guide of the Atari training data pipeline, "Sample Frames from
Environments". `strict=True` writes the PNG and text files alone and leaves the last frame out, so that every
frame has its action.

Example:
    >>> # convert("sessions", "frames", format="folders", options=["strict=true"])
    >>> AtariFolders.Options(strict=True).strict
    True
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rushes.errors import BadDataError
from rushes.formats.atari import (
    ACTION_COLUMNS,
    KEEPS,
    STRICT_KEEPS,
    Take,
    action_texts,
    per_action,
    per_frame,
    pictures,
    read_sessions_text,
    sessions_text,
    takes,
)
from rushes.formats.atari_names import ACTION, FRAME, episode_order
from rushes.formats.base import Format, Progress, StrictOptions, Takes
from rushes.formats.card import export
from rushes.formats.found import Extra, Found
from rushes.formats.gather import recordings
from rushes.formats.report import Keeps, Report
from rushes.model.recording import Sessions
from rushes.store import images

STEPS: Final = "steps.parquet"
EPISODE_FILE: Final = "episode.json"
STEPS_SCHEMA: Final = pa.schema(
    [
        ("frame_number", pa.int64()),
        ("t_ns", pa.int64()),
        ("action", pa.int64()),
        ("action_name", pa.string()),
        ("reward", pa.float64()),
        ("terminated", pa.bool_()),
        ("truncated", pa.bool_()),
        ("lives", pa.int64()),
        ("random_action", pa.bool_()),
        ("is_human", pa.bool_()),
    ]
)
"""Columns of steps.parquet; the last frame, on which nothing was done, holds -1, "", NaN and False."""
_ENDS: Final = 16
"""Bytes at both ends of a PNG file that tell whether it is whole."""


class AtariFolders(Format):
    """The folder tree."""

    name: ClassVar[str] = "atari_folders"
    looks_for: ClassVar[str] = "folders <environment>/episode_*/ with frame_000000.png and action_000000.txt"
    Options: ClassVar[type[Any]] = StrictOptions
    keeps: ClassVar[Keeps] = KEEPS
    takes: ClassVar[Takes] = "steps"

    def keeps_with(self, options: StrictOptions) -> Keeps:
        """Say what survives with these options."""
        return STRICT_KEEPS if options.strict else KEEPS

    def sniff(self, path: Path) -> bool:
        """Say whether a folder holds episodes, or environments with episodes, or is an episode."""
        return path.is_dir() and next(_episodes(path), None) is not None

    def read(self, path: Path, options: Any) -> Sessions:
        """Open a tree, an environment or one episode; see `Format.read`."""
        del options
        ordered = sorted(_episodes(path), key=lambda e: (e[0], episode_order(e[1].name)))
        found = [_read_episode(environment, folder, path) for environment, folder in ordered]
        if found and all(place is not None for place, _ in found):
            found.sort(key=lambda one: one[0] or 0)
        return recordings((one for _, one in found), format=self.name, path=path)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: StrictOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write the tree; see `Format.write`."""
        with export(self, source, path, options, folder=True) as job:
            wanted = takes(source, job)
            total, done = sum(take.frames for take in wanted), 0
            encoded = pictures(wanted, indexed=options.indexed, executor=executor)
            for place, take in enumerate(wanted):
                kept = take.actions if options.strict else take.frames
                job.lose("frames", "strict_without_action", take.frames - kept)
                files = islice(encoded, take.frames)
                if kept:
                    self._write_episode(take, job.partial, islice(files, kept), place, strict=options.strict)
                    job.wrote(episodes=1, frames=kept, actions=take.actions)
                else:
                    job.lose("episodes", "strict_without_action")
                for _ in files:  # the frame that strict leaves out
                    pass
                done += take.frames
                if progress:
                    progress(done, total, "frames written")
        return job.report

    def _write_episode(self, take: Take, root: Path, files: Iterator[bytes], place: int, *, strict: bool) -> None:
        folder = root / take.environment / take.name
        folder.mkdir(parents=True)
        steps = take.steps()
        for number, data in enumerate(files):
            (folder / f"frame_{number:06d}.png").write_bytes(data)
        for number, (action, name) in enumerate(zip(steps["action"], steps["action_name"], strict=True)):
            text = action_texts(action, name)[1]
            (folder / f"action_{number:06d}.txt").write_text(text, encoding="utf-8")
        if strict:
            return
        rows = per_frame(per_action(steps), take.frames)
        rows |= {"frame_number": list(range(take.frames)), "t_ns": take.times().tolist()}
        pq.write_table(pa.table({n: rows[n] for n in STEPS_SCHEMA.names}, schema=STEPS_SCHEMA), folder / STEPS)
        about = {
            "place": place,
            **take.constants(),
            "randomness": take.randomness,
            "end_reason": take.segment.end_reason,
            "session": take.recording.info.id,
            "segment": take.segment.to_json(),
            "about": json.loads(sessions_text(Sessions([take.recording], format="recording"))),
        }
        text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
        (folder / EPISODE_FILE).write_text(text, encoding="utf-8")


def _episodes(path: Path) -> Iterator[tuple[str, Path]]:
    """Find episode folders: (environment, folder)."""
    whole = path.resolve()
    if whole.name.startswith("episode_") and any(FRAME.fullmatch(p.name) for p in path.iterdir()):
        yield whole.parent.name, path
        return
    for child in sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if child.name.startswith("episode_"):
            yield whole.name, child
        else:
            yield from (
                (child.name, p) for p in sorted(child.iterdir()) if p.name.startswith("episode_") and p.is_dir()
            )


def _read_episode(environment: str, folder: Path, root: Path) -> tuple[int | None, Found]:
    """List one episode; also its place in the set that it was written with, where that is known."""
    names = [p.name for p in folder.iterdir()]
    frames = _numbered(names, FRAME)
    texts = _numbered(names, ACTION)
    broken = {n for n, name in frames.items() if not _is_whole(folder / name)}
    numbers = sorted(set(frames) - broken)
    lost = Counter(without_frame=len(set(texts) - set(numbers)))
    actions = [_read_text(folder / texts[n]) if n in texts else None for n in numbers]
    place, extra = None, None
    if EPISODE_FILE in names or STEPS in names:
        try:
            place, extra = _read_extra(folder, numbers)
        except (BadDataError, OSError, KeyError, TypeError, ValueError, pa.ArrowException):
            lost["damaged_sidecar"] += 1
    where = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
    fetch = partial(_fetch, folder, [frames[n] for n in numbers])
    array = np.array(numbers, np.int64)
    found = Found(
        environment,
        folder.name,
        where,
        array,
        actions,
        fetch,
        None,
        lost,
        dict.fromkeys(broken, "truncated_png"),
        extra,
    )
    return place, found


def _numbered(names: list[str], pattern: Any) -> dict[int, str]:
    """Map numbers to file names; beyond six digits the order of names is not that of numbers."""
    return {int(match[1]): name for name in sorted(names) if (match := pattern.fullmatch(name))}


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_ENDS)
        size = file.seek(0, 2)
        file.seek(max(len(head), size - _ENDS))
        return images.is_whole(head + file.read())


def _read_text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _fetch(folder: Path, names: list[str], start: int, stop: int) -> Iterator[bytes]:
    for name in names[start:stop]:
        yield (folder / name).read_bytes()


def _read_extra(folder: Path, numbers: list[int]) -> tuple[int, Extra]:
    about: Mapping[str, Any] = json.loads((folder / EPISODE_FILE).read_text(encoding="utf-8"))
    table = pq.read_table(folder / STEPS)
    rows = {n: k for k, n in enumerate(table["frame_number"].to_pylist())}
    chosen = table.take([rows[n] for n in numbers])
    info = read_sessions_text(json.dumps(about["about"]))[about["session"]]
    values = {name: chosen[name].to_pylist() for name in ACTION_COLUMNS}
    t_ns = chosen["t_ns"].to_numpy().astype(np.int64)
    return int(about["place"]), Extra(about["session"], info, about["segment"], t_ns, values)
