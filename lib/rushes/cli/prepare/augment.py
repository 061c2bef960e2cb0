"""`rushes prepare augment`: transformed copies."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli.prepare import files


def augment(
    source: files.Source,
    target: files.Target,
    recipe: Annotated[str, typer.Option(help="transforms, as 'flip=0.5, noise=0.3:0.02', or a preset")] = "jumpnet",
    copies: Annotated[int, typer.Option(help="copies of each row beside the original")] = 2,
    kinds: Annotated[str, typer.Option(help="kinds of rows that get copies, with commas, or all")] = "all",
    splits: Annotated[str, typer.Option(help="parts whose rows get copies once a split is decided, or all")] = "train",
    pairs: Annotated[
        str, typer.Option(help="controls that swap in a mirrored picture beyond common use, as KeyQ:KeyE")
    ] = "",
    skip: Annotated[
        bool, typer.Option("--skip", help="make a copy without a flip that has no correct action, and count it")
    ] = False,
    seed: files.Seed = 0,
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Add transformed copies; their actions follow, their pixels are made when they are read."""
    from rushes.prepare.augment import copies as preparing

    files.check_target(target, strict=strict)
    opened = files.open_samples(source, read_option)
    samples = preparing.augment(
        opened.samples,
        recipe=recipe,
        copies=copies,
        seed=seed,
        kinds=kinds,
        splits=splits,
        recordings=opened.recordings,
        pairs=pairs,
        refuse="skip" if skip else "error",
    )
    files.finish(
        samples,
        target,
        opened.recordings,
        len(opened.samples.steps),
        strict=strict,
        as_json=as_json,
        following=f"rushes qa {target}, then rushes prepare final {target} FINAL.npz for a trainer",
    )
