"""`rushes qa`: checks, findings, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from rushes.cli import show
from rushes.errors import BadInputError
from rushes.model.findings import Finding, verdict
from rushes.model.recording import Sessions

FIGURES = ("offset_ms", "offset_low_ms", "offset_high_ms", "drift_ppm", "rate_hz")
"""Figures that a verdict names, null where nothing measured them."""


def qa(
    path: Annotated[
        Path, typer.Argument(help="a session, a folder of them, labelled rows, or any file that can be read")
    ],
    check: Annotated[list[str] | None, typer.Option(help="only this check; may be given several times")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="note each session's verdict beside it, where `rushes library` shows it")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Check a session or any file that can be read."""
    from rushes.formats.base import open_any
    from rushes.qa.base import run_checks

    if keep and check:
        raise BadInputError(
            "--keep with --check", accepts="a verdict of all checks", fix="leave out --check, or do not keep it"
        )
    sessions = open_any(path)
    with show.bar("session") as bar:
        findings = run_checks(sessions, check or (), progress=bar)
    name, reasons = verdict(findings)
    if as_json:
        show.emit(
            {
                "verdict": name,
                "reasons": reasons,
                "figures": dict.fromkeys(FIGURES),
                "findings": [f.to_json() for f in findings],
            }
        )
    else:
        show.say_findings(findings)
        rows = f"{len(sessions.samples)} labelled rows, " if sessions.samples else ""
        show.say(f"{name}: {len(sessions)} sessions, {rows}{len(findings)} findings")
    if keep:
        _keep(sessions, findings)
    if name == "FAIL":
        raise typer.Exit(1)


def _keep(sessions: Sessions, findings: Sequence[Finding]) -> None:
    """Note the verdict of each session of ours as a side fact of it."""
    from rushes.store.facts import add_fact
    from rushes.store.reader import Session

    for session in sessions:
        if isinstance(session, Session):
            name, reasons = verdict([finding for finding in findings if finding.session == session.info.id])
            value = {"verdict": name, "reasons": list(reasons), "figures": dict.fromkeys(FIGURES)}
            add_fact(session.path, "verdict", value, author="rushes qa")
        else:
            show.note(f"rushes: the verdict on {session.info.id} is not kept: it is no session of ours")
