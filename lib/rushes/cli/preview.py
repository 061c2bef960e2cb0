"""`rushes preview`: a contact sheet and a video with the actions beside it; of samples, their first entries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show
from rushes.errors import BadInputError, OccupiedError
from rushes.model.recording import Sessions

_ENTRIES = 5


def preview(
    path: Annotated[Path, typer.Argument(help="a session, a folder of them, a table of samples, or any readable file")],
    out: Annotated[Path | None, typer.Option(help="folder for the files [default: beside PATH]")] = None,
    seconds: Annotated[float, typer.Option(help="longest length of the video")] = 60.0,
    entries: Annotated[
        int | None, typer.Option(help=f"print and show so many first entries [default for samples: {_ENTRIES}]")
    ] = None,
    read_option: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for reading it; may be given several times")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Make a contact sheet and a video with the actions beside it; of samples, print and show the first entries."""
    if not seconds > 0:
        raise BadInputError(f"--seconds {seconds:g}", accepts="a number above 0", fix="leave it out for 60 seconds")
    from rushes.formats.base import open_any

    sessions = open_any(path, options=read_option)
    folder = out or path.parent
    if folder.exists() and not folder.is_dir():
        raise OccupiedError(f"{folder}, which is a file", accepts="a folder", fix="pass --out with another folder")
    if sessions.samples is not None or entries is not None or sessions.format == "jumpnet_raw":
        _entries(sessions, path, folder, _ENTRIES if entries is None else entries, as_json=as_json)
    else:
        _play(sessions, path, folder, seconds, as_json=as_json)


def _play(sessions: Sessions, path: Path, folder: Path, seconds: float, *, as_json: bool) -> None:
    from rushes.preview.contact_sheet import contact_sheet
    from rushes.preview.play_sheet import play_sheet
    from rushes.preview.video import preview_video

    sheet, video = folder / f"{path.stem}_contact_sheet.png", folder / f"{path.stem}_preview.mp4"
    _free(sheet, video)
    film = preview_video(sessions, video, seconds=seconds)
    try:
        if len(sessions) == 1 and not sessions[0].is_environment:
            play_sheet(sessions[0], sheet)
        else:
            contact_sheet(sessions, sheet)
    except BaseException:
        video.unlink(missing_ok=True)  # both or neither: what is left would refuse the next attempt
        raise
    if as_json:
        show.emit({"contact_sheet": str(sheet), "video": str(video)})
        return
    show.say(f"{sheet}")
    show.say(f"{film!r}")


def _entries(sessions: Sessions, path: Path, folder: Path, count: int, *, as_json: bool) -> None:
    from rushes.preview.entries import entries_sheet, entry_text, first_entries

    sheet = folder / f"{path.stem}_entries.png"
    found = first_entries(sessions, count)
    if found.shown:
        _free(sheet)
        entries_sheet(found, sheet, title=path.name)
    if as_json:
        told = {"format": sessions.format, "total": found.total, "kinds": dict(found.counts), "keys": list(found.keys)}
        picture = str(sheet) if found.shown else None
        show.emit({**told, "entries": [entry.to_json() for entry in found.shown], "picture": picture})
        return
    show.say(f"{path}: {sessions.format}, {found.total:,} entries")
    if found.counts:
        show.say("  " + ", ".join(f"{n:,} {kind}" for kind, n in found.counts.items()))
    show.say(f"  keys: {', '.join(found.keys) or 'none'}")
    for number, entry in enumerate(found.shown, 1):
        show.say(entry_text(number, entry))
    if found.shown:
        show.say(f"{sheet}")


def _free(*targets: Path) -> None:
    """See that nothing is in the way, and that the folder is there."""
    from rushes.store.atomic import storage_errors

    for target in targets:
        if target.exists():
            raise OccupiedError(f"{target}, which exists", accepts="a new file", fix="pass --out with another folder")
    with storage_errors(targets[0].parent):
        targets[0].parent.mkdir(parents=True, exist_ok=True)
