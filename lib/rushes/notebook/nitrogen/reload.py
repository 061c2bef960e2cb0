"""The three forms of NitroGen data read back as a trainer would read them, and held against the session.

Nothing here goes through this program's readers: the chunks are read with `numpy.load`, the tensors with `torch.load`,
the pieces of the release with pyarrow. What they hold must be what the session's own events say, row by row.

Example (cells of a recipe, after `write_forms`):
    >>> def cells(run, forms):
    ...     back = reload_forms(forms)
    ...     return run.finish(back.findings, figures=back.figures)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.formats.report import Report
from rushes.notebook.nitrogen.compared import Compared, Line, equal_rows, line
from rushes.notebook.nitrogen.forms import Forms
from rushes.notebook.nitrogen.pieces import PAD_NAMES, compare_pieces, read_pieces
from rushes.notebook.nitrogen.truth import Part, Truth, take_part, truth_of
from rushes.preview.choose import evenly

Floats = npt.NDArray[np.float32]

PICTURES: Final = 16
"""Pictures of each form that are compared, evenly spaced."""
_AT_ONCE: Final = 4096
_ALIKE: Final = 1e-6


@dataclass(frozen=True, repr=False)
class Reloaded(Compared):
    """What a trainer finds in the three forms.

    Attributes:
        tensors: What `torch.load` gives: obs, actions, meta.
        pad_rows: (N, 21) float32, all pieces one after the other; columns `PAD_NAMES`.
        pad_segments: (N,) int64, a number a stretch of pieces that follow each other without a gap.
        truth: What the session says.
    """

    tensors: Mapping[str, Any]
    pad_rows: Floats
    pad_segments: npt.NDArray[np.int64]
    truth: Truth


def reload_forms(forms: Forms) -> Reloaded:
    """Read the forms as a trainer would and hold them against the session.

    Args:
        forms: What `write_forms` gave.

    Raises:
        OSError: A file that was written is not there.
    """
    truth = truth_of(forms.sessions, forms.plan)
    reports = forms.reports
    tensors = load_tensors(reports["nitrogen_pt"].target)
    pieces = read_pieces(reports["nitrogen_dataset"].target)
    lines = (
        *_capture(reports["nitrogen_capture"], truth),
        *_tensors(reports["nitrogen_pt"], tensors, truth, forms),
        *compare_pieces(reports["nitrogen_dataset"], pieces, truth),
    )
    stretch = np.concatenate([np.full(len(p.rows), p.stretch) for p in pieces] or [np.zeros(0)]).astype(np.int64)
    figures = {
        "frames": sum(recording.frame_count for recording in forms.sessions),
        "rows": truth.rows,
        "windows": int(tensors["obs"].shape[0]),
        "pieces": len(pieces),
        "presses": sum(truth.presses.values()),
        **{f"presses_kept_{name.removeprefix('nitrogen_')}": truth.presses_kept(name) for name in reports},
        "clipped_rows": truth.clipped,
        "megabytes_pt": round(reports["nitrogen_pt"].target.stat().st_size / 1e6, 1),
    }
    every = np.concatenate([p.rows for p in pieces] or [np.zeros((0, len(PAD_NAMES)), np.float32)])
    return Reloaded(lines, figures, tensors, every, stretch, truth)


def load_tensors(path: str | Path) -> Mapping[str, Any]:
    """Load a .pt file without running anything that stands in it, and without reading it into memory.

    Args:
        path: The file.

    Returns:
        obs, actions and meta.
    """
    import torch

    loaded: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    return loaded


def _capture(report: Report, truth: Truth) -> Iterator[Line]:
    roots = sorted(path.parent for path in report.target.rglob("actions.npy"))
    waiting, rows, ticks, motion, pictures, compared = list(truth.parts), 0, 0, np.zeros(2), 0, 0
    for root in roots:
        keys, deltas, numbers = (
            np.load(root / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("actions", "mouse_deltas", "frame_indices")
        )
        part = take_part(waiting, "keys", keys)
        motion += deltas.sum(0, dtype=np.float64)
        if part is not None:
            rows += len(keys)
            ticks += int((numbers == part.tick).sum())
            files = _png_files(root)
            wanted = evenly(len(part.tick), PICTURES)
            compared += len(wanted)
            pictures += sum(k < len(files) and _same_picture(files[k], part, k) for k in wanted)
    equal = bool(np.allclose(motion, truth.motion, rtol=_ALIKE, atol=_ALIKE * truth.rows))
    yield line(report.target.name, "recordings", len(truth.parts), len(roots))
    yield line(report.target.name, "rows of actions.npy that are the session's, key by key", truth.rows, rows)
    yield line(report.target.name, "frame numbers that are the session's ticks", truth.rows, ticks)
    what = "mouse motion, summed: right, down"
    yield Line(report.target.name, what, _pair(truth.motion), _pair(motion), equal)
    yield line(report.target.name, "PNG files compared with their frames", compared, pictures)


def _pair(values: npt.NDArray[np.float64]) -> str:
    return ", ".join(f"{value:+,.6g}" for value in values.tolist())


def _png_files(root: Path) -> list[Path]:
    """List pictures by the numbers of their chunks and in them."""
    folders = [(int(m[1]), p) for p in (root / "frames").iterdir() if (m := re.fullmatch(r"chunk_(\d+)", p.name))]
    return [file for _, folder in sorted(folders) for file in sorted(folder.glob("*.png"), key=lambda f: int(f.stem))]


def _same_picture(file: Path, part: Part, k: int) -> bool:
    import cv2

    found = cv2.imread(str(file), cv2.IMREAD_COLOR)
    return found is not None and np.array_equal(found[..., ::-1], part.recording.frame(int(part.frame_index[k])))


def _tensors(report: Report, tensors: Mapping[str, Any], truth: Truth, forms: Forms) -> Iterator[Line]:
    plan, starts = forms.plan, truth.starts(forms.plan.seq_len)
    obs, actions, meta = tensors["obs"], tensors["actions"], tensors["meta"]
    side, length = plan.img_size, plan.seq_len
    yield line(report.target.name, "shape of obs", (len(starts), 3, side, side), tuple(obs.shape))
    yield line(report.target.name, "shape of actions", (len(starts), length, len(truth.names)), tuple(actions.shape))
    yield line(report.target.name, "type of obs", plan.obs, str(obs.dtype).removeprefix("torch."))
    yield line(
        report.target.name,
        "names of the columns",
        " ".join(truth.names),
        " ".join(meta.get("action_names", truth.names)),
    )
    every, equal = truth.pt_rows, 0
    for at in range(0, min(len(starts), len(actions)), _AT_ONCE):
        rows = every[starts[at : at + _AT_ONCE, None] + np.arange(length)]
        equal += max(0, equal_rows(rows, actions[at : at + len(rows)].numpy()))
    yield line(report.target.name, "windows whose rows are the session's", len(starts), equal)
    wanted = evenly(min(len(starts), len(obs)), PICTURES)
    same = sum(_same_tensor(obs[k].numpy(), truth.picture(int(starts[k]), side)) for k in wanted)
    yield line(report.target.name, "pictures compared with their frames, resized", len(wanted), same)


def _same_tensor(found: npt.NDArray[Any], wanted: npt.NDArray[np.uint8]) -> bool:
    moved = np.moveaxis(wanted, -1, 0)
    if found.dtype == np.uint8:
        return bool(np.array_equal(found, moved))
    return found.shape == moved.shape and bool(np.abs(found - moved.astype(np.float32) / 255).max() <= _ALIKE)
