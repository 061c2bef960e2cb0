"""`rushes recover`: what a killed recording left becomes a session again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show
from rushes.store.layout import is_session


def recover(
    path: Annotated[Path, typer.Argument(help="a session, or a folder of them")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Bring back what a killed recording left."""
    from rushes.store import recover as recovery

    folders = [path] if is_session(path) or not path.is_dir() else sorted(p for p in path.iterdir() if is_session(p))
    found = [recovery.recover(folder) for folder in folders or [path]]
    if as_json:
        keys = ("chunks", "frames", "records", "cut_bytes", "damaged_bytes")
        show.emit({"sessions": [{"path": str(f.path)} | {key: getattr(f, key) for key in keys} for f in found]})
        return
    for one in found:
        state = f"{one.frames} frames of {one.chunks} chunks brought back" if one.chunks else "nothing was open"
        cut = f", {one.cut_bytes} bytes of a cut last record left out" if one.cut_bytes else ""
        hole = f", {one.damaged_bytes} damaged bytes left out (journal.damaged)" if one.damaged_bytes else ""
        show.say(f"{one.path}: {state}{cut}{hole}")
