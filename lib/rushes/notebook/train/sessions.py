"""The notebook's own sessions: what the lessons plan, written through the recorder's writer as any session is.

Pictures are H.264, keys are events at their own times, sound is FLAC with its own times, and a stretch of each session
is marked invalid afterwards. They are made once under `outputs/samples/<notebook>/`; delete the folder for new ones.

Example (a cell of a notebook):
    >>> from rushes.notebook.train.lessons import LESSONS
    >>> def cell(run):
    ...     return lesson_source(run.name, LESSONS["signs"], amount=AMOUNTS["signs"], progress=run.bar("playing"))
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from rushes.capture.encoding import Encoding
from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Event, Frame, Gap, Reading, Sound, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.notebook.samples import SAMPLES
from rushes.notebook.train.lessons import SOUND, SOUND_HZ, Lesson, Part, Take, hand, plan_take, sound
from rushes.notebook.train.signs import View
from rushes.store.atomic import new_folder
from rushes.store.facts import add_fact
from rushes.store.runs import OUTPUTS, project_root
from rushes.store.writer import SessionWriter

Progress = Callable[[int, int, str], None]

_SEED: Final = 2031


@dataclass(frozen=True)
class Amount:
    """How much is played.

    Attributes:
        sessions: How many sessions of a lesson.
        frames: Pictures of each segment of a session.
        size: (height, width) of the pictures in px, even.
    """

    sessions: int
    frames: tuple[int, ...]
    size: tuple[int, int] = (96, 96)

    def __str__(self) -> str:
        return f"{self.sessions}x{'_'.join(map(str, self.frames))}_{self.size[1]}x{self.size[0]}"


AMOUNTS: Final[Mapping[str, Amount]] = MappingProxyType(
    {"signs": Amount(6, (200, 150)), "echo": Amount(7, (260, 190)), "tones": Amount(6, (150, 120))}
)
"""As little as each lesson can be learnt from."""
MORE: Final[Mapping[str, Amount]] = MappingProxyType({name: Amount(9, (300, 220), (180, 320)) for name in AMOUNTS})
"""For a longer training on larger pictures."""


def lesson_source(
    name: str, lesson: Lesson, *, amount: Amount, root: Path | None = None, progress: Progress | None = None
) -> Path:
    """Give the folder with the sessions of a lesson; they are made where they are not there.

    Args:
        name: Of the notebook, without its ending.
        lesson: What is to be learnt from them.
        amount: How much is played.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while they are made.

    Returns:
        A folder of sessions, the same whenever they are made.

    Raises:
        StorageError: The folder cannot be written.
    """
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name / f"{lesson.name}_{amount}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(folder) as partial:
            for number in range(amount.sessions):
                take = plan_take(lesson, number=number + 1, frames=amount.frames)
                make_take(partial / f"{lesson.name}{number + 1}", take, size=amount.size)
                if progress is not None:
                    progress(number + 1, amount.sessions, "")
    return folder


def make_take(path: Path, take: Take, *, size: tuple[int, int]) -> None:
    """Write a session.

    Args:
        path: A new directory.
        take: What happens in it.
        size: (height, width) in px, even.
    """
    lesson, (height, width) = take.lesson, size
    streams = [
        StreamSpec("screen", "frames", "h264", exact=False, width=width, height=height, rate_hz=lesson.rate_hz),
        StreamSpec("events", "events", unit="counts"),
    ]
    if lesson.heard:
        streams.append(StreamSpec(SOUND, "sound", "flac", rate_hz=float(SOUND_HZ)))
    info = SessionInfo(
        id=f"{lesson.name}{take.number}",
        game=lesson.game,
        source={"kind": "synthetic", "name": "lesson"},
        time_source="measured",
        streams=tuple(streams),
        action_space=ActionSpace.from_names(lesson.keys),
        provenance={"seed": _SEED, "number": take.number, "frames": [len(part.shown) for part in take.parts]},
    )
    view = View(size, seed=_SEED + take.number)
    encoding = Encoding("h264", width=width, height=height, rate_hz=lesson.rate_hz)
    with SessionWriter(path, info) as writer, encoding:
        for part in take.parts:
            for reading in _readings(take, part, view, encoding):
                writer.write(reading)
    for part in take.parts:
        if part.marked is not None:
            start, stop = (int(part.t_ns[row]) for row in part.marked)
            add_fact(path, "validity", {"valid": False}, author="lesson", t_start_ns=start, t_end_ns=stop)


def _readings(take: Take, part: Part, view: View, encoding: Encoding) -> Iterator[Reading]:
    pictures = (_picture(take, part, view, row) for row in range(len(part.shown)))
    encoded = _ahead(pictures, encoding)
    ticks = [*part.tick.tolist()]
    dropped = np.diff([ticks[0] - 1, *ticks]) - 1
    rest: list[Event | Sound] = [*hand(take, part), *(sound(take, part) if take.lesson.heard else ())]
    waiting = deque(sorted(rest, key=lambda reading: reading.t_ns))
    yield Start(int(part.t_ns[0]))
    for row, lost in enumerate(dropped.tolist()):
        yield Frame(int(part.t_ns[row]), next(encoded).result(), tick=ticks[row], dropped_before=lost)
        while waiting and waiting[0].t_ns < part.t_ns[row + 1]:
            yield waiting.popleft()
    yield Gap(int(part.t_ns[-1]), "end" if part is take.parts[-1] else "pause")


def _picture(take: Take, part: Part, view: View, row: int) -> npt.NDArray[np.uint8]:
    number, kind = int(part.tick[row]), take.lesson.kind
    if kind == "tone":
        return view.noise(number)
    return (view.arrow if kind == "arrow" else view.lamp)(number, take.cue(part, row))


def _ahead(pictures: Iterator[npt.NDArray[np.uint8]], encoding: Encoding) -> Iterator[Future[Encoded]]:
    """Hand pictures to the encoder some ahead of when they are asked for."""
    waiting: deque[Future[Encoded]] = deque()
    for k, pixels in enumerate(pictures):
        waiting.append(encoding.submit(pixels, key=k == 0))
        if len(waiting) >= encoding.room:
            yield waiting.popleft()
    yield from waiting
