"""Sessions out of episodes as they lie in Atari files.

A reader of a file lists `Found` episodes; `recordings` makes sessions of them. What a file cannot say is not
made up: times of a set that has none are `assumed`, rewards are NaN, lives -1, ends `unknown`. Nothing is
bridged: where an action or a picture is missing the segment ends, and the ledger counts it. A missing action
    on the
last frame is normal and says nothing about the end of the game.

Example:
    >>> from collections import Counter
    >>> def no_pictures(start, stop):
    ...     yield from [b""] * (stop - start)
    >>> texts = ["2: RIGHT", None]
    >>> one = Found("atari_pong", "episode_000", "", np.arange(2), texts, no_pictures, None, Counter())
    >>> session = recordings([one], format="example", path=Path("example"))[0]
    >>> session.steps()["action_name"].tolist(), session.segments[0].end_reason, session.info.time_source
    (['ALE/RIGHT'], 'unknown', 'assumed')
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.errors import BadDataError
from rushes.formats.atari_names import EPISODE, Trust, action_space, episode_name, game_title
from rushes.formats.foreign import AtariRecording, Piece
from rushes.formats.found import Found, parse_action
from rushes.model.actions import ActionSpace
from rushes.model.clock import ALE_RATE_HZ, emulated_ns
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.recording import STEP_COLUMNS, Sessions
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.store import images

ASSUMED_FRAMESKIP: Final = 4
"""Emulated frames a step that are assumed where a file does not say: the reference's MaxAndSkip(4)."""
_SENTENCES: Final = {
    "missing_action": "a frame inside an episode has no action; the episode is split there and not bridged",
    "bad_action": "an action that is no readable text; taken as missing, the episode is split there",
    "missing_frame": "a number is left out in the row of frames; the episode is split there and not bridged",
    "truncated_png": "a picture that is cut or damaged; it is left out and the episode is split there",
    "missing_image": "an image that is named but not there; its frame is left out and the episode is split there",
    "without_frame": "an action whose frame is missing; it is left out",
    "action_without_outcome": "the last frame of an episode has an action, and nothing says what came of it",
    "duplicate_frame": "a frame number that stands twice in an episode; the first one counts",
    "empty_episode": "an episode without any frame; it is left out",
    "action_changed": "an action differs from the extra columns beside it; the reference's column counts",
    "action_names_conflict": "one number stands for several actions; they are told apart by their names",
    "action_numbers_assumed": (
        "an action whose number is not told or contradicts its name; the number is that of the game's own action set "
        "where all names are in it, otherwise that among the emulator's 18 or of the names in order"
    ),
    "description_lost": (
        "the description of the session is gone, as when another program saved the file again: its action space, "
        "and that its times were not assumed, can no longer be known"
    ),
    "session_twice": "a session that stands here more than once; each copy is a recording with an id of its own",
    "bad_inputs": "inputs that are no list of entries; the episode is left out",
    "second_text": "a second text between two images; the first one is the action",
    "damaged_sidecar": "extra columns that cannot be read; the episode is read without them",
}
"""What each kind of problem means. Times a kind comes up stand in `Problem.count`."""


def recordings(
    found: Iterable[Found],
    *,
    format: str,  # noqa: A002 - the word that users know
    path: Path,
    problems: Iterable[Problem] = (),
) -> Sessions:
    """Make sessions of episodes: one for each session of ours, one for each environment of a foreign set.

    Args:
        found: The episodes in order.
        format: Name of the format.
        path: What was opened; only its name is kept.
        problems: What concerns the whole path.
    """
    groups: dict[tuple[str, str, int], list[Found]] = {}
    seen: Counter[tuple[str, Any]] = Counter()
    for one in found:
        key = ("", one.environment, 0)
        if one.extra is not None:  # a segment that was there already is one of a copy
            segment = (one.extra.session, one.extra.segment.get("index"))
            key = ("session", one.extra.session, seen[segment])
            seen[segment] += 1
        groups.setdefault(key, []).append(one)
    made: list[AtariRecording] = []
    lost = list(problems)
    empty = Tally()
    for (_, _, copy), group in groups.items():
        builder = _Builder(group, format=format, path=path, copy=copy)
        recording = builder.build()
        if recording.segments:
            made.append(recording)
        else:  # nothing to show, but nothing silent either
            lost.extend(recording.problems)
            for stream, account in recording.ledger.items():
                empty.offer(stream, account.offered)
                for reason, count in account.lost.items():
                    empty.lose(stream, reason, count)
    return Sessions(made, format=format, problems=lost, ledger=empty.close())


class _Builder:
    """One recording in the making."""

    def __init__(self, group: list[Found], *, format: str, path: Path, copy: int) -> None:  # noqa: A002
        self._group, self._format, self._path = group, format, path
        self._tally = Tally()
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._pieces: list[Piece] = []
        self._index: list[pd.DataFrame] = []
        self._steps: list[pd.DataFrame] = []
        self._frames = self._clock = 0
        extra = group[0].extra
        self._info = extra.info if extra else None
        self._suffix = f"-{copy + 1}" if copy else ""
        if extra is not None and extra.info is None:
            self._note("description_lost", group[0].where)
        if copy:
            self._note("session_twice", group[0].where)
        self._digest = hashlib.sha256()
        self._resolved: dict[tuple[int | None, str], tuple[int, str]] = {}
        self._space, self._trust = self._find_space()
        if self._trust == "conflict":
            self._note("action_names_conflict", group[0].where)

    def _find_space(self) -> tuple[ActionSpace, Trust]:
        if self._info is not None:
            return self._info.action_space, "numbers"
        texts = {text for one in self._group for text in one.actions if text is not None}
        parsed = {found for text in sorted(texts) if (found := parse_action(text))}
        return action_space(parsed, world=self._group[0].environment)

    def _note(self, kind: str, where: str, count: int = 1) -> None:
        if count:
            self._counts[kind] += count
            self._first.setdefault(kind, where)

    def build(self) -> AtariRecording:
        for one in self._group:
            self._tally.offer("episodes")
            self._take(one)
        index = pd.concat(self._index, ignore_index=True) if self._index else pd.DataFrame(columns=["segment"])
        steps = pd.concat(self._steps, ignore_index=True) if self._steps else pd.DataFrame(columns=STEP_COLUMNS)
        problems = [Problem(k, self._first[k], n, _SENTENCES[k]) for k, n in self._counts.items()]
        return AtariRecording(self._describe(), self._pieces, index, steps, tally=self._tally, problems=problems)

    def _take(self, one: Found) -> None:
        self._digest.update(f"{one.episode}\0{one.numbers.tolist()}\0{one.actions}\n".encode())
        actions, contiguous = self._account(one)
        if not len(one.numbers):
            self._note("empty_episode", one.where)
            self._tally.lose("episodes", "empty_episode")
            return
        has = np.array([a is not None for a in actions])
        cuts = np.flatnonzero(~(contiguous & has[:-1])) + 1
        edges = [0, *cuts.tolist(), len(one.numbers)]
        self._tally.mark("episodes", "split", int(len(cuts) > 0))
        t_ns = self._times(one)
        for part, (start, stop) in enumerate(pairwise(edges)):
            segment = self._segment(one, t_ns, start, stop, part if len(cuts) else None)
            if has[stop - 1]:
                known = one.extra is not None and not len(cuts)  # ours may have been recorded so
                self._tally.mark("actions", "action_without_outcome")
                if not known:
                    self._note("action_without_outcome", one.where)
            self._keep(Piece(segment, one, start, stop), actions, t_ns)

    def _account(self, one: Found) -> tuple[list[tuple[int | None, str] | None], npt.NDArray[np.bool_]]:
        """Read the texts of the actions and count what came, what is missing and what is lost."""
        cache: dict[str, tuple[int | None, str] | None] = {}
        actions = []
        for text in one.actions:
            if text is not None and text not in cache:
                cache[text] = parse_action(text)
            actions.append(None if text is None else cache[text])
        there = sum(a is not None for a in actions)
        jumps = np.diff(one.numbers)
        inside = sum(one.numbers[0] < number < one.numbers[-1] for number in one.broken) if len(jumps) else 0
        lost = one.lost + Counter(one.broken.values())
        lost += Counter(
            bad_action=sum(a is None and text is not None for a, text in zip(actions, one.actions, strict=True)),
            missing_action=sum(text is None for text in one.actions[:-1]),
            missing_frame=int((jumps - 1).sum()) - inside,
        )
        for kind, count in sorted(lost.items()):
            self._note(kind, one.where, count)
        tally = self._tally
        tally.offer("frames", len(one.numbers))
        tally.offer("actions", there)
        for stream, kinds in (
            ("frames", ("truncated_png", "missing_image", "missing_frame", "duplicate_frame")),
            ("actions", ("bad_action", "missing_action", "without_frame")),
        ):
            for kind in kinds:
                tally.offer(stream, lost[kind])
                tally.lose(stream, kind, lost[kind])
        return actions, jumps == 1

    def _times(self, one: Found) -> npt.NDArray[np.int64]:
        if one.extra is not None:
            return one.extra.t_ns
        since = one.numbers - one.numbers[0]
        step = [emulated_ns(self._clock + int(k), frameskip=ASSUMED_FRAMESKIP) for k in since]
        self._clock += int(since[-1]) + 1
        return np.array(step, np.int64)

    def _segment(self, one: Found, t_ns: npt.NDArray[np.int64], start: int, stop: int, part: int | None) -> Segment:
        index, first = len(self._pieces), self._frames
        told = one.extra.segment if one.extra else None
        whole = told is not None and part is None and told["frames"] == len(one.numbers)
        if told is not None and whole:
            return replace(Segment.from_json(told), index=index, first_frame=first)
        attrs = dict(told["attrs"]) if told is not None else _attributes(one)
        last = stop == len(one.numbers)
        if part is not None:
            attrs["part"] = part
        at_end = last and told is not None and int(one.numbers[-1]) + 1 == told["frames"]
        reason = str(told["end_reason"]) if told is not None and at_end else "unknown" if last else "gap"
        times = int(t_ns[start]), int(t_ns[stop - 1])
        return Segment(index, *times, first, stop - start, reason, attrs)

    def _keep(self, piece: Piece, actions: list[tuple[int | None, str] | None], t_ns: npt.NDArray[np.int64]) -> None:
        segment, one, start, stop = piece
        frame_index = np.arange(segment.first_frame, segment.stop_frame)
        times = t_ns[start:stop]
        flags = np.zeros(stop - start, bool)
        self._index.append(
            pd.DataFrame(
                {
                    "frame_index": frame_index,
                    "tick": frame_index,
                    "picture": frame_index,
                    "t_ns": times,
                    "segment": np.full(stop - start, segment.index),
                    "duplicate": flags,
                    "late": flags,
                    "dropped_before": np.zeros(stop - start, np.int64),
                }
            )
        )
        count = stop - start if actions[stop - 1] is not None else stop - start - 1
        values = self._values(one, actions, start, start + count)
        self._steps.append(
            pd.DataFrame(
                {
                    "frame_index": frame_index[:count],
                    "t_ns": times[:count],
                    "segment": np.full(count, segment.index),
                    "action": np.array(values["action"], np.int64),
                    "action_name": pd.Series(values["action_name"], dtype="str"),
                    "reward": np.array(values["reward"], np.float64),
                    "terminated": np.array(values["terminated"], bool),
                    "truncated": np.array(values["truncated"], bool),
                    "lives": np.array(values["lives"], np.int64),
                    "random_action": np.array(values["random_action"], bool),
                    "is_human": np.array(values["is_human"], bool),
                }
            )
        )
        self._pieces.append(piece)
        self._frames = segment.stop_frame

    def _values(
        self, one: Found, actions: list[tuple[int | None, str] | None], start: int, stop: int
    ) -> dict[str, list[Any]]:
        count = stop - start
        if one.extra is None:
            values: dict[str, list[Any]] = {
                "reward": [np.nan] * count,
                "lives": [-1] * count,
                **{name: [False] * count for name in ("terminated", "truncated", "random_action", "is_human")},
            }
            pairs = [self._resolve(a) for a in actions[start:stop] if a is not None]
            if self._trust != "numbers":
                self._note("action_numbers_assumed", one.where, count)
        else:
            values = {name: list(column[start:stop]) for name, column in one.extra.columns.items()}
            pairs = list(zip(values["action"], values["action_name"], strict=True))
            for k, a in enumerate(actions[start:stop]):
                if a is not None and a[0] is not None and a[0] != pairs[k][0]:
                    self._note("action_changed", one.where)
                    pairs[k] = self._resolve(a)
        return {**values, "action": [p[0] for p in pairs], "action_name": [p[1] for p in pairs]}

    def _resolve(self, action: tuple[int | None, str]) -> tuple[int, str]:
        """Find the number and the full name of an action in the space."""
        if action not in self._resolved:
            number, name = action
            names = self._space.names
            full = next((n for n in names if n.rsplit("/", 1)[-1].upper() == name.upper()), "")
            if number is None or self._trust != "numbers":
                number = names.index(full) if full else -1
            self._resolved[action] = (number, full or name)
        return self._resolved[action]

    def _describe(self) -> SessionInfo:
        one = self._group[0]
        frames = self._picture_stream()
        if self._info is not None:
            known = self._info.without("sound")  # these formats have no place for it
            streams = tuple(frames if s.kind == "frames" else s for s in known.streams)
            return replace(known, id=self._info.id + self._suffix, streams=streams)
        rate_hz = ALE_RATE_HZ / ASSUMED_FRAMESKIP
        name = one.extra.session + self._suffix if one.extra else f"{one.environment}-{self._digest.hexdigest()[:12]}"
        return SessionInfo(
            id=name,
            game=game_title(one.environment),
            source={"kind": "import", "name": self._format},
            time_source="assumed",
            streams=(frames, StreamSpec("steps", "steps", rate_hz=rate_hz)),
            action_space=self._space,
            provenance={"environment": one.environment, "file": self._path.name},
        )

    def _picture_stream(self) -> StreamSpec:
        spec = self._info.stream("frames") if self._info is not None else None
        spec = spec or StreamSpec("screen", "frames", "png", rate_hz=ALE_RATE_HZ / ASSUMED_FRAMESKIP)
        if not self._pieces:
            return spec
        piece = self._pieces[0]
        try:
            data = next(piece.found.fetch(piece.start, piece.start + 1))
        except BadDataError:  # said again, with its place, when the picture is asked for
            return spec
        if not images.is_whole(data):
            return spec
        height, width = images.size(data)
        codec = "png-indexed" if images.is_indexed(data) else "png"
        return replace(spec, codec=codec, exact=True, width=width, height=height)


def _attributes(one: Found) -> dict[str, Any]:
    """Say what the names say: number and randomness, and the name itself where they do not make it up."""
    attrs: dict[str, Any] = {}
    match = EPISODE.fullmatch(one.episode)
    if match:
        attrs["episode"] = int(match[1])
    said = float(match[2]) if match and match[2] and float(match[2]) <= 1 else None
    randomness = said if one.randomness is None else one.randomness
    if randomness is not None:
        attrs["randomness"] = randomness
    if episode_name(attrs.get("episode", 0), randomness) != one.episode:
        attrs["episode_name"] = one.episode
    return attrs
