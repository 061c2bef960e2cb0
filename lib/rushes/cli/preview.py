"""`rushes preview`: a contact sheet and a video with the actions beside the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show
from rushes.errors import OccupiedError


def preview(
    path: Annotated[Path, typer.Argument(help="a session, a folder of them, or any file that can be read")],
    out: Annotated[Path | None, typer.Option(help="folder for the two files [default: beside PATH]")] = None,
    seconds: Annotated[float, typer.Option(help="longest length of the video")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Make a contact sheet and a video with the actions beside it."""
    from rushes.formats.base import open_any
    from rushes.preview.contact_sheet import contact_sheet
    from rushes.preview.video import preview_video

    sessions = open_any(path)
    folder = out or path.parent
    sheet, video = folder / f"{path.stem}_contact_sheet.png", folder / f"{path.stem}_preview.mp4"
    for target in (sheet, video):
        if target.exists():
            raise OccupiedError(f"{target}, which exists", accepts="a new file", fix="pass --out with another folder")
    folder.mkdir(parents=True, exist_ok=True)
    contact_sheet(sessions, sheet)
    film = preview_video(sessions, video, seconds=seconds)
    if as_json:
        show.emit({"contact_sheet": str(sheet), "video": str(video)})
        return
    show.say(f"{sheet}")
    show.say(f"{film!r}")
