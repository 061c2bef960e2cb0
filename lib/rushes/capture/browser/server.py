"""The server: the demo, capture.js, the connection of the page that plays, and downloads; on a thread of its own.

What it serves is read when it starts; no path that a client names reaches the file system. One page plays at a time,
another one is told `busy`. `Server.next` hands over a page that has said hello and whose clock is known.

Example:
    >>> with Server(Welcome(10.0, (128, 128), ("KeyW",)), port=0) as server:
    ...     server.address.startswith("http://127.0.0.1:"), "/capture.js" in server.files
    (True, True)
"""

from __future__ import annotations

import asyncio
import queue
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from tornado.web import Application

from rushes.capture.browser.connection import Play
from rushes.capture.browser.pages import Download, Limited, Page, Unknown
from rushes.capture.browser.parsing import MAX_HEADER_BYTES, MAX_TEXT_BYTES
from rushes.capture.browser.safety import Door, new_token, origins_of
from rushes.errors import BadInputError

PORT: Final = 8000
PAGE: Final = Path(__file__).with_name("page")
TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".png": "image/png",
    }
)
"""What is served, by the end of its name."""
IDLE_S: Final = 20.0
"""How long a connection may take for the head of a request, or stand idle between two."""
MAX_REQUEST_BYTES: Final = 16 << 10
"""Of a request's head; none of ours has a body."""
PING_S: Final = 5.0
"""How often a page's connection is tried; a browser answers this by itself, even where the page is busy."""
_STOP_S: Final = 5.0
_LAST_PORT: Final = 65535
_BACKLOG: Final = 64
_SCRIPT: Final = ".js"

Exporter = Callable[[Path, Path], Path]
"""Writes a session (first) as a zip into a folder (second) and returns the zip."""


@dataclass(frozen=True)
class Welcome:
    """What a page is told that may play.

    Attributes:
        rate_hz: Pictures a second that are wanted.
        size: (height, width) of the pictures in px.
        layout: Names of the controls that are kept.
    """

    rate_hz: float
    size: tuple[int, int]
    layout: tuple[str, ...]


class Server:
    """A server on a thread of its own.

    Args:
        welcome: What is wanted of a page.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        allow_origins: Other pages that may record: scheme, host, port.
        page: The folder of the demo and capture.js.

    Attributes:
        welcome: As given.
        door: Who may come in.
        files: What is served: path -> type and content.

    Raises:
        BadInputError: The port is taken or cannot be listened on, or an origin is none.
    """

    def __init__(
        self,
        welcome: Welcome,
        *,
        host: str = "127.0.0.1",
        port: int = PORT,
        allow_origins: Sequence[str] = (),
        page: Path = PAGE,
    ) -> None:
        self.welcome, self.files = welcome, _files(page)
        origins = origins_of(allow_origins)
        self._sockets = _listen(host, port)
        self.door = Door(token=new_token(), port=self._sockets[0].getsockname()[1], host=host, origins=origins)
        self._waiting: queue.SimpleQueue[Play] = queue.SimpleQueue()
        self._downloads: dict[str, _Offer] = {}
        self._current: Play | None = None
        self._open = False
        self._folder = tempfile.TemporaryDirectory(prefix="rushes-")
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="rushes-server", daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def address(self) -> str:
        """What a person opens."""
        return self.address_with()

    def address_with(self, **parameters: str) -> str:
        """Return what a person opens, with parameters for the demo."""
        return f"http://{self.door.shown_host}/?" + urlencode({"token": self.door.token, **parameters})

    async def _serve(self) -> None:
        self.loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        height, width = self.welcome.size
        application = Application(
            [
                (r"/play", Play, {"server": self}),
                (r"/download/(.*)", Download, {"server": self}),
                (r"(/.*)", Page, {"server": self}),
            ],
            default_handler_class=Unknown,
            default_handler_args={"server": self},
            websocket_max_message_size=max(MAX_TEXT_BYTES, 4 + MAX_HEADER_BYTES + height * width * 3),
            websocket_ping_interval=PING_S,
            log_function=lambda _: None,  # a token stands in the address
        )
        http = Limited(
            application,
            idle_connection_timeout=IDLE_S,
            body_timeout=IDLE_S,
            max_header_size=MAX_REQUEST_BYTES,
            max_body_size=MAX_REQUEST_BYTES,
        )
        http.add_sockets(self._sockets)
        self._ready.set()
        await self._over.wait()
        http.stop()
        await http.close_all_connections()

    def on_loop(self, act: Callable[[], object]) -> None:
        """Have something done on the server's thread, from any thread; nothing once it has stopped."""
        try:
            self.loop.call_soon_threadsafe(act)
        except RuntimeError:  # the loop is closed
            return

    def take(self, play: Play) -> bool:
        """Let a page in that has said hello; False where somebody plays or nobody waits for a play. On the loop."""
        if self._current is not None or not self._open:
            return False
        self._current = play
        return True

    def hand_over(self, play: Play) -> None:
        """Pass on a page whose clock is known. On the loop."""
        self._waiting.put(play)

    def release(self, play: Play) -> None:
        """Let the next page in. On the loop."""
        if self._current is play:
            self._current = None

    def next(self, timeout_s: float) -> Play | None:
        """Wait for a page that wants to play; only while this is being called, or soon again, is one let in.

        Args:
            timeout_s: How long to wait.

        Returns:
            Its connection, or None.
        """
        self._open = True
        try:
            play = self._waiting.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self._open = False
        return play

    def close_door(self) -> None:
        """Let nobody in until `next` is called again."""
        self._open = False

    def offer(self, session: Path, exporter: Exporter) -> str:
        """Offer a session for download: the zip is made when it is asked for first.

        Args:
            session: A sealed session.
            exporter: Writes it into a folder.

        Returns:
            Its address, which nobody guesses.
        """
        number = secrets.token_urlsafe(16)
        self._downloads[number] = _Offer(session, exporter, Path(self._folder.name) / str(len(self._downloads)))
        return f"/download/{number}"

    def find(self, number: str) -> Callable[[], Path] | None:
        """Return what makes, or has made, a download; None for an unknown number."""
        offer = self._downloads.get(number)
        return None if offer is None else offer.path

    def stop(self) -> None:
        """Close everything; downloads are gone."""
        self.close_door()
        self.on_loop(self._over.set)
        self._thread.join(_STOP_S)
        for one in self._sockets:
            one.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Offer:
    """One download; whoever asks while it is being made waits for it."""

    def __init__(self, session: Path, exporter: Exporter, folder: Path) -> None:
        self._session, self._exporter, self._folder = session, exporter, folder
        self._made: Path | None = None
        self._lock = threading.Lock()

    def path(self) -> Path:
        """Return the zip."""
        with self._lock:
            if self._made is None:
                self._folder.mkdir(exist_ok=True)
                self._made = self._exporter(self._session, self._folder)
            return self._made


def _files(folder: Path) -> Mapping[str, tuple[str, bytes]]:
    """Read all that may be served; `/` is index.html, and a folder with a script's name is that script in parts."""
    found = {
        "/" + path.relative_to(folder).as_posix(): (TYPES[path.suffix], path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.suffix in TYPES and path.is_file() and path.parent.suffix != _SCRIPT
    }
    for parts in folder.glob("*" + _SCRIPT):
        if parts.is_dir():
            body = "\n".join(part.read_text(encoding="utf-8") for part in sorted(parts.iterdir()))
            found["/" + parts.name] = (TYPES[_SCRIPT], f'(() => {{\n"use strict";\n{body}}})();\n'.encode())
    if "/index.html" in found:
        found["/"] = found["/index.html"]
    return MappingProxyType(found)


def _listen(host: str, port: int) -> list[socket.socket]:
    if not 0 <= port <= _LAST_PORT:
        raise BadInputError(f"--port {port}", accepts="0 to 65535", fix="leave it out, or pass --port 0 for a free one")
    found: list[socket.socket] = []
    failed: OSError | None = None
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, place in dict.fromkeys(places):
            at = found[0].getsockname()[1] if found else port  # `localhost` has two addresses and one port
            try:
                found.append(socket.create_server((str(place[0]), at), family=family, backlog=_BACKLOG))
                found[-1].settimeout(0)
            except OSError as error:  # a machine without IPv6 is no fault, a port that is taken is
                failed = error if failed is None or error.errno in _TAKEN else failed
    except OSError as error:
        failed = error
    if failed is not None and (not found or failed.errno in _TAKEN):
        for one in found:
            one.close()
        why = "another program listens there" if failed.errno in _TAKEN else failed.strerror or str(failed)
        raise BadInputError(
            f"port {port} of {host}: {why}",
            accepts="an address of this machine and a port that is free",
            fix="take another port, or 0 for any free one (--port; in a notebook the parameter port)",
        ) from failed
    return found


_TAKEN: Final[tuple[Any, ...]] = (48, 98, 10048)
"""EADDRINUSE on macOS, Linux, Windows."""
