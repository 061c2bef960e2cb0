"""meta.json after a merge: what it said of the recording is kept, what the files say is made anew.

Example:
    >>> kept({"chunk": 4, "start_frame": 1501, "frames_dir": "chunk_004", "frame_size": {"width": 8, "height": 6}})
    {'frames_dir': 'chunk_004', 'frame_size': {'width': 8, 'height': 6}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rushes.formats.nitrogen.capture_names import names_of
from rushes.formats.nitrogen.chunks import Chunks
from rushes.formats.nitrogen.chunks_arrays import BLOCK_ROWS
from rushes.formats.nitrogen.chunks_meta import FILES, MERGED, TICKS, entry_of, meta_of, whole
from rushes.model.clock import NS


def refreshed(chunks: Chunks, *, fps: float, torch: str) -> dict[str, Any]:
    """Refresh meta.json, or make a new one.

    Args:
        chunks: The set.
        fps: Frames a second where nothing says it.
        torch: What became of dataset.pt.
    """
    old = dict(chunks.manifest.values) if chunks.manifest else {}
    listed = old.get("chunks")
    said = {entry["chunk"]: entry for entry in (listed if isinstance(listed, list) else ()) if _is_entry(entry)}
    entries, start = [], 0
    for chunk in chunks.chunks:
        folder = chunks.relative(chunk.folder) if chunk.folder else ""
        made = entry_of(chunk.number, start=start, rows=chunk.rows, folder=folder, t_ns="t_ns" in chunk.arrays)
        entries.append({**made, **kept(said.get(chunk.number, {}))})
        start += chunk.rows
    width = chunks.chunks[0].width
    rate = _rate(chunks) or fps
    full = max(chunk.rows for chunk in chunks.chunks)
    said_names = old.get("actions")
    names = names_of(width, said_names if isinstance(said_names, list) else ())
    new = meta_of(names, entries, fps=rate, chunk_size=full, unit="pixels", torch=torch)
    anew = ("num_frames", "num_chunks", "chunks", "torch_dataset", *MERGED.values())
    meta = {**new, **old, **{key: new[key] for key in anew}}
    first = chunks.chunks[0]
    for kind, key in {**MERGED, **FILES}.items():
        if kind not in first.arrays:
            meta.pop(key, None)
            for entry in meta["chunks"]:
                entry.pop(key, None)
    dropped = _dropped(chunks)
    if "frame_index_units" in old or (not old and dropped):
        meta |= {"frame_index_units": old.get("frame_index_units", TICKS), "dropped_ticks": dropped}
    return meta


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and whole(entry.get("chunk")) is not None


def kept(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Give what an entry says of a chunk beside what its files say."""
    counted = {"chunk", "start_frame", "end_frame", "num_frames", *FILES.values()}
    return {key: value for key, value in entry.items() if key not in counted}


def _rate(chunks: Chunks) -> float | None:
    """Say how many frames a second there are: by the median step of the times."""
    if not chunks.has_times:
        return None
    first = chunks.chunks[0]
    steps = np.diff(first.read("t_ns", 0, min(first.rows, BLOCK_ROWS)))
    return float(round(NS / np.median(steps), 6)) if len(steps) and np.median(steps) > 0 else None


def _dropped(chunks: Chunks) -> int:
    """Count the numbers that frame_indices leave out."""
    ends = [chunk.ends for chunk in chunks.chunks if chunk.ends]
    return ends[-1][1] - ends[0][0] + 1 - sum(chunk.rows for chunk in chunks.chunks) if ends else 0
