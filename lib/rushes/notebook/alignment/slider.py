"""A slider for the offset: the curve with where it stands, and the inputs with the frames that would answer then.

What is drawn is what the notebook showed above, by the same functions.

Example (a cell of the notebook, in a running JupyterLab):
    >>> def cell(checked, inputs):
    ...     return offset_slider(checked, inputs)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rushes.notebook.alignment.examined import Checked
from rushes.preview.qa_alignment import alignment_curve
from rushes.preview.qa_answers import Answered, answers
from rushes.widgets.sample_sliders import Knob, SampleSliders, Say, sample_sliders

FARTHEST_MS: Final = 400.0
_STEP_MS: Final = 5.0


def offset_slider(checked: Checked, inputs: Sequence[Answered]) -> SampleSliders:
    """Show the slider; it begins at the measured offset.

    Args:
        checked: What the checks said.
        inputs: Those that are shown with their pictures.
    """
    ms = checked.measured.offset.ms or 0.0
    most = max(FARTHEST_MS, abs(ms))
    knob = Knob("offset", "offset, ms", ms, -most, most, _STEP_MS)
    return sample_sliders([knob], lambda values, say: look(checked, inputs, values, say))


def look(checked: Checked, inputs: Sequence[Answered], values: Mapping[str, Any], say: Say) -> list[Any]:
    """Draw for where the slider stands.

    Args:
        checked: What the checks said.
        inputs: Those that are shown with their pictures.
        values: `offset`, ms.
        say: Called with (done, total, what).
    """
    offset, at_ms = checked.measured.offset, float(values["offset"])
    say(0, 2, "the curve")
    curve = alignment_curve(offset, checked.settings.limits, at_ms=at_ms)
    say(1, 2, "inputs and their pictures")
    return [curve, answers(checked.take.recording, inputs, at_ms=at_ms, latency_ms=offset.game_latency_ms)]
