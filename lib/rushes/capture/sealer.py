"""The sealer: a process of its own that turns full chunks into tables, so that the recorder never stops for it.

It ends at once when the recorder's end of the pipe closes, whatever the reason; a seal that is cut is done again by
`rushes recover`. While it lives it holds the session's lock together with the recorder, so nobody recovers a session
that it still works on.

Example:
    >>> def record_with(path, info, readings):
    ...     from rushes.store.writer import SessionWriter
    ...     sealer = Sealer()
    ...     with SessionWriter(path, info, chunk_frames=500, sealer=sealer) as writer:
    ...         sealer.start(writer.lock_handle)
    ...         for reading in readings:
    ...             writer.write(reading)
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Final

from rushes.errors import StorageError

_NICE: Final = 5
_HANG_S: Final = 15.0
"""How long a chunk may take before the process counts as hung; one of a thousand frames takes a second."""


class Sealer:
    """Has chunks sealed by another process, one after the other.

    Attributes:
        failed: What went wrong, `""` while nothing did; such a chunk keeps its journal for `recover`.
    """

    def __init__(self) -> None:
        self.failed = ""
        self._process: subprocess.Popen[str] | None = None
        self._pending: deque[Path] = deque()
        self._listener: threading.Thread | None = None

    def start(self, lock_handle: int = -1) -> None:
        """Start the process before there is anything to do.

        Args:
            lock_handle: File descriptor of the session's lock, which it shares; -1 for none.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rushes.capture.sealer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[lock_handle] if lock_handle >= 0 else [],
            start_new_session=os.name != "nt",  # the terminal's Ctrl+C is the recorder's business
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._listener = threading.Thread(target=self._listen, name="rushes-sealer", daemon=True)
        self._listener.start()

    def __call__(self, folder: Path) -> None:
        """Hand in a chunk; returns at once, or when it is sealed where the process is not there."""
        if self._process is None or self._process.poll() is not None or self._process.stdin is None:
            _seal(folder)
            return
        self._pending.append(folder)
        with contextlib.suppress(OSError):  # it died this very moment; `wait` does what is left
            self._process.stdin.write(json.dumps(str(folder)) + "\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                error = json.loads(line)
            except ValueError:  # it died in the middle of the line
                return
            self.failed = self.failed or error
            self._pending.popleft()

    @property
    def pending(self) -> tuple[Path, ...]:
        """Chunks that are handed in and not sealed yet."""
        return tuple(self._pending)

    @property
    def died(self) -> bool:
        """Whether the process ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def wait(self) -> None:
        """Wait until all chunks are sealed, and end the process.

        Raises:
            StorageError: A chunk could not be sealed; its journal stays.
        """
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.write("null\n")  # after all that was handed in: leave
                process.stdin.flush()
            self._close(process)
        while self._pending and not self.failed:  # it died on the way
            _seal(self._pending.popleft())
        if self.failed:
            raise StorageError(
                f"a chunk that could not be sealed ({self.failed})",
                accepts="a disk with room for it, and files that nobody else touches",
                fix="free some space and run `rushes recover`; its journal is whole",
            )

    def let_go(self) -> None:
        """End the process at once, as a kill of the recorder would."""
        if self._process is not None:
            self._process.kill()
            self._close(self._process)
            self._process = None

    def _close(self, process: subprocess.Popen[str]) -> None:
        left = -1
        while process.poll() is None:
            before, left = left, len(self._pending)
            try:
                process.wait(_HANG_S)
            except subprocess.TimeoutExpired:
                if left == before:  # it stands still; what is left is done here
                    process.kill()
        assert self._listener is not None
        self._listener.join()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()


def _seal(folder: Path) -> None:
    from rushes.store.seal import seal

    seal(folder)


def _serve() -> None:
    """Seal what is named on standard input, a JSON string a line; leave at `null`, and at once when it closes."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    todo: list[str] = []
    ready = threading.Condition()

    def read() -> None:
        for line in sys.stdin:
            with ready:
                todo.append(json.loads(line))
                ready.notify()
        os._exit(1)  # the recorder is gone

    threading.Thread(target=read, daemon=True).start()  # before all that takes long to import
    import rushes.store.seal  # noqa: F401 - so that the first chunk need not wait for it

    while True:
        with ready:
            while not todo:
                ready.wait()
            folder = todo.pop(0)
        if folder is None:
            os._exit(0)
        error = ""
        try:
            if Path(folder).is_dir():
                _seal(Path(folder))
        except Exception as caught:  # noqa: BLE001 - told to the recorder; the journal stays
            error = f"{type(caught).__name__}: {caught}"
        sys.stdout.write(json.dumps(error) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
