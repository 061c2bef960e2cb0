"""Tables of samples from files and into files, for every step of `rushes prepare`.

What is read may be any file that holds labelled rows: our Parquet table, a JumpNet NPZ. What is written is a table, or
a JumpNet file where the target ends in `.npz`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rushes.cli import show
from rushes.errors import BadInputError, RushesError
from rushes.model.actions import ActionSpace
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame

TABLE, NPZ = ".parquet", ".npz"

Target = Annotated[Path, typer.Argument(help="a new table (.parquet) or JumpNet file (.npz); nothing is overwritten")]
Source = Annotated[Path, typer.Argument(help="a table of samples, or any file that holds some (a JumpNet .npz)")]
ReadOption = Annotated[
    list[str] | None, typer.Option(help="KEY=VALUE for reading the source; may be given several times")
]
Strict = Annotated[bool, typer.Option(help="of a .npz target: write exactly the reference's form")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
Seed = Annotated[int, typer.Option(help="of all draws; the same seed gives the same rows")]

_EMPTY: Final = Samples(samples_frame(), ActionSpace.from_names(()))
_SHOWN: Final = 8
"""Problems that are told at the most."""


@dataclass(frozen=True)
class Opened:
    """A set of samples with the recordings that are there.

    Attributes:
        samples: The rows.
        recordings: Of its pixels; marked stretches are left out.
    """

    samples: Samples
    recordings: tuple[Recording, ...]


def open_recordings(path: Path, options: Sequence[str] | None) -> Sessions:
    """Open recordings of any format, without what is marked invalid; what had to be worked around is told."""
    from rushes.formats.base import open_any
    from rushes.store.validity import honour_all

    sessions = honour_all(open_any(path, options=options))
    for problem in sessions.problems[:_SHOWN]:
        show.note(f"{path}: {problem.kind} ({problem.count}): {problem.sentence}")
    return sessions


def open_samples(path: Path, options: Sequence[str] | None = None, *, bare: bool = False) -> Opened:
    """Open a file that holds labelled rows.

    Args:
        path: The file.
        options: For reading it.
        bare: Take recordings alone too, as a set without rows.

    Raises:
        BadInputError: It holds recordings alone.
    """
    from rushes.formats.samples import labelled

    sessions = open_recordings(path, options)
    samples = _EMPTY if bare and sessions.samples is None else labelled(sessions)
    return Opened(_placed(samples, sessions, path, options), tuple(sessions))


def with_more(opened: Opened, paths: Sequence[Path], options: Sequence[str] | None = None) -> Opened:
    """Add recordings that a set knows nothing of yet."""
    samples, recordings = opened.samples, {r.info.id: r for r in opened.recordings}
    for path in paths:
        sessions = open_recordings(path, options)
        samples = _placed(samples, sessions, path, options)
        recordings |= {r.info.id: r for r in sessions if r.info.id not in recordings}
    return Opened(samples, tuple(recordings.values()))


def with_sources(opened: Opened) -> Opened:
    """Open the recordings too that a set names and has no row of, as one in which nothing was pressed."""
    rows, recordings = opened.samples.rows, {r.info.id: r for r in opened.recordings}
    known = {*recordings, *rows["session"], *rows["action_session"]}
    for source in dict.fromkeys(s for name, s in opened.samples.sources.items() if name not in known):
        try:
            found = open_recordings(Path(source.path), source.options)
        except (RushesError, OSError) as error:
            show.note(f"{source.path}: left out: {error}")
            continue
        recordings |= {r.info.id: r for r in found if r.info.id in opened.samples.sources and r.info.id not in known}
    return Opened(opened.samples, tuple(recordings.values()))


def _placed(samples: Samples, sessions: Sessions, path: Path, options: Sequence[str] | None) -> Samples:
    """Note where recordings of a foreign file lie, unless the set says it."""
    from rushes.formats.options import absolute
    from rushes.model.sample_table import Source as Place
    from rushes.prepare.press_release import with_sources

    unnamed = [recording for recording in sessions if recording.info.id not in samples.sources]
    return with_sources(samples, unnamed, Place(str(path), absolute(options)))


def each_once(opened: Sequence[Opened]) -> tuple[Recording, ...]:
    """Give the recordings of several sets, each once."""
    return tuple({recording.info.id: recording for one in opened for recording in one.recordings}.values())


def check_target(target: Path, *beside: Path, strict: bool = False) -> None:
    """Refuse a target before any work is done.

    Raises:
        BadInputError: It is neither a table nor a JumpNet file, or `strict` is asked of a table.
        OccupiedError: It, or what is written beside it, exists.
    """
    from rushes.store.atomic import refuse_occupied

    if target.suffix.lower() not in {TABLE, NPZ} or (strict and target.suffix.lower() != NPZ):
        raise BadInputError(
            f"target {target}{' with --strict' if strict else ''}",
            accepts=f"a file that ends in {NPZ}" if strict else f"a file that ends in {TABLE} or {NPZ}",
            fix="leave --strict out for a table" if strict else "name it so",
        )
    for path in (target, *beside):
        if path.is_dir():
            raise BadInputError(f"{path}, a folder", accepts="the path of a new file", fix="name a file in it")
        refuse_occupied(path)


def _write(samples: Samples, target: Path, recordings: Sequence[Recording], *, strict: bool = False) -> int:
    """Write a set, a table or a JumpNet file, and say how many of its rows stand in it."""
    from rushes.formats.base import convert
    from rushes.store.samples import write_samples

    if target.suffix.lower() == TABLE:
        write_samples(samples, target)
        return len(samples)
    source = Sessions(recordings, format="prepare", samples=samples)
    with show.bar("sample") as bar:
        report = convert(source, target, format="jumpnet", options=["strict=true"] if strict else None, progress=bar)
    for stream, account in report.ledger.items():
        for what, count in (*account.lost.items(), *account.marked.items()):
            show.note(f"{target}: {stream}: {count} {what}")
    return report.written["samples"]


def finish(
    samples: Samples,
    target: Path,
    recordings: Sequence[Recording],
    before: int,
    *,
    strict: bool,
    as_json: bool,
    following: str,
    lines: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write what a step made, and say what it is.

    Args:
        samples: What it made.
        target: Where it shall stand.
        recordings: Where its pixels lie.
        before: Steps that were done before it.
        strict: Write exactly the reference's form.
        as_json: Print one JSON object.
        following: What comes next, as a command.
        lines: What else is said in words.
        more: What else the object holds.
    """
    written = _write(samples, target, recordings, strict=strict)
    steps = samples.steps[before:]
    if as_json:
        told = {
            "target": str(target),
            "rows": written,
            "kinds": samples.count("kind"),
            "splits": samples.count("split"),
            "steps": [step.to_json() for step in steps],
        }
        show.emit(told | dict(more or {}))
        return
    kinds = ", ".join(f"{n} {kind}" for kind, n in samples.count("kind").items())
    left_out = f"; {len(samples) - written} of them have no place in this form" * (written < len(samples))
    show.say(f"{target}: {written} rows{f' (of {kinds})' if left_out else f' ({kinds})' * bool(kinds)}{left_out}")
    for line in lines:
        show.say(f"  {line}")
    for step in steps:
        show.say_ledger(step.ledger)
    show.say(f"next: {following}")
