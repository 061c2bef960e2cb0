"""Following a window: a thread that knows where it is, so that the one that takes pictures never waits for an answer.

The thread asks whenever the window may have moved and ten times a second besides. What it knows is one tuple, replaced
as a whole, so reading it takes no lock.

Example:
    >>> with follow(None, Box(0, 0, 640, 480)) as follower:  # a region stays where it is
    ...     follower.place
    Place(box=Box(left=0, top=0, right=640, bottom=480), visible=True)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from rushes.capture.screen.base import Box
from rushes.capture.screen.windows import Place, Watch, watch

POLL_S: Final = 0.1

Opener = Callable[[int], AbstractContextManager[Watch]]


class Follower:
    """What is known of the window.

    Attributes:
        place: Where it is.
        end: Why there is nothing more to follow, or None.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.end: Exception | None = None

    def check(self) -> Place:
        """Give the place.

        Raises:
            SourceEnd: `window_closed` or `display_lost`.
        """
        if self.end is not None:
            raise self.end
        return self.place


@contextmanager
def follow(window: int | None, box: Box, *, opener: Opener = watch) -> Iterator[Follower]:
    """Follow a window while the block runs.

    Args:
        window: Its id; None follows nothing and stays at the box.
        box: Where it was last.
        opener: Opens an eye on a window.

    Raises:
        SourceEnd: The window is gone already.
        UnavailableError: Windows cannot be asked here.
    """
    follower = Follower(Place(box, visible=True))
    if window is None:
        yield follower
        return
    stop, known = threading.Event(), threading.Event()
    arguments = (follower, window, opener, known, stop)
    thread = threading.Thread(target=_ask, args=arguments, name="rushes-follow", daemon=True)
    thread.start()
    try:
        known.wait()
        follower.check()
        yield follower
    finally:
        stop.set()
        thread.join(10 * POLL_S)


def _ask(follower: Follower, window: int, opener: Opener, known: threading.Event, stop: threading.Event) -> None:
    try:
        with opener(window) as eye:
            while not stop.is_set():
                follower.place = eye.place()
                known.set()
                eye.wait(POLL_S)
    except Exception as error:  # noqa: BLE001 - the thread that takes pictures raises it
        follower.end = error
    finally:
        known.set()
