"""`rushes prepare negatives`: negatives from the pixels of the positives."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.cli.prepare import files


class Holds(StrEnum):
    """What becomes of the frames of a hold."""

    APART = "apart"
    UNIFORM = "uniform"


def negatives(
    source: Annotated[Path, typer.Argument(help="a table of positives, or recordings with --control")],
    target: files.Target,
    kinds: Annotated[
        str,
        typer.Option(help="kinds with amounts (500, 1x a positive, all): uniform, idle, near_miss, hard, shifted, ..."),
    ] = "uniform=1x,near_miss=1x,during_hold=1x",
    exclusion: Annotated[str, typer.Option(help="what lies so near to a press is no negative: frames, or 80ms")] = "2",
    band: Annotated[str, typer.Option(help="how far near misses reach: frames, 300ms, or 4x the exclusion")] = "4x",
    shift: Annotated[str, typer.Option(help="frames between shifted pixels and their action: 8, -8, or several")] = "8",
    holds: Annotated[
        Holds, typer.Option(help="frames of a hold: a kind of their own, or like any other as JumpNet has them")
    ] = Holds.APART,
    control: Annotated[list[str] | None, typer.Option(help="targets; without it those of the positives")] = None,
    also: Annotated[
        list[Path] | None, typer.Option(help="more recordings that negatives may come from; may be given several times")
    ] = None,
    length: Annotated[int, typer.Option(help="frames a sample; 0 takes that of the positives")] = 0,
    action_delay_ms: Annotated[str, typer.Option(help="without it as the positives were made")] = "",
    pixels: Annotated[bool, typer.Option(help="look at pictures where a kind needs it")] = True,
    seed: files.Seed = 0,
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Draw negatives of the controls that a table has positives of."""
    from rushes.prepare import negatives as preparing

    files.check_target(target, strict=strict)
    opened = files.with_sources(files.open_samples(source, read_option, bare=True))
    opened = files.with_more(opened, also or (), read_option)
    samples = preparing.negatives(
        opened.samples,
        opened.recordings,
        kinds=kinds,
        exclusion=exclusion,
        band=band,
        shift=shift,
        holds=holds.value,
        controls=control or (),
        length=length,
        action_delay_ms=action_delay_ms,
        pixels=pixels,
        seed=seed,
    )
    parameters = next(step for step in reversed(samples.steps) if step.name == "negatives").parameters
    files.finish(
        samples,
        target,
        opened.recordings,
        len(opened.samples.steps),
        strict=strict,
        as_json=as_json,
        following=f"rushes prepare merge {source} {target} MERGED.parquet"
        if len(opened.samples)
        else f"rushes prepare reduce {target} REDUCED.parquet",
        lines=_lacking(parameters["kinds"]),
    )


def _lacking(kinds: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say which kinds have fewer rows than asked for."""
    return [
        f"{name}: {said['found']} of the {said['wanted']} wanted; a control has no more of them"
        for name, said in kinds.items()
        if said["found"] < said["wanted"]
    ]
