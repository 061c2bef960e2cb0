"""A small game that says what really happened: what it drew and when, and every input that it was given.

Run as a program it opens a window, draws 60 pictures a second in software and writes a line of JSON for each picture
and each input as soon as it is there. Times are `time.perf_counter_ns()`, which on Linux is one clock for all
processes. Its counter has the layout of `rushes.worlds.synthetic`, drawn by code of its own.

    python game.py --title Pit --size 640 480 --log pit.jsonl --relative --sound

With `--camera` the mouse and W, A, S, D move a landscape of boxes under a figure that stands still, which hops while
the space bar is held; else they move the figure.

Lines, by `type`: `start` (window, pid, size, driver), `frame` (counter; before_ns, t_ns: just before and after it was
shown), `key` (code, down, repeat), `motion` (xrel, yrel, x, y), `button` (button, down), `wheel` (x, y), `focus`
(gained), `moved` (x, y), `pad` (pad, control, value), `beep` (t_ns, waiting_s, buffer_s), `end`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import sys
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CELLS, CELL_PX = 24, 6
RATE_HZ = 60
SPRITE_PX, STEP_PX, HOP_PX = 24, 5, 30
BOXES, BOX_PX = 140, 120
"""How many boxes the landscape has, and the side of the largest."""
SOUND_HZ, TONE_HZ, TONE_S, BUFFER = 48_000, 440, 0.25, 512
SCANCODES = {
    "A": "KeyA", "C": "KeyC", "D": "KeyD", "E": "KeyE", "F": "KeyF", "G": "KeyG", "I": "KeyI", "P": "KeyP", "Q": "KeyQ",
    "R": "KeyR", "S": "KeyS", "T": "KeyT", "V": "KeyV", "W": "KeyW", "X": "KeyX", "Z": "KeyZ", "1": "Digit1",
    "2": "Digit2", "3": "Digit3", "4": "Digit4", "Space": "Space", "Left Shift": "ShiftLeft",
    "Right Shift": "ShiftRight", "Left Ctrl": "ControlLeft", "Right Ctrl": "ControlRight", "Backspace": "Backspace",
    "Escape": "Escape", "Return": "Enter", "Left": "ArrowLeft", "Right": "ArrowRight", "Up": "ArrowUp",
    "Down": "ArrowDown", "F6": "F6", "F7": "F7", "F8": "F8",
}  # fmt: skip
"""SDL's scancode names -> the W3C's codes, of the keys that the tests press. Both name places on the keyboard."""
BUTTONS = {1: "MouseLeft", 2: "MouseMiddle", 3: "MouseRight", 4: "MouseX1", 5: "MouseX2"}


@dataclass
class Started:
    """A running game, as the test sees it.

    Attributes:
        path: Its log.
        program: Its process.
        window: X id of its window.
    """

    path: Path
    program: Any
    window: int = 0
    options: tuple[str, ...] = field(default=())

    def lines(self, *kinds: str) -> list[dict[str, Any]]:
        """Read the whole lines of the log so far, of these types or of all."""
        text = self.path.read_text() if self.path.exists() else ""
        found = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in found if not kinds or line["type"] in kinds]

    def presses(self) -> list[tuple[str, bool, int]]:
        """Read every edge of keys and mouse buttons: (W3C name, down, t_ns) in their order."""
        found = []
        for line in self.lines("key", "button"):
            if line["type"] == "button":
                found.append((BUTTONS[line["button"]], line["down"], line["t_ns"]))
            elif not line["repeat"]:
                found.append((SCANCODES.get(line["code"], line["code"]), line["down"], line["t_ns"]))
        return found

    def motion(self) -> tuple[int, int]:
        """Sum what the mouse moved."""
        lines = self.lines("motion")
        return sum(line["xrel"] for line in lines), sum(line["yrel"] for line in lines)


def start(servers: Any, programs: Any, folder: Path, *, title: str, options: tuple[str, ...] = ()) -> Started:
    """Start the game on the display of the environment and wait until it is shown and has the focus."""
    path = folder / f"{title}.jsonl"
    command = [sys.executable, __file__, "--title", title, "--log", path, *options]
    made = Started(path, programs.start(command, log=folder / f"{title}.txt"), options=options)

    def ready() -> bool:
        assert made.program.poll() is None, "the game ended:\n" + (folder / f"{title}.txt").read_text()
        return len(made.lines("frame")) > 5 and any(line["gained"] for line in made.lines("focus"))

    servers.wait_for(ready, f"the start of the game {title}")
    made.window = made.lines("start")[0]["window"]
    return made


class Log:
    """Writes a line in one call, so that it is there at once and whole."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, kind: str, **fields: Any) -> None:
        os.write(self._file, (json.dumps({"type": kind, **fields}) + "\n").encode())


def tone() -> bytes:
    """Make the beep: interleaved stereo int16; a cosine, so that its first sample is loud."""
    wave = [int(16_000 * math.cos(math.tau * TONE_HZ * i / SOUND_HZ)) for i in range(int(TONE_S * SOUND_HZ))]
    return array("h", (value for value in wave for _ in range(2))).tobytes()


class Game:
    """The window, the sprite, the sound; `run` is the loop."""

    def __init__(self, options: argparse.Namespace) -> None:
        import sdl2

        self.sdl, self.options, self.log, self.counter, self.going = sdl2, options, Log(options.log), 0, True
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        wanted = sdl2.SDL_INIT_VIDEO | (sdl2.SDL_INIT_GAMECONTROLLER if options.pads else 0)
        self.check(sdl2.SDL_Init(wanted) == 0)
        where = options.at or (sdl2.SDL_WINDOWPOS_UNDEFINED, sdl2.SDL_WINDOWPOS_UNDEFINED)
        flags = sdl2.SDL_WINDOW_SHOWN | (sdl2.SDL_WINDOW_RESIZABLE if options.resizable else 0)
        self.window = sdl2.SDL_CreateWindow(options.title.encode(), *where, *options.size, flags)
        self.check(bool(self.window))
        self.place = [options.size[0] / 2, options.size[1] / 2]
        self.landscape = self.draw_landscape() if options.camera else None
        self.sound = self.open_sound() if options.sound else 0
        self.tone = tone()
        if options.relative:
            self.check(sdl2.SDL_SetRelativeMouseMode(sdl2.SDL_TRUE) == 0)
        info = sdl2.SDL_SysWMinfo()
        sdl2.SDL_GetVersion(info.version)
        sdl2.SDL_GetWindowWMInfo(self.window, info)
        number = int(info.info.x11.window) if info.subsystem == sdl2.SDL_SYSWM_X11 else 0
        zero_ns = time.perf_counter_ns() - sdl2.SDL_GetTicks64() * 1_000_000
        driver = (sdl2.SDL_GetCurrentVideoDriver() or b"").decode()
        self.write("start", window=number, pid=os.getpid(), size=options.size, driver=driver, sdl_zero_ns=zero_ns)

    def check(self, good: bool) -> None:
        if not good:
            sys.exit(f"SDL: {self.sdl.SDL_GetError().decode()}")

    def write(self, kind: str, *, t_ns: int | None = None, **fields: Any) -> None:
        self.log.write(kind, t_ns=time.perf_counter_ns() if t_ns is None else t_ns, **fields)

    def open_sound(self) -> int:
        sdl = self.sdl
        self.check(sdl.SDL_InitSubSystem(sdl.SDL_INIT_AUDIO) == 0)
        wanted = sdl.SDL_AudioSpec(SOUND_HZ, sdl.AUDIO_S16SYS, 2, BUFFER)
        device = sdl.SDL_OpenAudioDevice(None, 0, wanted, None, 0)
        self.check(device != 0)
        sdl.SDL_PauseAudioDevice(device, 0)
        return device

    def beep(self) -> None:
        waiting_s = self.sdl.SDL_GetQueuedAudioSize(self.sound) / (4 * SOUND_HZ)
        t_ns = time.perf_counter_ns()
        self.check(self.sdl.SDL_QueueAudio(self.sound, self.tone, len(self.tone)) == 0)
        self.write("beep", t_ns=t_ns, waiting_s=waiting_s, buffer_s=BUFFER / SOUND_HZ)

    def run(self) -> None:
        """Draw on a fixed grid of times; wait for input in between, so that it is seen at once."""
        event, end = self.sdl.SDL_Event(), time.monotonic() + self.options.seconds
        due_ns = time.perf_counter_ns()
        while self.going and time.monotonic() < end:
            left_ns = due_ns - time.perf_counter_ns()
            if left_ns <= 0:
                while self.sdl.SDL_PollEvent(event):  # what came while the machine was busy
                    self.take(event)
                self.draw()
                due_ns = max(due_ns + 1_000_000_000 // RATE_HZ, time.perf_counter_ns())
            elif left_ns < 1_000_000:  # SDL waits in whole ms
                time.sleep(left_ns / 1e9)
            elif self.sdl.SDL_WaitEventTimeout(event, left_ns // 1_000_000):
                self.take(event)
                while self.sdl.SDL_PollEvent(event):
                    self.take(event)
        self.write("end", counter=self.counter)
        # no SDL_Quit: what SDL_WaitEventTimeout sends to wake it up may reach the server after the window is gone, and
        # then Xlib ends the process with an error; the server tidies up after a process that has ended

    def draw(self) -> None:
        sdl, surface = self.sdl, self.sdl.SDL_GetWindowSurface(self.window)
        self.check(bool(surface))
        width, height = surface.contents.w, surface.contents.h
        held = sdl.SDL_GetKeyboardState(None)
        self.place[0] += STEP_PX * (held[sdl.SDL_SCANCODE_D] - held[sdl.SDL_SCANCODE_A])
        self.place[1] += STEP_PX * (held[sdl.SDL_SCANCODE_S] - held[sdl.SDL_SCANCODE_W])
        self.place = [self.place[0] % width, self.place[1] % height]
        x, y = (int(v) for v in self.place)
        if self.landscape is None:
            self.fill(surface, (0, 0, width, height), (32, 40, 56))
        else:
            for left, top in ((-x, -y), (width - x, -y), (-x, height - y), (width - x, height - y)):
                sdl.SDL_UpperBlit(self.landscape, None, surface, sdl.SDL_Rect(left, top))
            x, y = width // 2, height // 2 - HOP_PX * held[sdl.SDL_SCANCODE_SPACE]
        self.fill(surface, (x, max(y, CELL_PX), SPRITE_PX, SPRITE_PX), (232, 180, 60))
        for place, bit in enumerate(f"{self.counter:0{CELLS}b}"):
            shade = (255, 255, 255) if bit == "1" else (0, 0, 0)
            self.fill(surface, (place * CELL_PX, 0, CELL_PX, CELL_PX), shade)
        before_ns = time.perf_counter_ns()
        self.check(sdl.SDL_UpdateWindowSurface(self.window) == 0)  # returns when the server has drawn it
        self.write("frame", counter=self.counter, before_ns=before_ns, sprite=[x, y])
        self.counter += 1

    def draw_landscape(self) -> Any:
        """Draw boxes, always the same, once; what leaves at one edge comes in at the other."""
        (width, height), chance = self.options.size, random.Random(7)
        made = self.sdl.SDL_CreateRGBSurfaceWithFormat(0, width, height, 32, self.sdl.SDL_PIXELFORMAT_RGB888)
        self.check(bool(made))
        for _ in range(BOXES):
            left, top = chance.randrange(width), chance.randrange(height)
            wide, high = chance.randrange(12, BOX_PX), chance.randrange(12, BOX_PX)
            colour = chance.randrange(20, 236), chance.randrange(20, 236), chance.randrange(20, 236)
            for x, y in ((left, top), (left - width, top), (left, top - height), (left - width, top - height)):
                self.fill(made, (x, y, wide, high), colour)
        return made

    def fill(self, surface: Any, place: tuple[int, int, int, int], colour: tuple[int, int, int]) -> None:
        number = self.sdl.SDL_MapRGB(surface.contents.format, *colour)
        self.sdl.SDL_FillRect(surface, self.sdl.SDL_Rect(*place), number)

    def take(self, event: Any) -> None:
        """Note one event of SDL's, and do what it asks for."""
        sdl, kind, stamp = self.sdl, event.type, {"t_ns": time.perf_counter_ns(), "sdl_ms": event.common.timestamp}
        if kind in {sdl.SDL_KEYDOWN, sdl.SDL_KEYUP}:
            key, down = event.key, kind == sdl.SDL_KEYDOWN
            name = sdl.SDL_GetScancodeName(key.keysym.scancode).decode()
            self.write("key", code=name, down=down, repeat=bool(key.repeat), **stamp)
            if self.sound and down and not key.repeat and name == "Space":
                self.beep()
        elif kind == sdl.SDL_MOUSEMOTION:
            move = event.motion
            self.write("motion", xrel=move.xrel, yrel=move.yrel, x=move.x, y=move.y, **stamp)
            if self.options.relative:
                self.place = [self.place[0] + move.xrel, self.place[1] + move.yrel]
        elif kind in {sdl.SDL_MOUSEBUTTONDOWN, sdl.SDL_MOUSEBUTTONUP}:
            self.write("button", button=event.button.button, down=kind == sdl.SDL_MOUSEBUTTONDOWN, **stamp)
        elif kind == sdl.SDL_MOUSEWHEEL:
            self.write("wheel", x=event.wheel.x, y=event.wheel.y, **stamp)
        elif kind == sdl.SDL_WINDOWEVENT:
            self.take_window(event.window, stamp)
        elif kind == sdl.SDL_QUIT:
            self.going = False
        else:
            self.take_pad(event, stamp)

    def take_pad(self, event: Any, stamp: dict[str, int]) -> None:
        sdl, kind = self.sdl, event.type
        if kind == sdl.SDL_CONTROLLERDEVICEADDED:
            sdl.SDL_GameControllerOpen(event.cdevice.which)
        elif kind in {sdl.SDL_CONTROLLERBUTTONDOWN, sdl.SDL_CONTROLLERBUTTONUP}:
            self.write("pad", pad=event.cbutton.which, control=event.cbutton.button, value=event.cbutton.state, **stamp)
        elif kind == sdl.SDL_CONTROLLERAXISMOTION:
            self.write("pad", pad=event.caxis.which, control=event.caxis.axis, value=event.caxis.value, **stamp)

    def take_window(self, event: Any, stamp: dict[str, int]) -> None:
        if event.event in {self.sdl.SDL_WINDOWEVENT_FOCUS_GAINED, self.sdl.SDL_WINDOWEVENT_FOCUS_LOST}:
            self.write("focus", gained=event.event == self.sdl.SDL_WINDOWEVENT_FOCUS_GAINED, **stamp)
        elif event.event == self.sdl.SDL_WINDOWEVENT_MOVED:
            self.write("moved", x=event.data1, y=event.data2, **stamp)


def main() -> None:
    """Play until the window is closed, a signal comes or the time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--title", default="Pit")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480))
    parser.add_argument("--at", type=int, nargs=2)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=120.0, help="never plays longer than this")
    for flag in ("--relative", "--camera", "--sound", "--pads", "--resizable"):
        parser.add_argument(flag, action="store_true")
    playing = Game(parser.parse_args())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(playing, "going", False))
    playing.run()


if __name__ == "__main__":
    main()
