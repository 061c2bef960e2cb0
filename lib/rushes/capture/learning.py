"""Learning keys: which controls does this game use? Counts what is pressed in its window and records nothing.

Example:
    >>> def keys_of(title):
    ...     return learn(window=title, seconds=30.0).counts()
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from rushes.capture.desktop import focus_of
from rushes.capture.input.base import input_source
from rushes.capture.input.hotkeys import Hotkeys
from rushes.capture.input.learn import Learned, learning_gate
from rushes.capture.input.pads import PadSource
from rushes.capture.merge import Command, Merge
from rushes.capture.screen.target import resolve_target
from rushes.capture.source import SourceEnd
from rushes.errors import BadInputError
from rushes.model.clock import Clock

_LOOK_S: Final = 0.1


def learn(
    *,
    window: str = "",
    process_name: str = "",
    anywhere: bool = False,
    seconds: float = 0.0,
    report: Callable[[Learned], None] | None = None,
) -> Learned:
    """Count the controls that are used until the time is over, the window closes, or Ctrl+C.

    Args:
        window: A part of the window's title, or its id.
        process_name: The window of this process.
        anywhere: Count whatever window has the focus.
        seconds: How long; 0 until Ctrl+C.
        report: Called now and then with what is known so far.

    Raises:
        BadInputError: Neither a window nor `anywhere`.
        MissingError: No such window.
        UnavailableError: Inputs cannot be heard here.
    """
    if not (window or process_name or anywhere):
        raise BadInputError(
            "--learn-keys that does not say whose keys",
            accepts="a window, or all windows",
            fix="pass --window TITLE (or --process-name NAME) or --keys-anywhere; `rushes windows` lists the windows",
        )
    target = None if anywhere else resolve_target(window=window or None, process_name=process_name or None)
    gate, learned = learning_gate("anywhere" if anywhere else "window"), Learned()
    hands = input_source(gate, Hotkeys(), window=None if target is None else target.window, focused=focus_of(target))
    merge = Merge([hands, PadSource(gate)], Clock())
    merge.start()
    until = time.monotonic() + seconds if seconds else float("inf")
    try:
        while time.monotonic() < until:
            _take(merge, learned)
            if report is not None:
                report(learned)
            for end in merge.ends():
                if end.source is hands:
                    if end.error is not None and not isinstance(end.error, SourceEnd):
                        raise end.error
                    until = 0.0
    except KeyboardInterrupt:
        pass
    finally:
        for reading in merge.stop():
            if not isinstance(reading, Command):
                learned.take(reading)
    return learned


def _take(merge: Merge, learned: Learned) -> None:
    for reading in merge.take(_LOOK_S):
        if not isinstance(reading, Command):
            learned.take(reading)
