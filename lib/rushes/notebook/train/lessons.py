"""What there is to be learnt: three lessons, each with something that the answer hangs on and nothing else tells.

| lesson | what decides which key goes down | what must stay at chance |
|---|---|---|
| `signs` | the arrow in the picture | nothing: what chance is, is measured with shuffled answers |
| `echo` | the lamp of three pictures ago; those since then are drawn by chance | a net that sees one picture |
| `tones` | the pitch of a tone; the picture is noise | a net that does not hear |

The answer to a picture comes within its row: after the picture was taken, before the next one. It is pressed and let go
at times of its own, and stays down where the next answer is the same. Pictures do not come evenly, some are lost,
a pause cuts each session in two, and for a while the hand does anything at all: that while is marked invalid.

Example:
    >>> take = plan_take(LESSONS["echo"], number=1, frames=(60, 40))
    >>> part = take.parts[0]
    >>> bool((part.answer[3:20] == part.shown[:17]).all()), len(part.t_ns) - len(part.shown)
    (True, 1)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from rushes.model.clock import NS
from rushes.model.readings import Event, Sound
from rushes.notebook.train.signs import NOTHING

Ints = npt.NDArray[np.int64]

SOUND: Final = "game"
SOUND_HZ: Final = 16_000
MARKED: Final = 20
"""Pictures of each session during which the hand does anything; they are marked invalid."""
_SEED: Final = 2031
_PAUSE_NS: Final = 2 * NS
_JITTER, _LOSS = 0.12, 0.03
_PRESS, _RELEASE = (0.08, 0.4), (0.55, 0.9)
_SOUND_LATE_NS: Final = 310_000_000
"""The sound of a session begins later than its pictures, as that of a device does."""
_BLOCK: Final = 800
_TONE_LEVEL, _HISS = 0.25, 0.02
_EDGE_NS: Final = 6_000_000
_SILENT: Final = (40, 46)
"""Rows of each part in which sound is lost."""


@dataclass(frozen=True)
class Lesson:
    """Something to be learnt.

    Attributes:
        name: Of the lesson.
        game: What its sessions are called.
        keys: What is pressed, in the order of `cues`.
        cues: What asks for it: directions of an arrow, sides of a lamp, or pitches in Hz.
        kind: `arrow`, `lamp` or `tone`; with tones the picture is noise.
        rate_hz: Pictures a second, about.
        back: The cue stands so many pictures before its answer.
    """

    name: str
    game: str
    keys: tuple[str, ...]
    cues: tuple[str, ...]
    kind: Literal["arrow", "lamp", "tone"] = "arrow"
    rate_hz: float = 20.0
    back: int = 0

    @property
    def heard(self) -> bool:
        """Whether its cues are heard, not seen."""
        return self.kind == "tone"


LESSONS: Final[Mapping[str, Lesson]] = MappingProxyType({
    lesson.name: lesson
    for lesson in (
        Lesson("signs", "Signs", ("KeyA", "Space", "KeyD"), ("left", "up", "right")),
        Lesson("echo", "Echo", ("KeyA", "KeyD"), ("left", "right"), kind="lamp", back=3),
        Lesson("tones", "Tones", ("KeyA", "KeyD"), ("440", "1200"), kind="tone", rate_hz=10.0),
    )
})  # fmt: skip


@dataclass(frozen=True)
class Part:
    """An unbroken stretch of a take.

    Attributes:
        t_ns: (N + 1,) int64 ns since session start of each picture, and of the end.
        tick: (N,) int64 number of each picture's tick; a lost one is missing.
        shown: (N,) int64, 1 + the cue in each row, 0 for none.
        answer: (N,) int64, 1 + the key that is down in each row, 0 for none.
        marked: (first, last) rows that are to be marked invalid; None where there are none.
    """

    t_ns: Ints
    tick: Ints
    shown: Ints
    answer: Ints
    marked: tuple[int, int] | None = None


@dataclass(frozen=True)
class Take:
    """What happens in a session.

    Attributes:
        lesson: Whose.
        number: Of the session.
        parts: Its segments.
    """

    lesson: Lesson
    number: int
    parts: tuple[Part, ...]

    def cue(self, part: Part, row: int) -> str:
        """Give the cue of a row, `""` for none."""
        shown = int(part.shown[row])
        return self.lesson.cues[shown - 1] if shown else NOTHING


def plan_take(lesson: Lesson, *, number: int, frames: Sequence[int]) -> Take:
    """Plan a session.

    Args:
        lesson: What is to be learnt from it.
        number: Of the session; decides all that is drawn.
        frames: Pictures of each segment.
    """
    rng = np.random.default_rng([_SEED, *lesson.name.encode(), number])
    parts: list[Part] = []
    begin_ns, tick = int(rng.integers(NS)), 0
    for k, count in enumerate(frames):
        steps = 1 + (rng.random(count) < _LOSS)
        ticks = tick + np.append(0, np.cumsum(steps))
        even = begin_ns + np.rint((ticks - tick) * NS / lesson.rate_hz)
        t_ns = (even + rng.uniform(0, _JITTER, count + 1) * NS / lesson.rate_hz).astype(np.int64)
        shown = rng.integers(0, len(lesson.keys) + 1, count)
        if lesson.heard:
            shown[(t_ns[:-1] < t_ns[0] + _SOUND_LATE_NS) & (k == 0)] = 0
            shown[_SILENT[0] : _SILENT[1]] = 0
        answer = np.append(np.zeros(lesson.back, np.int64), shown)[:count]
        marked = None
        if k == 0 and count > 3 * MARKED:
            first = int(rng.integers(count // 3, count // 2))
            marked = first, first + MARKED
            answer[first : first + MARKED] = rng.integers(0, len(lesson.keys) + 1, MARKED)
        parts.append(Part(t_ns, ticks[:-1].astype(np.int64), shown, answer, marked))
        begin_ns = int(t_ns[-1]) + _PAUSE_NS
        tick = int(ticks[-1] + round(_PAUSE_NS * lesson.rate_hz / NS))
    return Take(lesson, number, tuple(parts))


def hand(take: Take, part: Part) -> list[Event]:
    """Give what the hand does in a part: an answer goes down within its row and up within the last row that it is for.

    Args:
        take: The session.
        part: One of its parts.
    """
    rng = np.random.default_rng([_SEED, take.number, int(part.t_ns[0])])
    found, before = [], 0
    for row, answer in enumerate([*part.answer.tolist(), 0]):
        if answer == before:
            continue
        if before:
            found.append(Event(_within(rng, part, row - 1, _RELEASE), "keyboard", _key(take, before), "release", 0.0))
        if answer:
            found.append(Event(_within(rng, part, row, _PRESS), "keyboard", _key(take, answer), "press", 1.0))
        before = answer
    return found


def _key(take: Take, answer: int) -> str:
    return take.lesson.keys[answer - 1]


def _within(rng: np.random.Generator, part: Part, row: int, share: tuple[float, float]) -> int:
    start, stop = int(part.t_ns[row]), int(part.t_ns[row + 1])
    return start + round(float(rng.uniform(*share)) * (stop - start))


def sound(take: Take, part: Part) -> Iterator[Sound]:
    """Give what is heard in a part, block by block: tones within their rows, a hiss beneath.

    The first part's sound begins late, and some of each part is lost, so samples cannot be counted instead of timed.

    Args:
        take: The session.
        part: One of its parts.
    """
    rng = np.random.default_rng([_SEED, 5, take.number, int(part.t_ns[0])])
    first_ns, end_ns = int(part.t_ns[0]), int(part.t_ns[-1])
    count = (end_ns - first_ns) * SOUND_HZ // NS
    heard = rng.normal(0, _HISS, count)
    for row, cue in enumerate(part.shown.tolist()):
        if cue:
            edges = (part.t_ns[row] + _EDGE_NS - first_ns, part.t_ns[row + 1] - _EDGE_NS - first_ns)
            start, stop = (int(edge) * SOUND_HZ // NS for edge in edges)
            turns = np.arange(stop - start) * float(take.lesson.cues[cue - 1]) / SOUND_HZ
            heard[start:stop] += _TONE_LEVEL * np.sin(2 * np.pi * (turns + rng.random()))
    begin = _SOUND_LATE_NS * SOUND_HZ // NS if part is take.parts[0] else 0
    lost = [int(part.t_ns[min(row, len(part.shown))] - first_ns) * SOUND_HZ // NS for row in _SILENT]
    for start in range(begin, count - _BLOCK + 1, _BLOCK):
        if not (start < lost[1] and start + _BLOCK > lost[0]):
            samples = np.rint(32_767 * np.clip(heard[start : start + _BLOCK], -1, 1)).astype(np.int16)
            yield Sound(first_ns + start * NS // SOUND_HZ, samples[:, None], SOUND_HZ, SOUND)
