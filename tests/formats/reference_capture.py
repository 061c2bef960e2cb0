"""Sets as the NitroGen Capture program writes them, restated with NumPy and OpenCV alone; nothing here imports rushes.

`write` follows capture_logger.py at 4ff5523 (28 keys, a counter of saved frames, `frames/chunk_001` in meta.json) or,
with `later=True`, capture.py at 0049d7a (ticks, `chunk_001`, more keys).
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

NAMES28 = [*"wasd", "space", "shift", "ctrl", *"eqrfgcvxztpi", "backspace", "esc", *"1234", "enter", "lmb", "rmb"]
NAMES25 = [*"wasd", "space", "ctrl", "shift", "e", "left_click", "right_click", *"qrfgcv1234xz", "enter", "esc", "i"]


def shot(k: int, size=(9, 7)) -> np.ndarray:
    """RGB picture k; OpenCV writes BGR."""
    return np.random.default_rng([k, 5]).integers(0, 256, (*size, 3)).astype(np.uint8)


def write(root: Path, actions, mouse, *, size=500, later=False, names=NAMES28, ticks=None, fps=30.0, meta=True) -> None:
    """Write a set.

    Args:
        root: The folder, as --out.
        actions: (N, A) 0 and 1.
        mouse: (N, 2).
        size: --chunk-size.
        later: As at 0049d7a.
        names: The actions.
        ticks: (N,) numbers of the ticks, for `later`.
        fps: --fps.
        meta: Whether the run came to its end.
    """
    actions, mouse = np.asarray(actions, np.int8), np.asarray(mouse, np.float32)
    indices = np.asarray(range(1, len(actions) + 1) if ticks is None else ticks, np.int64)
    entries = []
    frames = root / "frames"
    (frames / "chunk_001").mkdir(parents=True)
    for chunk, first in enumerate(range(0, len(actions), size), 1):
        rows = slice(first, min(first + size, len(actions)))
        folder = frames / f"chunk_{chunk:03d}"
        for local, k in enumerate(range(*rows.indices(len(actions))), 1):
            cv2.imwrite(str(folder / f"{local:06d}.png"), shot(k)[:, :, ::-1])
        names_of = {kind: f"{kind}_chunk_{chunk:03d}.npy" for kind in ("actions", "mouse_deltas", "frame_indices")}
        np.save(root / names_of["actions"], actions[rows])
        np.save(root / names_of["mouse_deltas"], mouse[rows])
        np.save(root / names_of["frame_indices"], indices[rows])
        entries.append(
            {
                "chunk": chunk,
                "start_frame": rows.start + 1,
                "end_frame": rows.stop,
                "actions_file": names_of["actions"],
                "mouse_deltas_file": names_of["mouse_deltas"],
                "frame_indices_file": names_of["frame_indices"],
                "frames_dir": f"chunk_{chunk:03d}" if later else f"frames\\chunk_{chunk:03d}",
                "num_frames": rows.stop - rows.start,
            }
        )
        (frames / f"chunk_{chunk + 1:03d}").mkdir(exist_ok=True)
    if not meta:
        return
    np.save(root / "actions.npy", actions)
    np.save(root / "mouse_deltas.npy", mouse)
    np.save(root / "frame_indices.npy", indices)
    np.savez(root / "dataset.npz", actions=actions, mouse_deltas=mouse, frame_indices=indices)
    values = {
        "fps": fps, "region": [0, 0, 7, 9], "monitor": 0, "actions": list(names), "num_frames": len(actions),
        "action_file": "actions.npy", "mouse_deltas_file": "mouse_deltas.npy",
        "frame_indices_file": "frame_indices.npy", "mouse_delta_units": "pixels_per_frame", "chunk_size": size,
        "num_chunks": len(entries), "chunks": entries, "torch_dataset": "torch not installed; skipped dataset.pt",
    }  # fmt: skip
    if later:
        values |= {"frame_index_units": "capture_tick_index (gaps indicate dropped frames)", "dropped_ticks": 0}
    (root / "meta.json").write_text(json.dumps(values, indent=2))


def keys(*held, names=NAMES28) -> np.ndarray:
    """Rows of actions from the names that are down in each."""
    table = np.zeros((len(held), len(names)), np.int8)
    for row, down in enumerate(held):
        for name in down:
            table[row, names.index(name)] = 1
    return table
