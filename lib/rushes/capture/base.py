"""What a capture backend is, and the table of them.

A backend stamps what it yields and nobody else does. `specs` touches no device, so that a session can be described
before anything is opened. There are two kinds: one that plays as fast as it is asked (`Backend`: `open` gives its
readings, `rushes.capture.recorder` writes them) and one that lives in real time (`rushes.capture.source.LiveBackend`:
its sources run on threads of their own, `rushes.capture.live` records them).

Example:
    >>> from rushes.capture.base import BACKENDS
    >>> BACKENDS["env"].target
    'rushes.capture.env.backend:EnvBackend'
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final, Protocol, runtime_checkable

from rushes.model.clock import Clock
from rushes.model.readings import Reading
from rushes.model.session import SessionInfo, StreamSpec
from rushes.table import Table


@runtime_checkable
class Backend(Protocol):
    """A backend that plays as fast as it is asked."""

    def describe(self) -> SessionInfo:
        """Describe the session that it would record; touches no device."""

    def specs(self) -> tuple[StreamSpec, ...]:
        """List its streams; touches no device."""

    def open(self, clock: Clock) -> AbstractContextManager[Iterator[Reading]]:
        """Begin; readings come in the order of their times, stamped on `clock` or in emulated time."""


BACKENDS: Final = Table(
    "backend",
    {
        "env": (
            "rushes.capture.env.backend:EnvBackend",
            "",
            "Atari and any Gymnasium environment with `rgb_array`, played by a policy",
        ),
        "desktop": (
            "rushes.capture.desktop:DesktopBackend",
            "desktop",
            "a window, region or monitor with keyboard, mouse, pads and sound, in real time",
        ),
        "browser": (
            "rushes.capture.browser.backend:BrowserBackend",
            "",
            "a browser game: canvas, keys, mouse and telemetry, sent by the page itself",
        ),
        "synthetic_live": (
            "rushes.capture.live_synthetic:LiveSynthetic",
            "",
            "a planted world in real time: a screen, a hand and a tone that need no hardware",
        ),
        "synthetic": (
            "rushes.capture.synthetic:SyntheticBackend",
            "",
            "a planted world: frames that carry their number, inputs that are known, no hardware",
        ),
    },
)
"""Every row is held to tests/contracts/test_backends.py."""
