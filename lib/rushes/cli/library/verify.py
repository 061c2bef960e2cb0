"""`rushes library verify`: every file against the hash that was taken when it was written."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli import show
from rushes.cli.library.shown import AsJson, Root, many, reading, say_looked


def verify(
    root: Root,
    sessions: Annotated[
        list[str] | None, typer.Argument(help="ids or names of folders; all where none is named")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold every file against its hash; what is missing, changed or unfinished is listed."""
    from rushes.store.library import DAMAGED, Library

    library = Library(root)
    with reading() as progress:
        checked = library.verify(sessions or (), progress=progress)
    damaged = sum(one.state == DAMAGED for one in checked)
    if as_json:
        found = [
            {
                "id": one.item.id,
                "path": str(one.item.path),
                "state": one.state,
                "problems": [problem.to_json() for problem in one.problems],
            }
            for one in checked
        ]
        counts = {"whole": len(checked) - damaged, "damaged": damaged}
        show.emit({"library": str(library.root), **counts, "sessions": found, "remarks": list(library.remarks)})
    else:
        for one in checked:
            for problem in one.problems:
                show.say(f"  {problem.kind:11s}{problem.where}: {problem.sentence}")
        show.say(f"{library.root}: {many(len(checked) - damaged, 'session')} whole, {damaged} damaged")
        say_looked(library)
    if damaged:
        raise typer.Exit(1)
