"""Who may come in: the token, the names that we serve, the pages that may record, and how much one of them may send.

Other pages of the same browser can reach a loopback server too, so three things are asked for. The token in the address
(a page that does not know it gets nothing). The `Host` header (a foreign name that was made to point here is not
ours). The `Origin` of whoever connects (a browser says it truthfully; it has to be our own or one that was allowed).

Example:
    >>> door = Door(token="secret", port=8000, host="127.0.0.1", origins=("https://game.example",))
    >>> door.serves("localhost:8000"), door.serves("evil.example:8000"), door.knows("guess")
    (True, False, False)
    >>> [door.admits(origin, "localhost:8000") for origin in ("https://game.example", "https://game.example.evil")]
    [True, False]
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from rushes.capture.browser.messages import BadMessageError
from rushes.errors import BadInputError

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
WINDOW_S: Final = 5.0
"""How long too much has to go on: a page that stood still for a moment sends what it has at once."""
FRAMES_OVER: Final = 2.0
"""So many times the rate that was asked for."""
ROWS_A_SECOND: Final = 20_000
"""Inputs: twice what the fastest mice report."""
TEXTS_A_SECOND: Final = 400
"""Messages without a picture: `capture.js` sends at most twenty times a second, a few each time."""
MAX_SESSION_BYTES: Final = 8 << 30
"""What one play may send: four hours of 128x128 at 10 Hz, before compression."""
_EVERY: Final = ("", "0.0.0.0", "::")  # noqa: S104 - only where the person who starts it says so
_PORTS: Final = {"http": 80, "https": 443}


def new_token() -> str:
    """Make a token: 256 bits that nobody guesses."""
    return secrets.token_urlsafe(32)


def origin_of(text: str) -> str:
    """Bring what a person gave for a page to the form in which browsers say its origin.

    Args:
        text: Scheme, host and port, such as `http://localhost:3000`.

    Returns:
        The origin: small letters, no default port.

    Raises:
        BadInputError: It is a pattern, has a path, or is no address.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = not (parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"))
    if parts.scheme not in _PORTS or not parts.hostname or "*" in parts.netloc or not plain:
        raise BadInputError(
            f"--allow-origin {text}",
            accepts="scheme, host and port of one page, without a path: http://localhost:3000",
            fix="take what the page's own console prints for `location.origin`",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


@dataclass(frozen=True)
class Door:
    """What a request has to show.

    Attributes:
        token: The token.
        port: Where we listen.
        host: The address that we listen on.
        origins: Origins of other pages that may record, as `origin_of` gives them.
    """

    token: str = field(repr=False)
    port: int
    host: str = "127.0.0.1"
    origins: tuple[str, ...] = ()

    @property
    def cookie(self) -> str:
        """Name of the cookie; cookies of one host are shared by its ports, so it says ours."""
        return f"rushes_{self.port}"

    @property
    def shown_host(self) -> str:
        """Host and port as they stand in the address that a person opens."""
        return f"{self._names[0]}:{self.port}"

    @property
    def _names(self) -> tuple[str, ...]:
        if self.host in _EVERY:
            return (socket.gethostname().lower(), *LOOPBACK)
        host = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return tuple(dict.fromkeys((host, *LOOPBACK))) if host in LOOPBACK else (host,)

    def knows(self, token: str | None) -> bool:
        """Say whether a token is ours; takes as long for a nearly right one."""
        return token is not None and hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def serves(self, host: str) -> bool:
        """Say whether a `Host` header names us.

        Where we listen on every address, any IP address will do: no name can be made to point here with it.
        """
        name, _, port = host.lower().rpartition(":")
        if self.port == _PORTS["http"] and not port.isdigit():  # browsers leave out the usual port
            name, port = host.lower(), str(self.port)
        known = name in self._names or (self.host in _EVERY and _is_address(name))
        return known and port == str(self.port)

    def is_own(self, origin: str | None, host: str) -> bool:
        """Say whether an `Origin` header is that of a page of ours, seen under the same name."""
        return origin is not None and origin.lower() == f"http://{host.lower()}"

    def admits(self, origin: str | None, host: str) -> bool:
        """Say whether a page may record: one of ours, or exactly one that was allowed."""
        return self.is_own(origin, host) or origin in self.origins


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def page_headers(host: str) -> dict[str, str]:
    """Return the headers of everything that we serve.

    Nothing from elsewhere is loaded and nobody frames us; the page is isolated from others, which also makes its
    clock fine (5 microseconds instead of 100).

    Args:
        host: Host and port as the request named them; checked before.
    """
    return {
        "Content-Security-Policy": f"default-src 'self'; img-src 'self' data:; connect-src 'self' ws://{host}; "
        "worker-src blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


class Allowance:
    """How much one play may send.

    Args:
        rate_hz: Frames a second that were asked for.
        max_bytes: Of the whole play.
    """

    def __init__(self, rate_hz: float, *, max_bytes: int = MAX_SESSION_BYTES) -> None:
        self._limits = {
            "frames": (FRAMES_OVER * max(rate_hz, 1.0), "too_many_frames", f"{rate_hz:g} pictures a second"),
            "rows": (ROWS_A_SECOND, "too_many_inputs", f"{ROWS_A_SECOND} inputs a second"),
            "texts": (TEXTS_A_SECOND, "too_many_messages", f"{TEXTS_A_SECOND} messages a second"),
        }
        self._seen: dict[str, deque[tuple[float, int]]] = {name: deque() for name in self._limits}
        self._sums = dict.fromkeys(self._limits, 0)
        self._left = max_bytes
        self._max_bytes = max_bytes

    def take(self, now_s: float, size: int, **counts: int) -> None:
        """Count a message.

        Args:
            now_s: When it came, seconds on any clock.
            size: Its bytes.
            **counts: `frames`, `rows`, `texts` that it brought.

        Raises:
            BadMessageError: It was one too many; `reason` says of what.
        """
        self._left -= size
        if self._left < 0:
            raise BadMessageError(
                f"a play of more than {self._max_bytes} bytes",
                accepts="less than that in one session",
                fix="end the play earlier, or ask for smaller pictures",
                reason="too_large",
            )
        for name, count in counts.items():
            seen, (limit, reason, words) = self._seen[name], self._limits[name]
            seen.append((now_s, count))
            self._sums[name] += count
            while seen[0][0] < now_s - WINDOW_S:
                self._sums[name] -= seen.popleft()[1]
            if self._sums[name] > limit * WINDOW_S:
                raise BadMessageError(
                    f"{self._sums[name]} {name} within {WINDOW_S:g} s",
                    accepts=words,
                    fix="send what `welcome` asks for",
                    reason=reason,
                )


def origins_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Bring several pages to the form of origins, each once."""
    return tuple(dict.fromkeys(origin_of(text) for text in texts))
