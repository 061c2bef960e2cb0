"""A link to a frame of something that can be opened: a path, and behind a question mark the place in it.

Example:
    >>> read_link("sessions/a?session=b&frame=300&t=10.0")
    Link(path='sessions/a', frame=300, session='b')
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from rushes.formats.base import is_there

_LINK: Final = re.compile(r"(?P<path>.+)\?(?:session=(?P<session>[^&]*)&)?frame=(?P<frame>\d+)(?:&t=[\d.]+)?")


class Link(NamedTuple):
    """A place in something that can be opened.

    Attributes:
        path: What to open.
        frame: Frame of the player.
        session: Id of one of several sessions, or `""`.
    """

    path: str
    frame: int
    session: str = ""

    def text(self, t_s: float) -> str:
        """Write it down; `read_link` reads it.

        Args:
            t_s: Time of the frame in seconds, for people.
        """
        session = f"session={quote(self.session, safe='')}&" if self.session else ""
        return f"{self.path}?{session}frame={self.frame}&t={t_s:.3f}"


def read_link(text: str) -> Link | None:
    """Read a link; None for what is none."""
    match = _LINK.fullmatch(text)
    if match is None or is_there(text):
        return None
    return Link(match["path"], int(match["frame"]), unquote(match["session"] or ""))
