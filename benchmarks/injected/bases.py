"""What is spoilt: a session of each kind, made from a seed, and where it lies on the disk made once.

| base | what |
| --- | --- |
| `play`, `sounding` | recorded play in memory (`injected.played`), without and with sound |
| `heard` | a minute of it with sound |
| `long` | two minutes of recorded play, for faults of its inputs |
| `view` | recorded play of 12 s, whose pictures are spoilt |
| `steered` | recorded play whose pictures follow the inputs, in memory (`rushes.worlds.steered.world`) |
| `paused` | two minutes of that |
| `drifting` | ten minutes of that, small |
| `env` | an emulator game of two episodes, held in memory |
| `env_files`, `play_files` | sessions on disk, of an emulator and of recorded play with sound in several chunks |
| `folders` | an emulator game as a foreign format keeps it: a PNG and a text file a frame |
| `rows` | labelled rows of four sessions, split by session and augmented |

Example:
    >>> def one(work):
    ...     return open_base("play", 10_000, work)
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from injected.held import Held
from injected.played import Played, readings
from rushes.capture.env.sample import sample
from rushes.formats.base import convert
from rushes.model.recording import Recording
from rushes.model.sample_table import Samples
from rushes.prepare.augment import augment
from rushes.prepare.merge import merge
from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release
from rushes.prepare.split import split
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter

POOL = 10
"""Sessions of a kind; the faults that are put into one of them differ by their own seed."""
GAMES = ("Pong", "Breakout", "Alien", "Seaquest", "Qbert", "Freeway", "MsPacman", "Asterix", "Boxing", "Enduro")


@dataclass
class Rows:
    """Labelled rows with the recordings that they show."""

    samples: Samples
    recordings: list[Recording]


def play(seed: int, work: Path) -> Recording:
    """Recorded play of 16 s."""
    del work
    return Played(seed=seed)


def view(seed: int, work: Path) -> Recording:
    """Recorded play of 12 s at 20 frames a second, whose pictures are spoilt."""
    from rushes.worlds.steered.world import Steered

    del work
    kind = ("mouse_camera", "mixed", "keys_scroll")[seed % 3]
    return Steered(kind=kind, seconds=12.0, rate_hz=20.0, seed=seed, offset_ms=40.0).recording()


def sounding(seed: int, work: Path) -> Recording:
    """Recorded play of 16 s with sound."""
    del work
    return Played(seed=seed, sound=True)


def heard(seed: int, work: Path) -> Recording:
    """A minute of recorded play with sound; nobody looks at its pictures."""
    del work
    return Played(seed=seed, seconds=(60.0,), size=(64, 144), rate_hz=10.0, sound=True)


def long(seed: int, work: Path) -> Recording:
    """Recorded play of two minutes, for faults that take their time; nobody looks at its pictures."""
    del work
    return Played(seed=seed, seconds=(100.0, 20.0))


def steered(seed: int, work: Path) -> Recording:
    """Recorded play of a minute whose camera and figures follow mouse and keys."""
    from rushes.worlds.steered.world import Steered

    del work
    kind = ("mouse_camera", "mixed", "keys_local", "keys_scroll")[seed % 4]
    return Steered(kind=kind, seconds=60.0, seed=seed, offset_ms=30.0, jitter_ms=2.0, size=(90, 160)).recording()


def paused(seed: int, work: Path) -> Recording:
    """Two minutes of such play, of which each can be a segment long enough to be told by itself."""
    from rushes.worlds.steered.world import Steered

    del work
    kind = ("mouse_camera", "mixed", "keys_local", "keys_scroll")[seed % 4]
    return Steered(kind=kind, seconds=120.0, seed=seed, offset_ms=30.0, jitter_ms=2.0, size=(90, 160)).recording()


def drifting(seed: int, work: Path) -> Recording:
    """Ten minutes of such play, small: over less no drift is told."""
    from rushes.worlds.steered.world import Steered

    del work
    kind = ("mouse_camera", "mixed", "keys_scroll", "keys_local")[seed % 4]
    return Steered(kind=kind, seconds=600.0, rate_hz=20.0, seed=seed, offset_ms=30.0, size=(90, 160)).recording()


def env(seed: int, work: Path) -> Recording:
    """Two episodes of a game."""
    return open_session(env_files(seed, work))


def env_files(seed: int, work: Path) -> Path:
    """Two episodes of a game, on disk."""

    def make(folder: Path) -> Path:
        game = GAMES[seed % len(GAMES)]
        sample(folder, game, frames_per_env=160, max_episodes=2, policy="uniform", seed=seed, workers=1)
        return next(folder.glob("atari_*"))

    return _once(work / "bases" / f"env_{seed}", make)


def folders(seed: int, work: Path) -> Path:
    """The same game as a foreign format keeps it."""

    def make(folder: Path) -> Path:
        convert(env_files(seed, work), folder / "set", format="atari_folders")
        return folder / "set"

    return _once(work / "bases" / f"folders_{seed}", make)


def play_files(seed: int, work: Path) -> Path:
    """Recorded play with sound, on disk, in three chunks."""

    def make(folder: Path) -> Path:
        take = Played(seed=seed, seconds=(4.0, 3.0), sound=True)
        with SessionWriter(folder / "take", take.info, chunk_frames=60) as writer:
            for reading in readings(take):
                writer.write(reading)
        return folder / "take"

    return _once(work / "bases" / f"play_{seed}", make)


def rows(seed: int, work: Path) -> Rows:
    """Presses of Space and moments without one, of four sessions, split by session, with copies."""
    del work
    takes: list[Recording] = [Played(seed=seed * 8 + k, seconds=(14.0,)) for k in range(4)]
    presses, _ = press_release(takes, "MouseLeft", length=2)
    found = merge([presses, negatives(presses, takes, kinds="uniform=1x,near_miss=1x", pixels=False)])
    found = split(found, by="session", parts="train=0.5,test=0.5", seed=seed)
    return Rows(augment(found, recipe="jumpnet", copies=1, splits="train", seed=seed, refuse="skip"), takes)


BASES: dict[str, Callable[[int, Path], Any]] = {
    one.__name__: one
    for one in (play, view, sounding, heard, long, steered, paused, drifting, env, env_files, folders, play_files, rows)
}


@lru_cache(maxsize=4)
def kept(name: str, seed: int, work: Path) -> Any:
    """Give a base; the last few are kept."""
    return BASES[name](seed, work)


def to_spoil(base: Any, scratch: Path, rng: np.random.Generator) -> Any:
    """Give a copy of a base that may be changed: in memory, or in the folder `scratch`."""
    del rng
    if isinstance(base, Path):
        return shutil.copytree(base, scratch / base.name)
    if isinstance(base, Rows):
        return Rows(base.samples, [*base.recordings])
    return Held.of(base)


def _once(folder: Path, make: Callable[[Path], Path]) -> Path:
    """Make a folder unless it is there; two processes may try at once."""
    mark = folder / "where"
    if not mark.exists():
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        made = make(partial / "it").relative_to(partial)
        (partial / "where").write_text(str(made))
        try:
            partial.rename(folder)
        except OSError:
            shutil.rmtree(partial)
    return folder / mark.read_text()
