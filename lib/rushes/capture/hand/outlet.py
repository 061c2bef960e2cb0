"""The way to the front: pictures, sound and states leave on a thread of their own, and the game waits for none of them.

Of pictures and of states the newest counts; one more picture may wait, should this thread be late. The front says when
it has taken a picture (`seen`); a few may be under way at once, so that a front that keeps up sees every one, and one
that does not is never shown what is long past. Sound is not left out piece by piece: a few blocks wait, and when there
are more the oldest go.

Example:
    >>> import io, threading
    >>> from rushes.capture.hand.wire import read
    >>> pipe = io.BytesIO()
    >>> outlet = Outlet(pipe)
    >>> outlet.say({"is": "state", "state": "ready"})
    >>> outlet.end({"is": "ended", "frames": 0})
    >>> where = pipe.seek(0)
    >>> [read(pipe)[0]["is"] for message in range(2)]
    ['state', 'ended']
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from rushes.capture.hand.wire import pack
from rushes.capture.priority import raised

UNDER_WAY: Final = 4
"""Pictures that may be on their way to the front."""
_SOUNDS: Final = 8
_PICTURES: Final = 2
_QUALITY: Final = 88
_LAST_S: Final = 5.0
"""How long the last message waits for a front that does not read."""

Picture = bytes | npt.NDArray[np.uint8]
"""A PNG file, or (H, W, 3) uint8 RGB that becomes a JPEG file if it is sent at all."""


class Outlet:
    """Sends messages.

    Args:
        pipe: Where to.

    Attributes:
        sent: Pictures sent.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._changed = threading.Condition()
        self._says: dict[str, Mapping[str, Any]] = {}
        self._frames: deque[tuple[Mapping[str, Any], Picture]] = deque(maxlen=_PICTURES)
        self._sounds: deque[tuple[Mapping[str, Any], bytes]] = deque(maxlen=_SOUNDS)
        self._last: Mapping[str, Any] | None = None
        self._free = UNDER_WAY
        self.sent = 0
        self._thread = threading.Thread(target=self._run, name="rushes-outlet", daemon=True)
        self._thread.start()

    def say(self, message: Mapping[str, Any]) -> None:
        """Send a message, in the place of an older one of its kind (`is`) that has not left yet."""
        with self._changed:
            self._says[str(message["is"])] = message
            self._changed.notify()

    def show(self, message: Mapping[str, Any], picture: Picture) -> None:
        """Send a picture, in the place of the oldest where too many have not left yet.

        Args:
            message: What stands beside it.
            picture: Not changed afterwards.
        """
        with self._changed:
            self._frames.append((message, picture))
            self._changed.notify()

    def play(self, message: Mapping[str, Any], samples: npt.NDArray[np.int16]) -> None:
        """Send a block of sound: (N, C) int16."""
        with self._changed:
            self._sounds.append((message, samples.astype("<i2").tobytes()))
            self._changed.notify()

    def seen(self) -> None:
        """Note that the front has taken a picture."""
        with self._changed:
            self._free = min(self._free + 1, UNDER_WAY)
            self._changed.notify()

    def end(self, message: Mapping[str, Any]) -> None:
        """Send the last message and wait until it has left, a few seconds at the most."""
        with self._changed:
            self._last = message
            self._changed.notify()
        self._thread.join(_LAST_S)

    def _ready(self) -> bool:
        return bool(self._says or self._sounds or self._last or (self._frames and self._free > 0))

    def _run(self) -> None:
        raised()
        while True:
            with self._changed:
                self._changed.wait_for(self._ready)
                says, self._says = self._says, {}
                sounds = list(self._sounds)
                self._sounds.clear()
                frame, last = None, self._last
                if self._frames and (self._free > 0 or last):
                    frame = self._frames.popleft()
                    self._free -= 1
            try:
                for message, data in sounds:
                    self._pipe.write(pack(message, data))
                if frame is not None:
                    self._pipe.write(_packed(*frame))
                    self.sent += 1
                for message in says.values():
                    self._pipe.write(pack(message))
                if last is not None:
                    self._pipe.write(pack(last))
                self._pipe.flush()
            except (OSError, ValueError):  # the front is gone; its closed pipe is what ends the session
                return
            if last is not None:
                return


def _packed(message: Mapping[str, Any], picture: Picture) -> bytes:
    if isinstance(picture, bytes):
        return pack({**message, "type": "png"}, picture)
    import cv2

    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return pack({**message, "type": "jpeg"}, data)
