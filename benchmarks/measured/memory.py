"""Memory of this process that stands in no file, and the most of it while a block runs.

Example:
    >>> with Most() as peak:
    ...     held = bytearray(1 << 20)
    >>> peak.most >= 0
    True
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self


def anonymous() -> int:
    """Give the bytes of this process that stand in no file (RssAnon)."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


class Most:
    """The most that RssAnon of this process is while the block runs."""

    def __enter__(self) -> Self:
        self.most, self._over = anonymous(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, anonymous())
