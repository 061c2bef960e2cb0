"""The page's side of playing by hand, as a widget: what stands still is a trait, what moves are messages.

Pictures go out as they come from the game, from whatever thread brings them. The page says how far it is; where it lags
far behind (a slow line, a laptop that sleeps) only a few pictures a second are sent until it has caught up, so nothing
queues up between the kernel and the page.

Example:
    >>> view = PlayView({"state": "off"}, heard=lambda message: None)
    >>> view.picture({"is": "frame", "number": 0, "type": "png"}, b"")
    True
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import anywidget
import traitlets

from rushes.widgets.esm import join, styles
from rushes.widgets.page_hearing import hear_page
from rushes.widgets.play_games import playable_games

BEHIND: Final = 90
"""Pictures that may be under way: 1.5 s of a game at 60 a second."""
_FEW: Final = 15
"""Of a page that is behind, one picture in so many is sent."""


class PlayView(anywidget.AnyWidget):
    """The widget.

    Attributes:
        about: What never changes: the environments that can be played.
        look: What the page shows while nothing moves, as `play_look.look_of` gives it.
        sent: Pictures sent to the page.
        spared: Pictures that were not sent because the page was behind.

    Args:
        look: The first look.
        heard: Called with every message of the page, on the kernel's thread; it has to be quick.
    """

    _esm = join("play.js")
    _css = styles("panel.css", "play.css")
    about = traitlets.Dict().tag(sync=True)
    look = traitlets.Dict().tag(sync=True)

    def __init__(self, look: Mapping[str, Any], *, heard: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(about={"games": list(playable_games())}, look=dict(look))
        self.sent = self.spared = self._got = 0
        self._lock = threading.Lock()
        self._last: tuple[Mapping[str, Any], bytes] | None = None
        hear_page(self, lambda _, message, __: heard(message))

    def picture(self, message: Mapping[str, Any], pixels: bytes) -> bool:
        """Send a picture, unless the page is far behind; say whether it was sent.

        Args:
            message: number, type, score, reward, lives, human, episode.
            pixels: A PNG or JPEG file.
        """
        with self._lock:
            self._last = (message, pixels)
            if self.sent - self._got >= BEHIND and (self.sent + self.spared) % _FEW:
                self.spared += 1
                return False
            self.sent += 1
            number = self.sent
        self.send({**message, "sent": number}, [pixels])
        return True

    def got(self, sent: int) -> None:
        """Take note of how far the page is.

        Args:
            sent: `sent` of the last picture that it has.
        """
        with self._lock:
            self._got = max(self._got, min(sent, self.sent))

    def again(self) -> None:
        """Send the last picture to a page that has just come."""
        with self._lock:
            self._got, last = self.sent, self._last
        if last is not None:
            self.send({**last[0], "sent": self.sent}, [last[1]])

    def show(self, look: Mapping[str, Any]) -> None:
        """Let the page show a state.

        Args:
            look: As `play_look.look_of` gives it.
        """
        if self.look != look:
            self.look = dict(look)
