"""Pictures through DXCam: the Desktop Duplication API of Windows.

It gives a picture only where something has changed since the last one, and None otherwise: the picture stands, which is
no reason to skip a tick. Each camera sees one output (monitor) in the output's own coordinates, so a box is translated
from the common plane. A box that touches several outputs, or none of the first adapter's, is grabbed with mss instead.

After `aim` the picture of the new place comes with the next change on that output; games change with every frame.

Unverified on Windows: written against DXCam 0.0.5 and 0.3.0, tested with a stand-in.

Example:
    >>> outputs = {(0, 0): Box(0, 0, 1920, 1080), (0, 1): Box(-1280, 0, 0, 1024)}
    >>> output_of(Box(-1000, 100, -360, 580), outputs)
    (0, 1)
    >>> output_of(Box(-100, 100, 540, 580), outputs) is None  # on both
    True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import numpy as np

from rushes.capture.screen.base import Box, Picture
from rushes.capture.screen.mss_grabber import MssGrabber, place
from rushes.capture.source import SourceEnd
from rushes.errors import UnavailableError

Output = tuple[int, int]
"""Number of the adapter, number of its output."""


class DxcamGrabber:
    """Grabs with DXCam, and with mss what lies on several outputs; see the module."""

    def __init__(self) -> None:
        self._outputs: dict[Output, Box] = {}
        self._cameras: dict[Output, Any] = {}
        self._stack = ExitStack()
        self._mss: MssGrabber | None = None
        self._box = Box(0, 0, 0, 0)
        self._output: Output | None = None

    @contextmanager
    def open(self, box: Box) -> Iterator[Self]:
        """Open the outputs that the box needs.

        Raises:
            UnavailableError: DXCam is missing or fails.
        """
        self._outputs = _outputs(_dxcam())
        with ExitStack() as self._stack:
            try:
                self.aim(box)
                yield self
            finally:
                self._cameras, self._mss = {}, None

    def aim(self, box: Box) -> None:
        """Take the next pictures from another box.

        Raises:
            UnavailableError: The output cannot be opened.
        """
        self._box, self._output = box, output_of(box, self._outputs)
        if self._output is None:
            if self._mss is None:
                self._mss = self._stack.enter_context(MssGrabber().open(box))
            self._mss.aim(box)
        elif self._output not in self._cameras:
            self._cameras[self._output] = camera = _camera(self._output)
            self._stack.callback(camera.release)

    def grab(self) -> Picture | None:
        """Take a picture of the box.

        Returns:
            (H, W, 4) uint8 BGRA, a buffer of its own; None where nothing has changed.

        Raises:
            SourceEnd: `display_lost`.
        """
        if self._output is None:
            assert self._mss is not None
            return self._mss.grab()
        screen = self._outputs[self._output]
        cut = self._box & screen
        region = (cut.left - screen.left, cut.top - screen.top, cut.right - screen.left, cut.bottom - screen.top)
        try:
            picture = self._cameras[self._output].grab(region=region)
        except Exception as error:
            raise SourceEnd("display_lost", f"DXCam fails ({type(error).__name__}: {error})") from error
        if picture is None:
            return None
        picture = np.ascontiguousarray(picture, np.uint8)
        return picture if cut == self._box else place(picture, cut, self._box)


def output_of(box: Box, outputs: Mapping[Output, Box]) -> Output | None:
    """Find the one output that a box is on; None where it is on several or on none.

    Args:
        box: On the common plane.
        outputs: Where each output is on the common plane.
    """
    on = [output for output, screen in outputs.items() if (cut := box & screen).width and cut.height]
    return on[0] if len(on) == 1 else None


def _outputs(dxcam: Any) -> dict[Output, Box]:
    """Ask DXCam's factory where each output is: its own list, which `output_info` prints without the corners."""
    try:
        adapters = getattr(dxcam, "__factory").outputs
        corners = {
            (a, o): output.desc.DesktopCoordinates for a, one in enumerate(adapters) for o, output in enumerate(one)
        }
        return {output: Box(at.left, at.top, at.right, at.bottom) for output, at in corners.items()}
    except AttributeError as error:
        raise _unusable(error) from error


def _camera(output: Output) -> Any:
    try:
        return _dxcam().create(device_idx=output[0], output_idx=output[1], output_color="BGRA")
    except UnavailableError:
        raise
    except Exception as error:
        raise _unusable(error) from error


def _dxcam() -> Any:
    try:
        import dxcam
    except Exception as error:  # without a display adapter its import raises a COM error
        raise _unusable(error) from error
    return dxcam


def _unusable(error: Exception) -> UnavailableError:
    return UnavailableError(
        f"DXCam cannot be used ({type(error).__name__}: {error})",
        accepts="Windows with dxcam 0.0.5 to 0.3",
        fix='pip install "rushes[desktop]", or uninstall dxcam so that mss takes the pictures',
    )
