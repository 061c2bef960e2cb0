"""Work beside the kernel: one thread does what it is given in order, and goes away when there is nothing to do.

So a player that nobody looks at any more holds no thread and no open file, whether it was closed or not.

Example:
    >>> worker, done = Worker("example", rest=lambda: done.append("rested"), rest_s=0.01), []
    >>> worker.put(lambda: done.append("worked"))
    >>> worker.wait()
    True
    >>> done
    ['worked', 'rested']
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

REST_S: Final = 30.0
"""How long nothing has to be asked until the thread ends."""
_WAIT_S: Final = 60.0


class Worker:
    """A thread that comes with work and goes without.

    Args:
        name: Of the thread.
        rest: Called on the thread when it goes away.
        rest_s: How long it waits for more.
    """

    def __init__(self, name: str, *, rest: Callable[[], None], rest_s: float = REST_S) -> None:
        self._name, self._rest, self._rest_s = name, rest, rest_s
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = self._is_busy = False

    def put(self, job: Callable[[], None]) -> None:
        """Have something done; after `close` nothing is."""
        with self._changed:
            if self._is_closed:
                return
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many jobs have not begun."""
        return len(self._jobs)

    def idle(self, timeout_s: float = _WAIT_S) -> bool:
        """Wait until nothing is left to do; say whether that has come."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._is_busy, timeout_s)

    def wait(self, timeout_s: float = _WAIT_S) -> bool:
        """Wait until the thread has gone away; say whether it has."""
        thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def close(self) -> None:
        """Drop what has not begun, and let the thread rest and go; does not wait for it."""
        with self._changed:
            self._is_closed = True
            self._jobs.clear()
            self._changed.notify_all()
            if self._thread is None:
                self._rest()

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                job()
        except BaseException:  # what comes next has a new thread
            with self._changed:
                self._thread, self._is_busy = None, False
                self._changed.notify_all()
            raise

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._jobs or self._is_closed, self._rest_s)
            if self._jobs:
                self._is_busy = True
                return self._jobs.popleft()
            self._rest()
            self._thread = None
            return None
