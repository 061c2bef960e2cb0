"""The child of `rushes.capture.hand.process`: one session of play, from the settings to the last message.

Messages come on standard input and go to standard output (`wire`). What comes:

| `do` | with | what it does |
|---|---|---|
| `start`, `pause`, `resume`, `restart`, `stop` | | see `orders`; the end of the input is a stop, `front_gone` |
| `control` | `who`: human, policy, shared | who plays |
| `edges` or `keys` | `rows`: [[ms of the page, W3C code, 1 or 0], ...] | keys |
| `pad` | `t` ms of the page, `axes`, `buttons` in the standard mapping | a pad's state |
| `sync` | `s` as it was asked, `c` ms of the page | the answer to a `sync` |
| `page` | `page` | another page is there: its clock is asked for at once |
| `seen` | | a picture was taken |

What has times of a page also says which `page` it is, by any name; `""` where there is but one.

What goes: `frame` with a PNG or JPEG file, `sound` with int16 samples, `state` four times a second, `sync` with `s`
once a second (oftener to a page that is new), `refused` for a message that was none, and at last `ended`.

Example (the same in this process, for scripts):
    >>> def a_minute(path):
    ...     from rushes.capture.hand.keeping import Keeper
    ...     settings = HandSettings("Pong", policy="persistent", seconds=60, start_immediately=True)
    ...     return Keeper(HandBackend(settings), path).run().reason
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final

from rushes.capture.hand.backend import HandBackend
from rushes.capture.hand.keeping import Keeper, picture_of, shown
from rushes.capture.hand.outlet import Outlet
from rushes.capture.hand.settings import HandSettings
from rushes.capture.hand.wire import read
from rushes.capture.priority import raised, urgent
from rushes.errors import RushesError
from rushes.model.clock import Clock
from rushes.model.readings import Frame
from rushes.store.atomic import refuse_occupied

_STATE_S: Final = 0.25
_CHANGE_S: Final = 0.02
"""How soon the front hears of another state: until then it takes a key for none of the game's."""
_SYNC_S: Final = 1.0
_QUICK: Final = frozenset({"", "uniform", "persistent"})
_OF_PAGE: Final = frozenset({"edges", "keys", "pad", "sync", "page"})
_ORDERS: Final = frozenset({"start", "pause", "resume", "restart", "stop"})


class Child:
    """What the messages of the front lead to.

    Args:
        backend: What is played.
        outlet: The way back.
        clock: Session time.
        path: The session directory.
    """

    def __init__(self, backend: HandBackend, outlet: Outlet, clock: Clock, path: Path) -> None:
        self._backend, self._outlet, self._clock, self._path = backend, outlet, clock, path

    def listen(self, pipe: IO[bytes]) -> None:
        """Take messages until the front goes away, which is a stop."""
        urgent()  # it stamps
        try:
            while (found := read(pipe)) is not None:
                self.take(found[0])
        finally:  # nobody to hear is nobody at the front, whatever the reason
            self._backend.orders.put("stop", "front_gone")

    def take(self, message: Mapping[str, Any]) -> None:
        """Follow a message; one that is none is told to the front and changes nothing."""
        received_ns, backend = self._clock.now_ns(), self._backend
        try:
            do = message["do"]
            if do == "seen":
                self._outlet.seen()
            elif do in _OF_PAGE:
                self._hear(do, message, received_ns)
            elif do == "control":
                backend.orders.put("control", message["who"])
            elif do in _ORDERS:
                backend.orders.put(do)
            else:
                self._refuse(f"message {do!r}")
        except RushesError as error:
            self._outlet.say(
                {"is": "refused", "given": error.given, "accepts": error.accepts, "fix": error.fix},
            )
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            self._refuse(f"message {message.get('do')!r} that does not read ({type(error).__name__}: {error})")

    def _hear(self, do: str, message: Mapping[str, Any], received_ns: int) -> None:
        """Take what a page says in its own time."""
        clock, hands, page = self._backend.page, self._backend.hands, str(message.get("page", ""))
        if do == "sync":
            clock.answered(self._clock.at(int(message["s"])), float(message["c"]), received_ns, page=page)
        elif do == "page":
            clock.spoke(page)
            self._ask()
        elif do == "pad":
            edge_ns = clock.at(message.get("t"), received_ns=received_ns, page=page)
            hands.pad(message["axes"], message["buttons"], edge_ns=edge_ns, received_ns=received_ns)
        else:
            for t_ms, code, down in message["rows"]:
                edge_ns = clock.at(t_ms, received_ns=received_ns, page=page)
                hands.key(str(code), bool(down), edge_ns=edge_ns, received_ns=received_ns)

    def _refuse(self, given: str) -> None:
        accepts = "start, pause, resume, restart, stop, control, edges, pad, sync, page, seen"
        self._outlet.say({"is": "refused", "given": given, "accepts": accepts, "fix": "see rushes.capture.hand.child"})

    def state(self) -> dict[str, Any]:
        """Return the state as the front gets it."""
        backend, tally = self._backend, self._backend.tally
        return {
            "is": "state",
            "state": tally.state,
            "frames": tally.frames,
            "steps": tally.steps,
            "human_steps": tally.human_steps,
            "rate_hz": round(backend.pace.measured_hz, 2),
            "asked_hz": backend.rate_hz,
            "late": backend.pace.late,
            "stalls": tally.stalls,
            "shown": self._outlet.sent,
            "latency_ms": tally.latency_ms(),
            "events": tally.events,
            "ignored": tally.ignored,
            "held_over": backend.hands.held_over,
            **tally.face(),
            "control": backend.orders.who,
            "policy": backend.settings.policy,
            "bindings": backend.bindings.table(),
            "in_turns": backend.bindings.in_turns,
            "env_id": backend.world.env_id,
            "game": backend.world.game,
            "size": [*backend.world.size],
            "sound_hz": backend.sound_hz,
            "path": str(self._path),
        }

    def tell(self) -> None:
        """Send states, and questions to the page's clock, for ever."""
        raised()
        asked_s, tally = 0.0, self._backend.tally
        while True:
            told, until_s = tally.state, time.monotonic() + _STATE_S
            self._outlet.say(self.state())
            if self._backend.page.is_new or time.monotonic() - asked_s >= _SYNC_S:
                asked_s = time.monotonic()
                self._ask()
            while tally.state == told and time.monotonic() < until_s:
                time.sleep(_CHANGE_S)

    def _ask(self) -> None:
        self._outlet.say({"is": "sync", "s": time.perf_counter_ns()})

    def preview(self) -> None:
        """Show the first picture before anything begins."""
        with ThreadPoolExecutor(1) as encoders:
            picture, _ = picture_of(Frame(0, *self._backend.preview()), encoders)
        self._outlet.show(shown(self._backend, 0), picture)


def play(settings: HandSettings, path: Path, outlet: Outlet, pipe: IO[bytes]) -> dict[str, Any]:
    """Play one session.

    Args:
        settings: What, and how.
        path: The session directory.
        outlet: The way to the front.
        pipe: Where its messages come from.

    Returns:
        The last message.
    """
    clock = Clock()
    refuse_occupied(path)
    backend = HandBackend(settings)
    child = Child(backend, outlet, clock, path)

    def ask(*_: object) -> None:
        backend.orders.over = backend.orders.over or "stop"  # a handler may take no lock; the next look sees it

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, ask)
    child.preview()
    for work in (_of(child.listen, pipe), child.tell):
        threading.Thread(target=work, daemon=True).start()
    if settings.policy in _QUICK:  # others may think for as long as they like
        urgent()
    kept = Keeper(backend, path, outlet=outlet, clock=clock).run()
    backend.tally.state = "failed" if kept.error else "ended"
    outlet.say(child.state())
    return _ended(path, kept.frames, kept.reason, kept.error)


def _of(work: Callable[[IO[bytes]], None], pipe: IO[bytes]) -> Callable[[], None]:
    return lambda: work(pipe)


def _ended(path: str | Path, frames: int, reason: str, error: Exception | None) -> dict[str, Any]:
    return {"is": "ended", "path": str(path), "frames": frames, "reason": reason, "error": _parts(error)}


def _parts(error: Exception | None) -> list[str] | None:
    if error is None:
        return None
    if isinstance(error, RushesError):
        return [error.given, error.accepts, error.fix]
    return [
        f"{type(error).__name__}: {error}",
        "an environment, a policy and a disk that work",
        "mend what it says; `rushes recover` brings back what was written",
    ]


def main() -> None:
    """Play one session for a front."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no message
    outlet, pipe = Outlet(out), sys.stdin.buffer
    first = read(pipe)
    if first is None:
        return
    path = Path(first[0]["out"])
    try:
        last = play(HandSettings.from_json(first[0]), path, outlet, pipe)
    except Exception as error:  # noqa: BLE001 - told to the front
        last = _ended(path, 0, "failed", error)
    outlet.end(last)
    os._exit(0)  # a thread that still reads the input would be waited for


if __name__ == "__main__":
    main()
