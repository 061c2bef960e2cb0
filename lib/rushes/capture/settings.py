"""What a person can ask of a recording, in one value that crosses a process border as JSON.

Example:
    >>> Settings(backend="synthetic", game="Synthetic", max_seconds=2.0).to_json()["fps"]
    30.0
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rushes.capture.encoding import CODECS
from rushes.errors import BadInputError, MissingError, near
from rushes.model.actions import ActionSpace
from rushes.model.layouts import LAYOUTS, slot

LIVE: Final = ("desktop", "synthetic")
"""Backends that a recorder in a process of its own records; `browser` is served, `env` plays as fast as it can."""
BACKEND_NAMES: Final = (*LIVE, "browser", "env")
DEFAULT_GAME: Final = "Game"
DEFAULT_FPS: Final = 30.0
BROWSER_FPS: Final = 10.0
"""Of browser games: what a page can send without its game noticing."""
_OF_DESKTOP: Final = (
    "region", "monitor", "window", "process_name", "layout", "skip_late", "keys_anywhere", "no_keys",
)  # fmt: skip
_NOT_OF_BROWSER: Final = (
    *(name for name in _OF_DESKTOP if name != "layout"), "audio", "start_immediately", "resume", "seed",
)  # fmt: skip
_BROWSER_CODECS: Final = ("h264", "png")
_NAME_BYTES: Final = 120
"""Of a game's name in a folder's name: file systems take 255, and exports put something behind it."""
_MOTION: Final = ("MouseDX", "MouseDY")


@dataclass(frozen=True)
class Settings:
    """One recording, as it was asked for.

    Attributes:
        backend: `desktop`, `synthetic`, `browser` or `env`.
        out: The session directory; `""` takes data/sessions/GAME_TIME.
        game: Its name as people say it; for `env` what `rushes sample` takes.
        fps: Ticks a second.
        chunk_size: Frames a chunk.
        max_frames: Ends after so many frames; 0 for no limit.
        max_seconds: Ends after so many recorded seconds; 0 for no limit.
        region: (left, top, right, bottom) in screen px, or None.
        monitor: Its number, 1 is the first; 0 is all of them together. None where a window or region is recorded.
        window: A part of a window's title, or its id; `""` for none.
        process_name: Name of the process whose window is wanted; `""` for none.
        codec: `h264`, `h265`, `lossless` or `png`; browser games are stored as `png`, whatever stands here.
        layout: A layout's name, or a JSON file with a list of controls: the keys that may be kept.
        audio: Sound streams, of `system` and `mic`.
        skip_late: Skip ticks that were missed instead of catching up.
        start_immediately: Record at once instead of waiting for F8.
        keys_anywhere: Keep listed keys whatever window has the focus.
        no_keys: Keep no keys.
        idle_stop: Ends after so many seconds without an input; 0 for no limit.
        resume: Go on with the session in `out`.
        seed: Of the synthetic world and of policies.
    """

    backend: str = "desktop"
    out: str = ""
    game: str = DEFAULT_GAME
    fps: float = DEFAULT_FPS
    chunk_size: int = 500
    max_frames: int = 0
    max_seconds: float = 0.0
    region: tuple[int, int, int, int] | None = None
    monitor: int | None = None
    window: str = ""
    process_name: str = ""
    codec: str = "h264"
    layout: str = "capture28"
    audio: tuple[str, ...] = ()
    skip_late: bool = False
    start_immediately: bool = False
    keys_anywhere: bool = False
    no_keys: bool = False
    idle_stop: float = 0.0
    resume: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        _within("fps", self.fps, 0.1, 1000)
        _within("chunk_size", self.chunk_size, 1, 1_000_000)
        for name in ("max_frames", "max_seconds", "idle_stop"):
            _within(name, getattr(self, name), 0, 1e12)
        if self.backend not in BACKEND_NAMES:
            raise BadInputError(
                f"backend {self.backend!r}",
                accepts=", ".join(BACKEND_NAMES),
                fix=near(self.backend, BACKEND_NAMES) or "take a name from the list",
            )
        if self.resume and not self.out:
            raise BadInputError(
                "resume without a session", accepts="the session to go on with", fix="name it with --out DIR"
            )
        wrong = [name for name in self.audio if name not in ("system", "mic")]
        if wrong:
            raise BadInputError(f"audio {wrong[0]!r}", accepts="system, mic", fix="pass --audio system,mic")
        if self.codec not in CODECS:
            raise BadInputError(
                f"codec {self.codec!r}",
                accepts=", ".join(CODECS),
                fix=near(self.codec, CODECS) or "pass --codec h264",
            )
        action_space(self.layout)
        if self.backend == "desktop":
            self._check_privacy()
        elif self.backend == "synthetic":
            wrong = [*_OF_DESKTOP] + ["audio"] * ("mic" in self.audio)
            self._refuse(wrong, "options that mean something without a desktop; of sound `system`")
        elif self.backend == "browser":
            wrong = [*_NOT_OF_BROWSER] + ["codec"] * (self.codec not in _BROWSER_CODECS)
            self._refuse(wrong, "options that mean something for a page; its pictures are stored as png")

    def _refuse(self, names: Sequence[str], accepts: str) -> None:
        """Refuse the first of some options that is not as usual."""
        usual = {f.name: f.default for f in fields(self)}
        wrong = [name for name in names if getattr(self, name) != usual[name]]
        if wrong:
            option = "--" + wrong[0].replace("_", "-")
            raise BadInputError(f"{option} with the {self.backend} backend", accepts=accepts, fix="leave it out")

    def _check_privacy(self) -> None:
        if self.region is not None and not (self.region[0] < self.region[2] and self.region[1] < self.region[3]):
            raise BadInputError(
                f"region {self.region}",
                accepts="left, top, right, bottom in screen px with left < right and top < bottom",
                fix="`rushes record --pick` lets you drag one and prints it",
            )
        ways = {
            "--region": self.region,
            "--monitor": self.monitor,
            "--window": self.window or self.process_name or None,
        }
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise BadInputError(
                " and ".join(given) + " together", accepts="one of them", fix=f"leave out {' and '.join(given[1:])}"
            )
        if not (self.window or self.process_name or self.keys_anywhere or self.no_keys):
            raise BadInputError(
                "a desktop recording that does not say whose keys it may keep",
                accepts="a window (its keys are kept only while it has the focus), all windows, or no keys",
                fix="pass one of --window TITLE (or --process-name NAME), --keys-anywhere, --no-keys; "
                "`rushes windows` lists the windows",
            )
        if self.keys_anywhere and self.no_keys:
            raise BadInputError(
                "--keys-anywhere and --no-keys together", accepts="one of the two", fix="leave one of them out"
            )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        value = asdict(self)
        return {**value, "region": None if self.region is None else list(self.region), "audio": list(self.audio)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Settings:
        """Rebuild settings from `to_json()`."""
        known = {f.name for f in fields(cls)}
        given = {k: v for k, v in value.items() if k in known}
        region = given.get("region")
        given["region"] = None if region is None else tuple(region)
        given["audio"] = tuple(given.get("audio", ()))
        return cls(**given)

    def path(self) -> Path:
        """Return the session directory: `out`, or data/sessions/GAME_YYYYmmdd_HHMMSS by local time."""
        if self.out:
            return Path(self.out)
        plain = re.sub(r"[^\w.-]+", "_", self.game).encode("utf-8", "replace")[:_NAME_BYTES]
        name = plain.decode(errors="ignore").strip("._") or DEFAULT_GAME
        return Path("data") / "sessions" / f"{name}_{datetime.now().astimezone():%Y%m%d_%H%M%S}"


def action_space(layout: str) -> ActionSpace:
    """Return the action space of a layout: its controls in order, and the motion of the mouse behind them.

    Args:
        layout: A layout's name, or a JSON file with a list of controls by any of their names.

    Raises:
        BadNameError: A control of the list is unknown; aliases such as `w`, `shift`, `lmb` are known.
        BadInputError: Neither a layout nor a JSON list of names.
        MissingError: A path without a file.
    """
    if layout in LAYOUTS:
        slots = LAYOUTS[layout].slots
        return ActionSpace("buttons", (*slots, *(slot(m) for m in _MOTION if m not in {s.name for s in slots})))
    path = Path(layout)
    if not path.is_file():
        raise MissingError(
            f"layout {layout!r}, which is neither a layout nor a file",
            accepts=", ".join(LAYOUTS) + ", or a JSON file with a list of controls",
            fix=near(layout, LAYOUTS) or "`rushes record --learn-keys` collects the keys to list",
        )
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        names = error
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise BadInputError(
            f"{path}, which is no list of controls",
            accepts='JSON such as ["w", "a", "s", "d", "Space", "lmb"]',
            fix="`rushes record --learn-keys` writes one",
        )
    return ActionSpace.from_names(dict.fromkeys([*names, *_MOTION]))


def controls_of(space: ActionSpace) -> frozenset[str]:
    """Return the physical controls that an action space speaks of."""
    return frozenset(control for slot in space.slots for control in (*slot.plus, *slot.minus))


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        option = name.replace("_", "-")
        raise BadInputError(
            f"--{option} {value:g}", accepts=f"{low:g} to {high:g}", fix=f"pass --{option} in that range"
        )
