"""`rushes convert`: anything that can be read into a format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show


def convert(
    source: Annotated[Path, typer.Argument(help="a session, a folder of them, or any file that can be read")],
    target: Annotated[Path, typer.Argument(help="a new file or folder; nothing is ever overwritten")],
    format_name: Annotated[str, typer.Option("--format", help="name of the format; `rushes doctor` lists them")],
    option: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for the format; may be given several times")
    ] = None,
    strict: Annotated[
        bool, typer.Option(help="write exactly the reference's form; short for --option strict=true")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Convert anything that can be read to a format."""
    from rushes.formats import base

    options = [*(option or []), *(["strict=true"] if strict else [])]
    with show.bar("frame") as bar:
        report = base.convert(source, target, format=format_name, options=options, progress=bar)
    if as_json:
        show.emit(report.to_json())
        return
    written = ", ".join(f"{count} {what}" for what, count in report.written.items())
    show.say(f"{report.target}: {report.format}, {written}")
    show.say_ledger(report.ledger)
    show.say(f"  kept: {', '.join(report.kept)}; lost: {', '.join(report.lost) or 'nothing'}")
