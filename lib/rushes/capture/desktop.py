"""The desktop backend: a screen, the hands and the sound of this machine, each a source of its own on one clock.

What may be kept of the hands is settled once, by the gate: only the controls of the layout, and with a window only
while that window has the focus. The picture and the microphone are not redacted: whatever is seen or heard is in them.

Example:
    >>> def record_a_window(title, path):
    ...     from rushes.capture.live import LiveRecorder
    ...     settings = Settings(window=title, fps=60.0, max_seconds=10.0)
    ...     return LiveRecorder(desktop(settings), path, rate_hz=60.0, paused=False, max_seconds=10.0).run()
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rushes.capture.audio.base import audio_source
from rushes.capture.encoding import EXACT
from rushes.capture.input.base import choose_input, input_source
from rushes.capture.input.gate import Gate
from rushes.capture.input.hotkeys import Hotkeys
from rushes.capture.input.pads import PadSource
from rushes.capture.screen.base import choose_grabber
from rushes.capture.screen.mss_grabber import monitor_boxes
from rushes.capture.screen.source import ScreenSource
from rushes.capture.screen.target import Target, resolve_target
from rushes.capture.settings import Settings, action_space, controls_of
from rushes.capture.source import Say, Source, ignore
from rushes.errors import BadInputError
from rushes.model.session import SessionInfo, StreamSpec

SOUND_RATE_HZ = 48_000


def desktop(settings: Settings, *, like: SessionInfo | None = None) -> DesktopBackend:
    """Make the backend that settings ask for; looks for the window or monitor, opens nothing.

    Args:
        settings: What to record.
        like: The description of the session that is gone on with: its id and picture size are kept.

    Raises:
        MissingError: No such window.
        BadInputError: Several windows fit, or no such monitor.
        UnavailableError: There is no screen here that can be recorded.
    """
    target = resolve_target(
        region=settings.region,
        monitor=settings.monitor,
        window=settings.window or None,
        process_name=settings.process_name or None,
    )
    everything = monitor_boxes()[0]
    if not (seen := target.box & everything).width or not seen.height:
        raise BadInputError(
            f"a region {tuple(target.box)} outside of the screen",
            accepts=f"something within {tuple(everything)} (left, top, right, bottom)",
            fix="`rushes record --pick` lets you drag one",
        )
    screen = None if like is None else like.stream("frames")
    size = (target.height, target.width) if screen is None else (screen.height, screen.width)
    return DesktopBackend(settings, target, size=size, session_id="" if like is None else like.id)


def focus_of(target: Target | None) -> Callable[[], bool] | None:
    """Return what tells whether the keys go to a target's window, where the input source has to ask for it.

    Args:
        target: What is recorded; None for no window.

    Returns:
        None on X11, whose server says so itself in the order of the keys, and where there is no window.
    """
    if target is None or target.window is None or choose_input() == "xinput":
        return None
    from rushes.capture.screen.other_windows import OtherDesktop

    return lambda: OtherDesktop.focused() == target.window


@dataclass(frozen=True)
class DesktopBackend:
    """The devices of this machine.

    Attributes:
        settings: What to record.
        target: Where on the screen.
        size: (height, width) of the pictures in px.
        session_id: Of the session that is gone on with; `""` for a new one.
    """

    settings: Settings
    target: Target
    size: tuple[int, int]
    session_id: str = field(default="")

    def __post_init__(self) -> None:
        if not self.session_id:
            object.__setattr__(self, "session_id", f"desktop-{uuid.uuid4().hex}")

    def specs(self) -> tuple[StreamSpec, ...]:
        """List the streams; touches no device."""
        settings, (height, width) = self.settings, self.size
        exact = settings.codec in EXACT
        frames = StreamSpec("screen", "frames", settings.codec, exact, width, height, settings.fps)
        unit = "counts" if sys.platform == "linux" else "px"
        sound = (StreamSpec(name, "sound", "flac", rate_hz=SOUND_RATE_HZ) for name in settings.audio)
        return (frames, StreamSpec("events", "events", unit=unit), StreamSpec("telemetry", "telemetry"), *sound)

    def describe(self) -> SessionInfo:
        """Describe the session; touches no device. The title is that of the chosen window, no other one is stored."""
        settings, box = self.settings, self.target.box
        provenance: dict[str, Any] = {
            "fps": settings.fps,
            "layout": settings.layout,
            "keys": self._scope(),
            "box": [box.left, box.top, box.left + box.width, box.top + box.height],
            "window": self.target.title,
            "skip_late": settings.skip_late,
        }
        return SessionInfo(
            id=self.session_id,
            game=settings.game,
            source={"kind": "desktop", "name": sys.platform},
            time_source="measured",
            streams=self.specs(),
            action_space=action_space(settings.layout),
            provenance=provenance,
        )

    def _scope(self) -> str:
        if self.settings.no_keys:
            return "none"
        return "anywhere" if self.settings.keys_anywhere else "window"

    def sources(self, say: Say = ignore) -> Sequence[Source]:
        """Make the sources: screen, keyboard and mouse, pads, sound; opens nothing."""
        settings = self.settings
        gate = Gate(
            controls_of(action_space(settings.layout)),
            scope="anywhere" if settings.keys_anywhere or self.target.window is None else "window",
            keyboard=not settings.no_keys,
        )
        screen = ScreenSource(
            self.target, settings.fps, grabber=choose_grabber(), skip_late=settings.skip_late, size=self.size
        )
        hands = input_source(
            gate, Hotkeys(), window=self.target.window, keys=not settings.no_keys, focused=focus_of(self.target)
        )
        pads = PadSource(gate, say=say)
        return [screen, hands, pads, *(audio_source(name, rate_hz=SOUND_RATE_HZ) for name in settings.audio)]
