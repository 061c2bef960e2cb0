"""`rushes library tag`: words on sessions, as side facts."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli import show
from rushes.cli.library.shown import AsJson, Root
from rushes.errors import BadInputError


def tag(
    root: Root,
    sessions: Annotated[list[str], typer.Argument(help="ids of sessions, or names of their folders")],
    add: Annotated[list[str] | None, typer.Option(help="a tag to put on; may be given several times")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="a tag to take off; may be given several times")] = None,
    author: Annotated[str, typer.Option(help="who says so")] = "library",
    as_json: AsJson = False,
) -> None:
    """Tag sessions; a tag is a line in the session's facts.jsonl and goes with every copy."""
    from rushes.store.library import Library

    if not add and not remove:
        raise BadInputError("no tag", accepts="--add TAG or --remove TAG", fix="say `--add boss`")
    library = Library(root)
    items = library.tag(sessions, add=add or (), remove=remove or (), author=author)
    if as_json:
        tagged = [{"id": item.id, "path": str(item.path), "tags": list(item.tags)} for item in items]
        show.emit({"library": str(library.root), "sessions": tagged})
        return
    for item in items:
        show.say(f"{item.path}: {', '.join(item.tags) or 'no tag'}")
