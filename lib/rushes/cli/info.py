"""`rushes info`: what any path is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rushes.cli import show
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples

_RESULT: Final = ("victims_total", "victims_saved", "victims_died", "score")
_SHOWN: Final = 3
"""Samples that are shown of a set of ReActure."""


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
        if facts["format"] == "reacture" and session.frame_count:
            _say_reacture(session)
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


def _say_reacture(session: Recording) -> None:
    """Say what the script of ReActure's guide says of a set: who, where, how it ended, statistics, first samples."""
    from rushes.loaders.reacture import ReActureDataset

    data = ReActureDataset(session)
    told, figures = session.info.provenance, data.get_statistics()
    place = told.get("environment_name") or told.get("environment") or "an environment that nobody named"
    ends = f"ended by {session.segments[-1].end_reason}"
    telemetry = session.telemetry()
    last = {name: telemetry[name].dropna().tolist()[-1:] for name in _RESULT if name in telemetry}
    result = told.get("game_result") or {name: value[0] for name, value in last.items() if value}
    words = [f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in result.items()]
    show.say(f"    {_plain(told.get('player') or 'a player without a name')} in {_plain(place)}, {ends}")
    show.say(f"    {_plain(', '.join(words)) or 'how the game ended is not known'}")
    rate, said_s = figures["measured_rate_hz"], told.get("duration_s")
    measured = f"{rate:.2f} Hz measured" if rate else "times are nominal"
    meant = f"; its metadata says {said_s:.1f} s" if isinstance(said_s, int | float) else ""
    show.say(f"    {figures['duration_s']:.1f} s at {figures['sampling_rate']:g} Hz ({measured}){meant}")
    stream = session.info.stream("frames")
    shape = (
        f"pictures ({len(data)}, {stream.height}, {stream.width}, 3) uint8"
        if stream and stream.height
        else "no pictures"
    )
    show.say(f"    {figures['num_samples']} samples, {shape}, {len(data.between)} rows that are no frame's")
    where = figures["trajectory_stats"]
    if where["mean_position"]:
        low, high, mean = (_place(where[f"{name}_position"]) for name in ("min", "max", "mean"))
        show.say(f"    position {low} to {high}, mean {mean}, deviation {_place(where['std_position'])}")
    show.say(
        "    down: " + ", ".join(f"{name} {100 * part:.1f} %" for name, part in figures["key_press_frequency"].items())
    )
    for name, digits in (("battery", 1), ("damage", 3)):
        n = figures[f"{name}_stats"]
        if n["mean"] is not None:
            low, high, mean, spread = (f"{n[way]:.{digits}f}" for way in ("min", "max", "mean", "std"))
            show.say(f"    {name} {low} to {high}, mean {mean}, deviation {spread}")
    for number in range(min(_SHOWN, len(data))):
        show.say(f"    sample {number}: {_sample(data[number])}")


def _sample(sample: dict[str, Any]) -> str:
    """Say a sample of a set of ReActure in a line."""
    place = sample.get("robot", {}).get("position", {})
    parts = [f"{sample['time_elapsed_s']:.3f} s"]
    parts += [f"position {_place(place.values())}"] if place else []
    parts += [f"battery {sample['battery']:.1f} %"] if sample["battery"] is not None else []
    parts += [f"damage {sample['damage']:.3f}"] if sample["damage"] is not None else []
    parts.append(" ".join(f"{name}={int(sample['key_presses'][name])}" for name in "WASD"))
    return ", ".join(parts)


def _place(numbers: Iterable[float]) -> str:
    return f"({', '.join(f'{number:.2f}' for number in numbers)})"


def _plain(text: str) -> str:
    """Leave out what would steer a terminal: the names stand in a file that anybody may have written."""
    return "".join(letter for letter in text if letter.isprintable())
