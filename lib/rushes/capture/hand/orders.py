"""Orders of the person at the front: begin, pause, go on, begin anew, stop, and who plays.

They come from any thread and are followed between two steps, so nothing is cut in the middle of one.

Example:
    >>> orders = Orders(has_policy=False)
    >>> orders.put("pause"); orders.put("stop", "front_gone")
    >>> orders.next(), orders.next(), orders.over
    ('pause', 'stop', 'front_gone')
"""

from __future__ import annotations

import queue
import time
from typing import Final

from rushes.capture.hand.settings import WHO
from rushes.errors import BadNameError

ORDERS: Final = ("start", "pause", "resume", "restart", "stop", "control")
"""What can be ordered; `control` with one of `WHO`, `stop` with the end_reason of the segment."""
_FOR_EVER_S: Final = float(1 << 20)
_LOOK_S: Final = 0.1
"""How long a wait goes without a look at `over`: a signal sets that alone, for it may take no lock."""


class Orders:
    """Orders that wait to be followed.

    Args:
        has_policy: Whether anybody but a person can play.
        who: Who plays at first.

    Attributes:
        who: Who plays, one of `WHO`.
        over: Why it is over, `""` before.
    """

    def __init__(self, *, has_policy: bool, who: str = "human") -> None:
        self._has_policy, self.who, self.over = has_policy, who, ""
        self._waiting: queue.Queue[tuple[str, str]] = queue.Queue()

    def put(self, name: str, value: str = "") -> None:
        """Give an order; one that does not fit the moment (a pause in a pause) does nothing.

        Args:
            name: One of `ORDERS`.
            value: Who plays, for `control`; why, for `stop`.

        Raises:
            BadNameError: No such order or player.
        """
        if name not in ORDERS:
            raise BadNameError(f"order {name!r}", accepts=", ".join(ORDERS), fix="take one of them")
        if name == "control" and (value not in WHO or (value != "human" and not self._has_policy)):
            accepts = ", ".join(WHO) if self._has_policy else "human, as there is no policy"
            raise BadNameError(f"control {value!r}", accepts=accepts, fix="begin with policy='persistent' to share")
        self._waiting.put((name, value))

    def next(self) -> str:
        """Look for an order that ends a segment: `stop`, `pause`, `restart`; `""` where there is none."""
        while not self._waiting.empty():
            name = self._take(0.0)
            if name in {"stop", "pause", "restart"}:
                return name
        return ""

    def wait(self, *names: str, seconds: float | None = None) -> str:
        """Wait for one of some orders, or for the end.

        Args:
            *names: Which.
            seconds: For how long; None for ever.

        Returns:
            The one that came; `""` where none did or it is over.
        """
        until_s = time.monotonic() + (_FOR_EVER_S if seconds is None else seconds)
        while not self.over and (left_s := until_s - time.monotonic()) > 0:
            name = self._take(min(left_s, _LOOK_S))
            if name in names:
                return name
        return ""

    def _take(self, timeout_s: float) -> str:
        try:
            name, value = self._waiting.get(timeout=timeout_s or None, block=timeout_s > 0)
        except queue.Empty:
            return ""
        if name == "stop":
            self.over = value or "stop"
        elif name == "control":
            self.who = value
        return name
