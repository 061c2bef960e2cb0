"""Pictures of what a trainer reads from NitroGen data: where sticks stand, what is held, samples with their rows.

Example (cells of a recipe, after `reload_forms`):
    >>> def cells(back):
    ...     return tensor_histograms(back), release_histograms(back), samples_strip(back)
"""

from __future__ import annotations

from typing import Final

from rushes.model.clock import NS
from rushes.notebook.nitrogen.pieces import PAD_NAMES
from rushes.notebook.nitrogen.reload import Reloaded
from rushes.preview.action_histograms import action_histograms
from rushes.preview.action_strip import action_strip
from rushes.preview.choose import evenly
from rushes.preview.figure import HouseFigure

SAMPLES: Final = 5


def tensor_histograms(back: Reloaded) -> HouseFigure:
    """Show the actions of the .pt file, each sample by its first row."""
    rows = back.tensors["actions"][:, 0].numpy()
    title = f".pt file, {len(back.truth.names)} columns: the first row of every sample"
    return action_histograms(rows, back.truth.names, title=title)


def release_histograms(back: Reloaded) -> HouseFigure:
    """Show the actions of the release's pieces: what the keys became on a pad."""
    title = "Pieces of the release, 17 buttons and two sticks"
    return action_histograms(back.pad_rows, PAD_NAMES, segment=back.pad_segments, title=title)


def samples_strip(back: Reloaded, *, samples: int = SAMPLES) -> HouseFigure:
    """Show samples of the .pt file, evenly spaced: each picture as the trainer gets it, with the rows that follow."""
    actions, obs = back.tensors["actions"], back.tensors["obs"]
    chosen = evenly(len(actions), samples)
    starts, captions = back.truth.starts(actions.shape[1]), []
    for k in chosen:
        part, row = back.truth.place(int(starts[k]))
        first = part.recording.segments[0].start_ns
        captions.append(
            f"sample {k:,}: frame {int(part.frame_index[row]):,}, {(int(part.t_ns[row]) - first) / NS:.2f} s"
        )
    stream = back.truth.parts[0].recording.info.stream("frames")
    return action_strip(
        obs[chosen].numpy(),
        actions[chosen].numpy(),
        back.truth.names,
        captions=captions,
        rate_hz=(stream.rate_hz or 0.0) if stream is not None else 0.0,
        title="Samples of the .pt file",
    )
