"""Databases, videos and WAV files as GameOn's recorder leaves them, written by sqlite3, OpenCV and struct alone."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

FPS = 30
HEIGHT, WIDTH = 48, 64
FIRST_FORM = (
    "id INTEGER PRIMARY KEY, game_name TEXT, start_time TEXT, end_time TEXT, duration_seconds INTEGER, "
    "video_path TEXT, system_audio_path TEXT, microphone_audio_path TEXT, input_type TEXT, fps INTEGER, "
    "latency_offset_ms INTEGER, status TEXT, monitor_index INTEGER, notes TEXT"
)
LAST_FORM = (
    f"{FIRST_FORM}, video_width INTEGER, video_height INTEGER, video_codec TEXT, total_frames INTEGER, "
    "file_size_bytes INTEGER"
)
EVENTS = (
    "id INTEGER PRIMARY KEY, session_id INTEGER, timestamp_ms INTEGER, input_device TEXT, button_key TEXT, "
    "action TEXT, value REAL, x_position REAL, y_position REAL"
)
FRAMES = (
    "id INTEGER PRIMARY KEY, session_id INTEGER, frame_number INTEGER, capture_timestamp_ms INTEGER, "
    "write_timestamp_ms INTEGER, dropped BOOLEAN"
)


def level(k: int) -> int:
    """Brightness of frame k: far enough from its neighbours for any codec."""
    return 10 + k * 12 % 240


def film(path: Path, frames: int, *, fps: int = FPS) -> Path:
    """Write a video whose frame k has the brightness `level(k)`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (WIDTH, HEIGHT))
    for k in range(frames):
        writer.write(np.full((HEIGHT, WIDTH, 3), level(k), np.uint8))
    writer.release()
    return path


def wav(path: Path, samples, *, rate: int = 8000, claimed: int | None = None, bits: int = 16, code: int = 1) -> Path:
    """Write a WAV of (N, C) samples; `claimed` is the length that its header says, in bytes."""
    data = np.ascontiguousarray(samples).tobytes()
    channels = np.shape(samples)[1]
    length = len(data) if claimed is None else claimed
    step = channels * bits // 8
    head = struct.pack("<HHIIHH", code, channels, rate, rate * step, step, bits)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", length + 36 if length else 0) + b"WAVEfmt " + struct.pack("<I", 16) + head
        + b"data" + struct.pack("<I", length) + data
    )  # fmt: skip
    return path


def key(ms, name, action, device="keyboard"):
    """A row of input_events without id and session."""
    return (ms, device, name, action, 1.0 if action == "press" else 0.0, None, None)


def move(ms, x, y):
    return (ms, "mouse", "move", "move", None, x, y)


def pad(ms, code, value, device="xbox"):
    return (ms, device, code, "press" if code.startswith("BTN") else "move", value, None, None)


class Recorder:
    """A folder `data/` with a database.

    Args:
        root: Its parent.
        first_form: The tables of the first version: 14 columns, nine for events.
    """

    def __init__(self, root: Path, *, first_form: bool = False) -> None:
        self.root, self.first_form = root, first_form
        self.database = root / "data" / "gameon.db"
        self.database.parent.mkdir(parents=True)
        self.run(f"CREATE TABLE sessions ({FIRST_FORM if first_form else LAST_FORM})")
        self.run(f"CREATE TABLE input_events ({EVENTS}{'' if first_form else ', action_code INTEGER'})")
        if not first_form:
            self.run(f"CREATE TABLE frame_timestamps ({FRAMES})")

    def run(self, said: str, rows=None) -> None:
        with closing(sqlite3.connect(self.database)) as connection:
            if rows is None:
                connection.execute(said)
            else:
                connection.executemany(said, rows)
            connection.commit()

    def session(self, number: int, events=(), *, frames: int = 30, folder: str | None = None, **columns) -> Path:
        """Write a session with its video; columns override what the recorder would say.

        Returns:
            Its folder.
        """
        folder = folder or f"Doom_20251127_14302{number}"
        place = self.database.parent / "sessions" / folder
        if frames:
            film(place / "video.mp4", frames)
        told = {
            "id": number,
            "game_name": "Doom",
            "start_time": "2025-11-27T14:30:22.500000",
            "end_time": f"2025-11-27T14:30:{22.5 + frames / FPS:09.6f}",
            "duration_seconds": frames // FPS,
            "video_path": f"data/sessions/{folder}/video.mp4",
            "input_type": "keyboard",
            "fps": FPS,
            "latency_offset_ms": 0,
            "status": "completed",
            "monitor_index": 0,
        } | columns
        marks = ", ".join("?" * len(told))
        self.run(f"INSERT INTO sessions ({', '.join(told)}) VALUES ({marks})", [tuple(told.values())])
        self.events(number, events)
        return place

    def events(self, number: int, events) -> None:
        names = "session_id, timestamp_ms, input_device, button_key, action, value, x_position, y_position"
        self.run(
            f"INSERT INTO input_events ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(number, *row) for row in events]
        )


def ffmpeg_film(path: Path, frames: int) -> Path:
    """Write a video as the recorder's FFmpeg does: x264 with its defaults, key pictures far apart and B pictures."""
    import av

    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "20", "preset": "medium"}
        for k in range(frames):
            pixels = np.full((HEIGHT, WIDTH, 3), level(k), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgr24")))
        container.mux(stream.encode(None))
    return path
