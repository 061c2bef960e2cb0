"""Real servers for real programs: a display with a window manager, and a sound server, one of each a test module.

Nothing here touches what runs on the machine already: the display takes a free number by itself, the sound server
has a runtime folder and a socket of its own. What is started dies with the test process, even when that is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SIZE = (1280, 720)
PATIENCE_S = 60.0
"""A machine that is busy with other tests is slow; nothing is measured by this."""
_PR_SET_PDEATHSIG = 1
_STRANGERS = ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "XAUTHORITY", "SDL_VIDEODRIVER", "SDL_AUDIODRIVER")
_OPENBOX = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><focusLast>yes</focusLast><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy></placement>
  <desktops><number>1</number></desktops>
  <keyboard></keyboard>
</openbox_config>
"""


def wait_for(ask: Callable[[], Any], what: str, *, seconds: float = PATIENCE_S) -> Any:
    """Ask until the answer is true and give it back; fail with `what` when time is up."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {seconds:g} s", pytrace=False)
        time.sleep(0.01)
    return answer


@dataclass
class Programs:
    """Starts programs and ends each one with all its children, by its own id."""

    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, log: Path | None = None, **options
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own; what it prints goes into `log`."""
        with Path(log or os.devnull).open("ab") as out:
            options = {"stdout": out, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, **options}
            words = [str(word) for word in command]
            options["preexec_fn"] = _die_with_parent  # takes no lock, so other threads do not matter
            made = subprocess.Popen(words, env=env, start_new_session=True, **options)
        self.running.append(made)
        return made

    def end(self, program: subprocess.Popen[bytes], *, patience_s: float = 15.0) -> int:
        """Ask a program to end, then make it; returns its exit status."""
        for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, PATIENCE_S)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(wait_s)
                break
        with contextlib.suppress(ProcessLookupError):  # children that outlived it
            os.killpg(program.pid, signal.SIGKILL)
        if program in self.running:
            self.running.remove(program)
        return program.wait()

    def end_all(self) -> None:
        """End them, the youngest first."""
        for program in reversed(list(self.running)):
            self.end(program)


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True)
class Display:
    """A running X server with a window manager: its name, its size in px, its programs' environment, its process."""

    name: str
    size: tuple[int, int]
    env: dict[str, str]
    server: subprocess.Popen[bytes]


@dataclass(frozen=True)
class SoundServer:
    """A running PulseAudio whose default output is the null sink `game`."""

    address: str
    sink: str
    env: dict[str, str]
    program: subprocess.Popen[bytes]


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """Make a folder whose path is short: a socket's may have 107 bytes at the most."""
    folder = Path(tempfile.mkdtemp(prefix="rushes-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def programs_that_end() -> Iterator[Programs]:
    """Lend a starter; whatever happens, nothing that it started stays."""
    made = Programs()
    try:
        yield made
    finally:
        made.end_all()


@contextlib.contextmanager
def run_display(size: tuple[int, int] = SIZE, *, window_manager: bool = True) -> Iterator[Display]:
    """Run Xvfb on a free number with openbox on it, and set DISPLAY for as long."""
    with short_folder() as folder, programs_that_end() as programs, pytest.MonkeyPatch.context() as patch:
        read, write = os.pipe()
        depth = f"{size[0]}x{size[1]}x24"
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", depth, "-nolisten", "tcp", "-noreset"]
        server = programs.start(command, log=folder / "xvfb.log", pass_fds=(write,))
        os.close(write)
        with os.fdopen(read) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start:\n" + (folder / "xvfb.log").read_text()
        for name in _STRANGERS:
            patch.delenv(name, raising=False)
        patch.setenv("DISPLAY", f":{number}")
        if window_manager:
            (folder / "rc.xml").write_text(_OPENBOX)
            env = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
            command = ["openbox", "--sm-disable", "--config-file", str(folder / "rc.xml")]
            programs.start(command, env=env, log=folder / "openbox.log")
            wait_for(_window_manager_is_there, "the start of openbox")
        yield Display(f":{number}", size, {**os.environ, "DISPLAY": f":{number}"}, server)


def _window_manager_is_there() -> bool:
    from Xlib import X
    from Xlib.display import Display as Connection

    with contextlib.closing(Connection()) as connection:
        root = connection.screen().root
        return root.get_full_property(connection.intern_atom("_NET_SUPPORTING_WM_CHECK"), X.AnyPropertyType) is not None


@contextlib.contextmanager
def run_sound_server(rate_hz: int = 48_000) -> Iterator[SoundServer]:
    """Run PulseAudio with nothing but a null sink, and set PULSE_SERVER for as long."""
    with short_folder() as folder, programs_that_end() as programs, pytest.MonkeyPatch.context() as patch:
        folder.chmod(0o700)
        address, sink = f"unix:{folder / 'native'}", "game"
        for name in ("PULSE_RUNTIME_PATH", "PULSE_SINK", "PULSE_SOURCE", "PULSE_COOKIE", "PULSE_CLIENTCONFIG"):
            patch.delenv(name, raising=False)
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setenv("PULSE_SERVER", address)
        socket = f"module-native-protocol-unix socket={folder / 'native'} auth-anonymous=1 auth-cookie-enabled=0"
        loads = [f"module-null-sink sink_name={sink} rate={rate_hz}", socket]
        command = [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--use-pid-file=no",
            "--exit-idle-time=-1",
            "--log-target=stderr",
        ]
        # a server's own environment names no server: it would refuse to start beside one
        env = {k: v for k, v in os.environ.items() if k != "PULSE_SERVER"} | {"HOME": str(folder)}
        words = [*command, *(word for load in loads for word in ("-L", load))]
        program = programs.start(words, env=env, log=folder / "pulseaudio.log")

        def ready() -> bool:
            assert program.poll() is None, "pulseaudio ended:\n" + (folder / "pulseaudio.log").read_text()
            return (folder / "native").exists() and pactl("info").returncode == 0

        wait_for(ready, "the start of pulseaudio")
        assert pactl("set-default-sink", sink).returncode == 0
        yield SoundServer(address, sink, {**os.environ}, program)


def pactl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask the sound server of the environment."""
    return subprocess.run(["pactl", *arguments], capture_output=True, text=True, timeout=60, check=False)


def windows() -> dict[str, int]:
    """List what the window manager of the environment's display manages: title -> X id."""
    from Xlib import X
    from Xlib.display import Display as Connection
    from Xlib.error import BadWindow

    with contextlib.closing(Connection()) as connection:
        root, found = connection.screen().root, {}
        listed = root.get_full_property(connection.intern_atom("_NET_CLIENT_LIST"), X.AnyPropertyType)
        for number in listed.value if listed else ():
            window = connection.create_resource_object("window", int(number))
            with contextlib.suppress(BadWindow):  # gone since it was listed
                name = window.get_full_property(connection.intern_atom("_NET_WM_NAME"), X.AnyPropertyType)
                found[(name.value if name else b"").decode()] = int(number)
        return found


def focused() -> int:
    """Give the X id of the window that the window manager calls active, 0 where there is none."""
    from Xlib import X
    from Xlib.display import Display as Connection

    with contextlib.closing(Connection()) as connection:
        root = connection.screen().root
        active = root.get_full_property(connection.intern_atom("_NET_ACTIVE_WINDOW"), X.AnyPropertyType)
        return int(active.value[0]) if active and len(active.value) else 0
