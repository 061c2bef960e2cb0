"""Choosing a region by dragging on a screenshot in JupyterLab.

The screenshot is taken when the picker is made and shown as wide as the notebook; dragging draws a rectangle, whose
numbers stand beside it and below, once as the option of `rushes record` and once as the parameter of the notebook. The
arrow keys move the rectangle by one px, with Shift they move its lower right corner. `picker.region` follows.

Example (a cell of a notebook; afterwards `picker.region` is (left, top, right, bottom) in px of the screen):
    >>> def cell():
    ...     return pick_region(monitor=1)
    >>> picker = RegionPicker(np.zeros((720, 1280, 3), np.uint8))
    >>> picker.region = (100, 50, 740, 530)
    >>> picker.option, picker.text
    ('--region 100 50 740 530', '100,50,740,530')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from rushes.capture.screen.base import require_screen
from rushes.capture.screen.mss_grabber import MssGrabber, monitor_boxes
from rushes.capture.screen.target import SMALLEST_PX
from rushes.errors import BadInputError
from rushes.widgets.esm import join, styles

_QUALITY: Final = 88
_CHANNELS: Final = (3, 4)


class RegionPicker(anywidget.AnyWidget):
    """A screenshot to drag a rectangle on.

    Attributes:
        region: (left, top, right, bottom) in px of the screen, right and bottom outside; None until one is chosen.
        screen: The same of what the picture shows.

    Args:
        picture: (H, W, 3) uint8 RGB, or (H, W, 4) uint8 BGRA as screens give it.
        screen: Which part of the screen it shows; by default from 0, 0 on. On a Retina screen the picture has more
            pixels than this.

    Raises:
        BadInputError: Not such a picture, or a screen without area.
    """

    _esm = join("region_picker.js")
    _css = styles("panel.css", "region_picker.css")
    picture = traitlets.Bytes(b"").tag(sync=True)
    screen = traitlets.Tuple(*(traitlets.Int() for _ in range(4)), default_value=(0, 0, 1, 1)).tag(sync=True)
    smallest = traitlets.Int(SMALLEST_PX).tag(sync=True)
    region = traitlets.Tuple(*(traitlets.Int() for _ in range(4)), allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, picture: npt.NDArray[np.uint8], *, screen: Sequence[int] | None = None) -> None:
        if picture.ndim != 3 or picture.shape[2] not in _CHANNELS or picture.dtype != np.uint8 or not picture.size:  # noqa: PLR2004
            raise BadInputError(
                f"a picture of shape {picture.shape} and type {picture.dtype}",
                accepts="(H, W, 3) uint8 RGB or (H, W, 4) uint8 BGRA",
                fix="leave the picture out: pick_region() takes a screenshot",
            )
        box = tuple(screen) if screen is not None else (0, 0, picture.shape[1], picture.shape[0])
        if len(box) != 4 or box[0] >= box[2] or box[1] >= box[3]:  # noqa: PLR2004 - four edges
            raise BadInputError(
                f"screen={box}",
                accepts="left, top, right, bottom with left < right and top < bottom",
                fix="leave it out",
            )
        super().__init__(picture=_jpeg(picture), screen=box)

    @traitlets.validate("region")
    def _inside(self, proposal: Any) -> Any:
        """Hold a region against the screen; what lies outside of it, or is too small, is refused."""
        region = proposal["value"]
        if region is None:
            return None
        left, top, right, bottom = region
        inside = (
            self.screen[0] <= left and self.screen[1] <= top and right <= self.screen[2] and bottom <= self.screen[3]
        )
        if not inside or min(right - left, bottom - top) < self.smallest:
            raise BadInputError(
                f"region {','.join(map(str, region))}",
                accepts=f"left, top, right, bottom inside of {','.join(map(str, self.screen))}, at least "
                f"{self.smallest} px wide and high",
                fix="drag a rectangle on the screenshot",
            )
        return region

    @property
    def option(self) -> str:
        """The region as the option of `rushes record`, `""` before one is chosen."""
        return "" if self.region is None else "--region " + " ".join(map(str, self.region))

    @property
    def text(self) -> str:
        """The region as the notebook's parameter takes it, `""` before one is chosen."""
        return "" if self.region is None else ",".join(map(str, self.region))

    def __repr__(self) -> str:
        return f"<RegionPicker {self.option or 'nothing chosen yet'}>"


def pick_region(*, monitor: int = 0) -> RegionPicker:
    """Take a screenshot and let a person choose a region of it; does not wait for them.

    Args:
        monitor: Of which one: 0 for all together, 1 for the first ...

    Returns:
        The picker; put it last in a cell.

    Raises:
        BadInputError: No such monitor.
        UnavailableError: There is no screen here.
    """
    require_screen()
    monitors = monitor_boxes()
    if not 0 <= monitor < len(monitors):
        raise BadInputError(
            f"monitor {monitor}", accepts=f"0 (all) to {len(monitors) - 1}", fix="pass 0 to choose on all of them"
        )
    with MssGrabber().open(monitors[monitor]) as grabber:
        return RegionPicker(grabber.grab(), screen=monitors[monitor])


def _jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    import cv2

    bgr = picture[..., :3] if picture.shape[2] == _CHANNELS[1] else picture[..., ::-1]
    encoded: bytes = cv2.imencode(".jpg", np.ascontiguousarray(bgr), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return encoded
