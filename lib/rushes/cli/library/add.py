"""`rushes library add`: sessions from elsewhere, copied or linked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show
from rushes.cli.library.shown import AsJson, Root, many, reading


def add(
    root: Root,
    paths: Annotated[list[Path], typer.Argument(help="sessions, folders of them, or other libraries")],
    link: Annotated[
        bool, typer.Option("--link", help="refer to them where they are, by symbolic links, in place of copies")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy sessions into a library, which is made where there is none; the sources stay as they are."""
    from rushes.store.atomic import storage_errors
    from rushes.store.library import Library
    from rushes.store.library_copy import sessions_at

    for path in paths:
        sessions_at(path)  # all of them, before anything is made
    folder = Path(root)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    library, added = Library(folder), []
    for path in paths:
        with reading() as progress:
            found = library.add(path, link=link, progress=progress)
        added += found
        for one in found if not as_json else ():
            how = ("linked" if link else "copied") if one.is_new else "there already"
            show.say(f"{one.path}: {how} ({one.source})")
    new = sum(one.is_new for one in added)
    if as_json:
        sessions = [{"source": str(one.source), "path": str(one.path), "new": one.is_new} for one in added]
        show.emit({"library": str(folder), "sessions": sessions, "remarks": list(library.remarks)})
        return
    show.say(f"{folder}: {many(new, 'session')} added, {len(added) - new} there already")
