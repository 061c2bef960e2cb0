"""The recipe's own library: six short sessions of steered play, five of them with one fault each.

Example (in a project):
    >>> def cell(run):
    ...     return library_source("check_library", progress=run.bar("making sessions"))
    >>> [fault.name for fault in FAULTS if not fault.rule]
    ['nothing_wrong']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rushes.model.clock import NS
from rushes.model.readings import Event, Frame, Reading
from rushes.notebook.alignment.planted_take import Progress, Spoil, write_take
from rushes.notebook.samples import SAMPLES
from rushes.store.atomic import new_folder
from rushes.store.runs import OUTPUTS, project_root
from rushes.worlds.steered.world import Steered

SECONDS: Final = 24.0
RATE_HZ: Final = 30.0
SIZE: Final = (180, 320)
_SEED: Final = 40
_FROM_NS, _GAP_NS, _DARK_NS, _STILL_NS = 9 * NS, 7 * NS // 10, 57 * NS // 10, 9 * NS
_REPEAT_NS, _WAIT_NS = NS // 30, NS // 4


@dataclass(frozen=True)
class Fault:
    """One session of the library.

    Attributes:
        name: Its id.
        rule: The rule that should speak; `""` where nothing is wrong.
        offset_ms: How much later than its stamp an input takes effect.
        spoil: Changes its readings.
    """

    name: str
    rule: str = ""
    offset_ms: float = 40.0
    spoil: Spoil | None = None


def gap(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Leave frames out for 0.7 s, as a machine that hung; the next one says how many."""
    dropped = 0
    for r in readings:
        if isinstance(r, Frame) and _FROM_NS <= r.t_ns < _FROM_NS + _GAP_NS:
            dropped += 1
        elif isinstance(r, Frame) and dropped:
            yield r._replace(dropped_before=r.dropped_before + dropped)
            dropped = 0
        else:
            yield r


def dark(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Make pictures black for 5.7 s, as a grab of the wrong surface."""
    for r in readings:
        black = isinstance(r, Frame) and _FROM_NS <= r.t_ns < _FROM_NS + _DARK_NS
        yield r._replace(pixels=np.zeros_like(r.pixels)) if black and isinstance(r, Frame) else r


def still(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Repeat one picture for 9 s while the hands go on, as a grabber that hung."""
    held = None
    for r in readings:
        if isinstance(r, Frame) and _FROM_NS <= r.t_ns < _FROM_NS + _STILL_NS:
            held = r.pixels if held is None else held
            yield r._replace(pixels=held)
        else:
            yield r


def repeated(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Keep the keyboard's auto-repeat: the key that went down last is pressed again and again, 30 times a second."""
    next_one: Event | None = None
    for r in readings:
        while next_one is not None and next_one.t_ns <= r.t_ns:
            yield next_one
            next_one = next_one._replace(t_ns=next_one.t_ns + _REPEAT_NS)
        if isinstance(r, Event) and r.device == "keyboard" and r.kind == "press":
            next_one = r._replace(t_ns=r.t_ns + _WAIT_NS)
        elif isinstance(r, Event) and next_one is not None and r.kind == "release" and r.control == next_one.control:
            next_one = None
        yield r


FAULTS: Final = (
    Fault("nothing_wrong"),
    Fault("inputs_early", "alignment.offset", offset_ms=250.0),
    Fault("pictures_missing", "timing.gap", spoil=gap),
    Fault("screen_black", "content.black", spoil=dark),
    Fault("screen_frozen", "content.frozen", spoil=still),
    Fault("keys_repeat", "actions.repeats", spoil=repeated),
)


def library_source(name: str, *, root: Path | None = None, progress: Progress | None = None) -> Path:
    """Give the folder with the recipe's own sessions; they are made where they are not there.

    Args:
        name: Of the recipe, without its ending.
        root: Folder that holds `outputs/`; by default the project's.
        progress: Called with (done, total, what) while they are made.

    Returns:
        A folder of sessions, always the same.

    Raises:
        StorageError: The folder cannot be written.
    """
    folder = (root or project_root()) / OUTPUTS / SAMPLES / name
    if not folder.is_dir():
        with new_folder(folder) as partial:
            make_library(partial, progress=progress)
    return folder


def make_library(
    folder: Path, faults: Iterable[Fault] = FAULTS, *, seconds: float = SECONDS, progress: Progress | None = None
) -> None:
    """Write the sessions.

    Args:
        folder: Where to.
        faults: One a session.
        seconds: Length of each, s.
        progress: Called with (done, total, what).
    """
    every = list(faults)
    for number, fault in enumerate(every):
        world = Steered(
            kind="mixed", seconds=seconds, rate_hz=RATE_HZ, seed=_SEED + number, offset_ms=fault.offset_ms, size=SIZE
        )
        write_take(folder / fault.name, name=fault.name, stretches=[world], planted=fault.rule, spoil=fault.spoil)
        if progress is not None:
            progress(number + 1, len(every), "sessions made")
