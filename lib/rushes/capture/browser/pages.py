"""What is served over HTTP: the demo's files, capture.js, downloads; each request shows first that it may.

Example (the rules, without a server):
    >>> from rushes.capture.browser.safety import Door
    >>> door = Door(token="secret", port=8000)
    >>> may_load(door, "127.0.0.1:8000", {"Sec-Fetch-Site": "same-origin"})
    True
    >>> may_load(door, "127.0.0.1:8000", {"Sec-Fetch-Site": "cross-site", "Referer": "https://evil.example/"})
    False
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import HTTPError, RequestHandler

from rushes.capture.browser.safety import Door, origin_of, page_headers
from rushes.errors import BadInputError, RushesError

if TYPE_CHECKING:
    from rushes.capture.browser.server import Server

SHARED: Final = "/capture.js"
"""The one file that pages of other origins may include, where they are allowed."""
MAX_CONNECTIONS: Final = 64
"""At once, whoever they are: a browser opens six, and a recording needs files of its own."""
_BLOCK: Final = 1 << 20
_ICON: Final = "/favicon.ico"
_REFUSED: Final = "Open the address that `rushes record --backend browser` printed, with its token."


def may_load(door: Door, host: str, headers: Mapping[str, str]) -> bool:
    """Say whether the page that includes a file may do so, as far as the browser tells which it is.

    Args:
        door: Who may come in.
        host: The request's `Host`.
        headers: The request's headers: `Origin`, `Sec-Fetch-Site`, `Referer`.
    """
    origin = headers.get("Origin")
    if origin is not None:
        return door.admits(origin, host)
    if headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}:
        return True
    if not door.origins:
        return False
    referer = headers.get("Referer")
    if referer is None:  # a page may keep that to itself; the token is what it has shown
        return True
    try:
        return door.admits(origin_of("/".join(referer.split("/")[:3])), host)
    except BadInputError:
        return False


class Limited(HTTPServer):
    """A server that turns away what comes when there are enough connections; what stands idle goes by itself."""

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Take a connection, or close it."""
        if len(self._connections) < MAX_CONNECTIONS:
            super().handle_stream(stream, address)
        else:
            stream.close()


class Guarded(RequestHandler):
    """A request that names us by a name of ours; what it is answered carries the headers of `safety`."""

    def initialize(self, server: Server) -> None:
        """Take the server."""
        self.server = server

    def set_default_headers(self) -> None:
        """Set what every answer carries, errors too."""
        self.clear_header("Server")
        host = self.request.host
        known = hasattr(self, "server") and self.server.door.serves(host)
        for name, value in page_headers(host if known else "127.0.0.1").items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuse names that are not ours."""
        self.set_default_headers()
        if not self.server.door.serves(self.request.host):
            raise HTTPError(HTTPStatus.MISDIRECTED_REQUEST)

    @property
    def knows_token(self) -> bool:
        """Whether the token stands in the address or in our cookie."""
        door = self.server.door
        return door.knows(self.get_query_argument("token", None)) or door.knows(self.get_cookie(door.cookie))

    def write_error(self, status_code: int, **more: Any) -> None:
        """Say why in a line of plain text; nothing of the request stands in it."""
        del more
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        words = _REFUSED if status_code == HTTPStatus.FORBIDDEN else HTTPStatus(status_code).phrase
        self.finish(words + "\n")

    def log_exception(self, *_: Any) -> None:
        """Say nothing on the terminal: a token may stand in the address."""


class Unknown(Guarded):
    """What is no path of ours, such as a whole address."""

    def prepare(self) -> None:
        """Say so, with the headers of all that we serve."""
        super().prepare()
        raise HTTPError(HTTPStatus.NOT_FOUND)


class Page(Guarded):
    """A file of the fixed list."""

    def get(self, path: str) -> None:
        """Serve it to whoever knows the token."""
        door, host = self.server.door, self.request.host
        found = self.server.files.get(path)
        if not self.knows_token:
            raise HTTPError(HTTPStatus.FORBIDDEN)
        if path == SHARED and not may_load(door, host, self.request.headers):
            raise HTTPError(HTTPStatus.FORBIDDEN)
        if found is None and path == _ICON:  # every browser asks for it
            self.set_status(HTTPStatus.NO_CONTENT)
            return
        if found is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        if path == "/":
            self.set_cookie(door.cookie, door.token, path="/", httponly=True, samesite="Strict")
        if path == SHARED and door.origins:
            self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
            if (origin := self.request.headers.get("Origin")) in door.origins:
                self.set_header("Access-Control-Allow-Origin", str(origin))
                self.set_header("Vary", "Origin")
        kind, content = found
        self.set_header("Content-Type", kind)
        self.finish(content)


class Download(Guarded):
    """A session as a zip; its number is the permission, so a page of an allowed origin can link to it."""

    async def get(self, number: str) -> None:
        """Make it where it is not there yet, and send it."""
        make = self.server.find(number)
        if make is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        try:
            path, size = await asyncio.get_running_loop().run_in_executor(None, _made, make)
        except RushesError as error:
            self.set_status(HTTPStatus.INTERNAL_SERVER_ERROR)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"the session is stored, and could not be exported: {error}\n")
            return
        name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in path.name)
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.set_header("Content-Length", str(size))
        await self._send(path)

    async def _send(self, path: Path) -> None:
        loop, at = asyncio.get_running_loop(), 0
        try:
            while block := await loop.run_in_executor(None, _block, path, at):
                at += len(block)
                self.write(block)
                await self.flush()
        except StreamClosedError:  # whoever wanted it has gone
            return


def _made(make: Callable[[], Path]) -> tuple[Path, int]:
    """Make a zip and say how large it is; not on the server's thread."""
    path = make()
    return path, path.stat().st_size


def _block(path: Path, at: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(_BLOCK)
