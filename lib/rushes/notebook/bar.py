"""One progress bar for notebooks: a line that is redrawn in its place and stays as a record when it is done.

Long work calls it with (done, total, what). The executed notebook keeps only the last state, so a report shows how
much was done and how long it took instead of a frozen bar.

Example:
    >>> bar = Bar("sampling")
    >>> bar(50, 100, "Alien")
    >>> bar.text
    'sampling: 50 of 100, Alien'
"""

from __future__ import annotations

import time
from typing import Any, Final

from rushes.preview.html import Html
from rushes.preview.style import BLUE, GREEN, INK, MUTED, RULE

_REDRAW_S: Final = 0.25
_WIDTH_PX: Final = 240


class Spot:
    """A place in a notebook that shows one thing at a time; nothing is shown elsewhere."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, html: Html) -> None:
        """Show something in the place of what stood there."""
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            return
        if get_ipython() is None:
            return
        if self._handle is None:
            self._handle = display(html, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(html)


class Bar:
    """A callback that draws itself in a notebook and is silent elsewhere.

    Args:
        label: What is going on.
    """

    def __init__(self, label: str) -> None:
        self.label, self.text = label, label
        self._start = time.monotonic()
        self._drawn = 0.0
        self._show = Spot()

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Say how far the work is.

        Args:
            done: So much is done.
            total: Of so much; 0 where nobody knows.
            what: A word for what is being done.
        """
        now, over = time.monotonic(), total > 0 and done >= total
        self.text = f"{self.label}: {done:,} of {total:,}" + (f", {what}" if what and not over else "")
        if not over and self._drawn and now - self._drawn < _REDRAW_S:
            return
        self._drawn = now
        if over:
            self.text += f", {now - self._start:.1f} s"
        self._show(self._html(min(done / total, 1.0) if total else 0.0, over=over))

    def _html(self, share: float, *, over: bool) -> Html:
        inner = f"width:{share * 100:.1f}%;height:8px;background:{GREEN if over else BLUE};border-radius:4px"
        outer = (
            f"display:inline-block;width:{_WIDTH_PX}px;height:8px;background:{RULE};border-radius:4px;margin-right:12px"
        )
        face = "font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:13px"
        html = (
            f'<div style="{face};color:{MUTED if over else INK}"><span style="{outer}">'
            f'<span style="display:block;{inner}"></span></span>{self.text}</div>'
        )
        return Html(html, self.text)
