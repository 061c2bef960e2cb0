"""The panel of playing by hand, on the kernel's side: what the page says becomes orders, what comes back is shown.

The game runs in a process of its own (`rushes.capture.hand.process`), at its own speed. The page sends every edge of a
key with the time at which the browser saw it; pictures, sound and counters come back. A page that reloads finds the
play again, paused; when the kernel ends, for whatever reason, the process seals the session.

Example:
    >>> panel = PlayPanel(HandSettings("ALE/Breakout-v5"))
    >>> panel.state, panel.path
    ('off', None)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from rushes.capture.hand.process import HandProcess
from rushes.capture.hand.settings import WHO, HandSettings
from rushes.errors import BadInputError, MissingError, RushesError
from rushes.store.reader import Session, open_session
from rushes.widgets.panel_look import free_place
from rushes.widgets.play_games import one_game
from rushes.widgets.play_look import look_of
from rushes.widgets.play_view import PlayView

LOST_S: Final = 2.0
"""A page that gives no sign for so long is gone: the play is paused until it is back."""
_OPEN: Final = ("ready", "playing", "paused")
_CLOCK_S: Final = 1.0
"""How long a start waits for the first answer of the page's clock."""
_LOOK_S, _CLOSE_S = 0.1, 20.0
_LOST: Final = "The page gave no sign for two seconds, so the play was paused. All steps until then are recorded."
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Playing(Protocol):
    """What the panel needs of a play; `rushes.capture.hand.process.HandProcess` is one."""

    path: Path

    @property
    def running(self) -> bool:
        """Whether it is there."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Give a command."""

    def result(self) -> Mapping[str, Any]:
        """Say how it ended; raises what it could not do."""


Told = Callable[[dict[str, Any], bytes], None]


class PlayPanel:
    """The panel.

    Attributes:
        settings: What is played; `env_id` follows the choice.
        view: The widget.
        state: `off`, `starting`, `ready`, `playing`, `paused`, `ending`, `ended` or `failed`.
        path: The session that was played last, or is being played; None before the first one has a frame.
        result: How the last one ended (path, frames, reason), empty before.
        error: Why the last one failed, or None.
        who: `human`, `policy` or `shared`.

    Args:
        settings: What to play.
        process: Makes the playing process, given the settings and who takes its messages.
    """

    def __init__(
        self, settings: HandSettings, *, process: Callable[[HandSettings, Told], Playing] | None = None
    ) -> None:
        self.settings = settings
        self._make = process or HandProcess
        self._process: Playing | None = None
        self._lock = threading.RLock()
        self._status: Mapping[str, Any] = _NOTHING
        self._wanted = False
        self._seen_s: float | None = None
        self._note = ""
        self.state = "off"
        self.path: Path | None = None
        self.result: Mapping[str, Any] = _NOTHING
        self.error: RushesError | None = None
        self.who = settings.who
        self.view = PlayView(self._look(), heard=self._heard)

    def start(self, env_id: str = "") -> None:
        """Begin or go on; after an end, begin a new session.

        Args:
            env_id: Another environment than the last one.
        """
        with self._lock:
            if self._process is not None:
                self.resume()
                return
            self._choose(env_id or self.settings.env_id)
            self.error, self.result, self.path, self._status, self._note = None, _NOTHING, None, _NOTHING, ""
            asked = replace(self.settings, control=self.who)
            if asked.out:
                asked = replace(asked, out=str(free_place(Path(asked.out))))
            self.state, self._wanted = "starting", True
            self._show()
            try:
                self._process = process = self._make(asked, self._told)
            except RushesError as error:
                self.error, self.state = error, "failed"
                self._show()
                return
        threading.Thread(target=self._follow, args=(process,), name="rushes-play", daemon=True).start()

    def pause(self) -> None:
        """Pause; the segment ends, the episode does not."""
        self._send({"do": "pause"})

    def resume(self) -> None:
        """Go on with the episode, in a new segment."""
        self._note = ""
        self._send({"do": "start" if self.state == "ready" else "resume"})

    def restart(self) -> None:
        """Begin a new episode with the next seed."""
        self._note = ""
        self._send({"do": "restart"})

    def stop(self) -> None:
        """End the session; the panel says when it is whole."""
        with self._lock:
            if self._process is None or self.state == "ending":
                return
            self.state = "ending"
            self._send({"do": "stop"})
            self._show()

    def control(self, who: str) -> None:
        """Say who plays.

        Args:
            who: `human`, `policy` or `shared`.

        Raises:
            BadInputError: Something else, or a policy where there is none.
        """
        if who not in WHO or (who != "human" and not self.settings.policy):
            raise BadInputError(
                f"who={who!r}",
                accepts=", ".join(WHO) if self.settings.policy else "human, for there is no policy",
                fix='name a policy: play(..., policy="persistent")',
            )
        self.who = who
        self._send({"do": "control", "who": who})
        self._show()

    def session(self) -> Session:
        """Open what was played last.

        Raises:
            MissingError: Nothing was played yet.
            BusyError: It is still being written.
        """
        if self.path is None:
            raise MissingError("a panel with which nothing was played", accepts="a session", fix="press Start and play")
        return open_session(self.path)

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """End what is being played and wait for it; the panel stays as it is.

        Args:
            timeout_s: Longest wait.
        """
        self.stop()
        end = time.monotonic() + timeout_s
        while self._process is not None and time.monotonic() < end:
            time.sleep(_LOOK_S / 2)

    def _choose(self, env_id: str) -> None:
        if self._process is None and env_id != self.settings.env_id:
            self.settings = replace(self.settings, env_id=env_id)

    def _send(self, message: Mapping[str, Any]) -> None:
        if (process := self._process) is not None:
            process.send(dict(message))

    def _heard(self, message: Any) -> None:
        """Take a message of the page; on the kernel's thread, so nothing here waits for long."""
        self._seen_s = time.monotonic()
        do = message.get("do") if isinstance(message, dict) else None
        if do in {"keys", "pad", "sync"}:
            self._send(message)
            if do == "sync" and self._wanted:
                self._begin()
            return
        try:
            self._obey(do, message)
        except (RushesError, TypeError, ValueError, KeyError) as error:
            self._note = str(error) if isinstance(error, RushesError) else f"a message that means nothing: {do!r}"
            self._show()

    def _obey(self, do: Any, message: Any) -> None:
        if do == "got":
            self.view.got(int(message["sent"]))
        elif do == "hello":
            self.view.send({"is": "met"})
            self.view.again()
            self._send({"do": "page", "page": message.get("page", "")})
        elif do == "choose":
            self._choose(one_game(str(message["env_id"])))
            if self.state in {"ended", "failed"}:
                self.state, self.error = "off", None
            self._show()
        elif do == "start":
            self.start(one_game(str(message["env_id"])))
        elif do == "control":
            self.control(str(message["who"]))
        elif do not in {"pause", "resume", "restart", "stop"}:
            raise ValueError(do)
        else:
            getattr(self, do)()

    def _told(self, message: Mapping[str, Any], data: bytes) -> None:
        """Take a message of the playing process; on its reader's thread."""
        kind = message["is"]
        if kind == "frame":
            self.view.picture(message, data)
        elif kind == "sound":
            self.view.send(dict(message), [data])
        elif kind == "state":
            with self._lock:
                self._status = message
                if self.state not in {"ending", "ended", "failed"} and message["state"] in _OPEN:
                    self.state = str(message["state"])
                if self._process is not None and message.get("frames"):
                    self.path = self._process.path
                self._show()
        elif kind == "refused":
            self._note = str(RushesError(message["given"], accepts=message["accepts"], fix=message["fix"]))
            self._show()
        elif kind != "ended":  # which `_follow` sees when the process is gone
            self.view.send(dict(message))

    def _begin(self) -> None:
        """Let it begin that is ready and wanted."""
        with self._lock:
            if self.state == "ready" and self._wanted:
                self._wanted = False
                self._send({"do": "start"})

    def _follow(self, process: Playing) -> None:
        """Look after the page, and say how the play ended."""
        ready_s: float | None = None
        while process.running:
            now = time.monotonic()
            if self.state == "ready" and self._wanted:
                ready_s = ready_s or now
                if now - ready_s > _CLOCK_S:
                    self._begin()
            if self.state == "playing" and self._seen_s is not None and now - self._seen_s > LOST_S:
                self._note = _LOST
                self.pause()
            time.sleep(_LOOK_S)
        with self._lock:
            try:
                self.result = process.result()
                self.state = "ended"
                self.path = Path(self.result["path"]) if self.result["frames"] else None
            except RushesError as error:
                self.error, self.state = error, "failed"
            self._process = None
            self._show()

    def _look(self) -> dict[str, Any]:
        return look_of(
            self.state,
            env_id=self.settings.env_id,
            status=self._status,
            result=self.result,
            error=self.error,
            note=self._note,
            policy=self.settings.policy,
            who=self.who,
        )

    def _show(self) -> None:
        with self._lock:
            self.view.show(self._look())

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.view._repr_mimebundle_(**options)

    def __repr__(self) -> str:
        return f"<PlayPanel {self.state}: {self.path or 'no session yet'}>"
