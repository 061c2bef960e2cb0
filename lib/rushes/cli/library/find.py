"""`rushes library list` and `rushes library find`: sessions as a table."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli import show
from rushes.cli.library.shown import AsJson, Root, plain, reading, say_items


def list_all(root: Root, as_json: AsJson = False) -> None:
    """List all sessions."""
    from rushes.store.library import Library

    library = Library(root)
    with reading() as progress:
        items = library.items(progress=progress)
    if as_json:
        show.emit(plain(library, items))
        return
    say_items(library, items)


def find(
    root: Root,
    text: Annotated[str, typer.Argument(help="stands in the id, the folder, the game, a tag or a note")] = "",
    game: Annotated[list[str] | None, typer.Option(help="only this game; may be given several times")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="with this tag; several must all be there")] = None,
    verdict: Annotated[
        list[str] | None, typer.Option(help="PASS, WARN or FAIL, '' for those that nobody judged; may be repeated")
    ] = None,
    min_duration: Annotated[float, typer.Option(help="seconds that it lasts at least")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Find sessions; what is asked for must all be so."""
    from rushes.store.library import Library

    library = Library(root)
    with reading() as progress:
        items = library.find(
            text, game=game, tag=tag, verdict=verdict or None, min_duration_s=min_duration, progress=progress
        )
    if as_json:
        show.emit(plain(library, items))
        return
    say_items(library, items, of=library.looked.sessions)
