"""Two short planted sessions of two games, one with sound, for the recipe about training files.

A hand walks, looks around and shoots over a drawn landscape; in the first game each press is heard as a click. Always
the same.

Example:
    >>> import tempfile
    >>> from rushes.store.reader import open_session
    >>> make_take(Path(tempfile.mkdtemp()) / "take", GAMES[0], frames=(5,))
    >>> # open_session(...).sound_streams[0].name == "system"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.readings import Event, Frame, Gap, Sound, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.notebook.desktop_sample import plan_hand
from rushes.notebook.samples import SAMPLES
from rushes.store.atomic import new_folder
from rushes.store.runs import OUTPUTS, project_root
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

Progress = Callable[[int, int, str], None]

SIZE: Final = (180, 320)
"""(height, width) of the pictures in px."""
RATE_HZ: Final = 30
SOUND_HZ: Final = 16_000
_CONTROLS: Final = ("KeyW", "KeyA", "KeyD", "Space", "MouseLeft", "MouseDX", "MouseDY")
_CLICK: Final = (12_000 * np.sin(np.arange(160) * 2 * np.pi * 2000 / SOUND_HZ)).astype(np.int16)


@dataclass(frozen=True)
class Game:
    """A game of the sample.

    Attributes:
        name: As people say it.
        frames: Of each of its segments.
        sounds: Whether presses are heard.
    """

    name: str
    frames: tuple[int, ...]
    sounds: bool

    @property
    def seed(self) -> int:
        """Of its landscape and its hand."""
        return len(self.name)


GAMES: Final = (Game("Ridge Run", (150, 60), sounds=True), Game("Harbour", (90,), sounds=False))


def portable_source(name: str, *, root: Path | None = None, progress: Progress | None = None) -> Path:
    """Give the folder with a notebook's own two sessions; they are made where they are not there.

    Args:
        name: Of the notebook, without its ending.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while they are made.

    Raises:
        StorageError: The folder cannot be written.
    """
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name
    if not folder.is_dir():
        with new_folder(folder) as partial:
            for number, game in enumerate(GAMES):
                make_take(partial / game.name.replace(" ", "_"), game)
                if progress:
                    progress(number + 1, len(GAMES), "sessions made")
    return folder


def make_take(path: Path, game: Game, *, frames: tuple[int, ...] = ()) -> None:
    """Write one session.

    Args:
        path: A new directory.
        game: What is played.
        frames: Of each segment, where not as the game says.
    """
    lengths = frames or game.frames
    height, width = SIZE
    streams = [
        StreamSpec("screen", "frames", "png", width=width, height=height, rate_hz=RATE_HZ),
        StreamSpec("events", "events", unit="counts"),
    ]
    if game.sounds:
        streams.append(StreamSpec("system", "sound", "flac", rate_hz=SOUND_HZ))
    info = SessionInfo(
        id=f"portable-{game.name.lower().replace(' ', '-')}-{'-'.join(map(str, lengths))}",
        game=game.name,
        source={"kind": "synthetic", "name": "desktop"},
        time_source="nominal",
        streams=tuple(streams),
        action_space=ActionSpace.from_names(_CONTROLS),
        provenance={"seed": game.seed, "frames": list(lengths)},
    )
    scenery, tick = Scenery(SIZE, seed=game.seed), 0
    with SessionWriter(path, info) as writer:
        for number, count in enumerate(lengths):
            for reading in _stretch(game, scenery, number, tick, count):
                writer.write(reading)
            tick += count + RATE_HZ


def _stretch(
    game: Game, scenery: Scenery, number: int, tick: int, count: int
) -> Iterator[Start | Frame | Event | Sound | Gap]:
    times = [round((tick + k) * NS / RATE_HZ) for k in range(count + 1)]
    hand = plan_hand(seed=game.seed + number, seconds=count / RATE_HZ - 0.002)
    known = [e._replace(t_ns=e.t_ns + times[0]) for e in hand if e.control in {*_CONTROLS, "Mouse"}]
    yield Start(times[0])
    at = 0
    for k in range(count):
        yield Frame(times[k], scenery.picture(tick + k), tick=tick + k)
        if game.sounds:
            yield Sound(times[k], _heard(known, times[k], times[k + 1]), SOUND_HZ, "system")
        while at < len(known) and known[at].t_ns < times[k + 1]:
            yield known[at]
            at += 1
    yield Gap(times[-1], "pause")


def _heard(events: list[Event], start_ns: int, end_ns: int) -> np.ndarray:
    """Make the sound of a frame: silence, and a click at its start where something was pressed."""
    made = np.zeros((round(end_ns * SOUND_HZ / NS) - round(start_ns * SOUND_HZ / NS), 1), np.int16)
    if any(e.kind == "press" and start_ns <= e.t_ns < end_ns for e in events):
        made[: len(_CLICK), 0] = _CLICK
    return made
