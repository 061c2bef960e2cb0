"""`rushes qa`: checks, findings, verdict, and repairs beside the recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli import show
from rushes.cli.junit import junit
from rushes.errors import BadInputError
from rushes.model.findings import verdict

if TYPE_CHECKING:
    from rushes.qa.base import Examined
    from rushes.qa.rules import Limits
    from rushes.qa.subject import Expected


def qa(
    path: Annotated[
        Path | None, typer.Argument(help="a session, a folder of them, labelled rows, or any file that can be read")
    ] = None,
    check: Annotated[list[str] | None, typer.Option(help="only this check; may be given several times")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="RULE=NUMBER in the rule's unit; may be given several times")
    ] = None,
    expect_size: Annotated[str, typer.Option(help="WIDTHxHEIGHT that pictures should have")] = "",
    expect_rate_hz: Annotated[float | None, typer.Option(help="frames a second that there should be")] = None,
    expect_picture: Annotated[
        Path | None, typer.Option(help="a screenshot of the game, right side up and in its right colours")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option(help="a recording of the same play, to hold its pictures against")
    ] = None,
    game_latency_ms: Annotated[
        float | None, typer.Option(help="what the game itself takes from input to picture; taken off the offset")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="only descriptions and tables, nothing decoded")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="note verdict and measured offset beside each session, for library and cards")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="note safe repairs beside each session: bad stretches marked, offset stored")
    ] = False,
    rules: Annotated[bool, typer.Option("--rules", help="list every rule with its limit, and end")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    as_junit: Annotated[bool, typer.Option("--junit", help="print JUnit XML")] = False,
) -> None:
    """Check a session or any file that can be read."""
    from rushes.formats.base import open_any
    from rushes.qa.base import examine, figures_of, rules_held

    if rules:
        _list_rules(as_json=as_json)
        return
    if path is None:
        raise typer.BadParameter("a path is missing", param_hint="PATH")
    _refuse_together(check or [], keep=keep, quick=quick, as_json=as_json, as_junit=as_junit)
    limits = _limits(limit or [])
    expected = _expected(expect_size, expect_rate_hz, expect_picture, reference, game_latency_ms)
    sessions = open_any(path)
    with show.bar("session") as bar:
        examined = examine(sessions, check or (), limits=limits, expected=expected, quick=quick, progress=bar)
    findings, (name, reasons) = list(examined.findings), examined.verdict
    if as_json:
        found = [f.to_json() for f in findings]
        measured = {subject.recording.info.id: figures_of(subject) for subject in examined.subjects}
        show.emit(
            {
                "verdict": name,
                "reasons": reasons,
                "figures": examined.figures,
                "findings": found,
                "sessions": measured,
            }
        )
    elif as_junit:
        own = [(subject.recording.info.id, examined.of(subject)) for subject in examined.subjects]
        show.say(junit(own, findings, rules_held(check or (), quick=quick)).rstrip("\n"))
    else:
        show.say_findings(findings)
        rows = f"{len(sessions.samples)} labelled rows, " if sessions.samples else ""
        show.say(f"{name}: {len(sessions)} sessions, {rows}{len(findings)} findings")
    if fix:
        _fix(examined)
    if keep:
        _keep(examined)
    if name == "FAIL":
        raise typer.Exit(1)


def _refuse_together(check: Sequence[str], *, keep: bool, quick: bool, as_json: bool, as_junit: bool) -> None:
    if keep and (check or quick):
        raise BadInputError(
            f"--keep with --{'check' if check else 'quick'}",
            accepts="a verdict of all checks",
            fix="leave one of the two out",
        )
    if as_json and as_junit:
        raise BadInputError("--json and --junit", accepts="one of them", fix="choose one")


def _limits(given: Sequence[str]) -> Limits:
    """Read RULE=NUMBER."""
    from rushes.qa.rules import Limits

    values = {}
    for text in given:
        rule, equals, number = text.partition("=")
        try:
            values[rule.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise BadInputError(f"--limit {text}", accepts="RULE=NUMBER", fix="write it as timing.gap=300")
    return Limits(values)


def _expected(
    size: str, rate_hz: float | None, picture: Path | None, reference: Path | None, game_latency_ms: float | None
) -> Expected:
    """Read what is known beforehand."""
    from rushes.formats.base import open_any
    from rushes.qa.subject import Expected

    pixels = None
    if size:
        width, _, height = size.lower().partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise BadInputError(f"--expect-size {size}", accepts="WIDTHxHEIGHT", fix="write it as 640x360")
        pixels = int(height), int(width)
    other = None
    if reference is not None:
        opened = open_any(reference)
        if len(opened) != 1:
            raise BadInputError(
                f"--reference {reference}, which holds {len(opened)} recordings",
                accepts="one recording",
                fix="name the one that this was made from",
            )
        other = opened[0]
    return Expected(pixels, rate_hz, picture, other, game_latency_ms)


def _list_rules(*, as_json: bool) -> None:
    from rushes.qa.base import every_rule

    found = every_rule().values()
    if as_json:
        show.emit({"rules": [vars(rule) for rule in found]})
        return
    for rule in found:
        limit = "" if rule.limit is None else f"{rule.limit:g} {rule.unit}".strip()
        show.say(f"  {rule.id:30s} {limit:14s} {rule.severity:8s} {rule.what}")


def _keep(examined: Examined) -> None:
    """Note the verdict and the measured offset of each session of ours as side facts of it.

    The verdict is the one that holds with what is stored then, so it does not change when it is asked for again.
    """
    from rushes.qa.base import every_rule, figures_of
    from rushes.qa.repair import AUTHOR, measured_offsets, store_repairs
    from rushes.qa.settled import settled
    from rushes.store.facts import add_fact
    from rushes.store.reader import Session

    for subject in examined.subjects:
        session = subject.recording
        if isinstance(session, Session):
            store_repairs(session.path, measured_offsets(subject))
            name, reasons = verdict(settled(examined.of(subject), session.facts, every_rule()))
            value = {"verdict": name, "reasons": list(reasons), "figures": figures_of(subject)}
            add_fact(session.path, "verdict", value, author=AUTHOR)
        else:
            show.note(f"rushes: the verdict on {session.info.id} is not kept: it is no session of ours")


def _fix(examined: Examined) -> None:
    """Note the safe repairs of each session of ours as side facts of it."""
    from rushes.qa.repair import repairs, store_repairs
    from rushes.store.reader import Session

    for subject in examined.subjects:
        session = subject.recording
        if not isinstance(session, Session):
            show.note(f"rushes: {session.info.id} is no session of ours and stays as it is; convert it first")
            continue
        found = repairs(subject, examined.of(subject))
        stored = store_repairs(session.path, found)
        for repair in found:
            show.note(f"rushes: {session.info.id}: {repair.kind} for {repair.why}")
        told = f"repairs noted: {len(stored.facts)}, there already: {stored.known}"
        show.note(f"rushes: {session.info.id}: {told}" + (f"; before: {stored.backup.name}" if stored.backup else ""))
