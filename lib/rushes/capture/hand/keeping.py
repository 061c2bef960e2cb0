"""Keeping what is played while it is shown: each reading to the session, each picture to the front.

```
backend -> keeper -+-> encoding -> writer thread -> journal -> (sealer process) -> chunk
                   +-> outlet -> front
```

A palette screen becomes a PNG file at once, which takes a sixth of a millisecond and is what the front gets, too. Other
pictures are encoded on threads of their own; the front gets a JPEG file where they are large. The step loop waits for
the disk only when hundreds of readings are behind, and then says so as a stall.

Example (`rushes.capture.hand.child` runs it in a process of its own):
    >>> def keep_a_minute(path):
    ...     from rushes.capture.hand.settings import HandSettings
    ...     backend = HandBackend(HandSettings("Breakout", seconds=60, start_immediately=True))
    ...     return Keeper(backend, path).run().frames
"""

from __future__ import annotations

import queue
import shutil
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.capture.hand.backend import HandBackend
from rushes.capture.hand.outlet import Outlet, Picture
from rushes.capture.priority import raised
from rushes.capture.sealer import Sealer
from rushes.model.clock import Clock
from rushes.model.readings import Encoded, Frame, Reading, Sound
from rushes.store.images import encode_indexed, encode_rgb
from rushes.store.writer import SessionWriter

CHUNK_S: Final = 30
"""Seconds of play a chunk."""
_LARGE: Final = 320 * 240
"""Pixels from which a picture goes to the front as JPEG and is encoded beside the game."""
_ROOM: Final = 512
_WORKERS: Final = 2
_SWITCH_S: Final = 0.0005
"""How long a thread may keep the interpreter while another one waits."""

_Item = Reading | tuple[Frame, "Future[Encoded]"] | None


@dataclass(frozen=True)
class Kept:
    """How it ended.

    Attributes:
        path: The session.
        reason: `stop`, `max_seconds`, `front_gone`, `failed`.
        frames: How many there are; a session without one is removed.
        error: What failed, None where nothing did.
    """

    path: Path
    reason: str
    frames: int
    error: Exception | None = None


class Keeper:
    """Plays a backend into a session.

    Args:
        backend: What is played.
        path: A new or empty directory.
        outlet: Where pictures and sound are shown; None for nobody.
        clock: Session time.

    Raises:
        OccupiedError: The directory holds something.
        StorageError: The directory cannot be written.
    """

    def __init__(
        self, backend: HandBackend, path: str | Path, *, outlet: Outlet | None = None, clock: Clock | None = None
    ) -> None:
        self.path, self._backend, self._outlet = Path(path), backend, outlet
        self._clock = clock or Clock()
        self._outbox: queue.Queue[_Item] = queue.Queue(_ROOM)
        self._failure: Exception | None = None

    def run(self) -> Kept:
        """Play until it is over.

        Returns:
            How it ended; a failure of the world, a policy or the disk is no exception here, what was written is kept.
        """
        backend, sealer = self._backend, Sealer()
        chunk_frames = max(1, round(CHUNK_S * backend.rate_hz))
        writer = SessionWriter(self.path, backend.describe(), chunk_frames=chunk_frames, sealer=sealer)
        interval_s, error = sys.getswitchinterval(), None
        try:
            sys.setswitchinterval(_SWITCH_S)
            sealer.start(writer.lock_handle)
            with ThreadPoolExecutor(_WORKERS, "rushes-encode", raised) as encoders:
                thread = threading.Thread(target=self._write, args=(writer,), name="rushes-write", daemon=True)
                thread.start()
                try:
                    self._play(encoders)
                except Exception as caught:  # noqa: BLE001 - told by the result; what was played is sealed
                    error = caught
                finally:
                    self._outbox.put(None)
                    thread.join()
            error = self._failure or error
            if self._failure is None:
                writer.close("failed")
        except Exception as caught:  # noqa: BLE001 - told by the result
            error = caught
        finally:
            sys.setswitchinterval(interval_s)
            sealer.let_go()
            writer.abandon()
        if not backend.tally.frames:
            shutil.rmtree(self.path, ignore_errors=True)
        return Kept(self.path, "failed" if error else backend.orders.over, backend.tally.frames, error)

    def _play(self, encoders: Executor) -> None:
        with self._backend.open(self._clock) as readings:
            for reading in readings:
                self._outbox.put(self._taken(reading, encoders))
                if self._failure is not None:
                    return

    def _taken(self, reading: Reading, encoders: Executor) -> _Item:
        """Show a reading; a picture is encoded or on its way to be."""
        if isinstance(reading, Sound) and self._outlet is not None:
            channels = reading.samples.shape[1]
            said = {"is": "sound", "rate": reading.rate_hz, "channels": channels, "t_ns": reading.t_ns}
            self._outlet.play(said, reading.samples)
        if not isinstance(reading, Frame) or not isinstance(reading.pixels, np.ndarray):
            return reading
        picture, item = picture_of(reading, encoders)
        if self._outlet is not None:
            self._outlet.show(shown(self._backend, reading.t_ns), picture)
        return item

    def _write(self, writer: SessionWriter) -> None:
        raised()
        while (item := self._outbox.get()) is not None:
            if self._failure is not None:  # the rest is only taken out of the way
                continue
            try:
                reading: Any = item
                if isinstance(item, tuple) and isinstance(item[1], Future):
                    reading = item[0]._replace(pixels=item[1].result())
                writer.write(reading)
            except Exception as error:  # noqa: BLE001 - told by the result
                self._failure = error


def picture_of(frame: Frame, encoders: Executor) -> tuple[Picture, _Item]:
    """Give a frame as the front gets it, and as the writer does.

    Args:
        frame: With pixels.
        encoders: Encode large pictures.

    Returns:
        A PNG file or pixels, and the frame encoded or with its encoder's promise.
    """
    pixels = frame.pixels
    assert isinstance(pixels, np.ndarray)
    if frame.palette is not None:
        data = encode_indexed(pixels, frame.palette)
        return data, frame._replace(pixels=Encoded("png-indexed", data), palette=None)
    if pixels.shape[0] * pixels.shape[1] < _LARGE:
        data = encode_rgb(pixels)
        return data, frame._replace(pixels=Encoded("png", data))
    return pixels, (frame._replace(pixels=None), encoders.submit(_png, pixels))


def _png(pixels: npt.NDArray[np.uint8]) -> Encoded:
    return Encoded("png", encode_rgb(pixels))


def shown(backend: HandBackend, t_ns: int) -> Mapping[str, Any]:
    """Say what stands beside the newest picture, ns since session start."""
    tally = backend.tally
    return {"is": "frame", "number": max(0, tally.frames - 1), "t_ns": t_ns, **tally.face()}
