"""`rushes prepare split`: what is for training, for validation and for the test."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.prepare import files


class By(StrEnum):
    """What a group is."""

    SESSION = "session"
    SEGMENT = "segment"
    GROUP = "group"
    TIME = "time"


def split(
    source: files.Source,
    target: files.Target,
    by: Annotated[
        By, typer.Option(help="whole sessions, segments, groups of the table, or blocks of time")
    ] = By.SESSION,
    parts: Annotated[str, typer.Option(help="names with their shares")] = "train=0.8,val=0.1,test=0.1",
    block_s: Annotated[float, typer.Option(help="seconds of a block of time")] = 30.0,
    gap_s: Annotated[float, typer.Option(help="seconds left out where blocks of two parts meet")] = 2.0,
    like: Annotated[
        Path | None, typer.Option(help="splits of an earlier table: its groups come where they were")
    ] = None,
    seed: files.Seed = 0,
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Decide the split of every row, whole groups at a time; the decisions stand beside it as NAME.splits.parquet."""
    from rushes.prepare import split as preparing
    from rushes.store.splits import write_splits

    beside = target.with_suffix(".splits.parquet")
    files.check_target(target, beside, strict=strict)
    opened = files.open_samples(source, read_option)
    samples = preparing.split(
        opened.samples, by=by.value, parts=parts, seed=seed, block_s=block_s, gap_s=gap_s, like=like
    )
    step = samples.steps[-1].parameters
    lines = [f"{name}: {n['rows']} rows, {n['positives']} of them positive" for name, n in step["sizes"].items()]
    if new := step.get("new_groups"):
        lines.append(f"{len(new)} groups that {like} does not know: {', '.join(new[:5])}{' ...' * (len(new) > 5)}")  # noqa: PLR2004
    write_splits(preparing.splits(samples), beside)
    try:
        files.finish(
            samples,
            target,
            opened.recordings,
            len(opened.samples.steps),
            strict=strict,
            as_json=as_json,
            following=f"rushes prepare augment {target} AUGMENTED.parquet",
            lines=[*lines, f"decisions: {beside}"],
            more={"splits_file": str(beside)},
        )
    except BaseException:
        if not target.exists():
            beside.unlink(missing_ok=True)  # both or neither
        raise
