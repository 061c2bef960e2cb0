"""One play of a browser game, recorded from a notebook: an address to click, and the session when the play is over.

The cell waits for the play, which ends by itself or with the notebook's stop button. The server stays for as long as
the notebook does, so that the page's download button still works; the next recording takes its place.

Example (a cell):
    >>> def cell(run, settings):
    ...     return record_play(settings, port=run.parameters["port"])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

from rushes.capture.browser.server import PORT
from rushes.capture.browser.serving import Serving
from rushes.capture.settings import Settings
from rushes.errors import StoppedError
from rushes.formats.reacture.download import as_zip
from rushes.notebook.bar import Spot
from rushes.preview.html import Html

__all__ = ["PORT", "record_play"]

_SERVED: Final[list[Serving]] = []
"""The server of the last play, at the most one."""


def record_play(
    settings: Settings, *, port: int = PORT, show: Callable[[Html], object] | None = None
) -> Mapping[str, Any]:
    """Serve the demo, show its address, and record the first play that has a picture.

    Args:
        settings: Of the backend `browser`.
        port: Where to listen on loopback; 0 takes a free one.
        show: Called with the address, and again with how it went; None shows both in the notebook.

    Returns:
        How it ended, as `Recorder.result` says it: path, reason, sentence, notes, frames.

    Raises:
        BadInputError: The port is taken, or is none.
        StoppedError: It was stopped before anybody played.
        RushesError: The session could not be written whole; `rushes recover` brings back what was.
    """
    show = show or Spot()
    while _SERVED:
        _SERVED.pop().close()
    serving = Serving(settings, port=port, exporter=as_zip)
    _SERVED.append(serving)
    show(_invitation(serving.address))
    results = [result for result in serving.plays(1) if result.frames]
    if not results:
        show(Html("<div>Nobody played.</div>", "Nobody played."))
        raise StoppedError(
            "a recording that was stopped before anybody played",
            accepts="a play with a picture",
            fix="run the cell again, open the address and play",
        )
    result = results[0]
    if result.error is not None:
        raise result.error
    said = f"Played: {result.frames:,} frames. The page can still download them as one zip."
    show(Html(f"<div>{said}</div>", said))
    return {
        "path": str(result.path),
        "reason": result.reason,
        "sentence": result.sentence,
        "notes": list(result.notes),
        "frames": result.frames,
    }


def _invitation(address: str) -> Html:
    link = f'<a href="{escape(address)}" target="_blank" rel="noopener">{escape(address)}</a>'
    hint = "Open it on this machine and play; this cell waits until the play is over. Whoever has it can record."
    return Html(f"<div>{link}<br>{hint}</div>", f"{address}\n{hint}")
