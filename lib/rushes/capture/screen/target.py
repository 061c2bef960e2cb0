"""What is recorded of the screen: a region, a monitor, or a window by title, process name or id.

`resolve_target` turns what a person gave into a `Target`, and refuses what fits several windows or none. A title fits
exactly, or else as a part of the title in any case. Monitors have the numbers of mss: 0 is all of them together, 1 the
first. Nothing given means monitor 1.

Example:
    >>> resolve_target(region=(100, 50, 740, 530))
    Target(box=Box(left=100, top=50, right=740, bottom=530), title='', window=None, pid=None)
    >>> resolve_target(region=(740, 50, 100, 530))
    Traceback (most recent call last):
    ...
    rushes.errors.BadInputError: region 740 50 100 530; accepted: LEFT TOP RIGHT BOTTOM in px, ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rushes.capture.screen.base import Box
from rushes.capture.screen.windows import Window, list_windows
from rushes.errors import BadInputError, MissingError

SMALLEST_PX: Final = 16
"""Encoders want at least this much."""


@dataclass(frozen=True)
class Target:
    """What is recorded.

    Attributes:
        box: Where it is now, in px of the screen; of a window its client area.
        title: Of the chosen window, else empty.
        window: Id of the chosen window (X window, HWND), else None.
        pid: Its process, else None.
    """

    box: Box
    title: str = ""
    window: int | None = None
    pid: int | None = None

    @property
    def left(self) -> int:
        """First column."""
        return self.box.left

    @property
    def top(self) -> int:
        """First row."""
        return self.box.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.box.width

    @property
    def height(self) -> int:
        """Rows."""
        return self.box.height


def resolve_target(
    *,
    region: Sequence[int] | None = None,
    monitor: int | None = None,
    window: str | int | None = None,
    process_name: str | None = None,
    windows: Iterable[Window] | None = None,
    monitors: Sequence[Box] | None = None,
) -> Target:
    """Find what a person wants to record; asks the display for windows or monitors where it has to.

    Args:
        region: left, top, right, bottom in px.
        monitor: 0 for all together, 1 for the first ...
        window: A title or a part of it, or an id as `rushes windows` prints it (0x3a00007).
        process_name: A process's name or a part of it; with `window`, both must fit.
        windows: The windows there are; None asks the desktop.
        monitors: The monitors there are, all together first; None asks the desktop.

    Raises:
        BadInputError: More than one way, a region without area, no such monitor, or several windows fit.
        MissingError: No window fits.
        UnavailableError: There is no screen here.
    """
    by_window = window is not None or process_name is not None
    ways = [name for name, one in (("region", region), ("monitor", monitor)) if one is not None]
    ways += ["window"] * by_window
    if len(ways) > 1:
        raise BadInputError(
            " and ".join(ways), accepts="one of region, monitor and window", fix=f"leave out {' or '.join(ways[1:])}"
        )
    if region is not None:
        return Target(_region(region))
    if by_window:
        there = tuple(list_windows() if windows is None else windows)
        return _window(there, window, process_name)
    if monitors is None:
        from rushes.capture.screen.mss_grabber import monitor_boxes

        monitors = monitor_boxes()
    number = 1 if monitor is None else monitor
    if not 0 <= number < len(monitors):
        last = len(monitors) - 1
        raise BadInputError(f"monitor {number}", accepts=f"0 (all) to {last}", fix="pass --monitor 1 for the first")
    return Target(Box(*monitors[number]))


def _region(region: Sequence[int]) -> Box:
    box = Box(*region) if len(region) == len(Box._fields) else Box(0, 0, 0, 0)
    if box.width < SMALLEST_PX or box.height < SMALLEST_PX:
        raise BadInputError(
            f"region {' '.join(map(str, region))}",
            accepts=f"LEFT TOP RIGHT BOTTOM in px, at least {SMALLEST_PX} wide and high",
            fix="choose it with `rushes record --pick`",
        )
    return box


def _window(there: tuple[Window, ...], window: str | int | None, process_name: str | None) -> Target:
    wanted = f"window {window:#x}" if isinstance(window, int) else f"window {window!r}" if window is not None else ""
    wanted += f"{' of ' if wanted else 'a window of '}process {process_name!r}" if process_name is not None else ""
    found = there
    if process_name is not None:
        found = _by_process(found, process_name)
    if isinstance(window, str) and re.fullmatch(r"0[xX][0-9a-fA-F]+", window):
        window = int(window, 16)
    if isinstance(window, int):
        found = tuple(one for one in found if one.id == window)
    elif window is not None:
        found = _by_title(found, window)
    if not found:
        raise MissingError(
            f"no {wanted.removeprefix('a ')} among the {len(there)} that are open",
            accepts="a title or a part of it, an id such as 0x3a00007, or a process name",
            fix="start the game first; `rushes windows` lists what there is",
        )
    if len(found) > 1:
        lines = "".join(f"\n  {one.id_text}  {one.process_name}  {one.title}" for one in found)
        raise BadInputError(
            f"{wanted} fits {len(found)} windows:{lines}\n",
            accepts="one window",
            fix=f"pass --window {found[0].id_text}",
        )
    (chosen,) = found
    if chosen.box.width < SMALLEST_PX or chosen.box.height < SMALLEST_PX:
        raise BadInputError(
            f"{wanted} is {chosen.box.width} x {chosen.box.height} px",
            accepts=f"at least {SMALLEST_PX} wide and high",
            fix="restore it if it is minimised; `rushes windows` lists sizes",
        )
    return Target(chosen.box, chosen.title, chosen.id, chosen.pid)


def _by_title(there: tuple[Window, ...], title: str) -> tuple[Window, ...]:
    exact = tuple(one for one in there if one.title == title)
    lower = title.lower()
    return exact or tuple(one for one in there if lower and lower in one.title.lower())


def _by_process(there: tuple[Window, ...], name: str) -> tuple[Window, ...]:
    def fits(window: Window, *, part: bool) -> bool:
        known = [n.lower() for n in window.process_names]
        lower = name.lower()
        return any((lower in n) if part else n.removesuffix(".exe") == lower.removesuffix(".exe") for n in known)

    exact = tuple(one for one in there if fits(one, part=False))
    return exact or tuple(one for one in there if name and fits(one, part=True))
