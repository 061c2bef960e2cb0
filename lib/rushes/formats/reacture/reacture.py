"""`reacture`: sets of ReActure, a game in the browser at 10 Hz: pictures, keys and what the game told of itself.

One recording becomes a folder of files (`names`), several become folders of one folder; a target that ends in `.zip`
becomes one ZIP file of the same. Row i of the data file is frame i. Keys and motion of a row are what happened until
the next frame, times are the real ones, and a pause leaves a gap. Beside the game's keys stands what it has no place
for: exact times, segments and input events (`own`). `strict=True` leaves that out and resamples to the exact 100 ms
grid. Pictures that are not 128x128 are averaged to it, as the game's are, unless `size` says otherwise.

Reading takes every form that the game exported: PNG files, arrays (damaged heads are read for what was meant), base64,
arrays cut into one a picture, and sets without pictures. The game stores pictures bottom-up and no file says so:
`bottom_up=true` turns them. What had to be mended is a problem with its count (`remarks`).

Source of the layout: gudlaa/ReActure at d04b59d; at cc09b2e, fb01649 and e46cbf2 the other forms.

Example:
    >>> from rushes.formats.base import get_format
    >>> get_format("reacture").keeps.events
    True
    >>> # convert("sessions/rescue", "rescue.zip", format="reacture", options=["frames=png"])
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from rushes.errors import BadDataError, BadInputError, near
from rushes.formats.base import Format, Progress
from rushes.formats.base import Takes as Accepts
from rushes.formats.card import export
from rushes.formats.imported import Imported, NoFrames
from rushes.formats.inputs import Account
from rushes.formats.nitrogen.capture import has_rows, moved, spoken_of
from rushes.formats.reacture.about import About, info_of
from rushes.formats.reacture.find import Found, find_sets, holds_sets, is_zip
from rushes.formats.reacture.read import read_set
from rushes.formats.reacture.remarks import SENTENCES
from rushes.formats.reacture.rows_write import MODES
from rushes.formats.reacture.write import Plan, write_set
from rushes.formats.reacture.zipped import packed_into
from rushes.formats.report import Keeps, Report
from rushes.formats.session import folder_names, numbered
from rushes.model.findings import Problem
from rushes.model.ledger import Tally
from rushes.model.recording import Recording, Sessions

_FORMS: Final[dict[str, tuple[str, ...]]] = {"png": ("png",), "npy": ("npy",), "both": ("png", "npy")}


@dataclass(frozen=True)
class ReActureOptions:
    """Options of writing, then of reading.

    Attributes:
        strict: The game's files and keys alone, on the exact 100 ms grid; which rows repeat stands in a side file.
        frames: `png`, `npy` or `both`.
        size: Pixels a side. Pictures of another size are averaged to a square of it, which loses what they show
            finer, and are marked in the ledger; 0 leaves them as they are.
        bottom_up: Reading: turn pictures that the game stored bottom-up.
    """

    strict: bool = False
    frames: str = "both"
    size: int = 128
    bottom_up: bool = False


class ReActure(Format):
    """ReActure's sets."""

    name: ClassVar[str] = "reacture"
    looks_for: ClassVar[str] = "reacture_<ms>_data.jsonl with its metadata: a folder, folders in it, or a .zip of them"
    Options: ClassVar[type[Any]] = ReActureOptions
    keeps: ClassVar[Keeps] = Keeps(
        "lossy", times=True, audio=False, rewards=False, names=True, events=True, telemetry=True
    )
    takes: ClassVar[Accepts] = "inputs"

    def keeps_with(self, options: ReActureOptions) -> Keeps:
        """Say what survives: pictures exactly where none is resized; strict has the grid's times and the rows' keys."""
        frames = self.keeps if options.size else replace(self.keeps, frames="exact")
        return replace(frames, times=not options.strict, events=not options.strict)

    def sniff(self, path: Path) -> bool:
        """Look for a data file of a set; see `Format.sniff`."""
        return holds_sets(path)

    def read(self, path: Path, options: ReActureOptions) -> Sessions:
        """Open a set, or all of a folder or an archive; see `Format.read`.

        Raises:
            BadDataError: Nothing sensible can be read.
            BadInputError: `bottom_up` for a set that this program wrote.
        """
        found = find_sets(path)
        if not found:
            raise BadDataError(f"{path}, which holds no set", accepts=self.looks_for, fix="check the path")
        recordings: list[Recording] = []
        for one, name in zip(found, numbered(one.id for one in found), strict=True):
            try:
                made = read_set(one, bottom_up=options.bottom_up)
            except BadDataError as error:
                if len(found) == 1:
                    raise
                made = _unreadable(one, error)
            if made.info.id == one.id:
                made.info = replace(made.info, id=name)
            recordings.append(made)
        return Sessions(recordings, format=self.name)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: ReActureOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write sets; see `Format.write`.

        Raises:
            BadInputError: An option that means nothing, a recording without pictures, or one of which no control has a
                place.
        """
        plan = _plan(options)
        recordings = [recording for recording in source if has_rows(recording)]
        _refuse(recordings)
        total, done = sum(recording.frame_count for recording in source), 0

        def tell(frames: int) -> None:
            nonlocal done
            done += frames
            if progress and frames:
                progress(done, total, "frames written")

        with export(self, source, path, options, folder=not is_zip(path)) as job:
            into: AbstractContextManager[Path] = packed_into(job.partial) if is_zip(path) else nullcontext(job.partial)
            with into as root:
                names = folder_names(recordings) if len(recordings) > 1 else [""]
                for recording, name in zip(recordings, names, strict=True):
                    (root / name).mkdir(exist_ok=True)
                    write_set(recording, root / name, plan, job, executor=executor, tell=tell)
                for recording in source:
                    if not has_rows(recording):
                        job.lose("frames", "without_action", recording.frame_count)
                        job.lose("episodes", "without_action", len(recording.segments))
                        Account(job.tally, frozenset()).close(recording)
        return job.report


def _plan(options: ReActureOptions) -> Plan:
    if options.frames not in _FORMS:
        raise BadInputError(
            f"frames={options.frames!r}", accepts="png, npy or both", fix=near(options.frames, _FORMS) or "leave it out"
        )
    if not 0 <= options.size <= 1 << 13:
        raise BadInputError(
            f"size={options.size}", accepts="pixels a side up to 8192, or 0 for the session's own", fix="write size=128"
        )
    return Plan(options.strict, _FORMS[options.frames], options.size)


def _refuse(recordings: Sequence[Recording]) -> None:
    """Refuse what the format has no place for, before anything is written."""
    if not recordings:
        raise BadInputError(
            "a source without any action",
            accepts="at least one frame on which something could be done",
            fix="`rushes info PATH` says what it holds",
        )
    places = Plan.places() | set(MODES.values())
    for recording in recordings:
        known = spoken_of(recording)
        if not places & (known | moved(recording)):
            raise BadInputError(
                f"{recording.info.id}: none of its controls ({', '.join(sorted(known)[:6]) or 'it has none'}) has a "
                "name in ReActure",
                accepts="play with keyboard, mouse or pad",
                fix="write another format; `rushes info PATH` lists what can be done in the session",
            )


def _unreadable(found: Found, error: BadDataError) -> Imported:
    """Give a set that cannot be read, beside others: a recording without a segment that says why."""
    tally = Tally()
    tally.offer("episodes")
    tally.lose("episodes", "unreadable")
    where = f"{found.place.name}: {found.id}"
    said = Problem("unreadable_set", where, 1, f"{SENTENCES['unreadable_set']}: {error.given}")
    info = info_of(found, About(), ("W", "A", "S", "D"), size=None, measured=False)
    return Imported(info, [], NoFrames(where, "restore it from a copy"), ledger=tally.close(), problems=[said])
