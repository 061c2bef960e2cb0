"""`rushes convert`: anything that can be read into a format."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final

import typer

from rushes.cli import show

MANY: Final = 20_000
"""Frames from which starting a process a core is worth its two seconds."""


def convert(
    source: Annotated[Path, typer.Argument(help="a session, a folder of them, or any file that can be read")],
    target: Annotated[Path, typer.Argument(help="a new file or folder; nothing is ever overwritten")],
    format_name: Annotated[str, typer.Option("--format", help="name of the format; `rushes doctor` lists them")],
    option: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for the format; may be given several times")
    ] = None,
    read_option: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for reading the source; may be given several times")
    ] = None,
    game: Annotated[
        list[str] | None, typer.Option(help="only recordings of this game, all where none is named; may be repeated")
    ] = None,
    action_delay_ms: Annotated[
        str, typer.Option(help="move inputs so many ms later first; 'measured' takes each session's own offset")
    ] = "",
    strict: Annotated[
        bool, typer.Option(help="write exactly the reference's form; short for --option strict=true")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Convert anything that can be read to a format."""
    from rushes.capture.env.work import pool
    from rushes.formats import base
    from rushes.formats.games import of_games
    from rushes.formats.options import parse_options

    options = [*(option or []), *(["strict=true"] if strict else [])]
    form = base.get_format(format_name)
    parse_options(form.Options, options)  # before a long source is opened
    sessions = of_games(base.open_any(source, options=read_option), game)
    many = (
        form.takes in {"steps", "any"} and sum(s.frame_count for s in sessions) > MANY
    )  # the others work on threads as fast
    with pool(None, workers=0, tasks=MANY) if many else nullcontext() as executor, show.bar("frame") as bar:
        report = base.convert(
            sessions,
            target,
            format=format_name,
            options=options,
            action_delay_ms=action_delay_ms,
            executor=executor,
            progress=bar,
        )
    if as_json:
        show.emit(report.to_json())
        return
    written = ", ".join(f"{count} {what}" for what, count in report.written.items())
    show.say(f"{report.target}: {report.format}, {written}")
    show.say_ledger(report.ledger)
    show.say(f"  kept: {', '.join(report.kept)}; lost: {', '.join(report.lost) or 'nothing'}")
