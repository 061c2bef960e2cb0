"""The recorder's panel as the page has it: a picture, counters, three buttons, a sentence.

Example:
    >>> view = RecordView({"state": "off"}, heard=lambda message: None)
    >>> view.show({"state": "ready"})
    >>> view.look["state"]
    'ready'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

from rushes.widgets.esm import join, styles
from rushes.widgets.page_hearing import hear_page


class RecordView(anywidget.AnyWidget):
    """The widget.

    Attributes:
        look: What it shows, as `panel_look.look_of` gives it.
        picture: The last picture, a JPEG file; empty where there is none.

    Args:
        look: The first look.
        heard: Called with every message of the page, `{"do": "start" | "pause" | "stop"}`.
    """

    _esm = join("record_panel.js")
    _css = styles("panel.css", "record_panel.css")
    look = traitlets.Dict().tag(sync=True)
    picture = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, look: Mapping[str, Any], *, heard: Callable[[Any], None]) -> None:
        super().__init__(look=dict(look))
        hear_page(self, lambda _, message, __: heard(message))

    def show(self, look: Mapping[str, Any]) -> None:
        """Show a state.

        Args:
            look: As `panel_look.look_of` gives it.
        """
        if self.look != look:
            self.look = dict(look)
