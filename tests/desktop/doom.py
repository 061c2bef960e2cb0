"""Crispy Doom with Freedoom's levels, which records its own demo: what the player's hands did, tic by tic.

`start` runs it, `finish` ends it so that it writes the demo, `read_demo` reads that, and `compare` holds the presses
of a recorded session against it. The game looks at the keys 35 times a second, so an edge is known to one tic. How
long the game itself was held up by a busy machine is measured meanwhile (`Watch`) and stands beside the demo.

    game = start(servers, programs, tmp_path, crispy_doom)
    ...                                             # play: KeyW, KeyS, KeyA, KeyD, ControlLeft fires, Space uses
    tics = read_demo(finish(servers, programs, hands, game))
    assert compare(session.events(), tics).is_right()
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

TIC_HZ: Final = 35
_HEADERS: Final = {109: (13, 4), 111: (13, 5)}
"""Version -> (bytes of the header, bytes of a tic): Doom 1.9, and the same with turns in two bytes (`-longtics`).
Source: G_BeginRecording, G_WriteDemoTiccmd of Chocolate Doom."""
_END: Final = 0x80
_CONFIG: Final = """
use_mouse 1
mouse_sensitivity 5
key_up 17
key_down 31
key_strafeleft 30
key_straferight 32
key_left 75
key_right 77
key_fire 29
key_use 57
key_speed 42
"""
"""Keys by their numbers on the PC's keyboard: W S A D, arrows turn, left Control, Space, left Shift."""
_EXTRA: Final = """
fullscreen {fullscreen}
window_width {width}
window_height {height}
show_endoom 0
startup_delay 0
novert 1
mouse_acceleration 1.0
"""
_TITLE: Final = "Crispy Doom"
_STEADY_S: Final = 0.5
"""How long a window has to stand: the game throws its first one away and makes another."""
_LOOK_S: Final = 0.005
_WINDOW_S: Final = 0.3
_HELD_UP: Final = "held_up_ns.txt"
"""Beside the demo: what `Watch` found."""


@dataclass(frozen=True)
class Tic:
    """What the player did in 1/35 s.

    Attributes:
        forward: -127 to 127, + forward.
        side: -127 to 127, + right.
        turn: Of the whole circle's 256, or 65536 with long tics; + left.
        buttons: Bit 0 fires, bit 1 uses.
    """

    forward: int
    side: int
    turn: int
    buttons: int


Did = Callable[[Tic], bool]
DOES: Final[dict[str, Did]] = {
    "KeyW": lambda tic: tic.forward > 0,
    "KeyS": lambda tic: tic.forward < 0,
    "KeyA": lambda tic: tic.side < 0,
    "KeyD": lambda tic: tic.side > 0,
    "ControlLeft": lambda tic: tic.buttons & (1 | _END) == 1,
    "Space": lambda tic: tic.buttons & (2 | _END) == 2,
}
"""Which key does what, with the configuration of `start`."""


SCORE: Final = (
    (0.1, "KeyW", 0.30), (0.55, "KeyW", 0.12), (0.3, "KeyD", 0.20), (0.8, "KeyA", 0.25), (0.9, "ControlLeft", 0.15),
    (1.2, "KeyW", 0.50), (1.3, "ControlLeft", 0.40), (1.25, "KeyD", 0.10), (1.5, "Space", 0.12), (1.9, "KeyS", 0.33),
    (2.0, "KeyA", 0.07), (2.3, "KeyW", 0.07), (2.5, "KeyW", 0.21), (2.45, "Space", 0.10), (2.6, "KeyD", 0.16),
)  # fmt: skip
"""When, what, for how long. The game asks 35 times a second: anything shorter than a tic it may never see."""


class Watch:
    """Measures how long a process is held up: ready to run and not running, or all of the machine standing still."""

    def __init__(self, pid: int) -> None:
        self._path, self._over = Path(f"/proc/{pid}/schedstat"), threading.Event()
        self._seen: list[tuple[int, int]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        stood_ns = 0
        while not self._over.is_set():
            before_ns = time.perf_counter_ns()
            self._over.wait(_LOOK_S)
            after_ns = time.perf_counter_ns()
            stood_ns += max(0, after_ns - before_ns - 2 * int(_LOOK_S * 1e9))
            try:
                waited_ns = int(self._path.read_text().split()[1])
            except (OSError, IndexError):  # it has ended, or a system without it
                return
            self._seen.append((after_ns, waited_ns + stood_ns))

    def end(self) -> int:
        """Stop looking; gives the most that it was held up within `_WINDOW_S`, in ns."""
        self._over.set()
        self._thread.join()
        if not self._seen:
            return 0
        times, held = np.array(self._seen).T
        return int((held - held[np.searchsorted(times, times - int(_WINDOW_S * 1e9))]).max())


@dataclass(frozen=True)
class Running:
    """A game that runs: its process, the folder of all its files, the X id of its window, what holds it up."""

    program: subprocess.Popen[bytes]
    folder: Path
    window: int
    title: str
    watch: Watch


def start(
    servers: Any,
    programs: Any,
    folder: Path,
    crispy_doom: tuple[str, Path],
    *,
    size: tuple[int, int] = (640, 480),
    fullscreen: bool = False,
    sound: bool = False,
    arguments: Sequence[str] = (),
) -> Running:
    """Start a game on the display of the environment, wait until the level runs, and record a demo."""
    program, iwad = crispy_doom
    (folder / "keys.cfg").write_text(_CONFIG.lstrip())
    extra = _EXTRA.format(fullscreen=int(fullscreen), width=size[0], height=size[1])
    (folder / "extra.cfg").write_text(extra.lstrip())
    command = [program, "-iwad", iwad, "-warp", "1", "1", "-skill", "2", "-nomonsters", "-nogui", *arguments]
    command += ["-config", folder / "keys.cfg", "-extraconfig", folder / "extra.cfg", "-record", folder / "demo"]
    command += ["-fullscreen"] if fullscreen else ["-window", "-geometry", f"{size[0]}x{size[1]}"]
    command += ["-nomusic"] if sound else ["-nosound"]
    home = {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    driver = {"SDL_AUDIODRIVER": "pulseaudio"} if sound else {}
    log = folder / "doom.txt"
    made = programs.start(command, env={**os.environ, **home, **driver}, log=log, cwd=folder)

    seen: dict[int, float] = {}

    def ready() -> int:
        assert made.poll() is None, "the game ended:\n" + log.read_text()[-2000:]
        window = next((number for title, number in servers.windows().items() if _TITLE in title), 0)
        if not window or servers.focused() != window or "P_SetupLevel" not in log.read_text():
            return 0
        since_s = seen.setdefault(window, time.monotonic())
        return window if time.monotonic() - since_s > _STEADY_S else 0

    window = servers.wait_for(ready, "the start of the game", seconds=90)
    title = next(title for title, number in servers.windows().items() if number == window)
    return Running(made, folder, window, title, Watch(made.pid))


def finish(servers: Any, programs: Any, hands: Any, game: Running) -> Path:
    """Close the window until the game has gone, which it asks about once, and give the path of its demo."""
    (game.folder / _HELD_UP).write_text(str(game.watch.end()))
    with hands.Hands() as playing:

        def gone() -> bool:
            if game.window in servers.windows().values():
                playing.close(game.window)
            try:
                game.program.wait(0.3)
            except subprocess.TimeoutExpired:
                return False
            return True

        servers.wait_for(gone, "the end of the game")
    programs.end(game.program)
    return game.folder / "demo.lmp"


class Demo(tuple[Tic, ...]):
    """The tics of a demo, with how long the game was held up at once, in ns (`held_up_ns`)."""

    __slots__ = ()
    held_up_ns = 0


def read_demo(path: Path) -> tuple[Tic, ...]:
    """Read a demo of one player."""
    note = path.with_name(_HELD_UP)
    kind = type("Demo", (Demo,), {"held_up_ns": int(note.read_text()) if note.exists() else 0})
    data = path.read_bytes()
    header, size = _HEADERS[data[0]]
    players = data[header - 4 : header]
    assert sum(map(bool, players)) == 1, "one player"
    found = []
    for at in range(header, len(data), size):
        if data[at] == _END:
            return kind(found)
        forward, side = np.frombuffer(data[at : at + 2], np.int8)
        turn = int.from_bytes(data[at + 2 : at + size - 1], "little", signed=True)
        found.append(Tic(int(forward), int(side), turn, data[at + size - 1]))
    msg = f"{path.name} has no end"
    raise AssertionError(msg)


def spans(tics: Sequence[Tic], did: Did) -> list[tuple[int, int]]:
    """Find the stretches in which the player did something: (first tic, tic after the last)."""
    found, at = [], 0
    for doing, stretch in groupby(tics, did):
        count = sum(1 for _ in stretch)
        if doing:
            found.append((at, at + count))
        at += count
    return found


def recorded_holds(events: pd.DataFrame, control: str) -> list[tuple[int, int]]:
    """Find when a control was held, from a session's events: (press, release) in ns; each has both, in turn."""
    mine = events[(events["control"] == control) & events["kind"].isin(["press", "release"])]
    kinds, times = mine["kind"].tolist(), [int(t) for t in mine["t_ns"]]
    assert kinds == ["press", "release"] * (len(kinds) // 2), f"{control}: {kinds}"
    return list(zip(times[::2], times[1::2], strict=True))


@dataclass(frozen=True)
class Agreement:
    """How well holds agree with a demo.

    Attributes:
        holds: How many there are in the recording, by control.
        spans: How many there are in the demo, by control.
        zero_ns: When the demo's first tic was, on the clock of the holds, about; None where the counts differ.
        edges_tics: How far each press and release is from its tic, after the one offset that fits most.
        durations_tics: How much longer each hold is than its span.
        held_up_tics: The most that the game was held up at once, measured while it ran.
    """

    holds: dict[str, int]
    spans: dict[str, int]
    zero_ns: int | None = None
    edges_tics: Any = ()
    durations_tics: Any = ()
    held_up_tics: float = 0.0

    def is_right(self) -> bool:
        """Whether the same holds are in both, at the same times.

        An edge shows in the first tic after it, so edges stand up to one tic before theirs, half of one on average:
        where nothing is in the way no edge is more than half a tic from the median, no duration is off by more than
        one, and presses are as early as releases. A game that stands still for a moment, because the machine does
        something else, sees what came meanwhile late: by so much at most as it was held up. Where it was not, one edge
        in twenty may be.

        The offset itself says nothing here: `zero_ns` has to be compared with that of the hands' own log.
        """
        if self.holds != self.spans or self.zero_ns is None:
            return False
        edges, calm = np.abs(self.edges_tics), self.held_up_tics < 1
        near = edges <= 1.5, np.abs(self.durations_tics) <= 2
        presses, releases = np.median(self.edges_tics, axis=0)
        return bool(
            all(np.mean(part) >= (0.95 if calm else 0.8) for part in near)
            and edges.max() <= min(3 + self.held_up_tics, 10)
            and abs(presses - releases) <= 0.8
        )


def compare(events: pd.DataFrame, tics: Sequence[Tic]) -> Agreement:
    """Hold every control of DOES that was pressed against the demo, with one offset for all of them.

    Args:
        events: A session's; t_ns in ns on any clock.
        tics: The demo's.
    """
    held = {control: recorded_holds(events, control) for control in DOES}
    found = {control: spans(tics, did) for control, did in DOES.items()}
    counts = [{control: len(part) for control, part in one.items()} for one in (held, found)]
    if counts[0] != counts[1] or not any(counts[0].values()):
        return Agreement(*counts)
    times = np.array([hold for part in held.values() for hold in part]) * TIC_HZ / 1e9
    seen = np.array([span for part in found.values() for span in part], float)
    late = times - seen
    middle = np.median(late)
    durations = (np.diff(times) - np.diff(seen)).ravel()
    held_up = getattr(tics, "held_up_ns", 0) * TIC_HZ / 1e9
    return Agreement(*counts, int(middle * 1e9 / TIC_HZ), late - middle, durations, held_up)
