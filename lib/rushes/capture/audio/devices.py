"""Sound devices by soundcard, the only file that touches it: which one is meant, its blocks, whether it still lives.

`system` is the loopback of the speaker that is in use. Where there is none it is an error: a microphone is never taken
in its place. And `mic` is never a loopback, though PulseAudio names one as its microphone where it has no other.

On Linux (PulseAudio, and PipeWire in its place) a block's time is measured by the server: how old the next sample is,
or how long it takes until a sample that was copied on its way to the speaker is heard. A server may move a stream to
another device when its own is unplugged; `Recording.read` gives nothing from that one. Elsewhere the time of arrival
has to do.

Example (needs a sound server):
    >>> def listen():
    ...     with open_device("system", rate_hz=48_000, channels=2) as recording:
    ...         return recording.read(960)
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from rushes.errors import BadNameError, UnavailableError, near
from rushes.model.clock import NS

_LOADING: Final = threading.Lock()
_NAME: Final = "rushes"  # what a mixer shows
_TRIES: Final = 3
_PROMPT_NS: Final = 3_000_000  # soundcard looks for the answer every millisecond
_ADD: Final = 'pip install "rushes[audio]"'


class DeviceLostError(Exception):
    """The device that was opened is gone; `rushes.capture.audio.soundcard_source` tells it on."""


class Recording:
    """A device that is open; blocks are read on one thread, the rest may be asked on any.

    Args:
        microphone: soundcard's device.
        rate_hz: Samples a second.
        channels: How many.
        block: Samples that are asked for at a time.
    """

    def __init__(self, microphone: Any, *, rate_hz: int, channels: int, block: int) -> None:
        self.name, self._id, self._rate_hz = str(microphone.name), str(microphone.id), rate_hz
        self._recorder: Any = microphone.recorder(samplerate=rate_hz, channels=channels, blocksize=block)
        self._server = _pulse()
        self._using, self._open = threading.Lock(), False  # a stream that is closed may not be asked any more

    def __enter__(self) -> Self:
        self._recorder.__enter__()
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._using:
            self._open = False
        self._recorder.__exit__(kind, error, trace)

    def read(self, count: int) -> tuple[npt.NDArray[np.float32], int]:
        """Wait for a block.

        Args:
            count: Samples.

        Returns:
            (count, C) float32, and the `perf_counter_ns` at which its first sample was heard.

        Raises:
            DeviceLostError: The device is gone, or the server has put another one in its place.
        """
        try:
            samples = self._recorder.record(count)
            heard_ns = self._heard_ns(len(samples))
        except Exception as error:  # RuntimeError, TypeError, OSError ...: soundcard has no error of its own
            raise DeviceLostError(str(error)) from error
        if not self.lives():
            raise DeviceLostError("its place was taken by another device")
        return samples, heard_ns

    def _heard_ns(self, count: int) -> int:
        if self._server is None:
            return time.perf_counter_ns() - count * NS // self._rate_hz
        # of the next sample that will be read; a sample on its way to a speaker is younger than now
        pulse, ffi, stream = self._server._pulse, self._server._ffi, self._recorder.stream  # noqa: SLF001
        for _ in range(_TRIES):  # a thread that had to wait in between does not know when it was answered
            before_ns = time.perf_counter_ns()
            # not through soundcard, which hands the NULL of a stream that is gone to libpulse, and that aborts
            with pulse._lock_mainloop():  # noqa: SLF001
                asked = self._server._pa.pa_stream_update_timing_info(stream, ffi.NULL, ffi.NULL)  # noqa: SLF001
            if asked == ffi.NULL:
                raise DeviceLostError("its stream was closed")
            pulse._block_operation(asked)  # noqa: SLF001
            pulse._pa_operation_unref(asked)  # noqa: SLF001
            after_ns = time.perf_counter_ns()
            if after_ns - before_ns < _PROMPT_NS:
                break
        now_ns = (before_ns + after_ns) // 2
        age_us, ahead = ffi.new("pa_usec_t*"), ffi.new("int*")
        pulse._pa_stream_get_latency(stream, age_us, ahead)  # noqa: SLF001
        age_ns = int(age_us[0]) * (-1000 if ahead[0] else 1000)
        waiting = self._recorder._pending_chunk.size // self._recorder.channels  # noqa: SLF001
        heard_ns: int = now_ns - age_ns - (count + waiting) * NS // self._rate_hz
        return heard_ns

    def lives(self) -> bool:
        """Say whether the device that was opened still gives its sound; waits for nothing."""
        if self._server is None:
            return True
        pulse, stream = self._server._pulse, self._recorder.stream  # noqa: SLF001
        with self._using, suppress(Exception):
            if not self._open or pulse._pa_stream_get_state(stream) != self._server._pa.PA_STREAM_READY:  # noqa: SLF001
                return False
            with pulse._lock_mainloop():  # noqa: SLF001
                name = self._server._pa.pa_stream_get_device_name(stream)  # noqa: SLF001
                return bool(self._server._ffi.string(name).decode() == self._id)  # noqa: SLF001
        return False

    def interrupt(self) -> None:
        """Make a `read` that waits for sound end now; from another thread."""
        if self._server is None:
            return
        with self._using, suppress(Exception):
            if self._open:
                self._server._pulse._pa_stream_disconnect(self._recorder.stream)  # noqa: SLF001
                self._recorder._record_event.set()  # noqa: SLF001


def open_device(
    name: str, *, rate_hz: int, channels: int, block: int = 960, device: str | None = None
) -> AbstractContextManager[Recording]:
    """Open a device; may block where a sound server does not answer.

    Args:
        name: `system` or `mic`.
        rate_hz: Samples a second.
        channels: How many.
        block: Samples that will be asked for at a time.
        device: A part of the device's name or its id; None takes the one in use.

    Returns:
        The device, open within the block.

    Raises:
        BadNameError: No such device.
        UnavailableError: No soundcard library, no sound server, no such kind of device, or it cannot be opened.
    """
    library = _soundcard()
    with _unavailable("the sound devices cannot be listed"):
        everything = list(library.all_microphones(include_loopback=True))
        kinds = [(m, bool(m.isloopback), str(m.name), str(m.id)) for m in everything]
    if device is not None:
        chosen = _named(device, [(m, label, key) for m, _, label, key in sorted(kinds, key=lambda kind: not kind[1])])
    elif name == "system":
        chosen = _loopback(library, [(m, label, key) for m, loops, label, key in kinds if loops])
    else:
        chosen = _microphone(library, [(m, label, key) for m, loops, label, key in kinds if not loops])
    with _unavailable(f"{name} cannot be opened"):
        return _opened(Recording(chosen, rate_hz=rate_hz, channels=channels, block=block))


@contextmanager
def _opened(recording: Recording) -> Iterator[Recording]:
    with _unavailable(f"{recording.name} cannot be opened"):
        recording.__enter__()
    try:
        yield recording
    finally:
        with suppress(Exception):  # a device that is gone cannot be closed
            recording.__exit__(None, None, None)


_Device = tuple[Any, str, str]  # soundcard's object, its name, its id


def _named(device: str, known: list[_Device]) -> Any:
    for microphone, label, key in known:
        if device in (key, label):
            return microphone
    for microphone, label, _ in known:
        if device.lower() in label.lower():
            return microphone
    names = [label for _, label, _ in known]
    raise BadNameError(
        f"sound device {device!r}",
        accepts=", ".join(names) or "none: there is no sound device",
        fix=near(device, names) or "take a name from the list",
    )


def _loopback(library: Any, known: list[_Device]) -> Any:
    with _unavailable("no speaker is in use, so there is no sound of the system"):
        speaker = library.default_speaker()
        label, key = str(speaker.name), str(speaker.id)
    for microphone, its_label, its_key in known:
        if its_key in (key, f"{key}.monitor") or its_label == label:
            return microphone
    raise UnavailableError(
        f"the speaker {label!r} has no loopback, so the sound of the system cannot be recorded",
        accepts=", ".join(its_label for _, its_label, _ in known) or "a system with loopback devices",
        fix="choose another output in the system's settings (macOS needs a loopback device such as BlackHole, named "
        "as the device), or record without system sound",
    )


def _microphone(library: Any, known: list[_Device]) -> Any:
    keys = [key for *_, key in known]
    default = ""
    with suppress(Exception):  # no microphone raises what the system's library raises
        default = str(library.default_microphone().id)
    if default in keys:
        return known[keys.index(default)][0]
    raise UnavailableError(
        "no microphone is in use here" + (" (loopbacks of speakers are none)" if default else ""),
        accepts=", ".join(label for _, label, _ in known) or "a machine with a microphone",
        fix="plug one in and choose it in the system's settings, or record without mic",
    )


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except (UnavailableError, BadNameError):
        raise
    except Exception as error:  # soundcard raises IndexError, KeyError, RuntimeError, OSError ...
        raise UnavailableError(
            f"{what} ({type(error).__name__}: {error})",
            accepts="a sound device that is free",
            fix="see the system's sound settings, or record without sound",
        ) from error


def _soundcard() -> Any:
    """Import soundcard, anew where the server that it was connected to is gone."""
    with _LOADING:
        if (loaded := _pulse()) is not None and not _connected(loaded):
            for module in [m for m in sys.modules if m.split(".")[0] == "soundcard"]:
                del sys.modules[module]
        argv, sys.argv = sys.argv, [_NAME]  # it reads a name from there, and fails under `python -c`
        try:
            library = importlib.import_module("soundcard")
        except Exception as error:  # AssertionError without a server, OSError without its library
            raise UnavailableError(
                f"no sound can be recorded here ({type(error).__name__}: {error})".replace(": )", ")"),
                accepts="a running sound server (PulseAudio or PipeWire on Linux), and soundcard",
                fix=f"start the sound server or {_ADD}; or record without sound",
            ) from error
        finally:
            sys.argv = argv
        if (loaded := _pulse()) is not None and not hasattr(loaded._pa, "pa_stream_get_device_name"):  # noqa: SLF001
            loaded._ffi.cdef("const char *pa_stream_get_device_name(const pa_stream *s);")  # noqa: SLF001
        # samples that a sound card lost are found by their time
        warnings.filterwarnings("ignore", message="data discontinuity in recording")
    return library


def _pulse() -> Any:
    return sys.modules.get("soundcard.pulseaudio")


def _connected(loaded: Any) -> bool:
    with suppress(Exception):
        pulse = loaded._pulse  # noqa: SLF001
        return bool(pulse._pa_context_get_state(pulse.context) == loaded._pa.PA_CONTEXT_READY)  # noqa: SLF001
    return False
