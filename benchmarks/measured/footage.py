"""Footage to load: minutes of a moving, game-like picture, as our recorder stores it and as GameOn does.

A camera pans, turns and zooms over the synthetic scenery while it scrolls, and a dozen balls of many colours cross the
picture. Every frame goes to both encoders: ours (libx264 ultrafast, crf 20, a key every half second, no picture needs a
later one) and the other program's (libx264 medium, crf 20, otherwise FFmpeg's defaults: a key every 250 pictures, and
pictures that need later ones).

    <folder>/short/sessions/take_1/                                         a library of one session
    <folder>/long/data/gameon.db, data/sessions/Scenery_20261121_120000/video.mp4
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from rushes.formats.gameon.schema import create_tables
from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

Pixels = npt.NDArray[np.uint8]

HEIGHT, WIDTH, RATE_HZ = 360, 640, 30
STEP_NS = 1_000_000_000 // RATE_HZ
GAME, VIDEO = "Scenery", "sessions/Scenery_20261121_120000/video.mp4"
KEYS = ("w", "a", "s", "d")
_BALLS = 12


def frames(count: int) -> Iterator[Pixels]:
    """Draw (360, 640, 3) uint8 RGB frames."""
    land = Scenery((480, 854), seed=3)
    for k in range(count):
        t = k / RATE_HZ
        middle = (427 + 60 * np.sin(t * 0.7), 240 + 25 * np.sin(t * 1.3))
        move = cv2.getRotationMatrix2D(middle, 4 * np.sin(t * 0.9), 0.92 + 0.12 * np.sin(t * 0.37))
        move[:, 2] += (WIDTH / 2 - 427, HEIGHT / 2 - 240)
        shown = cv2.warpAffine(land.picture(k), move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        for ball in range(_BALLS):
            x = int(WIDTH / 2 + 300 * np.sin(t * (0.5 + 0.13 * ball) + ball))
            y = int(HEIGHT / 2 + 160 * np.cos(t * (0.4 + 0.17 * ball) + 2 * ball))
            colour = (20 * ball, 255 - 20 * ball, (3 * k + 40 * ball) % 256)
            cv2.circle(shown, (x, y), 6 + ball, colour, -1)
        yield np.asarray(shown, np.uint8)


def make(folder: Path, count: int) -> tuple[Path, Path]:
    """Make both, or find them made.

    Returns:
        The library with our session, and the other program's database.
    """
    library, base = folder / "short", folder / "long" / "data"
    database, video, done = base / "gameon.db", base / VIDEO, folder / f"made_{count}"
    if done.exists():
        return library, database
    for left in (library, folder / "long"):  # of a run that was broken off
        shutil.rmtree(left, ignore_errors=True)
    video.parent.mkdir(parents=True)
    streams = (
        StreamSpec("screen", "frames", "h264", width=WIDTH, height=HEIGHT, rate_hz=RATE_HZ),
        StreamSpec("events", "events", unit="counts"),
    )
    info = SessionInfo("take_1", GAME, {}, "measured", streams, ActionSpace.from_layout("gameon20"))
    ours = VideoEncoder("h264", width=WIDTH, height=HEIGHT, rate_hz=RATE_HZ)
    with (
        SessionWriter(library / "sessions" / "take_1", info) as writer,
        av.open(str(video), "w", options={"movflags": "+faststart"}) as container,
    ):
        stream = container.add_stream("libx264", rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "medium", "crf": "20", "g": "250"}
        stream.codec_context.thread_type = "FRAME"  # PyAV's own choice cuts pictures in slices, ffmpeg's does not
        writer.write(Start(0, {}))
        for k, pixels in enumerate(frames(count)):
            packet = ours.encode(pixels)
            writer.write(Frame(k * STEP_NS, Encoded("h264", packet, ours.last_was_key)))
            if k % 5 == 0:
                kind = "press" if k % 10 == 0 else "release"
                writer.write(Event(k * STEP_NS + 1, "keyboard", f"Key{KEYS[k // 10 % 4].upper()}", kind))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
        writer.write(Gap(count * STEP_NS, "stop"))
    _note(database, count)
    done.touch()
    return library, database


def _note(database: Path, count: int) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        create_tables(connection, own=False)
        connection.execute(
            "INSERT INTO sessions (id, game_name, start_time, duration_seconds, video_path, input_type, fps, status, "
            "video_width, video_height, video_codec, total_frames) VALUES (1, ?, '2026-11-21 12:00:00', ?, ?, "
            "'keyboard', ?, 'completed', ?, ?, 'h264', ?)",
            (GAME, count // RATE_HZ, VIDEO, RATE_HZ, WIDTH, HEIGHT, count),
        )
        connection.executemany(
            "INSERT INTO input_events (session_id, timestamp_ms, input_device, button_key, action, value) "
            "VALUES (1, ?, 'keyboard', ?, ?, ?)",
            [
                (k * 1000 // RATE_HZ, KEYS[k // 10 % 4], "press" if k % 10 == 0 else "release", int(k % 10 == 0))
                for k in range(0, count, 5)
            ],
        )
