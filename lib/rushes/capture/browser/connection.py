"""The connection of a page that plays: hello, clock, go, then what it sends; all of it on the server's thread.

```
page -> hello           server -> welcome, sync (8 times, each after its answer)
        sync ...                  go, when the recorder is ready; sync every 2 s
        pictures, events, telemetry, gap, lost, end ...
                        server -> saved | refused, and closes
```

Example (what closes a connection is said in three parts):
    >>> from rushes.capture.browser.messages import refusal
    >>> refusal(BUSY, "busy")["given"]
    'a second page while one is being recorded'
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tornado.ioloop import PeriodicCallback
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from rushes.capture.browser.clock_join import Sample
from rushes.capture.browser.messages import (
    VERSION,
    Answer,
    BadMessageError,
    Ending,
    Hello,
    Inputs,
    Message,
    refusal,
)
from rushes.capture.browser.page_source import Closed
from rushes.capture.browser.pages import Guarded
from rushes.capture.browser.parsing import parse_picture, parse_text
from rushes.capture.browser.safety import Allowance
from rushes.errors import BusyError, RushesError

if TYPE_CHECKING:
    from rushes.capture.browser.server import Server

FIRST_SYNCS: Final = 8
"""Questions to the page's clock before it begins: of eight answers one is quick even on a busy machine."""
SYNC_S: Final = 2.0
HELLO_S: Final = 10.0
"""How long a page may take from the connection until its clock is known."""
_ASKED: Final = 16
_POLICY: Final = 1008
BUSY: Final = BusyError(
    "a second page while one is being recorded", accepts="one play at a time", fix="end the other one, or wait"
)
LATE: Final = BadMessageError(
    f"a page that does not join within {HELLO_S:g} s", accepts="hello, and answers to sync", reason="too_slow"
)


class Play(Guarded, WebSocketHandler):
    """One page. Everything but `go`, `refuse` and `saved` happens on the server's thread.

    Attributes:
        inbox: What it sent, for the source.
        hello: What it said of itself.
        is_own: Whether the page is one of ours.
    """

    hello: Hello
    is_own: bool

    def initialize(self, server: Server) -> None:
        """Take the server; nobody has said anything yet."""
        super().initialize(server)
        self.inbox: queue.SimpleQueue[Message | Sample | Closed] = queue.SimpleQueue()
        self._state = "new"  # joining, ready, on, over
        self._allowance = Allowance(server.welcome.rate_hz)
        self._asked: dict[int, int] = {}
        self._number = self._answers = 0

    def prepare(self) -> None:
        """Refuse who does not know the token, or does not say where it comes from."""
        super().prepare()
        origin, host = self.request.headers.get("Origin"), self.request.host
        self.is_own = self.server.door.is_own(origin, host)
        token = self.get_query_argument("token", None)
        knows = self.knows_token if self.is_own else self.server.door.knows(token)  # a foreign page has no cookie
        if not knows or not self.server.door.admits(origin, host):
            self.set_status(403)
            self.finish("this page may not record\n")

    def check_origin(self, origin: str) -> bool:
        """Say whether a page may connect: one of ours or one that was allowed, exactly."""
        return self.server.door.admits(origin, self.request.host)

    def open(self, *_: str, **__: str) -> None:
        """Wait for a hello, not for ever."""
        self.set_nodelay(True)
        self._sync = PeriodicCallback(self._ask, SYNC_S * 1000)
        self._patience = self.server.loop.call_later(HELLO_S, self._lose_patience)

    def _lose_patience(self) -> None:
        if self._state in {"new", "joining"}:
            self._end(LATE)

    def on_message(self, message: str | bytes) -> None:
        """Take what the page sends; anything that it may not say ends it."""
        now_ns = time.perf_counter_ns()
        if self._state == "over":
            return
        try:
            self._take(message, now_ns)
        except BadMessageError as error:
            self._end(error)

    def _take(self, message: str | bytes, now_ns: int) -> None:
        if isinstance(message, bytes):
            self._allowance.take(now_ns / 1e9, len(message), frames=1)
            parsed: Message = parse_picture(message, self.server.welcome.size)
        else:
            self._allowance.take(now_ns / 1e9, len(message), texts=1)
            parsed = parse_text(message)
        if isinstance(parsed, Answer):
            self._answer(parsed, now_ns)
        elif isinstance(parsed, Hello):
            self._greet(parsed)
        elif self._state != "on":
            raise BadMessageError("a message before `go`", accepts="hello, then answers to sync")
        else:
            if isinstance(parsed, Inputs):
                self._allowance.take(now_ns / 1e9, 0, rows=len(parsed.rows))
            elif isinstance(parsed, Ending):
                self._state = "over"
            self.inbox.put(parsed)

    def _greet(self, hello: Hello) -> None:
        if self._state != "new":
            raise BadMessageError("a second hello", accepts="one a connection")
        if not self.server.take(self):
            self._end(BUSY, "busy")
            return
        self.hello, self._state = hello, "joining"
        welcome = self.server.welcome
        self.tell(
            {
                "type": "welcome",
                "version": VERSION,
                "rate_hz": welcome.rate_hz,
                "size": list(welcome.size),
                "layout": list(welcome.layout),
            }
        )
        self._ask()

    def _ask(self) -> None:
        while len(self._asked) >= _ASKED:  # a page that stands still answers later, or never
            del self._asked[next(iter(self._asked))]
        self._number += 1
        self._asked[self._number] = time.perf_counter_ns()
        self.tell({"type": "sync", "s": self._number})

    def _answer(self, answer: Answer, now_ns: int) -> None:
        sent_ns = self._asked.pop(answer.number, None)
        if sent_ns is None:
            if 0 < answer.number <= self._number:  # asked so long ago that its time is forgotten: the page stood still
                return
            raise BadMessageError("an answer to no question", accepts="one `sync` for each that was sent")
        self.inbox.put(Sample(sent_ns, answer.told_ms, now_ns))
        self._answers += 1
        if self._state != "joining":
            return
        if self._answers < FIRST_SYNCS:
            self._ask()
        else:
            self._state = "ready"
            self._sync.start()
            self.server.hand_over(self)

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message; nobody hears it where the page has gone."""
        try:
            sent = self.write_message(json.dumps(message))
            sent.add_done_callback(lambda done: done.exception())
        except WebSocketClosedError:
            return

    def _end(self, error: RushesError, code: str = "") -> None:
        """Say why, close, and let the source know."""
        reason = error.reason if isinstance(error, BadMessageError) else "stop"
        self._over(Closed(reason, str(error)))
        self.tell(refusal(error, code))
        self.close(_POLICY, "refused")

    def _over(self, closed: Closed) -> None:
        if self._state in {"joining", "ready", "on"}:
            self.inbox.put(closed)
        if self._state in {"new", "joining"}:  # nobody else lets go of it
            self.server.release(self)
        self._state = "over"

    def on_close(self) -> None:
        """Notice that the page has gone."""
        self._sync.stop()
        self._patience.cancel()
        self._over(Closed())

    def go(self) -> None:
        """Tell the page that frames are wanted; from any thread."""
        self.server.on_loop(self._go)

    def _go(self) -> None:
        if self._state == "ready":
            self._state = "on"
            self.tell({"type": "go"})

    def refuse(self, error: RushesError) -> None:
        """Tell the page why it is over and close; from any thread."""
        self.server.on_loop(lambda: self._end(error))

    def saved(self, message: Mapping[str, Any]) -> None:
        """Tell the page what was stored, close, and let the next one in; from any thread."""
        self.server.on_loop(lambda: self._saved(message))

    def _saved(self, message: Mapping[str, Any]) -> None:
        self._state = "over"
        address = f"http://{self.request.host}"
        download = message.get("download", "")
        self.tell({**message, "download": download and address + download})
        self.close(1000, "saved")
        self.server.release(self)
