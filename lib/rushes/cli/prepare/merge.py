"""`rushes prepare merge`: tables put together, each sample once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.prepare import files


class Clash(StrEnum):
    """What to do where one id means two samples."""

    REFUSE = "refuse"
    RENAME = "rename"


def merge(
    sources: Annotated[list[Path], typer.Argument(help="tables of samples, or files that hold some")],
    target: files.Target,
    clash: Annotated[
        Clash, typer.Option(help="where one id means two samples: refuse, or rename both to ID@TABLE")
    ] = Clash.REFUSE,
    by_place: Annotated[
        bool, typer.Option("--by-place", help="do not look at pictures: only the same frame is the same picture")
    ] = False,
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Put tables together; samples with the same content are taken once."""
    from rushes.prepare import merge as preparing

    files.check_target(target, strict=strict)
    opened = [files.open_samples(path, read_option) for path in sources]
    recordings = files.each_once(opened)
    samples = preparing.merge(
        [one.samples for one in opened],
        () if by_place else recordings,
        clash=clash.value,
        names=[path.stem for path in sources],
    )
    files.finish(
        samples,
        target,
        recordings,
        len(samples.steps) - 1,
        strict=strict,
        as_json=as_json,
        following=f"rushes prepare balance {target} BALANCED.parquet",
    )
