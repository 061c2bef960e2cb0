"""`rushes library rebuild`: the table anew, from the folders alone."""

from __future__ import annotations

from rushes.cli import show
from rushes.cli.library.shown import AsJson, Root, many, plain, reading, say_looked


def rebuild(root: Root, as_json: AsJson = False) -> None:
    """Read every session anew and write the table from that; what verify found is forgotten."""
    from rushes.store.library import Library

    library = Library(root)
    with reading() as progress:
        items = library.rebuild(progress=progress)
    if as_json:
        show.emit(plain(library, items))
        return
    show.say(f"{library.root}: {many(len(items), 'session')} read anew")
    for item in items:
        if item.problem:
            show.say(f"  left out: {item.problem}")
    say_looked(library)
