"""`rushes record`: play into a session, with a line that says how it goes."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rushes.cli import show
from rushes.cli.record_browser import PORT, SIZE, Asked, record_browser

_LOOK_S: Final = 0.25
_NOT_OF_ENV: Final[dict[str, Any]] = {
    "fps": 30.0, "region": None, "monitor": None, "window": "", "process_name": "", "codec": "h264",
    "layout": "capture28", "audio": [], "skip_late": False, "keys_anywhere": False, "no_keys": False, "idle_stop": 0.0,
    "max_seconds": 0.0, "resume": False,
}  # fmt: skip


def record(
    backend: Annotated[str, typer.Option(help="desktop, browser, synthetic or env")] = "desktop",
    out: Annotated[Path | None, typer.Option(help="new folder [default: data/sessions/GAME_TIME]")] = None,
    game: Annotated[str, typer.Option(help="its name; for env as `rushes sample` takes it")] = "Game",
    fps: Annotated[
        float | None, typer.Option(help="frames a second [default: 30; of a browser game 10]", show_default=False)
    ] = None,
    chunk_size: Annotated[int, typer.Option(help="frames a chunk")] = 500,
    max_frames: Annotated[int, typer.Option(help="end after so many frames; 0: no limit")] = 0,
    max_seconds: Annotated[float, typer.Option(help="end after so many recorded seconds; 0: no limit")] = 0.0,
    region: Annotated[
        tuple[int, int, int, int] | None, typer.Option(metavar="L T R B", help="left top right bottom in px")
    ] = None,
    monitor: Annotated[int | None, typer.Option(help="1 is the first, 0 all together")] = None,
    window: Annotated[str, typer.Option(help="a window by a part of its title, or by its id")] = "",
    process_name: Annotated[str, typer.Option(help="the window of this process")] = "",
    pick: Annotated[bool, typer.Option("--pick", help="drag the region on a screenshot; prints it")] = False,
    codec: Annotated[str, typer.Option(help="h264, h265, lossless or png; a browser game is png")] = "h264",
    layout: Annotated[
        str, typer.Option(help="the keys that may be kept: a layout, or a JSON list of names")
    ] = "capture28",
    audio: Annotated[str, typer.Option(help="sound streams: system, mic, or system,mic")] = "",
    skip_late: Annotated[
        bool, typer.Option("--skip-late", help="skip ticks that were missed, do not catch up")
    ] = False,
    start_immediately: Annotated[bool, typer.Option("--start-immediately", help="do not wait for F8")] = False,
    keys_anywhere: Annotated[bool, typer.Option("--keys-anywhere", help="keep keys whatever has the focus")] = False,
    no_keys: Annotated[bool, typer.Option("--no-keys", help="keep no keys")] = False,
    learn_keys: Annotated[
        bool, typer.Option("--learn-keys", help="record nothing; list the keys that are pressed")
    ] = False,
    idle_stop: Annotated[float, typer.Option(help="end after so many seconds without an input; 0: never")] = 0.0,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the session in --out, in a new segment")] = False,
    seed: Annotated[int, typer.Option(help="of the synthetic world and of policies")] = 0,
    port: Annotated[int, typer.Option(help="browser: where to listen; 0 takes a free port")] = PORT,
    host: Annotated[str, typer.Option(help="browser: the address to listen on")] = "127.0.0.1",
    allow_origin: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="browser: another page that may record; can be repeated")
    ] = None,
    size: Annotated[str, typer.Option(help="browser: WIDTHxHEIGHT of the pictures in px")] = SIZE,
    plays: Annotated[int, typer.Option(help="browser: end after so many; 0: go on until Ctrl+C")] = 0,
    player: Annotated[str, typer.Option(help="browser: who plays, for the demo")] = "",
    opens: Annotated[bool, typer.Option("--open", help="browser: open the page in the system's browser")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Record play into a session; F8 starts and pauses, Ctrl+C ends."""
    from rushes.capture.settings import BROWSER_FPS, DEFAULT_FPS, Settings
    from rushes.errors import BadInputError

    asked = Asked(host, port, tuple(allow_origin or ()), size, plays, player, opens)
    if fps is None:
        fps = BROWSER_FPS if backend == "browser" else DEFAULT_FPS
    given: dict[str, Any] = {
        "backend": backend, "out": "" if out is None else str(out), "game": game, "fps": fps, "chunk_size": chunk_size,
        "max_frames": max_frames, "max_seconds": max_seconds, "region": region, "monitor": monitor, "window": window,
        "process_name": process_name, "codec": codec, "layout": layout,
        "audio": tuple(name.strip() for name in audio.split(",") if name.strip()), "skip_late": skip_late,
        "start_immediately": start_immediately, "keys_anywhere": keys_anywhere, "no_keys": no_keys,
        "idle_stop": idle_stop, "resume": resume, "seed": seed,
    }  # fmt: skip
    if learn_keys:
        if no_keys or backend != "desktop":
            raise BadInputError(
                "--learn-keys with --no-keys or another backend", accepts="the keys of a desktop", fix="leave it out"
            )
        _learn(given, as_json=as_json)
        return
    if pick and (region is not None or backend != "desktop"):
        raise BadInputError("--pick with --region or another backend", accepts="one of them", fix="leave one out")
    if pick:
        Settings.from_json({**given, "region": (0, 0, 1, 1)})  # nobody drags a region for options that are refused
        given["region"] = _pick()
    settings = Settings.from_json(given)
    if backend == "browser":
        record_browser(settings, asked, as_json=as_json)
        return
    asked.refuse(backend)
    if backend == "env":
        _record_env(settings, as_json=as_json)
        return
    _record_live(settings, as_json=as_json)


def _record_live(settings: Any, *, as_json: bool) -> None:
    from rushes.capture.process import Recorder

    with Recorder(settings) as recorder:
        try:
            recorder.begun()
            keys = "Enter here" if sys.stdin.isatty() else ""
            if settings.backend == "desktop":
                keys = "F8" + (f" or {keys}" if keys else "")
            if recorder.running and not settings.start_immediately:
                show.note(
                    f"paused. {keys or 'Nothing'} starts and pauses, Ctrl+C here ends (docs: F6, F7, Ctrl+T, Ctrl+P)"
                )
            if sys.stdin.isatty():
                threading.Thread(target=_heed_enter, args=(recorder,), daemon=True).start()
            line, told = show.Line(), 0
            while not recorder.wait(_LOOK_S):
                notes = recorder.status.get("notes", [])
                for sentence in notes[told:]:
                    line.close()
                    show.note(sentence)
                told = len(notes)
                line(status_text(recorder.status))
            line.close()
            result = recorder.result()
        except KeyboardInterrupt:
            show.note("\nending ...")
            result = recorder.stop()
    _say_end(result, as_json=as_json)


def _heed_enter(recorder: Any) -> None:
    """Start and pause at every Enter."""
    for _ in sys.stdin:
        recorder.command("toggle")


def _record_env(settings: Any, *, as_json: bool) -> None:
    from rushes.capture.env.backend import EnvBackend
    from rushes.capture.env.play import Play
    from rushes.capture.recorder import record as record_all
    from rushes.errors import BadInputError
    from rushes.worlds.catalog import make_world, resolve_games

    asked = settings.to_json()
    for name, usual in _NOT_OF_ENV.items():
        if asked[name] != usual:
            raise BadInputError(
                f"--{name.replace('_', '-')} with --backend env",
                accepts="options that mean something for an environment: out, game, max-frames, chunk-size, seed",
                fix="leave it out",
            )
    if not settings.max_frames:
        raise BadInputError("an environment without an end", accepts="a number of frames", fix="pass --max-frames 1000")
    games = resolve_games(settings.game)
    if len(games) != 1:
        raise BadInputError(f"{len(games)} games", accepts="one game", fix="`rushes sample` takes several")
    world = make_world(games[0])
    try:
        play = Play(games[0], frames_per_env=settings.max_frames, max_episodes=1, seed=settings.seed)
        session = record_all(EnvBackend(world, play), settings.path(), chunk_frames=settings.chunk_size)
    finally:
        world.close()
    end = {
        "path": str(session.path),
        "reason": "max_frames",
        "sentence": "",
        "notes": [],
        "frames": session.frame_count,
    }
    _say_end(end, as_json=as_json)


def _learn(settings: dict[str, Any], *, as_json: bool) -> None:
    import json

    from rushes.capture.learning import learn
    from rushes.capture.settings import action_space
    from rushes.store.atomic import new_file, refuse_occupied

    space = action_space(settings["layout"])
    if settings["out"]:
        refuse_occupied(Path(settings["out"]))
    show.note("recording nothing: use every control of the game in its window, then Ctrl+C here")
    learned = learn(
        window=settings["window"],
        process_name=settings["process_name"],
        anywhere=settings["keys_anywhere"],
        seconds=settings["max_seconds"],
    )
    counts, missing = learned.counts(), learned.missing(space.names)
    listed = [name for name in counts if name != "Mouse"]
    if not listed:
        show.note("no control was used, so there is nothing to list")
        sys.exit(1)
    if settings["out"]:
        with new_file(Path(settings["out"])) as partial:
            partial.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    if as_json:
        show.emit({"controls": listed, "counts": counts, "missing": list(missing)})
        return
    for name, count in counts.items():
        show.say(f"  {name:16s} {count:5d}{'   not in ' + settings['layout'] if name in missing else ''}")
    if not settings["out"]:
        show.note("--out keys.json writes the list; `rushes record --layout keys.json` keeps these controls")


def _pick() -> tuple[int, int, int, int]:
    from rushes.capture.screen.pick import pick_region
    from rushes.errors import StoppedError

    region = pick_region()
    if region is None:
        raise StoppedError("a choice that was cancelled", accepts="a rectangle", fix="drag one and press Enter")
    show.note("--region " + " ".join(map(str, region)))
    return region


def status_text(status: Mapping[str, Any]) -> str:
    """Say in a line how a recording goes; what matters most stands first, a narrow terminal cuts the rest."""
    if "frames" not in status:
        return "starting ..."
    minutes, seconds = divmod(int(status["seconds"]), 60)
    return (
        f"{status['state']} {minutes}:{seconds:02d}  {status['rate_hz']:.1f} fps  {status['dropped']} dropped, "
        f"{status['late']} late  segment {status['segments']}  {status['free_bytes'] / 1e9:.0f} GB free  "
        f"{status['frames']} frames, {status['events']} inputs ({status['discarded']} not kept)"
    )


def _say_end(result: Mapping[str, Any], *, as_json: bool) -> None:
    from rushes.store.reader import open_session

    if not result["frames"]:
        show.note(f"nothing was recorded ({result['sentence'] or result['reason']}), so there is no session")
        if as_json:
            show.emit({**result, "ledger": {}, "segments": 0})
        sys.exit(1)
    session = open_session(result["path"])
    failed = result["reason"] == "failed"
    if as_json:
        facts = {"segments": len(session.segments), "duration_s": session.duration_s}
        show.emit({k: v for k, v in result.items() if k != "error"} | facts | {"ledger": session.ledger.to_json()})
        sys.exit(int(failed))
    why = result["reason"] + (f": {result['sentence']}" if result["sentence"] else "")
    show.say(f"{session.path}: {session.frame_count} frames, {len(session.segments)} segments, ended by {why}")
    show.say_ledger(session.ledger)
    for note in result["notes"]:
        show.say(f"  {note}")
    sys.exit(int(failed))
