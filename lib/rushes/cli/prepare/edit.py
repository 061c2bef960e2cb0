"""`rushes prepare edit`: one sample relabelled, dropped or noted, as a side fact of its session."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.cli import show
from rushes.errors import BadInputError

OPEN = "open"


def edit(
    session: Annotated[Path, typer.Argument(help="the folder of one session")],
    author: Annotated[str, typer.Option(help="who says so")],
    at: Annotated[
        float | None, typer.Option(help="seconds since the session's start, within the sample's frame")
    ] = None,
    frame: Annotated[int | None, typer.Option(help="the last frame of its window, in place of --at")] = None,
    control: Annotated[str, typer.Option(help="what the sample is labelled for, as pairs takes it")] = "",
    label: Annotated[float | None, typer.Option(help="relabel it, 0 to 1")] = None,
    hold: Annotated[str, typer.Option(help="seconds that it is held, or 'open'")] = "",
    weight: Annotated[float | None, typer.Option(help="its weight in training")] = None,
    drop: Annotated[
        bool | None, typer.Option("--drop/--keep", help="leave it out of every table, or take it back")
    ] = None,
    note: Annotated[str, typer.Option(help="a note about what is to be seen there")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Edit the sample at a place, for every later table; the session's raw streams stay as they are."""
    from rushes.model.clock import NS
    from rushes.prepare import edits

    t_ns = None if at is None else round(at * NS)
    wanted: dict[str, Any] = {"label": label, "weight": weight, "drop": drop}
    changes = {column: value for column, value in wanted.items() if value is not None}
    if hold:
        changes["hold_s"] = None if hold == OPEN else _seconds(hold)
    if not changes and not note.strip():
        raise BadInputError(
            "no edit", accepts="--label, --hold, --weight, --drop, --keep or --note", fix="say what to do"
        )
    if changes and not control:
        raise BadInputError(
            "an edit without --control", accepts="what the sample is labelled for", fix="add --control w"
        )
    for column, value in changes.items():
        edits.check_value(column, value)  # all or none
    place = {"t_ns": t_ns, "frame_index": frame}
    facts = [
        edits.relabel(session, column, value=value, control=control, author=author, **place)
        for column, value in changes.items()
    ]
    if note.strip():
        facts.append(edits.note(session, note, author=author, **place))
    if as_json:
        show.emit({"session": str(session), "facts": [asdict(fact) for fact in facts]})
        return
    for fact in facts:
        start, end = ((t or 0) / NS for t in (fact.t_start_ns, fact.t_end_ns))
        said = fact.value["text"] if fact.kind == "note" else f"{fact.value['column']} = {fact.value['value']['value']}"
        show.say(f"{session}: {start:.3f} to {end:.3f} s: {said} ({fact.id})")
    show.say("next: make the table again with rushes prepare pairs; the edit is applied there")


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInputError(f"--hold {text}", accepts="seconds, or open", fix="write --hold 0.25") from None
