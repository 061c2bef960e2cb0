"""`rushes merge`: the merged files of a NitroGen Capture folder, made anew from its chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show


def merge(
    root: Annotated[Path | None, typer.Argument(help="a folder with actions_chunk_001.npy and its like")] = None,
    root_option: Annotated[Path | None, typer.Option("--root", help="the same, as dataset_merge.py spells it")] = None,
    fps: Annotated[float, typer.Option(help="frames a second, where no meta.json says it")] = 30.0,
    trust_numbers: Annotated[
        bool,
        typer.Option("--trust-numbers", help="without meta.json, do not ask whether later chunks are older files"),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Make the merged files of a NitroGen Capture folder anew."""
    from rushes.formats.nitrogen import merge as nitrogen_merge

    given = [path for path in (root, root_option) if path is not None]
    if len(given) != 1:
        raise typer.BadParameter("name one folder: rushes merge ROOT, or rushes merge --root ROOT")
    done = nitrogen_merge.merge(given[0], fps=fps, trust_numbers=trust_numbers)
    if as_json:
        show.emit(done.to_json())
        return
    show.say(f"{done.root}: {done.rows} rows of {done.chunks} chunks, {done.pictures} of them with their pictures")
    show.say(f"  written: {', '.join(done.files)}")
    for problem in done.problems:
        show.say(f"  {problem.count} x {problem.kind}: {problem.sentence} (first: {problem.where})")
