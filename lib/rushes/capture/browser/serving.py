"""Serving: a server that waits for pages, and one session after the other, each written by the live recorder.

Ctrl+C ends the play that is going on, which is sealed and still comes out of `plays`, and then the loop.

Example (a notebook does this; `rushes record --backend browser` too):
    >>> def record_three(settings):
    ...     with Serving(settings) as serving:
    ...         yield serving.address
    ...         for result in serving.plays(3):
    ...             yield result.path, result.frames, result.reason
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from rushes.capture.browser.backend import CODEC, BrowserBackend
from rushes.capture.browser.connection import Play
from rushes.capture.browser.server import PAGE, PORT, Exporter, Server, Welcome
from rushes.capture.input.gate import Gate
from rushes.capture.live import LiveRecorder, Result
from rushes.capture.settings import DEFAULT_GAME, Settings, action_space, controls_of
from rushes.errors import BadInputError, RushesError, StorageError
from rushes.model.clock import NS, Clock
from rushes.store.atomic import refuse_occupied

__all__ = ["RATE_HZ", "SIZE", "Exporter", "Serving"]

RATE_HZ: Final = 10.0
"""Pictures a second where nobody asks for another rate."""
SIZE: Final = (128, 128)
"""(height, width) in px where nobody asks for another size."""
MAX_SIDE: Final = 1024
"""px; a page reads this much back ten times a second, and beyond it a game would notice."""
ON_ITS_WAY_NS: Final = 3 * NS
"""How long a picture may take from its capture until it is here: a page that stood still sends what it has later."""
_LOOK_S: Final = 0.2


class Serving:
    """A server and the recorder behind it.

    Args:
        settings: What is asked of each play: `out`, `game`, `fps`, `layout`, `chunk_size`, `max_frames`, `max_seconds`,
            `idle_stop`; the default game takes the page's own name, and `out` is for a single play.
        size: (height, width) of the captured pictures in px.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        allow_origins: Other pages that may record: scheme, host, port.
        exporter: Writes a session as a zip, for the page's download button; None offers no download.
        report: Called with the status about four times a second while somebody plays; `player` and `game` are in it.
        page: The folder of the demo and capture.js.

    Raises:
        BadInputError: The port is taken, an origin is none, or a size that is not captured.
        OccupiedError: `out` holds something.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        size: tuple[int, int] = SIZE,
        host: str = "127.0.0.1",
        port: int = PORT,
        allow_origins: Sequence[str] = (),
        exporter: Exporter | None = None,
        report: Callable[[Mapping[str, Any]], None] | None = None,
        page: Path = PAGE,
    ) -> None:
        if not all(8 <= side <= MAX_SIDE for side in size):  # noqa: PLR2004 - less shows nothing
            raise BadInputError(
                f"pictures of {size[1]}x{size[0]}", accepts=f"8 to {MAX_SIDE} px a side", fix="pass --size 128x128"
            )
        if settings.out:
            refuse_occupied(Path(settings.out))
        self._settings, self._exporter, self._report = settings, exporter, report
        gate = Gate(controls_of(action_space(settings.layout)), scope="anywhere")
        welcome = Welcome(settings.fps, size, tuple(sorted(gate.controls)))
        self._server = Server(welcome, host=host, port=port, allow_origins=allow_origins, page=page)
        self._recorder: LiveRecorder | None = None
        self._stopped = threading.Event()

    @property
    def address(self) -> str:
        """What a person opens: host, port and token."""
        return self._server.address

    def address_with(self, **parameters: str) -> str:
        """Return the address with parameters for the demo: `player`, `environment`, `seed`, `autostart`."""
        return self._server.address_with(**parameters)

    @property
    def include(self) -> str:
        """The line that another page includes."""
        door = self._server.door
        return f'<script src="http://{door.shown_host}/capture.js?token={door.token}" data-canvas="canvas"></script>'

    def stop(self) -> None:
        """End the play that is going on, and `plays`; from any thread."""
        self._stopped.set()
        if (recorder := self._recorder) is not None:
            recorder.command("stop")

    def plays(self, limit: int = 0, *, stays: bool = True) -> Iterator[Result]:
        """Record plays, one after the other, as pages begin them.

        Args:
            limit: Ends after so many that have a frame; 0 goes on until `stop` or Ctrl+C.
            stays: Whether the server goes on after the last one, so that it can be downloaded too.

        Yields:
            How each ended. One without a frame left no session.

        Raises:
            StorageError: The session cannot be written; the page is told.
        """
        done = 0
        with suppress(KeyboardInterrupt):
            while not self._stopped.is_set() and (not limit or done < limit):
                play = self._server.next(_LOOK_S)
                if play is None:
                    continue
                result = self._record(play, stays=stays, is_last=done + 1 == limit)
                done += result.frames > 0
                yield result
        self._server.close_door()

    def _record(self, play: Play, *, stays: bool, is_last: bool) -> Result:
        backend = self._backend(play)
        settings, clock = self._settings, Clock()
        path = _free(replace(settings, game=backend.describe().game))
        try:
            recorder = self._recorder = LiveRecorder(
                backend,
                path,
                rate_hz=settings.fps,
                codec=CODEC,
                chunk_frames=settings.chunk_size,
                clock=clock,
                report=self._reporter(backend),
                paused=False,
                max_frames=settings.max_frames,
                max_seconds=settings.max_seconds,
                idle_stop_s=settings.idle_stop,
                on_its_way_ns=ON_ITS_WAY_NS,
                attrs={"monotonic_zero_ns": clock.zero_ns},
                attrs_at=backend.joins.at,
            )
            if self._stopped.is_set():
                recorder.command("stop")
            result = self._run(recorder)
        except RushesError as error:
            play.refuse(error)
            play.saved({"type": "saved", "name": "", "frames": 0, "download": "", "reason": "failed"})
            raise
        finally:
            self._recorder = None
        self._say_saved(play, result, offers=stays or not (is_last or self._stopped.is_set()))
        return result

    def _backend(self, play: Play) -> BrowserBackend:
        settings, welcome = self._settings, self._server.welcome
        return BrowserBackend(
            play.hello,
            play,
            size=welcome.size,
            rate_hz=settings.fps,
            layout=settings.layout,
            game="" if settings.game == DEFAULT_GAME else settings.game,
            name="demo" if play.is_own else play.hello.page or "page",
        )

    def _run(self, recorder: LiveRecorder) -> Result:
        """Record on a thread of its own, so that Ctrl+C on this one ends it whole."""
        result: Future[Result] = Future()

        def record() -> None:
            try:
                result.set_result(recorder.run())
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                result.set_exception(error)

        threading.Thread(target=record, name="rushes-play").start()
        while True:  # Thread.join would take a thread for dead that an interrupt found alive
            try:
                return result.result(_LOOK_S)
            except TimeoutError:
                if result.done():
                    raise
            except KeyboardInterrupt:
                self.stop()

    def _say_saved(self, play: Play, result: Result, *, offers: bool) -> None:
        stored = result.frames > 0 and result.error is None
        download = ""
        if stored and offers and self._exporter is not None:
            download = self._server.offer(result.path, self._exporter)
        name = result.path.name if result.frames else ""
        saved = {"name": name, "frames": result.frames, "download": download, "reason": result.reason}
        play.saved({"type": "saved", **saved})

    def _reporter(self, backend: BrowserBackend) -> Callable[[Mapping[str, Any]], None] | None:
        report = self._report
        if report is None:
            return None
        who = {"player": backend.hello.player, "game": backend.describe().game}
        return lambda status: report({**status, **who})

    def close(self) -> None:
        """Stop serving; downloads are gone."""
        self.stop()
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _free(settings: Settings) -> Path:
    """Return the session's folder; of two plays that begin in one second, the second gets a number."""
    path = settings.path()
    if settings.out or not path.exists():
        return path
    for number in range(2, 1000):
        other = path.with_name(f"{path.name}_{number}")
        if not other.exists():
            return other
    raise StorageError(f"{path}, of which there are 1000", accepts="a new folder", fix="pass --out DIR")
