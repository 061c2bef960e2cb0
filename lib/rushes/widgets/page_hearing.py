"""Where the kernel hears what a page says: on its main thread, which is always there.

JupyterLab sends what widgets say to a subshell of the kernel, and ipykernel 7.4 hands it to another one: to that of the
request during which the widget said something last. What a widget says from a thread of its own counts as said during
the newest request of all, often one in a subshell that a page opens while it loads and closes at once. From then on
whatever the page says is lost, while it still sees all that comes from the kernel. A kernel that was restarted has none
of the subshells either that a page still knows.

Example:
    >>> from rushes.widgets.play_view import PlayView
    >>> view = PlayView({"state": "off"}, heard=lambda message: None)
    >>> view.comm._reply_subshell_for({"do": "hello"}, "a subshell") is None
    True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def hear_page(widget: Any, heard: Callable[[Any, Any, Any], None]) -> None:
    """Hear what pages say to a widget, whatever subshells come and go.

    Args:
        widget: A widget that says something from threads; no page shows it yet.
        heard: Called with the widget, the message and its bytes, on the kernel's main thread.
    """
    widget.on_msg(heard)
    if widget.comm is not None:
        # A private name, as there is no other way; a kernel that does not know it hears the page anyway.
        widget.comm._reply_subshell_for = _main_shell  # noqa: SLF001


def _main_shell(_message: Any, _subshell: str | None) -> None:
    """Name the subshell that hears a message: none, which is the main thread."""
