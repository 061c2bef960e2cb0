"""A window whose content is known: four corners in four colours on a plain ground; it obeys lines on standard input.

As a program it takes TITLE WIDTH HEIGHT LEFT TOP and answers every line with one word once the server has done it:
`paint RRGGBB`, `move X Y`, `size W H`, `title TEXT`, `hide`, `show`, `close`. `Painted` starts one and talks to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

CORNER = 20
COLOURS = {"top left": 0xFF0000, "top right": 0x00FF00, "bottom left": 0x0000FF, "bottom right": 0xFFFFFF}
GROUND = 0x404040


def serve(title: str, width: int, height: int, left: int, top: int) -> None:  # noqa: C901 - one branch a word
    from Xlib import X, Xutil
    from Xlib.display import Display

    display = Display()
    screen = display.screen()
    window = screen.root.create_window(left, top, width, height, 0, screen.root_depth, background_pixel=GROUND)
    window.change_attributes(event_mask=X.ExposureMask | X.StructureNotifyMask)
    window.set_wm_normal_hints(flags=Xutil.PPosition | Xutil.USPosition, min_width=16, min_height=16)
    pen = window.create_gc()
    atom = display.intern_atom
    window.change_property(atom("_NET_WM_PID"), atom("CARDINAL"), 32, [os.getpid()])

    def name(text: str) -> None:
        window.set_wm_name(text.encode("ascii", "replace").decode())
        window.change_property(atom("_NET_WM_NAME"), atom("UTF8_STRING"), 8, text.encode())

    def draw() -> None:
        size = window.get_geometry()
        window.clear_area()
        right, bottom = size.width - CORNER, size.height - CORNER
        places = ((0, 0), (right, 0), (0, bottom), (right, bottom))
        for (x, y), colour in zip(places, COLOURS.values(), strict=True):
            pen.change(foreground=colour)
            window.fill_rectangle(pen, x, y, CORNER, CORNER)
        display.sync()

    def until(kind: int) -> None:
        while display.next_event().type != kind:
            pass

    name(title)
    window.map()
    until(X.Expose)
    draw()
    say(hex(window.id))
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "paint":
            window.change_attributes(background_pixel=int(rest[0], 16))
        elif word == "move":
            window.configure(x=int(rest[0]), y=int(rest[1]))
            until(X.ConfigureNotify)
        elif word == "size":
            window.configure(width=int(rest[0]), height=int(rest[1]))
            until(X.ConfigureNotify)
        elif word == "title":
            name(" ".join(rest))
        elif word == "hide":
            window.unmap()
            until(X.UnmapNotify)
        elif word == "show":
            window.map()
            until(X.Expose)
        elif word == "close":
            window.destroy()
            display.sync()
            say("done")
            return
        if word != "hide":
            draw()
        display.sync()
        while display.pending_events():
            display.next_event()
        say("done")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Painted:
    """One such window, in a process of its own."""

    def __init__(self, programs: Any, title: str, size: tuple[int, int] = (320, 240), at: tuple[int, int] = (100, 80)):
        words = [sys.executable, Path(__file__), title, *map(str, (*size, *at))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": None}
        self._programs = programs
        self.program = programs.start(words, **pipes)
        self.id = int(self.program.stdout.readline(), 16)

    @property
    def pid(self) -> int:
        return self.program.pid

    def do(self, line: str) -> None:
        self.program.stdin.write(line.encode() + b"\n")
        self.program.stdin.flush()
        assert self.program.stdout.readline() == b"done\n"

    def end(self) -> None:
        self._programs.end(self.program)
        self.program.stdin.close()
        self.program.stdout.close()


def corners(picture: np.ndarray) -> dict[str, int]:
    """What colours the corners of a BGRA picture have, 3 px away from its edges."""
    spots = {"top left": (3, 3), "top right": (3, -4), "bottom left": (-4, 3), "bottom right": (-4, -4)}
    return {name: colour(picture, *spot) for name, spot in spots.items()}


def colour(picture: np.ndarray, row: int, column: int) -> int:
    blue, green, red = (int(value) for value in picture[row, column, :3])
    return red << 16 | green << 8 | blue


if __name__ == "__main__":
    serve(sys.argv[1], *map(int, sys.argv[2:6]))
