"""The text that goes with a set, for people; the names in it are those of the files beside it.

Example:
    >>> text = readme("reacture_17", rows=600, size=(128, 128), forms=("png", "npy"), rate_hz=10.0, strict=False)
    >>> "`reacture_17_data.jsonl`" in text, "reacture_17_frame_000599.png" in text
    (True, True)
"""

from __future__ import annotations

from rushes.formats.reacture import names

_KEYS = "W, A, S, D, Space, E, R: down at any time before the next frame. mouse_dx, mouse_dy: their sum, +y down."


def readme(
    set_id: str, *, rows: int, size: tuple[int, int], forms: tuple[str, ...], rate_hz: float, strict: bool
) -> str:
    """Write the text.

    Args:
        set_id: What the files' names begin with.
        rows: How many frames there are.
        size: (height, width) of the pictures.
        forms: `png`, `npy`, or both.
        rate_hz: Frames a second, as asked for.
        strict: Whether times are on the exact grid.
    """
    shape = f"({rows}, {size[0]}, {size[1]}, 3)"
    files = [
        (names.METADATA, "who, where, how long, how it ended; null is not known"),
        (names.DATA, f"{rows} rows, one a frame, JSON: row i is frame i"),
    ]
    if "png" in forms:
        files.append((names.png_name(0), f"to `{set_id}{names.png_name(rows - 1)}`: RGB, 8 bits, upright"))
    if "npy" in forms:
        files.append((names.FRAMES, f"the same pictures, uint8 {shape}"))
    files += [
        (names.TIMESTAMPS, f"float32 ({rows},), ms since the first frame"),
        (names.EVENTS, "what belongs to no frame: what the game told in between, and inputs"),
    ]
    if strict:
        files.append((names.REPEATS, "which rows show the picture before once more"))
    lines = [
        f"# {set_id}",
        "",
        "A play of a game: pictures, keys and what the game told of itself, joined by row number.",
        "",
        "| file | what it is |",
        "| --- | --- |",
        *(f"| `{set_id}{ending}` | {what} |" for ending, what in files),
        "",
        "## Times",
        "",
    ]
    if strict:
        lines += [
            "Rows stand on a grid of 100 ms exactly. At each time stands the nearest earlier picture; those that",
            f"repeat one are listed in `{set_id}{names.REPEATS}`. A pause leaves a gap in times.",
        ]
    else:
        lines += [
            f"Asked for were {rate_hz:g} frames a second; the times are those at which each picture was taken. A pause",
            "leaves a gap. float32 is exact to 1/16 ms up to 2 h 54 min; `timestamp_ms` in the rows is a float64, and",
            "`rushes.t_ns` there is exact.",
        ]
    lines += [
        "",
        "## Rows",
        "",
        f"`key_presses`: {_KEYS}",
        "A key of a row that is not there was not known: nothing is made up. `battery`, `fuel` and `health` run from",
        "0 to 100, `damage` from 0 to 1, angles are in radians, `proximity` 10 is nothing within reach. Of several",
        "victims the nearest alone is listed.",
        "",
        "```python",
        "import json",
        "import numpy as np",
        "",
        f'rows = [json.loads(line) for line in open("{set_id}{names.DATA}")]',
        f'times = np.load("{set_id}{names.TIMESTAMPS}")',
    ]
    lines += [f'frames = np.load("{set_id}{names.FRAMES}", mmap_mode="r")'] if "npy" in forms else []
    lines += ["assert len(rows) == len(times)", "```", ""]
    return "\n".join(lines)
