"""Sliders that redraw: numbers are moved, and what a notebook showed with the old ones is shown again with the new.

What is drawn is whatever a function gives for the values; the same function drew the static picture above. It runs on a
thread of its own, a moment after the last movement; when a value moves meanwhile it is stopped at its next word of
progress and begun anew. What it says is shown, what goes wrong is said in words, and closing ends it.

A kernel has one set of sliders at a time: a new one closes the one before it.

Example (a cell of a notebook):
    >>> def cell(prepare):
    ...     knobs = [Knob("ratio", "negatives a positive", 1.0, 0.0, 5.0, 0.5)]
    ...     return sample_sliders(knobs, lambda values, say: [prepare(values["ratio"])])
    >>> SampleSliders([Knob("copies", "copies", 2, 0, 5, 1)], lambda values, say: []).values
    {'copies': 2}
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from rushes.errors import BadInputError, RushesError, StoppedError
from rushes.preview.style import BLUE, GREEN, INK, MUTED, PAPER, RED, RULE

Say = Callable[[int, int, str], None]
Make = Callable[[Mapping[str, Any], Say], Sequence[Any]]
"""Draws for values; calls its second argument with (done, total, what), and gives what a notebook can show."""

WAIT_S: Final = 0.4
"""How long nothing must move before it is drawn."""
_CLOSE_S: Final = 10.0
_FACE: Final = f"font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:14px;line-height:1.5;color:{INK}"
_STYLE: Final = f"<style>.rushes-sliders{{background:{PAPER};border:1px solid {RULE};border-radius:6px}}</style>"
_COLOURS: Final = {"waiting": MUTED, "working": BLUE, "ready": GREEN, "failed": RED, "closed": MUTED}
_COLUMN_PX: Final = 400
_LABEL_PX: Final = 170

_open: list[SampleSliders] = []


@dataclass(frozen=True)
class Knob:
    """One slider.

    Attributes:
        name: What the function knows it by.
        label: What stands beside it, with its unit.
        value: Where it stands at first; a whole number makes a slider of whole numbers, a pair one of a range.
        low: Its lower end.
        high: Its upper end.
        step: How far it moves at a time.
    """

    name: str
    label: str
    value: float | tuple[float, float]
    low: float
    high: float
    step: float


def sample_sliders(knobs: Sequence[Knob], make: Make) -> SampleSliders:
    """Make sliders and draw; put it last in a cell.

    Args:
        knobs: The sliders.
        make: Draws for their values.

    Returns:
        The sliders.

    Raises:
        BadInputError: A name that stands twice, or a value outside of its ends.
    """
    while _open:
        _open[-1].close()
    made = SampleSliders(knobs, make)
    _open.append(made)
    made.draw()
    return made


class SampleSliders:
    """Sliders with what is drawn for them.

    Attributes:
        view: The widget.
        state: `waiting` (something moved), `working`, `ready`, `failed` or `closed`.
        error: What went wrong last, in words; `""` where nothing did.
        shown: What stands there now, as the function gave it.

    Args:
        knobs: The sliders.
        make: Draws for their values.
        wait_s: How long nothing must move before it is drawn.

    Raises:
        BadInputError: A name that stands twice, or a value outside of its ends.
    """

    def __init__(self, knobs: Sequence[Knob], make: Make, *, wait_s: float = WAIT_S) -> None:
        self._knobs, self._make, self._wait_s = tuple(knobs), make, wait_s
        _check(self._knobs)
        self._wanted = 0  # number of the drawing that is asked for; a thread whose number is another one stops
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._timer: threading.Timer | None = None
        self._thread: threading.Thread | None = None
        self.state, self.error = "waiting", ""
        self.shown: tuple[Any, ...] = ()
        self._build()
        self._say("waiting", "Move a slider.")

    @property
    def values(self) -> dict[str, Any]:
        """Where the sliders stand, by name."""
        return {knob.name: widget.value for knob, widget in zip(self._knobs, self._widgets, strict=True)}

    def _build(self) -> None:
        import ipywidgets as w

        self._widgets = [_slider(knob) for knob in self._knobs]
        for widget in self._widgets:
            widget.observe(self._on_move, "value")
        self._redo = w.Button(description="Draw again", icon="refresh", layout={"width": "140px"})
        self._redo.on_click(lambda _: self.draw())
        self._close = w.Button(description="Close", icon="times", layout={"width": "110px"})
        self._close.on_click(lambda _: self.close(0.0))
        self._status = w.HTML(layout={"width": "100%", "min_height": "34px", "margin": "4px 0 0 0"})
        self._pictures = w.VBox([], layout={"width": "100%"})
        sliders = w.Box(self._widgets, layout={"flex_flow": "row wrap", "width": "100%"})
        buttons = w.HBox([self._redo, self._close], layout={"margin": "6px 0 0 0"})
        self.view = w.VBox([sliders, buttons, self._status, self._pictures], layout={"padding": "10px 18px 14px"})
        self.view.add_class("rushes-sliders")

    def draw(self) -> None:
        """Draw for where the sliders stand, now."""
        with self._lock:
            if self.state == "closed":
                return
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._wanted += 1
            self._say("working", "Drawing.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="rushes-sliders", daemon=True)
                self._thread.start()

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """End what is being drawn; what stands there stays, the sliders move no more.

        Args:
            timeout_s: Longest wait for the end of what is being drawn.
        """
        with self._lock:
            self._wanted += 1
            if self._timer is not None:
                self._timer.cancel()
            for widget in (*self._widgets, self._redo, self._close):
                widget.disabled = True
            self._say("closed", "Closed; run the cell again for new sliders.")
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
        if self in _open:
            _open.remove(self)

    def wait(self, timeout_s: float = 60.0) -> bool:
        """Wait until nothing is being drawn; say whether that is so.

        Args:
            timeout_s: Longest wait.
        """
        with self._moved:
            return self._moved.wait_for(lambda: self._thread is None and self._timer is None, timeout_s)

    def _on_move(self, _: Any) -> None:
        with self._lock:
            if self.state == "closed":
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._wait_s, self.draw)
            self._timer.daemon = True
            self._timer.start()
            self._wanted += 1  # what is being drawn is not wanted any more
            self._say("waiting", "Will be drawn in a moment.")

    def _work(self) -> None:
        """Draw until what stands there is what is asked for."""
        while True:
            with self._moved:
                if self.state == "closed" or self._timer is not None:
                    self._thread = None
                    self._moved.notify_all()
                    return
                number, values = self._wanted, self.values
            found, words = self._drawn(number, values)
            with self._moved:
                if number == self._wanted:
                    self._settle(found, words)
                    self._thread = None
                    self._moved.notify_all()
                    return

    def _drawn(self, number: int, values: Mapping[str, Any]) -> tuple[tuple[Any, ...] | None, str]:
        """Call the function; give what it drew with its widgets, or None and what went wrong."""

        def say(done: int, total: int, what: str) -> None:
            with self._lock:
                if number != self._wanted:
                    raise StoppedError(
                        "a drawing that was overtaken",
                        accepts="the one for where the sliders stand now",
                        fix="wait for it",
                    )
                self._say("working", f"Step {done + 1} of {total}: {what}." if done < total else "Drawing.")

        try:
            made = tuple(self._make(values, say))
            return tuple((one, _widget(one)) for one in made), ""
        except RushesError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - said in words: no callback leaves a stack trace in the log
            return None, f"{type(error).__name__}: {error}"

    def _settle(self, found: tuple[Any, ...] | None, words: str) -> None:
        if found is None:
            self.error = words
            self._say("failed", f"{words} What stands below is what was drawn before." if self.shown else words)
            return
        self.error = ""
        self.shown = tuple(one for one, _ in found)
        self._pictures.children = tuple(widget for _, widget in found)
        self._say("ready", "Drawn for where the sliders stand.")

    def _say(self, state: str, words: str) -> None:
        self.state = state
        self._status.value = (
            f'{_STYLE}<div style="{_FACE};border-left:4px solid {_COLOURS[state]};padding:3px 0 3px 12px">'
            f'<b class="rushes-state" style="color:{_COLOURS[state]}">{state}</b>&ensp;{escape(words)}</div>'
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.view._repr_mimebundle_(**options)

    def __repr__(self) -> str:
        return f"<SampleSliders {self.state}: {', '.join(f'{k}={v}' for k, v in self.values.items())}>"


def _check(knobs: Sequence[Knob]) -> None:
    names = [knob.name for knob in knobs]
    if len(set(names)) < len(names):
        raise BadInputError(f"sliders {', '.join(names)}", accepts="each name once", fix="rename one")
    for knob in knobs:
        values = knob.value if isinstance(knob.value, tuple) else (knob.value,)
        if not all(knob.low <= value <= knob.high for value in values) or not knob.step > 0:
            raise BadInputError(
                f"slider {knob.name} at {knob.value} between {knob.low} and {knob.high}",
                accepts="a value between its ends, and a step above 0",
                fix="widen its ends",
            )


def _slider(knob: Knob) -> Any:
    import ipywidgets as w

    whole = isinstance(knob.value, int)
    kind = w.FloatRangeSlider if isinstance(knob.value, tuple) else w.IntSlider if whole else w.FloatSlider
    return kind(
        value=knob.value, min=knob.low, max=knob.high, step=knob.step, description=knob.label, continuous_update=False,
        style={"description_width": f"{_LABEL_PX}px"}, layout={"width": f"{_COLUMN_PX}px"},
        **({} if whole else {"readout_format": ".2f"}),
    )  # fmt: skip


def _widget(one: Any) -> Any:
    """Make a widget of what a notebook can show: a picture, else HTML, else its text."""
    import ipywidgets as w

    picture = getattr(one, "_repr_png_", None)
    if picture is not None and (made := picture()) is not None:
        png, about = made if isinstance(made, tuple) else (made, {})
        layout = {"width": f"{about['width']}px", "max_width": "100%"} if "width" in about else {}
        return w.Image(value=png, format="png", layout=layout | {"height": "auto", "margin": "10px 0 0 0"})
    html = getattr(one, "_repr_html_", None)
    return w.HTML(html() if html is not None else f"<pre>{escape(repr(one))}</pre>")
