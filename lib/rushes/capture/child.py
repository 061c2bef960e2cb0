"""The child of `rushes.capture.process`: one recording, from the settings on standard input to the last line of status.

Example (the same in this process, for scripts):
    >>> def two_seconds(path):
    ...     asked = Settings(backend="synthetic", out=str(path), max_seconds=2.0, start_immediately=True)
    ...     return record_live(asked).reason
"""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.capture.live import LiveRecorder, Result
from rushes.capture.settings import Settings
from rushes.capture.source import LiveBackend
from rushes.capture.trial import require_rate
from rushes.errors import BadInputError, OccupiedError, RushesError
from rushes.model.clock import Clock
from rushes.model.session import SessionInfo
from rushes.store.atomic import refuse_occupied
from rushes.store.layout import is_session
from rushes.store.manifest import read_description
from rushes.store.reader import open_session
from rushes.store.recover import recover

_PICTURE_S: Final = 0.2
_PICTURE_WIDTH: Final = 480
_QUALITY: Final = 70


def record_live(
    settings: Settings,
    *,
    report: Callable[[Mapping[str, Any]], None] | None = None,
    prepared: Callable[[LiveRecorder], None] | None = None,
) -> Result:
    """Record in real time in this process.

    Args:
        settings: What to record; its backend is `desktop` or `synthetic`.
        report: Called with the status about four times a second.
        prepared: Called with the recorder before it begins, for commands from other threads.

    Raises:
        OccupiedError: The directory holds something, or another session than the one to go on with.
        BusyError: The session is still being written.
        MissingError: No such window.
        UnavailableError: A device that is needed cannot be opened here.
        BadInputError: PNG at a rate that this machine does not keep up with.
    """
    path, like, clock = settings.path(), None, Clock()
    if settings.resume and is_session(path):
        recover(path)
        like = SessionInfo.from_json(read_description(path))
        clock = _clock_of(path)
        _check_same(settings, like)
    else:
        refuse_occupied(path)
    backend = _backend(settings, like)
    warning = require_rate(backend, rate_hz=settings.fps).warning if settings.codec == "png" else ""
    recorder = LiveRecorder(
        backend,
        path,
        rate_hz=settings.fps,
        codec=settings.codec,
        chunk_frames=settings.chunk_size,
        clock=clock,
        resume=like is not None,
        report=report,
        paused=not settings.start_immediately,
        max_frames=settings.max_frames,
        max_seconds=settings.max_seconds,
        idle_stop_s=settings.idle_stop,
        attrs={"monotonic_zero_ns": clock.zero_ns},
    )
    if warning:
        recorder.note(warning)
    if prepared is not None:
        prepared(recorder)
    return recorder.run()


def _backend(settings: Settings, like: SessionInfo | None) -> LiveBackend:
    if settings.backend == "synthetic":
        from rushes.capture.live_synthetic import LiveSynthetic

        sound = "system" in settings.audio
        return LiveSynthetic(rate_hz=settings.fps, seed=settings.seed, codec=settings.codec, sound=sound)
    if settings.backend == "desktop":
        from rushes.capture.desktop import desktop

        return desktop(settings, like=like)
    raise BadInputError(
        f"backend {settings.backend!r} in real time", accepts="desktop, synthetic", fix="pass --backend desktop"
    )


def _clock_of(path: Path) -> Clock:
    """Make a clock that goes on for a session: by wall time since its last segment, never before its end."""
    segments = open_session(path).segments
    if not segments:
        return Clock()
    last = segments[-1]
    start_ns = last.end_ns + 1
    if last.wall_ns is not None:
        start_ns = max(start_ns, last.start_ns + time.time_ns() - last.wall_ns)
    return Clock(start_ns=start_ns)


def _check_same(settings: Settings, like: SessionInfo) -> None:
    screen = like.stream("frames")
    stored = (like.source.get("kind"), screen.codec if screen else "", screen.rate_hz if screen else 0.0)
    asked = (settings.backend, settings.codec, settings.fps)
    if stored != asked:
        raise OccupiedError(
            f"a session of {stored[0]}, {stored[1]}, {stored[2]:g} fps, to go on with {asked[0]}, {asked[1]}, "
            f"{asked[2]:g} fps",
            accepts="the same backend, codec and rate",
            fix="pass the options of the first recording, or a new --out",
        )


def _picture_of(recorder: LiveRecorder) -> str:
    """Make a small JPEG of what the recorder sees, base64; `""` where there is nothing yet."""
    import cv2

    pixels = recorder.picture
    if pixels is None:
        return ""
    bgr = pixels[..., :3] if pixels.shape[-1] > 3 else pixels[..., ::-1]  # noqa: PLR2004 - BGRA or RGB
    scale = _PICTURE_WIDTH / bgr.shape[1]
    small = cv2.resize(np.ascontiguousarray(bgr), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return base64.b64encode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()).decode()


class _Child:
    """Commands in, status out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recorder: LiveRecorder | None = None
        self._early: list[str] = []

    def say(self, value: Mapping[str, Any]) -> None:
        """Write a line; a front that is gone reads it no more."""
        with self._lock, contextlib.suppress(OSError):
            sys.stdout.write(json.dumps(value) + "\n")
            sys.stdout.flush()

    def command(self, name: str) -> None:
        """Give a command, or keep it until there is a recorder."""
        with self._lock:
            if self._recorder is None:
                self._early.append(name)
                return
        self._recorder.command(name)

    def prepared(self, recorder: LiveRecorder) -> None:
        """Take the recorder."""
        with self._lock:
            self._recorder, early = recorder, self._early
        for name in early:
            recorder.command(name)

    def listen(self) -> None:
        """Read commands until the front goes away, which is a stop."""
        for line in sys.stdin:
            self.command(line.strip())
        self.command("stop")

    def show(self) -> None:
        """Send pictures."""
        while True:
            time.sleep(_PICTURE_S)
            if self._recorder is not None and (picture := _picture_of(self._recorder)):
                self.say({"picture": picture})


def main() -> None:
    """Run one recording."""
    child = _Child()
    given = json.loads(sys.stdin.readline())
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: child.command("stop"))
    threading.Thread(target=child.listen, daemon=True).start()
    if given.pop("pictures", False):
        threading.Thread(target=child.show, daemon=True).start()
    error: Exception | None = None
    ended: dict[str, Any] = {"path": given.get("out", ""), "reason": "failed", "sentence": "", "notes": [], "frames": 0}
    try:
        result = record_live(Settings.from_json(given), report=child.say, prepared=child.prepared)
        error = result.error
        ended |= {"reason": result.reason, "sentence": result.sentence, "frames": result.frames}
        ended["notes"] = list(result.notes)
    except Exception as caught:  # noqa: BLE001 - told to the front
        error = caught
    child.say({"ended": {**ended, "error": _parts(error)}})


def _parts(error: Exception | None) -> list[str] | None:
    if error is None:
        return None
    if isinstance(error, RushesError):
        return [error.given, error.accepts, error.fix]
    return [
        f"{type(error).__name__}: {error}",
        "a device and a disk that work",
        "run it again with --debug; `rushes recover` brings back what was written",
    ]


if __name__ == "__main__":
    main()
