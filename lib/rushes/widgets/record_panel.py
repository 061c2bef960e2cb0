"""The recorder's panel in JupyterLab: start, pause, stop, what it sees, and how it goes.

The recorder runs in a process of its own (`rushes.capture.process`), so a busy kernel costs no frame; the panel asks it
five times a second on a thread of its own. While it is paused the picture shows what would be recorded, and F8 starts
and pauses from inside the game. When the kernel ends, for whatever reason, the recorder ends the session cleanly.

A kernel has one panel at a time: a new one ends the one before it. What goes wrong is said in the panel.

Example (a cell of a notebook; afterwards `panel.path` is the session):
    >>> def cell():
    ...     return record_panel(Settings(backend="synthetic", game="Synthetic"))
    >>> RecordPanel(Settings(backend="synthetic")).state
    'off'
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from rushes.capture.process import Recorder
from rushes.capture.settings import Settings
from rushes.errors import RushesError
from rushes.widgets.panel_look import free_place, headline, look_of
from rushes.widgets.record_view import RecordView

_LOOK_S: Final = 0.2
_CLOSE_S: Final = 20.0
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_open: list[RecordPanel] = []


class Recording(Protocol):
    """What the panel needs of a recorder; `rushes.capture.process.Recorder` is one."""

    path: Path

    @property
    def status(self) -> Mapping[str, Any]:
        """The last status."""

    @property
    def picture(self) -> bytes | None:
        """The last picture, a JPEG file."""

    @property
    def running(self) -> bool:
        """Whether it is there."""

    def command(self, name: str) -> None:
        """Give a command: `resume`, `pause` or `stop`."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; say whether it has come."""

    def result(self) -> Mapping[str, Any]:
        """Say how it ended; raises what it could not do."""


class Chosen(Protocol):
    """Where a region comes from; `rushes.widgets.region_picker.RegionPicker` is one."""

    region: Any


def record_panel(settings: Settings, *, picker: Chosen | None = None) -> RecordPanel:
    """Make a panel and get the recorder ready, paused; put it last in a cell.

    Args:
        settings: What to record. With an `out` the first session goes there and later ones beside it (`out_2` ...).
        picker: Gives the region when Start is pressed; the recorder waits until then.

    Returns:
        The panel.
    """
    while _open:
        _open[-1].close()
    panel = RecordPanel(settings, picker=picker)
    _open.append(panel)
    if picker is None:
        panel.arm()
    return panel


class RecordPanel:
    """The panel.

    Attributes:
        settings: What is recorded.
        view: The widget.
        state: `off`, `starting`, `ready`, `recording`, `paused`, `ending`, `ended` or `failed`.
        path: The session that was recorded last, or is being recorded; None before the first one has a frame.
        result: How the last one ended (path, reason, sentence, notes, frames), empty before.
        error: Why the last one failed, or None.

    Args:
        settings: What to record.
        picker: Gives the region when Start is pressed.
        recorder: Makes a recorder.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        picker: Chosen | None = None,
        recorder: Callable[[Settings], Recording] | None = None,
    ) -> None:
        self.settings, self._picker = settings, picker
        self._make = recorder or (lambda asked: Recorder(asked, pictures=True))
        self._recorder: Recording | None = None
        self._following: threading.Thread | None = None
        self._lock = threading.RLock()
        self._wanted = self._stopping = False
        self.state = "off"
        self.path: Path | None = None
        self.result: Mapping[str, Any] = _NOTHING
        self.error: RushesError | None = None
        self.view = RecordView(look_of(self.state, settings=settings), heard=self._heard)

    def _heard(self, message: Any) -> None:
        """Do what a button says; a message that means nothing is no harm."""
        do = message.get("do") if isinstance(message, dict) else None
        if do in {"start", "pause", "stop"}:
            getattr(self, do)()

    def arm(self) -> None:
        """Get a recorder ready, paused; nothing happens while there is one."""
        with self._lock:
            if self._recorder is not None:
                return
            self.error, self.result, self.path, self._stopping = None, _NOTHING, None, False
            self.view.picture = b""
            try:
                self._recorder = self._make(self._asked())
            except RushesError as error:
                self.error, self.state = error, "failed"
                self._show(_NOTHING)
                return
            self.state = "starting"
            self._show(_NOTHING)
            self._following = threading.Thread(
                target=self._follow, args=(self._recorder,), name="rushes-panel", daemon=True
            )
            self._following.start()

    def _asked(self) -> Settings:
        """Give the settings of the next session: with the region that was chosen, and a folder that is free."""
        settings = replace(self.settings, start_immediately=False)
        if self._picker is not None and self._picker.region:
            settings = replace(settings, region=tuple(self._picker.region))
        if settings.out and not settings.resume:
            settings = replace(settings, out=str(free_place(Path(settings.out))))
        return settings

    def start(self) -> None:
        """Begin or go on; after an end, begin a new session."""
        with self._lock:
            self.arm()
            if self._recorder is not None and not self._stopping:
                self._recorder.command("resume")

    def pause(self) -> None:
        """Pause; the segment ends."""
        with self._lock:
            if self._recorder is not None:
                self._recorder.command("pause")

    def stop(self) -> None:
        """End the session; the panel says when it is whole."""
        with self._lock:
            if self._recorder is not None:
                self._stopping = True
                self._recorder.command("stop")
                self.state = "ending"
                self._show(self._recorder.status)

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """End what is being recorded, and wait until the panel knows how it ended; the panel stays as it is.

        Args:
            timeout_s: Longest wait.
        """
        self.stop()
        if self._following is not None:
            self._following.join(timeout_s)
        if self in _open:
            _open.remove(self)

    def _follow(self, recorder: Recording) -> None:
        """Show what the recorder says until it has ended."""
        while not recorder.wait(_LOOK_S):
            with self._lock:
                self._look(recorder)
        with self._lock:
            self._look(recorder)
            try:
                self.result = recorder.result()
                self.state = "ended"
                self.path = Path(self.result["path"]) if self.result["frames"] else None
            except RushesError as error:
                self.error, self.state = error, "failed"
            self._recorder = None
            self._show(recorder.status)

    def _look(self, recorder: Recording) -> None:
        status = recorder.status
        if status.get("frames"):
            self.path = recorder.path
        self.state = "ending" if self._stopping else headline(str(status["state"]), int(status.get("frames", 0)))
        if (picture := recorder.picture) is not None:
            self.view.picture = picture
        self._show(status)

    def _show(self, status: Mapping[str, Any]) -> None:
        self.view.show(look_of(self.state, settings=self.settings, status=status, result=self.result, error=self.error))

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.view._repr_mimebundle_(**options)

    def __repr__(self) -> str:
        return f"<RecordPanel {self.state}: {self.path or 'no session yet'}>"
