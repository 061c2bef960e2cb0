"""The real recorder, run by its command line as a person runs it, and its session as this folder's tests need it.

`start` returns when the recorder provably records: it taps a key that the layout keeps until that stands in the
journal. What comes before is not compared. `Taken` puts a finished session on the clock of `time.perf_counter_ns()`,
which the game's log and the hands use too.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rushes.store.reader import Session, open_session

COMMAND = [Path(sys.executable).with_name("rushes"), "record"]
KNOCK = "KeyV"
"""Tapped to see whether the recorder is there; no plan uses it, and Crispy Doom does nothing with it."""


@dataclass
class Running:
    """A recorder that runs: its process and where it writes."""

    program: subprocess.Popen[bytes]
    out: Path
    log: Path

    @property
    def said(self) -> str:
        """What it printed to its standard error."""
        return self.log.read_text()[-4000:]

    def journal(self) -> bytes:
        """Read what stands in the journals of its open chunks."""
        return b"".join(path.read_bytes() for path in sorted(self.out.glob("chunks/*/journal.bin")))


def start(
    servers: Any, programs: Any, tap: Any, folder: Path, *options: str, knock: str = KNOCK, sound: str = ""
) -> Running:
    """Start `rushes record` and wait until it records.

    Args:
        servers: `servers.py`.
        programs: Starts it.
        tap: Taps a key once; the window that is recorded has the focus.
        folder: Gets the session `take`, and what is printed.
        options: Of `rushes record`, beside --out and --json.
        knock: The key that it taps.
        sound: A sound stream that has to be heard too; its first block may take two seconds.
    """
    out, log = folder / "take", folder / "record.txt"
    command = [*COMMAND, "--backend", "desktop", "--out", out, "--json", *options]
    with (folder / "record.json").open("wb") as file, log.open("wb") as errors:
        made = Running(programs.start(command, stdout=file, stderr=errors), out, log)

    def heard() -> bool:
        assert made.program.poll() is None, "the recorder ended:\n" + made.said
        tap(knock)
        signs = [f'"{knock}"', *([f'["{sound}",'] if sound else [])]  # an event, a block of sound
        return all(sign.encode() in made.journal() for sign in signs)

    servers.wait_for(heard, "the start of the recorder", seconds=90)
    return made


def stop(running: Running) -> dict[str, Any]:
    """End it as Ctrl+C does, and give the object that it printed."""
    running.program.send_signal(signal.SIGINT)
    return finished(running)


def finished(running: Running, *, seconds: float = 90) -> dict[str, Any]:
    """Wait for its own end, and give the object that it printed."""
    status = running.program.wait(seconds)
    assert status == 0, f"rushes record ended with {status}:\n{running.said}"
    return json.loads((running.out.parent / "record.json").read_text())


class Taken:
    """A session, with its times on the clock of `time.perf_counter_ns()`."""

    def __init__(self, path: Path) -> None:
        self.session: Session = open_session(path)
        known = [self.session.info.provenance, *(segment.attrs for segment in self.session.segments)]
        self.zero_ns = next(int(found["monotonic_zero_ns"]) for found in known if "monotonic_zero_ns" in found)

    @cached_property
    def events(self) -> pd.DataFrame:
        """All events; t_ns is perf_counter_ns."""
        events = self.session.events()
        return events.assign(t_ns=events["t_ns"].astype("int64") + self.zero_ns)

    def edges(self, controls: set[str], since_ns: int = 0) -> list[tuple[str, bool, int]]:
        """Presses and releases of some controls: (control, down, t_ns), hotkeys left out."""
        found = self.events
        found = found[found["kind"].isin(["press", "release"]) & found["control"].isin(controls)]
        found = found[(found["t_ns"] >= since_ns) & (found["flag"].fillna("") != "hotkey")]
        return [
            (c, k == "press", int(t)) for c, k, t in zip(found["control"], found["kind"], found["t_ns"], strict=True)
        ]

    def within(self, kind: str, start_ns: int, end_ns: int) -> pd.DataFrame:
        """Events of a kind in a stretch of time."""
        found = self.events
        return found[(found["kind"] == kind) & (found["t_ns"] >= start_ns) & (found["t_ns"] < end_ns)]

    def seen(self, read: Any) -> list[tuple[int, int]]:
        """Read every picture: (t_ns, what `read` makes of it)."""
        times = self.session.index()["t_ns"].to_numpy() + self.zero_ns
        pictures = self.session.frames(0, self.session.frame_count)
        return [(int(t_ns), read(pixels)) for t_ns, pixels in zip(times, pictures, strict=True)]

    def sound(self, stream: str) -> tuple[np.ndarray, np.ndarray]:
        """Give a sound stream: the time of every sample in perf_counter_ns, and its first channel, -1 to 1."""
        times, samples = [np.array([], np.int64)], [np.array([])]
        for block in self.session.sound(stream):
            steps = np.arange(len(block.samples)) * 1_000_000_000 // block.rate_hz
            times.append(block.t_ns + self.zero_ns + steps)
            samples.append(block.samples[:, 0] / 32_768)
        return np.concatenate(times), np.concatenate(samples)


MEDIA = {".mp4", ".flac", ".png"}


def every_byte(folder: Path, *, media: bool = True) -> bytes:
    """Read all that lies in a folder: names, raw bytes, and what is packed in Parquet files as plain text.

    Args:
        folder: It and all below it.
        media: With the bytes of pictures and sound, in which any four letters stand by chance now and then.
    """
    parts: list[bytes] = []
    for path in sorted(folder.rglob("*")):
        parts.append(str(path.relative_to(folder)).encode())
        if path.is_file() and (media or path.suffix not in MEDIA):
            parts.append(path.read_bytes())
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            parts += [f"{name} {value!r}\n".encode() for name in table for value in table[name].unique()]
    return b"\n".join(parts)
