"""How far the mouse went, whatever a device reports: distances, or where it is.

A mouse reports distances (`counts`), before acceleration. A tablet, and the mouse of a virtual machine, declare that
they report positions; their motion is the difference, in px of the screen. XTEST (remote desktops, xdotool) declares
distances and reports either. A batch of its motions is taken as positions where the pointer then stands exactly on the
last of them and the distances would have led elsewhere; a batch of both kinds at once is taken as one kind.

Example:
    >>> def distance(display, raw):
    ...     motion = Motion(display)
    ...     motion.begin([raw], place=(320, 200))
    ...     return motion.distance(raw)  # (dx, dy)
    >>> are_positions([{0: 300.0, 1: 200.0}], start=(100, 100), end=(300, 200))
    True
    >>> are_positions([{0: 9.0, 1: -4.0}], start=(100, 100), end=(109, 96))
    False
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rushes.capture.input.x11_raw import Raw

_VALUATOR_CLASS: Final = 2
_AXES: Final = (0, 1)
Place = tuple[int, int]
"""x and y of the pointer on the root window, px."""


def are_positions(values: Sequence[Mapping[int, float]], start: Place, end: Place) -> bool:
    """Tell whether a batch of motions is a list of positions.

    Args:
        values: Valuator -> value of each motion.
        start: Where the pointer was before.
        end: Where it is after.
    """
    last = values[-1]
    summed = tuple(start[axis] + sum(one.get(axis, 0.0) for one in values) for axis in _AXES)
    return summed != end and all(last.get(axis, float(start[axis])) == end[axis] for axis in _AXES)


@dataclass(frozen=True)
class _Device:
    """What a device reports.

    Attributes:
        positions: Whether positions; None for XTEST, which reports either.
        low: Smallest value of both axes.
        scale: px a unit of both axes.
    """

    positions: bool | None = False
    low: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)


class Motion:
    """Turns raw motions into distances.

    Args:
        display: A connection of python-xlib.
    """

    def __init__(self, display: Any) -> None:
        self._display = display
        screen = display.screen()
        self._size = screen.width_in_pixels, screen.height_in_pixels
        self._devices: dict[int, _Device] = {}
        self._at: dict[int, tuple[float, float]] = {}
        self._pointer: Place = (0, 0)
        self._jumps = False

    def forget(self) -> None:
        """Look at the devices anew: some came or went."""
        self._devices.clear()

    def unsure(self, raws: Iterable[Raw]) -> bool:
        """Tell whether only the pointer's place can say what these motions are."""
        return any(self._device(raw.source).positions is None for raw in raws)

    def place(self, place: Place) -> None:
        """Tell where the pointer is when nothing is to be read."""
        self._pointer = place
        for source in [source for source in self._at if self._device(source).positions is None]:
            del self._at[source]

    def begin(self, raws: Sequence[Raw], place: Place) -> None:
        """Tell where the pointer is at the end of a batch, before its motions are asked for.

        Args:
            raws: The motions of the batch.
            place: Where the pointer is behind them.
        """
        unsure = [raw.values for raw in raws if self._device(raw.source).positions is None]
        self._jumps = bool(unsure) and are_positions(unsure, self._pointer, place)

    def distance(self, raw: Raw) -> tuple[float, float]:
        """Give the distance of one motion.

        Returns:
            dx and dy, +y down: counts of a mouse, px of a device that reports positions.
        """
        device = self._device(raw.source)
        if not (self._jumps if device.positions is None else device.positions):
            return raw.values.get(0, 0.0), raw.values.get(1, 0.0)
        was = self._at.get(raw.source, (float(self._pointer[0]), float(self._pointer[1])))
        told = [(raw.values[a] - device.low[a]) * device.scale[a] if a in raw.values else was[a] for a in _AXES]
        self._at[raw.source] = (told[0], told[1])
        return told[0] - was[0], told[1] - was[1]

    def _device(self, source: int) -> _Device:
        if source not in self._devices:
            self._devices[source] = self._look(source)
        return self._devices[source]

    def _look(self, source: int) -> _Device:
        try:
            (found,) = self._display.xinput_query_device(source).devices
            name = found.name.decode(errors="replace") if isinstance(found.name, bytes) else str(found.name)
            if "XTEST" in name:
                return _Device(positions=None)
            axes = {one.number: one for one in found.classes if one.type == _VALUATOR_CLASS and one.number in _AXES}
            if len(axes) < len(_AXES) or not all(axis.mode for axis in axes.values()):
                return _Device()
            spans = [axes[a].max - axes[a].min for a in _AXES]
            scale = [self._size[a] / spans[a] if spans[a] > 0 else 1.0 for a in _AXES]
            return _Device(positions=True, low=(axes[0].min, axes[1].min), scale=(scale[0], scale[1]))
        except Exception:  # noqa: BLE001 - it was unplugged meanwhile; python-xlib raises many kinds
            return _Device()
