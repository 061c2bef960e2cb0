"""A game that is played by hand, in a process of its own: whatever the front does costs it no step.

The front (a panel in a notebook, a script) holds a `HandProcess`. It sends orders, keys and pads, and gets pictures,
sound and states (`rushes.capture.hand.child` lists both). When the front goes away, for whatever reason, the game ends
and its session is sealed; when the process is killed, `rushes recover` brings back what was played.

Example:
    >>> def play_a_bit(out):
    ...     with HandProcess(HandSettings("Breakout", out=out), lambda message, data: None) as game:
    ...         game.send({"do": "start"})
    ...         game.send({"do": "edges", "rows": [[None, "Space", 1]]})
    ...         game.wait(10.0)
    ...     return game.result()["frames"]
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import IO, Any, Final, Self

from rushes.capture.hand.settings import HandSettings
from rushes.capture.hand.wire import pack, read
from rushes.errors import RushesError, StoppedError

_STOP_S: Final = 120.0


class HandProcess:
    """A game in another process.

    Args:
        settings: What is played.
        on_message: Called with each message and its bytes, from a thread of its own; the next picture but three waits
            until it returns, so it should hand on and not work.
        acknowledge: Whether a picture counts as taken when `on_message` returns. A front that knows better (a page far
            away that says when it drew) passes False and sends `{"do": "seen"}` for each picture itself.

    Attributes:
        path: The session directory.
    """

    def __init__(
        self,
        settings: HandSettings,
        on_message: Callable[[dict[str, Any], bytes], object],
        *,
        acknowledge: bool = True,
    ) -> None:
        self.path = settings.path()
        self._on_message, self._acknowledge = on_message, acknowledge
        self._ended: Mapping[str, Any] | None = None
        self._state: Mapping[str, Any] = MappingProxyType({"is": "state", "state": "starting"})
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rushes.capture.hand.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=os.name != "nt",  # Ctrl+C in a terminal is the front's; it says stop
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self.send({**settings.to_json(), "out": str(self.path)})
        threading.Thread(target=self._listen, name="rushes-hand", daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, from any thread; to a game that is over it does nothing."""
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(pack(message))
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while (found := read(self._process.stdout)) is not None:
            message, data = found
            if message["is"] == "ended":
                self._ended = message
                continue  # told when the process is gone, so that its session is at rest
            if message["is"] == "state":
                self._state = MappingProxyType(message)
            self._tell(message, data)
            if message["is"] == "frame" and self._acknowledge:
                self.send({"do": "seen"})
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self._errors.close()
        self._process.stdout.close()
        with self._lock, contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        if self._ended is None:
            given = f"a game whose process died with status {self._process.poll()}" + "".join(
                f": {li}" for li in lines[-1:]
            )
            fix = f"`rushes recover {self.path}` brings back what was played"
            frames = self._state.get("frames", 0)
            error = [given, "a game that comes to its end", fix]
            self._ended = {"is": "ended", "path": str(self.path), "frames": frames, "reason": "died", "error": error}
        self._over.set()
        self._tell(dict(self._ended), b"")

    def _tell(self, message: dict[str, Any], data: bytes) -> None:
        with contextlib.suppress(Exception):  # what a front cannot show stops no game
            self._on_message(message, data)

    @property
    def state(self) -> Mapping[str, Any]:
        """The last state: see `rushes.capture.hand.child`; `starting` before the first."""
        return self._state

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return not self._over.is_set()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it is over; say whether it is."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        """End the game and wait until its session is sealed.

        Raises:
            StoppedError: It does not come to its end.
        """
        self.send({"do": "stop"})
        if not self._over.wait(_STOP_S):
            raise StoppedError(
                f"a game (process {self.pid}) that does not come to its end within {_STOP_S:g} s",
                accepts="a game that seals its last chunk",
                fix=f"wait, or end that process and run `rushes recover {self.path}`",
            )

    def result(self) -> Mapping[str, Any]:
        """Say how it ended: path, frames, reason; reason `""` while it is played.

        Raises:
            RushesError: It could not begin, or the world, a policy or the disk failed.
            StoppedError: The process was killed.
        """
        if self._ended is None:
            frames = self._state.get("frames", 0)
            return MappingProxyType({"path": str(self.path), "frames": frames, "reason": "", "error": None})
        if self._ended["error"]:
            given, accepts, fix = self._ended["error"]
            kind = StoppedError if self._ended["reason"] == "died" else RushesError
            raise kind(given, accepts=accepts, fix=fix)
        return MappingProxyType(dict(self._ended))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.close()
