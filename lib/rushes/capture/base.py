"""What a capture backend is, and the table of them.

A backend stamps what it yields and nobody else does. `specs` touches no device, so that a session can be described
before anything is opened; the iterator that `open` gives may block, each on its own thread.

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
    """A source of readings."""

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
        "synthetic": (
            "rushes.capture.synthetic:SyntheticBackend",
            "",
            "a planted world: frames that carry their number, inputs that are known, no hardware",
        ),
    },
)
"""Every row is held to tests/contracts/test_backends.py."""
