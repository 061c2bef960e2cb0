"""`rushes preview`: a contact sheet and a video with the actions beside the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show
from rushes.errors import BadInputError, OccupiedError


def preview(
    path: Annotated[Path, typer.Argument(help="a session, a folder of them, or any file that can be read")],
    out: Annotated[Path | None, typer.Option(help="folder for the two files [default: beside PATH]")] = None,
    seconds: Annotated[float, typer.Option(help="longest length of the video")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Make a contact sheet and a video with the actions beside it."""
    if not seconds > 0:
        raise BadInputError(f"--seconds {seconds:g}", accepts="a number above 0", fix="leave it out for 60 seconds")
    from rushes.formats.base import open_any
    from rushes.preview.contact_sheet import contact_sheet
    from rushes.preview.play_sheet import play_sheet
    from rushes.preview.video import preview_video
    from rushes.store.atomic import storage_errors

    sessions = open_any(path)
    folder = out or path.parent
    sheet, video = folder / f"{path.stem}_contact_sheet.png", folder / f"{path.stem}_preview.mp4"
    for target in (sheet, video):
        if target.exists():
            raise OccupiedError(f"{target}, which exists", accepts="a new file", fix="pass --out with another folder")
    if folder.exists() and not folder.is_dir():
        raise OccupiedError(f"{folder}, which is a file", accepts="a folder", fix="pass --out with another folder")
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
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
