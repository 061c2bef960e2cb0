"""Recording a desktop game: drops, late frames, CPU and stamps, as figures and ratios from one run.

Run it with `make bench` or `python benchmarks/capture.py --seconds 60`. It needs Xvfb, openbox, ffmpeg, xdotool,
crispy-doom and Freedoom, and starts a display of its own for every leg. The player turns all the time, so every one
of the game's 35 pictures a second is a new one.

- `720p60`, `1080p30`: `rushes record` beside the game; the peer is `ffmpeg -f x11grab` with the same x264 settings,
  one after the other in turns. CPU seconds of all processes of a recording, a recorded frame.
- `ordinary`: 720p60 once more without the right to real-time scheduling, which root has and most users have not.
- `idle`: the same without a game: how late the stamps are.
- `inputs`: keys are sent, and what the recording says of them is compared with when they were sent.
- `png`: of a screen that nothing compresses, a rate that is refused is recorded all the same, and so is the one that is
  offered instead; and 60 fps of the game, whose new pictures the machine does keep up with.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import numpy as np

from rushes.capture.desktop import desktop
from rushes.capture.live import LiveRecorder
from rushes.capture.settings import Settings
from rushes.capture.trial import trial
from rushes.store.reader import Session, open_session
from rushes.store.video_stream import settings as x264

LIMITS = {
    "dropped share": 0.005,
    "late share": 0.01,
    "cpu/ffmpeg": 1.5,
    "idle lateness p99 ms": 2.0,
    "input error median ms": 1.0,
    "png decides within s": 2.0,
}
GAMES = f"{os.environ.get('PATH', '')}:/usr/games:/usr/local/games"
IWAD = "/usr/share/games/doom/freedoom1.wad"
SIZES = {"720p60": (1280, 720, 60), "1080p30": (1920, 1080, 30)}
NEEDED = ("Xvfb", "openbox", "ffmpeg", "ffprobe", "xdotool", "crispy-doom")


@contextmanager
def display(width: int, height: int) -> Iterator[str]:
    """Start an X server of that size."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as file:
        name = f":{file.readline().strip()}"
    os.environ["DISPLAY"] = name
    try:
        yield name
    finally:
        server.terminate()
        server.wait()


@contextmanager
def doom(folder: Path) -> Iterator[None]:
    """Play: turn and walk all the time."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    env = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home), "PATH": GAMES}
    manager = subprocess.Popen(["openbox"], env=env, stderr=subprocess.DEVNULL)
    play = ["crispy-doom", "-iwad", IWAD, "-fullscreen", "-warp", "1", "1", "-skill", "1", "-nosound"]
    game = subprocess.Popen(play, env=env, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(5)
        if game.poll() is not None:
            sys.exit("crispy-doom did not start")
        subprocess.run(["xdotool", "keydown", "Right"], check=True)
        time.sleep(0.5)
        yield
    finally:
        for process in (game, manager):
            process.terminate()
            process.wait()


SCREEN = """
import sdl2, numpy as np, time
sdl2.SDL_Init(sdl2.SDL_INIT_VIDEO)
window = sdl2.SDL_CreateWindow(b"Noise", 0, 0, 1920, 1080, sdl2.SDL_WINDOW_SHOWN | sdl2.SDL_WINDOW_BORDERLESS)
renderer = sdl2.SDL_CreateRenderer(window, -1, sdl2.SDL_RENDERER_SOFTWARE)
rng, textures = np.random.default_rng(0), []
for k in range(8):
    pixels = np.ascontiguousarray(rng.integers(0, 256, (1080, 1920, 4), np.uint8))
    texture = sdl2.SDL_CreateTexture(renderer, sdl2.SDL_PIXELFORMAT_ARGB8888, sdl2.SDL_TEXTUREACCESS_STATIC, 1920, 1080)
    sdl2.SDL_UpdateTexture(texture, None, pixels.ctypes.data, 1920 * 4)
    textures.append(texture)
k, due = 0, time.perf_counter()
while True:
    sdl2.SDL_PumpEvents()
    sdl2.SDL_RenderCopy(renderer, textures[k % 8], None, None)
    sdl2.SDL_RenderPresent(renderer)
    k, due = k + 1, due + 1 / 40
    time.sleep(max(0.0, due - time.perf_counter()))
"""


@contextmanager
def noise() -> Iterator[None]:
    """Show a picture that nothing compresses, a new one 40 times a second."""
    shown = subprocess.Popen([sys.executable, "-c", SCREEN], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(3)
        yield
    finally:
        shown.kill()
        shown.wait()


def run(command: list[str]) -> tuple[float, float]:
    """Run a command; return its CPU seconds, those of its children included, and its wall seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - started


def rushes(out: Path, fps: float, seconds: float, *, before: tuple[str, ...] = ()) -> tuple[Session, float]:
    """Record; return the session and the CPU seconds, start and end included."""
    program = str(Path(sys.executable).with_name("rushes"))
    command = [
        *before,
        program,
        "record",
        "--backend",
        "desktop",
        "--out",
        str(out),
        "--fps",
        f"{fps:g}",
        "--keys-anywhere",
    ]
    cpu_s, _ = run([*command, "--monitor", "1", "--start-immediately", "--max-seconds", f"{seconds:g}"])
    return open_session(out), cpu_s


def peer(out: Path, name: str, size: tuple[int, int, int], seconds: float) -> tuple[int, float]:
    """Record with ffmpeg; return frames and CPU seconds."""
    width, height, fps = size
    coder = [part for key, value in x264("h264").items() for part in (f"-{key}", value)]
    grab = ["-f", "x11grab", "-framerate", str(fps), "-video_size", f"{width}x{height}", "-i", name]
    command = ["ffmpeg", "-y", *grab, "-t", f"{seconds:g}", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-threads", "2"]
    cpu_s, _ = run([*command, "-g", str(fps // 2), *coder, str(out)])
    asked = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    frames = subprocess.run([*asked, str(out)], capture_output=True, text=True, check=True).stdout
    return int(frames.strip().strip(",")), cpu_s


def lateness_ms(session: Session, fps: float) -> np.ndarray:
    """How late each frame was, against the grid of ticks that fits the earliest of them."""
    index = session.index()
    behind = index["t_ns"].to_numpy() - index["tick"].to_numpy() * (1e9 / fps)
    return (behind - behind.min()) / 1e6


def beside_doom(folder: Path, leg: str, seconds: float, turns: int) -> dict[str, float]:
    """Measure one size, ours and ffmpeg's in turns."""
    width, height, fps = SIZES[leg]
    ours, theirs, figures = [], [], {}
    with display(width, height) as name, doom(folder / leg):
        for turn in range(turns):
            session, cpu_s = rushes(folder / leg / f"take_{turn}", fps, seconds)
            index, lost = session.index(), session.ledger["frames"]
            ours.append(cpu_s / session.frame_count)
            dropped = sum(lost.lost.values()) / lost.offered
            flagged = int(index["late"].sum())
            figures.setdefault("dropped share", []).append(dropped)
            figures.setdefault("late share", []).append(flagged / session.frame_count)
            figures.setdefault("duplicates", []).append(float(index["duplicate"].mean()))
            figures.setdefault("lateness p99 ms", []).append(float(np.percentile(lateness_ms(session, fps), 99)))
            unflagged = int(((lateness_ms(session, fps) > 600 / fps) & ~index["late"].to_numpy()).sum())
            figures.setdefault("late and not flagged", []).append(unflagged)
            frames, peer_s = peer(folder / leg / f"peer_{turn}.mp4", name, SIZES[leg], seconds)
            theirs.append(peer_s / frames)
            shutil.rmtree(folder / leg / f"take_{turn}")
    found = {name: median(values) for name, values in figures.items()}
    return found | {
        "cpu ms a frame": 1e3 * median(ours),
        "ffmpeg cpu ms a frame": 1e3 * median(theirs),
        "cpu/ffmpeg": median(a / b for a, b in zip(ours, theirs, strict=True)),
    }


def ordinary(folder: Path, seconds: float) -> dict[str, float]:
    """Record as a user who may not ask for real-time scheduling."""
    if shutil.which("setpriv") is None:
        return {}
    bare = ("setpriv", "--bounding-set", "-sys_nice") if os.geteuid() == 0 else ()
    width, height, fps = SIZES["720p60"]
    with display(width, height), doom(folder / "ordinary"):
        session, _ = rushes(folder / "ordinary" / "take", fps, seconds, before=bare)
        lost, late = session.ledger["frames"], session.index()["late"]
        return {
            "ordinary: dropped share": sum(lost.lost.values()) / lost.offered,
            "ordinary: late share": float(late.mean()),
            "ordinary: lateness p99 ms": float(np.percentile(lateness_ms(session, fps), 99)),
        }


def idle(folder: Path, seconds: float) -> dict[str, float]:
    """Measure stamps where nothing else runs."""
    with display(1280, 720):
        session, cpu_s = rushes(folder / "idle", 60, seconds)
        late = lateness_ms(session, 60)
        return {
            "idle lateness p50 ms": float(np.percentile(late, 50)),
            "idle lateness p99 ms": float(np.percentile(late, 99)),
            "idle cpu share": cpu_s / session.duration_s,
        }


def inputs(folder: Path, seconds: float) -> dict[str, float]:
    """Compare stamps of keys with when they were sent."""
    from Xlib import XK, X
    from Xlib import display as connection
    from Xlib.ext import xtest

    with display(1280, 720) as name:
        program = str(Path(sys.executable).with_name("rushes"))
        out = folder / "inputs"
        command = [program, "record", "--out", str(out), "--fps", "60", "--keys-anywhere", "--monitor", "1"]
        recording = subprocess.Popen(
            [*command, "--start-immediately", "--max-seconds", f"{seconds:g}"], stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(2.5)
        player, sent, rng = connection.Display(name), [], np.random.default_rng(0)
        code = player.keysym_to_keycode(XK.string_to_keysym("w"))
        until = time.monotonic() + seconds - 2
        while time.monotonic() < until:
            for kind in (X.KeyPress, X.KeyRelease):
                time.sleep(float(rng.uniform(0.005, 0.02)))
                before = time.perf_counter_ns()
                xtest.fake_input(player, kind, code)
                player.sync()
                sent.append((before + time.perf_counter_ns()) / 2)
        player.close()
        recording.wait()
        session = open_session(out)
        zero_ns = session.segments[0].attrs["monotonic_zero_ns"]
        events = session.events()
        times = events.loc[events["control"] == "KeyW", "t_ns"].to_numpy() + zero_ns
        count = min(len(times), len(sent))
        error = np.abs(times[:count] - np.array(sent[:count])) / 1e6
        return {
            "inputs sent": len(sent),
            "inputs recorded": len(times),
            "input error median ms": float(np.median(error)),
            "input error p99 ms": float(np.percentile(error, 99)),
        }


def png(folder: Path, seconds: float) -> dict[str, float]:
    """Ask whether PNG keeps up, and record at a rate that is refused and at ones that are accepted."""
    found: dict[str, float] = {"png decides within s": 0.0}

    def ask(name: str, fps: float) -> int:
        asked = Settings(keys_anywhere=True, monitor=1, codec="png", fps=fps, out=str(folder / f"png_{name}"))
        verdict = trial(desktop(asked), rate_hz=fps)
        found["png decides within s"] = max(found["png decides within s"], verdict.seconds)
        result = LiveRecorder(
            desktop(asked), asked.path(), rate_hz=fps, codec="png", paused=False, max_seconds=seconds
        ).run()
        lost = open_session(result.path).ledger["frames"]
        found[f"png {name}: fps"] = fps
        found[f"png {name}: encodes a second"] = verdict.sustained_hz
        found[f"png {name}: new pictures"] = verdict.new_share
        found[f"png {name}: accepted"] = float(verdict.keeps_up)
        found[f"png {name}: dropped share"] = sum(lost.lost.values()) / lost.offered
        shutil.rmtree(result.path)
        return verdict.possible_hz

    with display(1920, 1080):
        with noise():
            offered = ask("noise", 30.0)
            ask("noise as offered", float(offered))
        with doom(folder / "png"):
            ask("game", 60.0)
    return found


LEGS = {"ordinary": ordinary, "idle": idle, "inputs": inputs, "png": png}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a recording beside the game")
    parser.add_argument("--turns", type=int, default=1, help="recordings a size, ours and ffmpeg's in turns")
    parser.add_argument("--legs", default="720p60,1080p30,ordinary,idle,inputs,png")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    missing = [name for name in NEEDED if shutil.which(name, path=GAMES) is None]
    if missing or not Path(IWAD).is_file():
        print(f"skipped: {', '.join(missing) or IWAD} is not installed")
        return
    results: dict[str, dict[str, float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rushes-bench-")))
        for leg in asked.legs.split(","):
            if leg in SIZES:
                results[leg] = beside_doom(folder, leg, asked.seconds, asked.turns)
            else:
                short = min(asked.seconds, 20.0)
                results[leg] = LEGS[leg](folder, short)
            print(f"{leg}")
            for name, value in results[leg].items():
                limit = LIMITS.get(name)
                said = "" if limit is None else f"   limit {limit:g}: {'holds' if value <= limit else 'FALLS SHORT'}"
                print(f"  {name:28s} {value:10.4g}{said}")
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
