"""The browser backend: one play of one page, as a session.

The page measures, `rushes.capture.browser.page_source` brings its times to the session's clock. What the hands did
passes the same gate as on a desktop: controls of the layout, the rest is counted without name. A connection that
closes without a last word is `tab_closed`.

Example:
    >>> from rushes.capture.browser.messages import Hello
    >>> hello = Hello("Rescue", "Ada", "http://127.0.0.1:8000/", (360, 640), {"seed": 7})
    >>> backend = BrowserBackend(hello, link=None, size=(128, 128), rate_hz=10.0)
    >>> backend.describe().provenance["player"], [spec.name for spec in backend.specs()]
    ('Ada', ['screen', 'events', 'telemetry'])
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rushes.capture.browser.messages import Hello
from rushes.capture.browser.page_source import Joins, Link, PageSource
from rushes.capture.input.gate import Gate
from rushes.capture.settings import action_space, controls_of
from rushes.capture.source import Say, Source, ignore
from rushes.model.session import SessionInfo, StreamSpec

CODEC: Final = "png"
"""Exact, and cheap at the sizes that are asked for."""


@dataclass(frozen=True)
class BrowserBackend:
    """One play of one page.

    Attributes:
        hello: What the page said of itself.
        link: Its connection; touched by the source only.
        size: (height, width) of the captured pictures in px.
        rate_hz: Pictures a second that were asked for.
        layout: A layout's name, or a JSON file with a list of controls: what may be kept of the hands.
        game: What the session calls it; `""` takes the page's own name.
        name: Name of the source: `demo`, or the page's own.
        codec: How the session stores pictures.
        session_id: Of the session; `""` makes a new one.
        joins: Attributes of the segments by their begin; the source puts each clock join into them.
    """

    hello: Hello
    link: Link
    size: tuple[int, int] = (128, 128)
    rate_hz: float = 10.0
    layout: str = "capture28"
    game: str = ""
    name: str = "demo"
    codec: str = CODEC
    session_id: str = field(default="")
    joins: Joins = field(default_factory=Joins)

    def __post_init__(self) -> None:
        if not self.session_id:
            object.__setattr__(self, "session_id", f"browser-{uuid.uuid4().hex}")

    def specs(self) -> tuple[StreamSpec, ...]:
        """List the streams; touches nothing."""
        height, width = self.size
        screen = StreamSpec("screen", "frames", self.codec, self.codec == CODEC, width, height, self.rate_hz)
        return (screen, StreamSpec("events", "events", unit="px"), StreamSpec("telemetry", "telemetry"))

    def describe(self) -> SessionInfo:
        """Describe the session; touches nothing."""
        hello = self.hello
        provenance: dict[str, Any] = {
            "environment": "",
            "seed": None,
            **hello.attrs,
            "page": hello.page,
            "player": hello.player,
            "canvas": list(hello.canvas),
            "fps": self.rate_hz,
            "layout": self.layout,
        }
        return SessionInfo(
            id=self.session_id,
            game=self.game or hello.game,
            source={"kind": "browser", "name": self.name},
            time_source="measured",
            streams=self.specs(),
            action_space=action_space(self.layout),
            provenance=provenance,
        )

    def gate(self) -> Gate:
        """Make what decides on the hands; a browser tells a page of inputs only while it has the focus."""
        return Gate(controls_of(action_space(self.layout)), scope="anywhere")

    def sources(self, say: Say = ignore) -> Sequence[Source]:
        """Make the source; opens nothing."""
        del say
        return (PageSource(self.link, self.gate(), self.rate_hz, self.joins),)
