"""`rushes prepare pairs`: a positive sample of each press."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rushes.cli.prepare import files


def pairs(
    sources: Annotated[list[Path], typer.Argument(help="sessions, folders of them, or any files that can be read")],
    target: files.Target,
    control: Annotated[
        list[str], typer.Option(help="w, 'w|space', 'J_LEFT_X>0.5', ALE/FIRE; several with commas, or given again")
    ],
    length: Annotated[int, typer.Option(help="frames a sample; the press falls on the last one")] = 1,
    action_delay_ms: Annotated[str, typer.Option(help="move inputs so much later first; or 'measured'")] = "0",
    read_option: files.ReadOption = None,
    strict: files.Strict = False,
    as_json: files.AsJson = False,
) -> None:
    """Make a positive sample of each press."""
    from rushes.formats.options import absolute
    from rushes.model.sample_table import Source
    from rushes.prepare.press_release import press_release, with_sources

    files.check_target(target, strict=strict)
    opened = {path: files.open_recordings(path, read_option) for path in sources}
    recordings = [recording for sessions in opened.values() for recording in sessions]
    samples, counts = press_release(recordings, control, length=length, action_delay_ms=action_delay_ms)
    for path, sessions in opened.items():
        samples = with_sources(samples, sessions, Source(str(path), absolute(read_option)))
    files.finish(
        samples,
        target,
        recordings,
        0,
        strict=strict,
        as_json=as_json,
        following=f"rushes prepare negatives {target} NEGATIVES.parquet",
        lines=[f"{name}: {count}" for name, count in counts.to_json().items()],
        more={"counts": counts.to_json()},
    )
