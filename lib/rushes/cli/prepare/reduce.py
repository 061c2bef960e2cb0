"""`rushes prepare reduce`: so many rows at random, as JumpNet does."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli.prepare import files


def reduce(
    source: files.Source,
    target: files.Target,
    rows: Annotated[int, typer.Option(help="how many to keep, of all that the file holds")] = 500,
    seed: files.Seed = 42,
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Keep so many rows; the reference's own with its own seed."""
    from rushes.prepare import balance as preparing

    files.check_target(target, strict=strict)
    opened = files.open_samples(source, read_option)
    samples = preparing.reduce(opened.samples, rows=rows, seed=seed)
    files.finish(
        samples,
        target,
        opened.recordings,
        len(opened.samples.steps),
        strict=strict,
        as_json=as_json,
        following=f"rushes prepare final POSITIVES.parquet {target} FINAL.parquet",
    )
