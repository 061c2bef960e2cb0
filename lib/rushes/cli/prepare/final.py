"""`rushes prepare final`: any number of tables, weighted and shuffled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.prepare import files


def final(
    sources: Annotated[list[Path], typer.Argument(help="tables of samples, or files that hold some")],
    target: files.Target,
    weight: Annotated[
        list[float] | None, typer.Option(help="share of the training for each table, in their order; given again each")
    ] = None,
    seed: files.Seed = 42,
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Join tables into one for training."""
    from rushes.prepare import final as preparing

    files.check_target(target, strict=strict)
    opened = [files.open_samples(path, read_option) for path in sources]
    samples = preparing.final([one.samples for one in opened], weights=weight or (), seed=seed)
    files.finish(
        samples,
        target,
        files.each_once(opened),
        len(samples.steps) - 1,
        strict=strict,
        as_json=as_json,
        following=f"rushes qa {target}, then train on it",
    )
