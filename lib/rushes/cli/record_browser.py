"""`rushes record --backend browser`: a server, its address at once, a line for each play.

Example:
    $ rushes record --backend browser --open
    $ rushes record --backend browser --plays 1 --out data/sessions/first --player Ada
    $ rushes record --backend browser --allow-origin http://localhost:3000 --game "My Game"
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rushes.cli import show
from rushes.errors import BadInputError

PORT: Final = 8000
SIZE: Final = "128x128"


@dataclass(frozen=True)
class Asked:
    """What only a browser recording is asked.

    Attributes:
        host: The address to listen on.
        port: The port; 0 takes a free one.
        allow_origins: Other pages that may record.
        size: WIDTHxHEIGHT of the captured pictures in px.
        plays: Ends after so many; 0 goes on until Ctrl+C.
        player: Who plays, for the demo's first page.
        opens: Whether the system's browser is opened.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    allow_origins: Sequence[str] = ()
    size: str = SIZE
    plays: int = 0
    player: str = ""
    opens: bool = False

    def refuse(self, backend: str) -> None:
        """Refuse what means nothing for another backend."""
        names = {"allow_origins": "allow-origin", "opens": "open"}
        for name, usual in vars(Asked()).items():
            if getattr(self, name) != usual:
                raise BadInputError(
                    f"--{names.get(name, name)} with the {backend} backend",
                    accepts="it with --backend browser",
                    fix="leave it out",
                )


def size_of(text: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT.

    Returns:
        (height, width) in px.

    Raises:
        BadInputError: It is no size.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and width.isascii() and height.isascii()):
        raise BadInputError(f"--size {text}", accepts="WIDTHxHEIGHT in px", fix="pass --size 128x128")
    return int(height), int(width)


def record_browser(settings: Any, asked: Asked, *, as_json: bool) -> None:
    """Serve until enough is played or Ctrl+C; the status is 1 where nothing was recorded or something failed."""
    from rushes.capture.browser.serving import Serving
    from rushes.formats.reacture.download import as_zip

    limit = asked.plays or int(bool(settings.out))
    if settings.out and limit > 1:
        raise BadInputError(
            f"--out with --plays {limit}",
            accepts="one folder for one play",
            fix="leave out one of the two",
        )
    if asked.plays < 0:
        raise BadInputError(f"--plays {asked.plays}", accepts="0 or more", fix="leave it out to go on until Ctrl+C")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stop, like Ctrl+C
    line = show.Line()
    ended: list[dict[str, Any]] = []
    with Serving(
        settings,
        size=size_of(asked.size),
        host=asked.host,
        port=asked.port,
        allow_origins=asked.allow_origins,
        exporter=as_zip,
        report=lambda status: line(_status(status)),
    ) as serving:
        parameters = {"player": asked.player} if asked.player else {}
        _say_address(serving.address_with(**parameters), serving.include if asked.allow_origins else "", as_json)
        if asked.opens:
            _open(serving.address_with(**parameters))
        for result in serving.plays(limit, stays=False):
            line.close()
            if result.frames:
                ended.append(_facts(result))
            if not as_json:
                _say_play(result)
    if as_json:
        show.emit({"plays": ended})
    elif not ended:
        show.note("nothing was recorded, so there is no session")
    sys.exit(int(not ended or any(play["failed"] for play in ended)))


def _say_address(address: str, include: str, as_json: bool) -> None:
    say = show.note if as_json else show.say  # standard output is one object then
    say(address)
    sys.stdout.flush()
    show.note("open it and play; Ctrl+C here ends. Whoever has this address can record")
    if include:
        show.note(f"in the page that was allowed, before its own scripts: {include}")


def _open(address: str) -> None:
    import webbrowser

    if not webbrowser.open(address):
        show.note("no browser could be opened; open the address by hand")


def _status(status: Mapping[str, Any]) -> str:
    from rushes.cli.record import status_text

    who = status["player"] or "somebody"
    return f"{who}: {status_text(status)}"


def _facts(result: Any) -> dict[str, Any]:
    from rushes.store.reader import open_session

    failed = result.error is not None or result.reason == "failed"
    facts: dict[str, Any] = {
        "path": str(result.path), "frames": result.frames, "reason": result.reason, "sentence": result.sentence,
        "notes": list(result.notes), "failed": failed,
    }  # fmt: skip
    if result.error is not None:
        return facts | {"sentence": str(result.error)}
    session = open_session(result.path)
    return facts | {
        "segments": len(session.segments),
        "duration_s": session.duration_s,
        "ledger": session.ledger.to_json(),
    }


def _say_play(result: Any) -> None:
    from rushes.store.reader import open_session

    if not result.frames:
        show.note(f"a page left before its first picture ({result.sentence or result.reason})")
        return
    if result.error is not None:
        show.complain(f"{result.error} `rushes recover {result.path}` brings back what was written")
        return
    session = open_session(result.path)
    why = result.reason + (f": {result.sentence}" if result.sentence not in {"", result.reason} else "")
    show.say(f"{result.path}: {result.frames} frames, {len(session.segments)} segments, ended by {why}")
    show.say_ledger(session.ledger)
    for note in result.notes:
        show.say(f"  {note}")
    sys.stdout.flush()
