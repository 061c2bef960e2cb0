"""`rushes info`: what any path is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rushes.cli import show
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples


def info(
    path: Annotated[Path, typer.Argument(help="a session, a folder of them, or any file that can be read")],
    read_option: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for reading it; may be given several times")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Say what any path is."""
    from rushes.formats.base import open_any

    sessions = open_any(path, options=read_option)
    facts = describe(sessions)
    if as_json:
        show.emit(facts)
        return
    show.say(f"{path}: {facts['format']}, {facts['sessions']} sessions, {facts['episodes']} segments")
    if facts["samples"]:
        _say_samples(facts["samples"])
    show.say(f"  {facts['frames']} frames, {facts['duration_s']:.1f} s ({', '.join(facts['time_source'])})")
    for session in sessions:
        height_width = session.info.stream("frames")
        size = f"{height_width.width}x{height_width.height} {height_width.codec}" if height_width else "no pictures"
        show.say(f"  {session.info.id}: {session.info.game}, {size}, {session.info.action_space!r}")
    show.say_ledger(sessions.ledger)
    for problem in sessions.problems:
        show.say(f"  {problem.kind} ({problem.count}) in {problem.where}: {problem.sentence}")


def describe(sessions: Sessions) -> dict[str, Any]:
    """Sum up what was read; the keys that `rushes info --json` promises."""
    spaces = {s.info.action_space.digest: s.info.action_space for s in sessions}
    streams = {
        (x.name, x.kind, x.codec): {"name": x.name, "kind": x.kind, "codec": x.codec}
        for s in sessions
        for x in s.info.streams
    }
    return {
        "format": sessions.format,
        "sessions": len(sessions),
        "episodes": sum(len(s.segments) for s in sessions),
        "segments": sum(len(s.segments) for s in sessions),
        "frames": sum(s.frame_count for s in sessions),
        "events": sum(len(s.events()) for s in sessions),
        "duration_s": round(sum(s.duration_s for s in sessions), 3),
        "streams": list(streams.values()),
        "action_space": [space.to_json() for space in spaces.values()],
        "time_source": sorted({s.info.time_source for s in sessions}),
        "ledger": sessions.ledger.to_json(),
        "problems": [p.to_json() for p in sessions.problems],
        "samples": None if sessions.samples is None else describe_samples(sessions.samples),
    }


def describe_samples(samples: Samples) -> dict[str, Any]:
    """Sum up labelled rows."""
    rows = samples.rows
    lengths = sorted({int(length) for length in rows["length"]})
    holds = rows["hold_s"].dropna()
    return {
        "rows": len(samples),
        "kinds": samples.count("kind"),
        "labels": {f"{label:g}": int(n) for label, n in rows["label"].value_counts().sort_index().items()},
        "splits": samples.count("split"),
        "controls": samples.count("control"),
        "lengths": lengths,
        "children": int((rows["parent"] != "").sum()),
        "open_holds": int((rows["phase"] == "open").sum()),
        "mean_hold_s": round(float(holds.mean()), 6) if len(holds) else None,
        "action_space": samples.space.to_json(),
        "sources": {
            name: {"path": source.path, "options": list(source.options), "rows": int((rows["session"] == name).sum())}
            for name, source in sorted(samples.sources.items())
        },
        "steps": [step.to_json() for step in samples.steps],
    }


def _say_samples(told: dict[str, Any]) -> None:
    def words(counts: dict[str, int]) -> str:
        return ", ".join(f"{n} {name or 'undecided'}" for name, n in counts.items()) or "none"

    lengths = ", ".join(map(str, told["lengths"])) or "no"
    show.say(f"  {told['rows']} samples of {lengths} frames: {words(told['kinds'])}")
    show.say(f"  controls: {words(told['controls'])}; splits: {words(told['splits'])}")
    hold = "no hold" if told["mean_hold_s"] is None else f"held {told['mean_hold_s']:.3f} s on average"
    show.say(f"  {hold}, {told['open_holds']} left open; {told['children']} made from others")
    for name, source in told["sources"].items():
        show.say(f"  {source['rows']} of {name} at {source['path']}")
    show.say(f"  made by: {', '.join(step['name'] for step in told['steps']) or 'nobody says'}")
