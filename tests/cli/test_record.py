"""`rushes record` as a person uses it: the line that shows how it goes, its ends, its refusals."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rushes.cli.main import main
from rushes.store.reader import open_session

RUSHES = str(Path(sys.executable).with_name("rushes"))
OPTIONS = """
    --backend --out --game --fps --region --monitor --window --process-name --chunk-size --max-frames --max-seconds
    --codec --layout --audio --skip-late --start-immediately --keys-anywhere --no-keys --learn-keys --idle-stop --resume
    --pick --json --port --host --allow-origin --size --plays --player --open
"""
SYNTHETIC = (RUSHES, "record", "--backend", "synthetic")


def run(*arguments, **more):
    return subprocess.run([*arguments], capture_output=True, text=True, check=False, timeout=300, **more)


def test_every_option_of_the_issue_is_there():
    text = run(RUSHES, "record", "--help", env=os.environ | {"COLUMNS": "200"}).stdout
    for option in OPTIONS.split():
        assert re.search(rf"{option}\b", text), option


def test_it_records_says_what_it_has_and_json_is_one_object(tmp_path):
    done = run(
        *SYNTHETIC, "--out", tmp_path / "s", "--max-frames", "20", "--start-immediately", "--json", "--audio", "system"
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["reason"] == "max_frames"
    assert said["frames"] == 20
    assert said["ledger"]["frames"]["offered"] == said["ledger"]["frames"]["kept"] + sum(
        said["ledger"]["frames"]["lost"].values()
    )
    assert open_session(tmp_path / "s").frame_count == 20


def test_on_a_terminal_one_line_shows_rate_drops_late_disk_and_segment_and_ctrl_c_ends_it_whole(tmp_path):
    front, back = pty.openpty()
    command = [*SYNTHETIC, "--out", str(tmp_path / "s"), "--start-immediately", "--chunk-size", "30"]
    started = subprocess.Popen(command, stdout=back, stderr=back, stdin=back, start_new_session=True)
    os.close(back)
    os.set_blocking(front, False)
    seen, until = "", time.monotonic() + 120
    while "recording 0:01" not in seen and time.monotonic() < until:
        time.sleep(0.1)
        try:
            seen += os.read(front, 65536).decode()
        except BlockingIOError:
            continue
    os.killpg(started.pid, signal.SIGINT)
    while started.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
        try:
            seen += os.read(front, 65536).decode()
        except (BlockingIOError, OSError):
            continue
    os.close(front)
    assert started.wait(60) == 0, seen
    line = next(text for text in reversed(seen.split("\r")) if text.startswith("recording"))
    for word in ("fps", "frames", "dropped", "late", "segment 1", "GB free"):
        assert word in line, line
    assert "ended by stop" in seen
    assert "Traceback" not in seen
    session = open_session(tmp_path / "s")
    assert session.segments[-1].end_reason == "stop"
    assert session.problems == ()


def test_when_nothing_was_recorded_there_is_no_session_and_it_says_so(tmp_path):
    started = subprocess.Popen([*SYNTHETIC, "--out", tmp_path / "s"], stderr=subprocess.PIPE, text=True)
    for line in started.stderr:
        if "paused" in line:
            break
    started.send_signal(signal.SIGINT)
    assert started.wait(60) == 1
    assert "nothing was recorded" in started.stderr.read()
    started.stderr.close()
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "desktop"], "--no-keys"),
        (["--backend", "env", "--game", "Pong"], "--max-frames 1000"),
        (
            ["--backend", "env", "--game", "Pong", "--max-frames", "9", "--audio", "system"],
            "--audio with --backend env",
        ),
        (["--backend", "synthetic", "--codec", "divx"], "h264, h265, lossless, png"),
        (["--learn-keys"], "--learn-keys that does not say whose keys"),
        (["--learn-keys", "--no-keys"], "--learn-keys with --no-keys"),
        (["--backend", "synthetic", "--audio", "mic"], "--audio with the synthetic backend"),
        (["--backend", "synthetic", "--window", "Foo"], "--window with the synthetic backend"),
        (["--backend", "env", "--game", "Pong", "--max-frames", "9", "--fps", "7"], "--fps with --backend env"),
        (
            ["--backend", "env", "--game", "Pong", "--max-frames", "9", "--out", "x", "--resume"],
            "--resume with --backend env",
        ),
        (["--no-keys", "--monitor", "1", "--region", "0", "0", "9", "9"], "--region and --monitor together"),
        (["--pick", "--no-keys", "--monitor", "1"], "--region and --monitor together"),
        (["--pick", "--backend", "synthetic"], "--pick with --region or another backend"),
        (["--backend", "synthetic", "--out", "nowhere", "--resume", "--start-immediately"], "is not there"),
        (["--backend", "synthetic", "--port", "0"], "--port with the synthetic backend"),
        (["--backend", "env", "--game", "Pong", "--max-frames", "9", "--allow-origin", "x"], "--allow-origin with"),
        (["--backend", "browser", "--window", "Foo"], "--window with the browser backend"),
        (["--backend", "browser", "--codec", "h265"], "--codec with the browser backend"),
        (["--backend", "browser", "--resume", "--out", "x"], "--resume with the browser backend"),
        (["--backend", "browser", "--port", "99999"], "--port 99999; accepted: 0 to 65535"),
        (["--backend", "browser", "--size", "big"], "--size big; accepted: WIDTHxHEIGHT"),
        (["--backend", "browser", "--size", "4x4"], "pictures of 4x4"),
        (["--backend", "browser", "--plays", "2", "--out", "x"], "--out with --plays 2"),
        (["--backend", "browser", "--allow-origin", "*"], "--allow-origin *"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_status_1(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["record", *arguments])
    assert left.value.code == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_without_a_display_it_says_what_works(tmp_path):
    env = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"}}
    done = run(RUSHES, "record", "--keys-anywhere", "--start-immediately", cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert "DISPLAY" in done.stderr
    wayland = run(RUSHES, "record", "--keys-anywhere", cwd=tmp_path, env=env | {"XDG_SESSION_TYPE": "wayland"})
    assert "Wayland" in wayland.stderr
    assert "Xorg" in wayland.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_environment_is_played_into_a_session(tmp_path):
    done = run(RUSHES, "record", "--backend", "env", "--game", "Pong", "--max-frames", "40", "--out", tmp_path / "s")
    assert done.returncode == 0, done.stderr
    assert open_session(tmp_path / "s").frame_count == 40
