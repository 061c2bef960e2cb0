"""A session of keyboard and mouse, recorded from what a test writes down: every picture and every input."""

from pathlib import Path

from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Event, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import Session, open_session
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

HEIGHT, WIDTH = 90, 160
STEP = 40_000_000
"""ns from frame to frame: 25 a second."""
SCENERY = Scenery((HEIGHT, WIDTH), seed=5)


def press(row: float, control: str) -> Event:
    return _edge(row, control, "press")


def release(row: float, control: str) -> Event:
    return _edge(row, control, "release")


def _edge(row: float, control: str, kind: str) -> Event:
    device = "mouse" if control.startswith("Mouse") else "keyboard"
    return Event(round(row * STEP), device, control, kind)


def move(row: float, dx: float, dy: float) -> Event:
    return Event(round(row * STEP), "mouse", "Mouse", "move", dx=dx, dy=dy)


def play(path: Path, segments, events=(), *, codec="png", name="hand") -> Session:
    """Record `segments` (numbers of frames) one behind the other; frame k stands at k * STEP and shows picture k."""
    streams = (
        StreamSpec("screen", "frames", codec, exact=codec != "h264", width=WIDTH, height=HEIGHT, rate_hz=25.0),
        StreamSpec("events", "events", unit="counts"),
    )
    space = ActionSpace.from_layout("capture28")
    info = SessionInfo(name, "Game", {"kind": "desktop", "name": "game"}, "measured", streams, space)
    encoder = VideoEncoder(codec, width=WIDTH, height=HEIGHT, rate_hz=25) if codec != "png" else None
    waiting = sorted(events, key=lambda event: event.t_ns)
    k = 0
    with SessionWriter(path, info) as writer:
        for count in segments:
            writer.write(Start(k * STEP, {}))
            for number in range(k, k + count):
                while waiting and waiting[0].t_ns < number * STEP:
                    writer.write(waiting.pop(0))
                pixels = SCENERY.picture(number)
                if encoder is not None:
                    data = encoder.encode(pixels, key=number == k)
                    pixels = Encoded(codec, data, encoder.last_was_key)
                writer.write(Frame(number * STEP, pixels))
            k += count
            while waiting and waiting[0].t_ns < k * STEP:
                writer.write(waiting.pop(0))
            writer.write(Gap(k * STEP, "pause"))
    return open_session(path)
