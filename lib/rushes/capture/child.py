"""The child of `rushes.capture.process`: one recording, from the settings on standard input to the last line of status.

Example (the same in this process, for scripts):
    >>> def two_seconds(path):
    ...     asked = Settings(backend="synthetic", out=str(path), max_seconds=2.0, start_immediately=True)
    ...     return record_live(asked).reason
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from rushes.capture.live import LiveRecorder, Result
from rushes.capture.settings import DEFAULT_GAME, Settings
from rushes.capture.source import LiveBackend
from rushes.capture.trial import require_rate
from rushes.errors import BadInputError, MissingError, OccupiedError, RushesError
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
_SIGNAL_S: Final = 0.05
_LAST_S: Final = 5.0
"""How long the last line waits for a front that does not read."""


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
    elif settings.resume and not path.is_dir():
        raise MissingError(
            f"{path}, which is to be gone on with and is not there",
            accepts="the folder of a session",
            fix="leave out --resume to begin one",
        )
    elif not settings.resume:
        refuse_occupied(path)
    backend = _backend(settings, like)
    if like is not None:
        _check_same(path, like, backend.describe())
    warning = require_rate(backend, rate_hz=settings.fps).warning if settings.codec == "png" else ""
    recorder = LiveRecorder(
        backend,
        path,
        rate_hz=settings.fps,
        codec=settings.codec,
        chunk_frames=settings.chunk_size,
        clock=clock,
        resume=settings.resume,
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
        return LiveSynthetic(
            rate_hz=settings.fps,
            seed=settings.seed,
            codec=settings.codec,
            sound=sound,
            game="Synthetic" if settings.game == DEFAULT_GAME else settings.game,
            session_id=f"synthetic-{uuid.uuid4().hex}" if like is None else like.id,
        )
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


def _check_same(path: Path, like: SessionInfo, asked: SessionInfo) -> None:
    """Refuse to go on with a session whose description would then say what is not so."""
    pairs: Mapping[str, tuple[object, object]] = {
        "backend": (like.source.get("kind"), asked.source.get("kind")),
        "game": (like.game, asked.game),
        "streams (codec, fps, size, audio)": (like.streams, asked.streams),
        "layout": (like.action_space, asked.action_space),
        "privacy (window, anywhere or none)": (like.provenance.get("keys"), asked.provenance.get("keys")),
    }
    wrong = [name for name, (stored, given) in pairs.items() if stored != given]
    if wrong:
        raise OccupiedError(
            f"{path}, to be gone on with other options than it was begun with: {', '.join(wrong)}",
            accepts="the options of the first recording",
            fix="pass those, or a new --out",
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
    """Commands in, status out. Nothing that records waits for the front: it gets the newest of each when it reads.

    Args:
        out: Where lines go.

    Attributes:
        asked_to_stop: Set by a signal's handler.
    """

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lock = threading.Condition()
        self._recorder: LiveRecorder | None = None
        self._early: list[str] = []
        self._mail: dict[str, Mapping[str, Any]] = {}
        self._ended = False
        self.asked_to_stop = False
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._sender.start()

    def post(self, kind: str, value: Mapping[str, Any]) -> None:
        """Put a line where the sender finds it, in place of an older one of its kind."""
        with self._lock:
            self._mail[kind] = value
            self._lock.notify()

    def _send(self) -> None:
        while True:
            with self._lock:
                while not self._mail:
                    if self._ended:
                        return
                    self._lock.wait()
                mail, self._mail = self._mail, {}
            try:
                for value in mail.values():
                    self._out.write(json.dumps(value) + "\n")
                self._out.flush()
            except OSError:  # the front is gone; its closed pipe is what ends the recording
                return

    def heed(self) -> None:
        """Look after signals, whose handler may take no lock."""
        while not self.asked_to_stop:
            time.sleep(_SIGNAL_S)
        self.command("stop")

    def end(self, value: Mapping[str, Any]) -> None:
        """Send the last line, if the front still reads."""
        with self._lock:
            self._mail["ended"] = {"ended": value}
            self._ended = True
            self._lock.notify()
        self._sender.join(_LAST_S)

    def command(self, name: str) -> None:
        """Give a command, or keep it until there is a recorder."""
        with self._lock:
            recorder = self._recorder
            if recorder is None:
                self._early.append(name)
        if recorder is not None:
            recorder.command(name)

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
                self.post("picture", {"picture": picture})


def main() -> None:
    """Run one recording."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no status
    given = json.loads(sys.stdin.readline())
    child = _Child(out)

    def ask(*_: object) -> None:
        child.asked_to_stop = True

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, ask)
    for work in (child.listen, child.heed):
        threading.Thread(target=work, daemon=True).start()
    if given.pop("pictures", False):
        threading.Thread(target=child.show, daemon=True).start()
    error: Exception | None = None
    ended: dict[str, Any] = {"path": given.get("out", ""), "reason": "failed", "sentence": "", "notes": [], "frames": 0}
    try:
        asked = Settings.from_json(given)
        result = record_live(asked, report=lambda status: child.post("status", status), prepared=child.prepared)
        error = result.error
        ended |= {"reason": result.reason, "sentence": result.sentence, "frames": result.frames}
        ended["notes"] = list(result.notes)
    except Exception as caught:  # noqa: BLE001 - told to the front
        error = caught
    child.end({**ended, "error": _parts(error)})


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
