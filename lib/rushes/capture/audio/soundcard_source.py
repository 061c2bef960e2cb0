"""The sound of the system or of the microphone as a source: blocks of 20 ms with the time of their first sample.

A sound library may wait for ever, on a speaker that plays nothing as on a server that died. So a thread of its own
reads, and the source's own thread waits for it, for the end of the recording and for the device's end: it returns
within 0.2 s of `stop`, and a device that was unplugged is told within a second. Silence of an idle speaker is no end.

Example (needs a sound server):
    >>> def listen(clock, stop):
    ...     SoundSource("system").run(clock, emit=print, stop=stop)
"""

from __future__ import annotations

import queue
import threading
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.capture.audio.devices import DeviceLostError, Recording, open_device
from rushes.capture.audio.sample_clock import SampleClock
from rushes.capture.source import Emit, SourceEnd
from rushes.errors import BadInputError, UnavailableError
from rushes.model.clock import Clock
from rushes.model.readings import Lost, Sound
from rushes.store.sound import to_int16

BLOCK_S: Final = 0.02
"""Length of a block: how late a sound is known, at the least."""
_POLL_S: Final = 0.05  # how often `stop` and an idle device are looked at
_CLOSE_S: Final = 0.1  # what a device may take to close
_OPEN_S: Final = 10.0  # what a sound server may take to answer
_MOST_HZ: Final = 384_000
_MOST_CHANNELS: Final = 8

_Block = tuple[npt.NDArray[np.float32], int]


class SoundSource:
    """One sound stream; `run` opens the device and nothing else does.

    Args:
        name: `system` (what the speaker plays) or `mic`.
        rate_hz: Samples a second; the system resamples.
        channels: How many.
        device: A part of the device's name or its id; None takes the one in use.

    Attributes:
        name: As given; the stream has this name.
        essential: False: a recording goes on without sound.
        clipped: Values beyond -1 to 1 so far, which were cut.

    Raises:
        BadInputError: A setting out of its range.
    """

    essential: bool = False

    def __init__(self, name: str, *, rate_hz: int = 48_000, channels: int = 2, device: str | None = None) -> None:
        if name not in ("system", "mic"):
            raise BadInputError(f"sound source {name!r}", accepts="system, mic", fix="pass --audio system,mic")
        if not (0 < rate_hz <= _MOST_HZ and 0 < channels <= _MOST_CHANNELS):
            raise BadInputError(
                f"{channels} channels at {rate_hz} Hz",
                accepts=f"1 to {_MOST_CHANNELS} channels, up to {_MOST_HZ} Hz",
                fix="record in stereo at 48000 Hz",
            )
        self.name, self._rate_hz, self._channels, self._device = name, int(rate_hz), channels, device
        self.clipped = 0

    def run(self, clock: Clock, emit: Emit, stop: threading.Event) -> None:
        """Emit blocks until `stop` is set; see `rushes.capture.source.Source`.

        Args:
            clock: Stamps are on it.
            emit: Takes `Sound`, and `Lost` where samples are missing or the device is gone.
            stop: Ends it.

        Raises:
            SourceEnd: The device is gone: unplugged, or the sound server has ended.
            UnavailableError: There is no such device, or it cannot be opened.
            BadNameError: No device has the name that was given.
        """
        reader = _Reader(self._open, block=max(1, round(BLOCK_S * self._rate_hz)))
        times = SampleClock(self._rate_hz)
        try:
            while not stop.is_set():
                block = reader.next(_POLL_S)
                if block is None:
                    continue
                samples, cut = to_int16(block[0])
                self.clipped += cut
                t_ns, lost = times.place(clock.at(block[1]), len(samples))
                if lost:
                    emit(Lost(t_ns, self.name, "overrun", lost))
                emit(Sound(t_ns, samples, self._rate_hz, self.name))
        except DeviceLostError as error:
            sentence = f"the sound device of {self.name} ({reader.device}) is gone: {error}"
            raise SourceEnd("device_lost", sentence) from error
        finally:
            reader.close()

    def _open(self) -> Any:
        block = max(1, round(BLOCK_S * self._rate_hz))
        return open_device(self.name, rate_hz=self._rate_hz, channels=self._channels, block=block, device=self._device)

    def __repr__(self) -> str:
        return f"SoundSource({self.name!r}, {self._rate_hz} Hz, {self._channels} channels)"


class _Reader:
    """A thread that reads a device, and what it has read."""

    def __init__(self, opener: Any, *, block: int) -> None:
        self._opener, self._block = opener, block
        self._read: queue.SimpleQueue[_Block | Exception] = queue.SimpleQueue()
        self._recording: Recording | None = None
        self._closing = threading.Event()
        self._began_s = time.monotonic()
        self.device = "not open yet"
        self._thread = threading.Thread(target=self._work, name="rushes-sound", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            with self._opener() as recording:
                self.device, self._recording = recording.name, recording
                while not self._closing.is_set():
                    self._read.put(recording.read(self._block))
        except Exception as error:  # noqa: BLE001 - the source's own thread raises it
            self._read.put(error)

    def next(self, patience_s: float) -> _Block | None:
        """Give the next block, or None where none came in time.

        Raises:
            DeviceLostError: The device is gone.
            UnavailableError: It could not be opened.
        """
        try:
            found = self._read.get(timeout=patience_s)
        except queue.Empty:
            self._look()
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def _look(self) -> None:
        if self._recording is not None:
            if not self._recording.lives():
                raise DeviceLostError("unplugged, or the sound server has ended")
        elif time.monotonic() - self._began_s > _OPEN_S:
            raise UnavailableError(
                f"the sound system did not answer within {_OPEN_S:g} s",
                accepts="a sound server that runs",
                fix="restart the sound server, or record without sound",
            )

    def close(self) -> None:
        """End the thread; one that a sound library holds is left behind and ends when it is let go."""
        self._closing.set()
        self._thread.join(_CLOSE_S / 2)
        if self._thread.is_alive() and self._recording is not None:
            self._recording.interrupt()
            self._thread.join(_CLOSE_S / 2)
