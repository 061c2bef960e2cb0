"""`rushes prepare balance`: the classes thinned to a ratio or a count."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from rushes.cli.prepare import files


class Per(StrEnum):
    """Where a ratio or count holds."""

    SESSION = "session"
    ALL = "all"


def balance(
    source: files.Source,
    target: files.Target,
    ratio: Annotated[float, typer.Option(help="negatives for each positive; positives all stay")] = 1.0,
    count: Annotated[int, typer.Option(help="rows of each class, in place of the ratio")] = 0,
    per: Annotated[Per, typer.Option(help="hold it in each session, or over all")] = Per.SESSION,
    kinds: Annotated[str, typer.Option(help="shares of the kinds of negatives, as hard=2,uniform=1")] = "",
    seed: files.Seed = 0,
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Thin the classes of each control, evenly over sessions and time."""
    from rushes.prepare import balance as preparing

    files.check_target(target, strict=strict)
    opened = files.open_samples(source, read_option)
    samples = preparing.balance(opened.samples, ratio=ratio, count=count, seed=seed, per=per.value, kinds=kinds)
    files.finish(
        samples,
        target,
        opened.recordings,
        len(opened.samples.steps),
        strict=strict,
        as_json=as_json,
        following=f"rushes prepare split {target} SPLIT.parquet",
        lines=preparing.as_said(samples.steps[-1]),
    )
