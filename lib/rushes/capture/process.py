"""The recorder in a process of its own: a busy notebook or a slow terminal costs no frame.

The front (a command line, a notebook) holds a `Recorder`. Settings go to the child as a line of JSON, then commands, a
word a line; back come lines of status. When the front goes away, for whatever reason, the child's input closes and it
ends the session cleanly; when the child goes away the front sees it and says so.

Example:
    >>> def watch(settings):
    ...     with Recorder(settings) as recorder:
    ...         recorder.resume()
    ...         while recorder.running:
    ...             recorder.wait(1.0)
    ...             yield recorder.status
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import IO, Any, Final, Self

from rushes.capture.settings import Settings
from rushes.errors import BadInputError, RushesError, StoppedError

COMMANDS: Final = ("resume", "pause", "toggle", "stop")
_STOP_S: Final = 120.0


class Recorder:
    """A recording that runs in another process.

    Args:
        settings: What to record.
        pictures: Whether the child sends a small picture of what it sees, five times a second.

    Attributes:
        path: The session directory.
    """

    def __init__(self, settings: Settings, *, pictures: bool = False) -> None:
        self.path = settings.path()
        self._status: Mapping[str, Any] = MappingProxyType({"state": "starting"})
        self._picture: bytes | None = None
        self._ended: Mapping[str, Any] | None = None
        self._last_words = ""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._begun = threading.Event()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rushes.capture.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=os.name != "nt",  # Ctrl+C in a terminal is the front's; it says stop
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        first = {**settings.to_json(), "out": str(self.path), "pictures": pictures}
        self._say(json.dumps(first))
        threading.Thread(target=self._listen, name="rushes-recorder", daemon=True).start()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError, ValueError):  # it has ended; `result` says why
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                value = json.loads(line)
            except ValueError:  # it was killed in the middle of the line
                continue
            if "picture" in value:
                self._picture = base64.b64decode(value["picture"])
            elif "ended" in value:
                self._ended = value["ended"]
            else:
                self._status = MappingProxyType(value)
                self._begun.set()
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        self._last_words = ": " + lines[-1] if lines else ""
        self._errors.close()
        self._process.stdout.close()
        with self._lock, contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._begun.set()
        self._over.set()

    @property
    def status(self) -> Mapping[str, Any]:
        """The last status: state (`starting`, `recording`, `paused`, `ended`), rate_hz, seconds, frames, dropped, late,
        duplicates, events, discarded, segments, backlog, free_bytes, notes."""  # noqa: D205, D209
        return self._status

    @property
    def picture(self) -> bytes | None:
        """The last small picture as a JPEG file, None where none was asked for or there is none yet."""
        return self._picture

    @property
    def running(self) -> bool:
        """Whether the child is there."""
        return not self._over.is_set()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def resume(self) -> None:
        """Begin or go on, as F6 does."""
        self.command("resume")

    def pause(self) -> None:
        """Pause, as F7 does; the segment ends."""
        self.command("pause")

    def command(self, name: str) -> None:
        """Give a command: `resume`, `pause`, `toggle` or `stop`."""
        if name not in COMMANDS:
            raise BadInputError(f"command {name!r}", accepts=", ".join(COMMANDS), fix="take one of them")
        self._say(name)

    def begun(self, timeout_s: float = 30.0) -> bool:
        """Wait until the first status is there or the child has ended; say whether one of the two came."""
        return self._begun.wait(timeout_s)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the recording is over; say whether it is."""
        return self._over.wait(timeout_s)

    def stop(self) -> Mapping[str, Any]:
        """End the recording and wait until it is sealed.

        Returns:
            What `result` returns.
        """
        self._say("stop")
        if not self._over.wait(_STOP_S):
            raise StoppedError(
                f"a recorder (process {self.pid}) that does not come to its end within {_STOP_S:g} s",
                accepts="a recorder that seals its last chunk",
                fix=f"wait, or end that process and run `rushes recover {self.path}`",
            )
        return self.result()

    def result(self) -> Mapping[str, Any]:
        """Say how the recording ended: path, reason, sentence, notes, frames.

        Raises:
            RushesError: It could not begin, or the disk failed; what was written is there for `rushes recover`.
            StoppedError: The process was killed.
        """
        if self._ended is None:
            if self.running:
                return MappingProxyType(
                    {"path": str(self.path), "reason": "", "sentence": "", "notes": [], "frames": 0}
                )
            raise StoppedError(
                f"a recorder that died with status {self._process.poll()}{self._last_words}",
                accepts="a recording that comes to its end",
                fix=f"`rushes recover {self.path}` brings back what it wrote",
            )
        if self._ended["error"]:
            given, accepts, fix = self._ended["error"]
            raise RushesError(given, accepts=accepts, fix=fix)
        return self._ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self._say("stop")
            self._over.wait(_STOP_S)
