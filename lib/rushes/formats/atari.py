"""What the three Atari formats share in writing: episodes with their names, their columns and their pictures.

The reference (`sample_all_envs.py` and `convert_to_training_data.py` of the Atari training data pipeline)
names an environment `atari_alien`, an episode `episode_000_rand0.2` and an action `8: DOWNRIGHT`. It stores
no reward, end, seed or setting; the extra columns here do, so that a stranger can play an episode again with
plain Gymnasium.

Example:
    >>> action_texts(8, "ALE/DOWNRIGHT")
    ('DOWNRIGHT', '8: DOWNRIGHT')
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError, BadInputError
from rushes.formats.card import Job
from rushes.formats.report import Keeps
from rushes.model.games import is_atari, session_name, title
from rushes.model.recording import Episode, Recording, Sessions
from rushes.model.session import Segment, SessionInfo
from rushes.store import images

KEEPS: Final = Keeps("exact", times=True, audio=False, rewards=True, names=True, events=False, human=True)
"""What the three formats keep with their extra columns."""
STRICT_KEEPS: Final = Keeps("exact", times=False, audio=False, rewards=False, names=True, events=False)
"""What the reference's own columns keep."""
SCHEMA: Final = "rushes/atari/1"
"""Schema name of the extra columns."""
METADATA_KEY: Final = b"rushes"
"""Key of the Parquet metadata that holds the descriptions of the sessions."""
CONSTANTS: Final = ("env_id", "seed", "frameskip", "sticky", "full_action_space", "policy")
"""Columns that hold for a whole episode, under the names that the sessions give them."""
ACTION_COLUMNS: Final = (
    "action", "action_name", "reward", "terminated", "truncated", "lives", "random_action", "is_human",
)  # fmt: skip
"""What is stored of each action, under the names of `Recording.steps`."""
_BATCH_FRAMES: Final = 64
_BATCH_BYTES: Final = 1 << 20
_PENDING: Final = 16
"""Batches of pictures that wait for an executor; with the two above this bounds the memory."""
_LIMIT: Final = 2**63
_NUMBERED: Final = re.compile(r"(episode_)(\d+)(.*)", re.DOTALL)

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Take:
    """One episode as it is to be written.

    Attributes:
        recording: Where it comes from.
        segment: Its segment.
        environment: Folder or column name of its environment (`atari_alien`).
        name: Its name, unique in its environment (`episode_000_rand0.2`).
        actions: How many actions it has: one less than frames, or as many where the last one has no outcome.
    """

    recording: Recording
    segment: Segment
    environment: str
    name: str
    actions: int

    @property
    def frames(self) -> int:
        """How many pictures it has."""
        return self.segment.frames

    @property
    def randomness(self) -> float | None:
        """Probability that chance replaced the policy's action, None where nobody said."""
        value = self.segment.attrs.get("randomness")
        return float(value) if isinstance(value, int | float) else None

    @property
    def title(self) -> str:
        """`Atari Alien Environment`, as the reference's descriptions begin."""
        env_id = self.segment.attrs.get("env_id")
        game = title(env_id) if env_id else self.recording.info.game
        atari = is_atari(env_id) if env_id else self.environment.startswith("atari_")
        return f"{'Atari ' if atari else ''}{game} Environment"

    def steps(self) -> pd.DataFrame:
        """Its actions in order; columns of `Recording.steps`, action names filled in."""
        table = self.recording.steps(self.segment.index)
        names = self.recording.info.action_space.names
        filled = [n or names[a] for n, a in zip(table["action_name"], table["action"], strict=True)]
        return table.assign(action_name=filled)

    def times(self) -> npt.NDArray[np.int64]:
        """(F,) int64 ns since session start, one a picture."""
        return self.recording.index(self.segment.index)["t_ns"].to_numpy(np.int64)

    def constants(self) -> dict[str, Any]:
        """Its values for `CONSTANTS`, None where nobody said."""
        attrs = self.segment.attrs
        values: dict[str, Any] = {name: attrs.get(name) for name in CONSTANTS}
        if isinstance(values["seed"], int) and abs(values["seed"]) >= _LIMIT:
            values["seed"] = None  # stands in the column `segment` all the same
        return values

    def segment_text(self) -> str:
        """Its segment as JSON: what reading it back needs beside the columns."""
        return json.dumps(self.segment.to_json(), ensure_ascii=False, separators=(",", ":"))


def sessions_text(source: Sessions) -> str:
    """Give the descriptions of all sessions as JSON, for a file's metadata."""
    return json.dumps(
        {"schema": SCHEMA, "sessions": [recording.info.to_json() for recording in source]}, ensure_ascii=False
    )


def read_sessions_text(text: str | bytes) -> dict[str, SessionInfo]:
    """Read `sessions_text` back: id -> description.

    Raises:
        BadDataError: It is of a newer schema or damaged.
    """
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise BadDataError(
            f"extra columns of schema {value.get('schema') if isinstance(value, dict) else value!r}",
            accepts=repr(SCHEMA),
            fix="open it with the version of rushes that wrote it",
        )
    infos = [SessionInfo.from_json(one) for one in value["sessions"]]
    return {info.id: info for info in infos}


def action_texts(action: int, name: str) -> tuple[str, str]:
    """Give an action as the reference writes it: cleaned, and with its number.

    Args:
        action: Its number.
        name: Its name, with or without the world before it.
    """
    bare = name.rsplit("/", 1)[-1] or str(action)
    return bare.upper(), f"{action}: {bare}"


def takes(source: Sessions, job: Job) -> list[Take]:
    """List the episodes to write, in order, each with a name of its own.

    Two episodes of one environment that go by one name (of two sessions, or the two sides of a gap) would be
    taken for one. First every whole episode and every first part takes its name where it is free; then the others
    get the numbers after the highest, are marked `renumbered`, and stand in the card with both names.

    Args:
        source: The recordings.
        job: Where renumbered episodes are counted.

    Raises:
        BadInputError: A recording is not one of discrete actions.
        BadDataError: Frames and actions of an episode do not fit each other.
    """
    used: dict[str, set[str]] = {}
    found = []
    for recording in source:
        _refuse_without_actions(recording)
        for segment in recording.segments:
            wanted = segment.attrs.get("episode_name") or Episode(recording, segment).name
            take = Take(
                recording, segment, _environment(recording, segment), wanted, _count_actions(recording, segment)
            )
            names = used.setdefault(take.environment, set())
            sound = wanted not in names and not _is_later_part(segment)
            if sound:
                names.add(wanted)
            found.append((take, sound))
    return [take if sound else _renumbered(take, used[take.environment], job) for take, sound in found]


def _is_later_part(segment: Segment) -> bool:
    """Say whether an episode begins elsewhere: behind a gap, or behind a stretch that is marked invalid."""
    return bool(segment.attrs.get("part") or segment.attrs.get("from_step"))


def _renumbered(take: Take, used: set[str], job: Job) -> Take:
    name = _free(take.name, used)
    used.add(name)
    if name == take.name:
        return take
    job.tally.mark("episodes", "renumbered")
    said = {"session": take.recording.info.id, "environment": take.environment, "old": take.name, "new": name}
    job.renamed.append(said)
    return replace(take, name=name)


def _free(name: str, used: set[str]) -> str:
    if name not in used:
        return name
    numbers = [int(m[2]) for m in map(_NUMBERED.fullmatch, used) if m]
    match = _NUMBERED.fullmatch(name)
    rest = match[3] if match else "_" + name
    return f"episode_{max(numbers, default=-1) + 1:03d}{rest}"


def _environment(recording: Recording, segment: Segment) -> str:
    env_id = segment.attrs.get("env_id")
    if env_id:
        return session_name(env_id)
    return str(recording.info.provenance.get("environment") or session_name(recording.info.game))


def _refuse_without_actions(recording: Recording) -> None:
    space = recording.info.action_space
    if recording.is_environment and space.kind == "discrete":
        return
    what = f"{space.kind} actions" if recording.is_environment else "recorded play, which has no steps,"
    raise BadInputError(
        f"session {recording.info.id} with {what}",
        accepts="sampled play with one of n named actions a step",
        fix="choose a format that has a place for it; `session` takes everything",
    )


def _count_actions(recording: Recording, segment: Segment) -> int:
    frames = recording.steps(segment.index)["frame_index"].to_numpy(np.int64)
    wanted = np.arange(segment.first_frame, segment.first_frame + len(frames))
    if len(frames) not in (segment.frames - 1, segment.frames) or not np.array_equal(frames, wanted):
        raise BadDataError(
            f"{recording.info.id}, segment {segment.index}: {segment.frames} frames, {len(frames)} actions",
            accepts="an action on each frame but the last",
            fix="run `rushes qa` on the session",
        )
    return len(frames)


def _rgb(pictures: list[bytes]) -> list[bytes]:
    return [images.as_rgb_png(data) for data in pictures]


def _as_stored(pictures: list[bytes]) -> list[bytes]:
    return pictures


def pictures(wanted: Iterable[Take], *, indexed: bool, executor: Executor | None) -> Iterator[bytes]:
    """Give the pictures of all takes as PNG files, in one order whatever the executor.

    Args:
        wanted: The takes.
        indexed: Copy indexed PNG files as they are stored.
        executor: Where to encode RGB files; None does it here.

    Yields:
        One file a frame.
    """
    function = _as_stored if indexed else _rgb
    for batch in in_order(function, _batches(wanted), None if indexed else executor):
        yield from batch


def _batches(wanted: Iterable[Take]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for data in (data for take in wanted for data in _stored(take)):
        batch.append(data)
        size += len(data)
        if len(batch) >= _BATCH_FRAMES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _stored(take: Take) -> Iterator[bytes]:
    first = take.segment.first_frame
    for frame_index, picture in enumerate(take.recording.pictures(first, take.segment.stop_frame), first):
        if picture is None:  # of a video: decoded, then exact
            yield images.encode_rgb(take.recording.frame(frame_index))
        else:
            yield picture.data


def in_order(function: Callable[[S], T], items: Iterable[S], executor: Executor | None) -> Iterator[T]:
    """Map over items in order with a bounded number of them under way.

    Args:
        function: What to do; of a module's top level, so that processes find it.
        items: What to do it with.
        executor: Where; None does it here.

    Yields:
        The results in the order of the items.
    """
    if executor is None:
        yield from map(function, items)
        return
    pending: deque[Future[T]] = deque()
    try:
        for item in items:
            pending.append(executor.submit(function, item))
            if len(pending) >= _PENDING:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def per_action(steps: pd.DataFrame) -> dict[str, list[Any]]:
    """Give the values of `ACTION_COLUMNS`, one an action, as plain lists; see `Take.steps`."""
    return {name: steps[name].tolist() for name in ACTION_COLUMNS}


def per_frame(columns: dict[str, list[Any]], frames: int) -> dict[str, list[Any]]:
    """Lengthen columns of actions to one value a frame.

    Args:
        columns: What `per_action` gives.
        frames: How many frames the episode has.

    Returns:
        The same columns; a last frame on which nothing was done holds -1, "", NaN and False, so that whole
        numbers stay whole numbers in every reader.
    """
    blank = {"action": -1, "action_name": "", "reward": float("nan"), "lives": -1}
    return {name: values + [blank.get(name, False)] * (frames - len(values)) for name, values in columns.items()}
