"""`rushes sample`: environments into sessions."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.cli import show
from rushes.errors import OccupiedError
from rushes.model.findings import verdict


def sample(
    games: Annotated[str, typer.Argument(help='"Alien,Breakout", ids such as ALE/Pong-v5 or CartPole-v1, or "all"')],
    frames_per_env: Annotated[int, typer.Option(help="frames an environment, shared by its episodes")] = 100,
    max_episodes: Annotated[int, typer.Option(help="episodes an environment")] = 3,
    randomness: Annotated[float, typer.Option(help="probability that a uniform action replaces the policy's")] = 0.2,
    policy: Annotated[str, typer.Option(help="lookahead, persistent, uniform, or module:function")] = "lookahead",
    parallel: Annotated[int, typer.Option("--parallel", "--workers", help="processes; 0 takes one a core")] = 0,
    output_dir: Annotated[Path | None, typer.Option(help="new or empty folder [default: data/sampled_<time>]")] = None,
    seed: Annotated[int, typer.Option(help="seed of everything")] = 0,
    frameskip: Annotated[int, typer.Option(help="emulated frames a step (Atari)")] = 4,
    sticky: Annotated[float, typer.Option(help="probability that the emulator repeats its last action")] = 0.0,
    full_action_space: Annotated[bool, typer.Option(help="all 18 actions (Atari)")] = False,
    sound: Annotated[bool, typer.Option("--sound", help="store what the game plays (Atari)")] = False,
    resume: Annotated[bool, typer.Option(help="go on with an unfinished folder of the same parameters")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Sample environments into sessions."""
    from rushes.capture.env import sample as sampling
    from rushes.capture.env import work

    parameters: dict[str, Any] = {
        "frames_per_env": frames_per_env,
        "max_episodes": max_episodes,
        "randomness": randomness,
        "policy": policy,
        "seed": seed,
        "frameskip": frameskip,
        "sticky": sticky,
        "full_action_space": full_action_space,
        "sound": sound,
    }
    sys.path.insert(0, "")  # a policy `module:function` may lie in this folder
    plays = sampling.plan(games, **parameters)
    count = work.lanes(parallel, len(plays))
    out = output_dir or Path("data") / f"sampled_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    if not resume and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OccupiedError(
            f"--output-dir {out} (which holds something)",
            accepts="a new or empty folder",
            fix="choose another folder, or pass --resume to go on with an unfinished run of the same parameters",
        )
    show.note(f"{len(plays)} games into {out}: {sampling.estimate(plays, workers=count)}")
    with show.bar("frame") as bar:
        report = sampling.sample(
            out, [play.env_id for play in plays], **parameters, workers=parallel, resume=resume, progress=bar
        )
    name, reasons = verdict(report.findings)
    if as_json:
        show.emit(
            {
                "target": str(out),
                "verdict": name,
                "reasons": reasons,
                "sessions": [str(r.path) for r in report.results if not r.error],
                "failed": {r.env_id: r.error for r in report.results if r.error},
                "frames": sum(s.frame_count for s in report.sessions),
                "episodes": sum(len(s.segments) for s in report.sessions),
                "ledger": report.sessions.ledger.to_json(),
            }
        )
        return
    for session in report.sessions:
        scores = ", ".join(f"{s.attrs['score']:g}" for s in session.segments)
        show.say(
            f"{session.info.game}: {session.frame_count} frames, {len(session.segments)} episodes, scores {scores}"
        )
    show.say_findings(report.findings)
    show.say(f"{name}: {len(report.sessions)} sessions in {out}")
