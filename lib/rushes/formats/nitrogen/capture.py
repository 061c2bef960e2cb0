"""Sets of the NitroGen Capture program: chunks of pictures with an array of keys and one of mouse motion beside them.

```
<root>/frames/chunk_001/000001.png ...    RGB, as large as it was; the number begins anew in each chunk
       actions_chunk_001.npy              int8 (n, A): 1 where the key is down
       mouse_deltas_chunk_001.npy         float32 (n, 2): dx, dy, +y down
       frame_indices_chunk_001.npy        int64 (n,)
       t_ns_chunk_001.npy                 int64 (n,): ours alone; strict leaves it out
       actions.npy mouse_deltas.npy frame_indices.npy dataset.npz dataset.pt meta.json
```

One recording becomes one such folder, several become folders of one folder, named as sessions are. A row is what
happened from its frame to the next one; `frame_indices` are ticks, so that a drop is a gap. `strict=True` writes what
the program itself writes, with its own interval (see `nitrogen_capture_write`); reading such a set moves motion back by
one row (`nitrogen_capture_read`). What stands in a folder is taken in the order of the chunks' numbers, and a folder
with chunks of an earlier run is refused (`chunks_stale`).

Source of the layout: taisrisk/frame-capture at 4ff5523, and at 0049d7a what came later.

Example:
    >>> # convert("sessions/doom", "dataset/session1", format="nitrogen_capture", options=["strict=true"])
    >>> CaptureOptions(layout="capture85").chunk_size
    500
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rushes.errors import BadInputError
from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import export
from rushes.formats.imported import ASSUMED_HZ
from rushes.formats.inputs import Account, Rows
from rushes.formats.nitrogen.capture_names import MOTION, key_layout
from rushes.formats.nitrogen.capture_read import LEAST_FPS, MOST_FPS, read_set
from rushes.formats.nitrogen.capture_write import Plan, write_set
from rushes.formats.nitrogen.chunks_find import looks_like_chunks
from rushes.formats.nitrogen.noted import STRICT_PAIRING
from rushes.formats.report import Keeps, Report
from rushes.formats.session import folder_names
from rushes.model.actions import ActionSpace
from rushes.model.controls import POINTER, action_buttons
from rushes.model.recording import Recording, Sessions
from rushes.store.pad_maps import read_pad_map
from rushes.store.pairing import delay_of


@dataclass(frozen=True)
class CaptureOptions:
    """Options of writing, then of reading.

    Attributes:
        strict: Exactly the files, keys and rows of the program at 4ff5523.
        chunk_size: Rows a chunk.
        layout: `capture28`, `capture25_keys` or `capture85`.
        pad_map: A TOML file that says which keys stand for a pad's controls; empty takes the default.
        action_delay_ms: Moves inputs this much later: a number, or `measured`.
        fps: Reading: frames a second where the set does not say it.
        trust_numbers: Reading: where meta.json is missing, do not ask whether the files of later chunks are older.
    """

    strict: bool = False
    chunk_size: int = 500
    layout: str = "capture28"
    pad_map: str = ""
    action_delay_ms: str = "0"
    fps: float = ASSUMED_HZ
    trust_numbers: bool = False


class NitrogenCapture(Format):
    """The folders of the NitroGen Capture program."""

    name: ClassVar[str] = "nitrogen_capture"
    looks_for: ClassVar[str] = (
        "a folder with actions_chunk_001.npy and frames/chunk_001/, or with actions.npy and a meta.json that lists "
        "chunks, or a folder of such folders"
    )
    Options: ClassVar[type[Any]] = CaptureOptions
    keeps: ClassVar[Keeps] = Keeps("exact", times=True, audio=False, rewards=False, names=True, events=False)
    takes: ClassVar[Takes] = "inputs"

    def keeps_with(self, options: CaptureOptions) -> Keeps:
        """Say what survives with these options: a strict set has no times."""
        return replace(self.keeps, times=not options.strict)

    def sniff(self, path: Path) -> bool:
        """Say whether a folder is a set or holds some."""
        return path.is_dir() and next(_roots(path), None) is not None

    def read(self, path: Path, options: CaptureOptions) -> Sessions:
        """Open a set, or all of a folder; see `Format.read`.

        Raises:
            BadInputError: `fps` is no rate.
            BadDataError: Nothing sensible can be read, chunks of an earlier run lie there, or a path in meta.json leads
                out of the folder.
        """
        if not np.isfinite(options.fps) or not LEAST_FPS <= options.fps <= MOST_FPS:
            raise BadInputError(f"fps={options.fps!r}", accepts="frames a second, above 0", fix="write fps=30")
        found = [read_set(root, fps=options.fps, trust_numbers=options.trust_numbers) for root in _roots(path)]
        return Sessions(found, format=self.name)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: CaptureOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write sets; see `Format.write`.

        Raises:
            BadInputError: A layout or a chunk size that does not exist, or a recording of which no control has a place.
        """
        recordings = [recording for recording in source if has_rows(recording)]
        if not recordings:
            raise BadInputError(
                "a source without any action",
                accepts="at least one frame on which something could be done",
                fix="`rushes info PATH` says what it holds",
            )
        plans = [_plan(recording, options) for recording in recordings]
        total, done = sum(recording.frame_count for recording in source), 0

        def tell(frames: int) -> None:
            nonlocal done
            done += frames
            if progress:
                progress(done, total, "frames written")

        with export(self, source, path, options, folder=True) as job:
            if options.strict:
                job.pairing = STRICT_PAIRING
            names = folder_names(recordings) if len(recordings) > 1 else [""]
            for recording, plan, name in zip(recordings, plans, names, strict=True):
                root = job.partial / name
                root.mkdir(exist_ok=True)
                write_set(recording, root, plan, job, executor=executor, tell=tell)
            for recording in source:
                if not has_rows(recording):
                    job.lose("frames", "without_action", recording.frame_count)
                    job.lose("episodes", "without_action", len(recording.segments))
                    Account(job.tally, frozenset()).close(recording)
                    tell(recording.frame_count)
        return job.report


def _roots(path: Path) -> Iterator[Path]:
    """Find sets: the folder itself, or those in it."""
    if looks_like_chunks(path):
        yield path
        return
    for child in sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")):
        if looks_like_chunks(child):
            yield child


def _plan(recording: Recording, options: CaptureOptions) -> Plan:
    """Find out how a recording is to be written; nothing is written yet."""
    if options.chunk_size < 1:
        raise BadInputError(
            f"chunk_size={options.chunk_size}", accepts="rows a chunk, 1 or more", fix="write chunk_size=500"
        )
    keys = key_layout(options.layout)
    pad_map = read_pad_map(options.pad_map, game=recording.info.game)
    rows = Rows(ActionSpace("buttons", (*keys.slots, *MOTION)), pad_map)
    if not rows.controls & spoken_of(recording) and not rows.controls & moved(recording):
        known = sorted(spoken_of(recording))
        raise BadInputError(
            f"{recording.info.id}: none of its controls ({', '.join(known[:6]) or 'it has none'}) has a place in "
            f"{options.layout}",
            accepts="play with keyboard, mouse or pad",
            fix="write another format; `rushes info PATH` lists what can be done in the session",
        )
    delay_ms = delay_of(recording, options.action_delay_ms)
    return Plan(
        options.strict, options.chunk_size, rows, pad_map.name, delay_ms, round(recording.rate_hz, 6) or ASSUMED_HZ
    )


def has_rows(recording: Recording) -> bool:
    """Say whether something could be done on any frame of a recording.

    Args:
        recording: Any recording.
    """
    if recording.is_environment:
        return any(len(recording.steps(segment.index)) for segment in recording.segments)
    return recording.frame_count > 0


def spoken_of(recording: Recording) -> frozenset[str]:
    """Name the physical controls that a recording's action space speaks of.

    Args:
        recording: Any recording.
    """
    space = recording.info.action_space
    if space.kind == "discrete":
        return frozenset(button for name in space.names if "/" in name for button in action_buttons(name))
    return frozenset(control for slot in space.slots for control in (*slot.plus, *slot.minus))


def moved(recording: Recording) -> frozenset[str]:
    """Name the physical controls in a recording's events.

    Args:
        recording: Any recording.
    """
    named = set(recording.events()["control"].tolist())
    return frozenset((named - {POINTER}) | ({"MouseDX"} if POINTER in named else set()))
