"""Sets as ReActure's game writes them, made by hand: nothing here imports rushes.

Frame k shows one colour in its upper half and another in its lower half, both from k; `stored` turns it bottom-up, as
the game's readPixels does. Row of frame k stands at TIMES[k] ms.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SID = "reacture_1731177600000"
START = "2025-11-09T14:22:13.000Z"
TIMES = [103, 204, 307, 405, 512, 611, 709, 812]
WALL_S = 1762698133
"""Unix seconds of START: 20401 days after 1970-01-01, and 14:22:13."""


def picture(k: int, *, height: int = 8, width: int = 8) -> np.ndarray:
    """What a person saw: (8, 8, 3) uint8 RGB."""
    made = np.zeros((height, width, 3), np.uint8)
    made[: height // 2] = (k, 200, 10)
    made[height // 2 :] = (k, 20, 110)
    return made


def stored(k: int) -> np.ndarray:
    """The same as the game stores it: the last line first."""
    return picture(k)[::-1]


def state(t_ms: float, event: str, *, held: str = "", inspect: bool = False, **more: Any) -> dict[str, Any]:
    """A row of kind A."""
    held = f" {held} "
    return {
        "timestamp": f"2025-11-09T14:22:13.{int(t_ms):03d}Z",
        "timestamp_ms": t_ms,
        "time_elapsed_s": t_ms / 1000,
        "type": "robot_state",
        "event": event,
        "key_presses": {
            **{key: f" {key} " in held for key in ("W", "A", "S", "D")},
            "Space": False,
            "E": inspect,
            "R": False,
            "mouse_dx": 0,
            "mouse_dy": 0,
            "inspect": inspect,
            "destroy": False,
        },
        "robot": {
            "position": {"x": t_ms / 100, "y": 1, "z": -2.5},
            "rotation": {"x": 0, "y": 0.5, "z": 0},
            "velocity": {"x": 1, "y": 0, "z": 0},
            "isJumping": False,
        },
        "accelerometer": {"x": 200, "y": 0, "z": 0},
        "battery": 100 - t_ms / 100,
        "damage": 0.25,
        "health": 75,
        "fuel": 100 - t_ms / 100,
        "zone": "safe",
        "camera": {
            "position": {"x": 0, "y": 1.6, "z": 0},
            "rotation": {"x": 0, "y": 0, "z": 0},
            "yaw": 0.5,
            "pitch": -0.1,
        },
        "sensors": {
            "proximity": 3.5,
            "proximitySensors": {"forward": 3.5, "left": 10, "right": 10, "back": 10},
            "victimsDetected": 2,
            "victims": [{"distance": 9, "angle": 1, "health": 40}, {"distance": 4, "angle": -1, "health": 60}],
            "fuelStationDistance": 21,
            "zone": "safe",
            "inYellowZone": False,
            "inRedZone": False,
        },
        **more,
    }


def frame_row(k: int, **more: Any) -> dict[str, Any]:
    """The row of frame k, with the path that the game writes."""
    path = {"visual_frame_path": f"frames/frame_{k:06d}.npy"}
    return state(TIMES[k], "periodic_update_10hz", **{**path, **more})


def action(t_ms: float, name: str) -> dict[str, Any]:
    """A row of kind B: its timestamp is a number."""
    robot = {"position": {"x": 1, "y": 1, "z": 1}, "rotation": {"x": 0, "y": 0, "z": 0}}
    return {"timestamp": t_ms, "type": "player_action", "action": name, "robot": robot, "sensors": {"proximity": 3.5}}


def rows() -> list[dict[str, Any]]:
    """A play: game_start first, W held on frames 2 and 3, a jump, a zone change, the mode inspect on frame 5."""
    return [
        state(0, "game_start"),
        frame_row(0),
        frame_row(1),
        action(250, "move_forward_start"),
        action(280, "move_forward_start"),
        frame_row(2, held="W"),
        action(330, "jump"),
        frame_row(3, held="W"),
        action(450, "move_forward_stop"),
        state(480, "zone_change", zone="yellow"),
        frame_row(4),
        frame_row(5, inspect=True),
        frame_row(6),
        frame_row(7),
        state(850, "game_end", finalStats={"victimsSaved": 1}),
    ]


def metadata(**more: Any) -> dict[str, Any]:
    return {
        "session_id": "reacture_1731177590000_abcdefghi",
        "start_time": START,
        "end_time": "2025-11-09T14:22:14.000Z",
        "duration_s": 1.0,
        "sampling_rate_hz": 10,
        "player_id": "p1",
        "player_name": "Ada",
        "robot_model": "ReActure_v1",
        "environment": "tsunami",
        "environment_name": "Tsunami",
        "game_result": {"victims_total": 3, "victims_saved": 1, "completion_status": "failed"},
        **more,
    }


def write(folder: Path, listed: list[dict[str, Any]] | None = None, *, text: str | None = None, **about: Any) -> Path:
    """Write metadata and rows; gives the folder."""
    folder.mkdir(exist_ok=True)
    lines = "\n".join(json.dumps(row) for row in (rows() if listed is None else listed))
    (folder / f"{SID}_data.jsonl").write_text(lines if text is None else text)
    (folder / f"{SID}_metadata.json").write_text(json.dumps(metadata(**about)))
    return folder


def png(array: np.ndarray) -> bytes:
    """A PNG file as a canvas writes it: RGBA, opaque."""
    buffer = io.BytesIO()
    opaque = np.full((*array.shape[:2], 1), 255, np.uint8)
    Image.fromarray(np.concatenate([array, opaque], axis=2), "RGBA").save(buffer, "PNG")
    return buffer.getvalue()


def write_pngs(folder: Path, numbers: range | list[int] = range(8)) -> None:
    for k in numbers:
        (folder / f"{SID}_frame_{k:06d}.png").write_bytes(png(stored(k)))


def damaged_npy(descr: str, shape: str, data: bytes) -> bytes:
    """What the game's writer makes of a head: 93 as UTF-8, and JavaScript's false."""
    text = f"{{'descr': '{descr}', 'fortran_order': false, 'shape': {shape}, }}"
    text += " " * ((64 - (10 + len(text)) % 64) % 64)
    return b"\xc2\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


def write_arrays(folder: Path, count: int = 8) -> None:
    """The two damaged arrays."""
    pixels = b"".join(stored(k).tobytes() for k in range(count))
    (folder / f"{SID}_frames.npy").write_bytes(damaged_npy("|u1", f"({count}, 8, 8, 3)", pixels))
    times = np.array(TIMES[:count], "<f4").tobytes()
    (folder / f"{SID}_timestamps.npy").write_bytes(damaged_npy("<f4", f"({count},)", times))


def write_encoded(folder: Path, numbers: range | list[int] = range(8)) -> None:
    """All pictures as base64 in one file."""
    listed = [
        {
            "path": f"frames/frame_{k:06d}.npy",
            "timestamp_ms": TIMES[k],
            "width": 8,
            "height": 8,
            "shape": [8, 8, 3],
            "dtype": "uint8",
            "data_base64": base64.b64encode(stored(k).tobytes()).decode(),
        }
        for k in numbers
    ]
    (folder / f"{SID}_frames.json").write_text(json.dumps(listed, indent=2))
