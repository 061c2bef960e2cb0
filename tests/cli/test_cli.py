"""The command line as a user meets it: exit statuses, one JSON object on standard output.

`process` runs `rushes` as a user does. `rushes` gives `main` the same words in this process, which spares a second a
call; what depends on the process itself (signals, pipes, the path of imports, tracebacks) has one of its own.
"""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rushes.cli.main import main

RECIPE = Path(__file__).parent.parent.parent / "recipes" / "atari_sample.ipynb"
RUSHES = [sys.executable, "-m", "rushes"]


def process(*arguments, cwd):
    return subprocess.run([*RUSHES, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)


def rushes(*arguments, cwd):
    out, error, status = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main([str(word) for word in arguments])
        except SystemExit as end:
            status = end.code or 0
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=error.getvalue())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    done = process(
        "sample", "Pong,Alien", "--frames-per-env", 24, "--max-episodes", 2, "--policy", "persistent",
        "--output-dir", "s", "--json", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "sampled.json").write_text(done.stdout)
    return folder


def test_sample_says_what_it_made_and_before_it_how_long_it_will_take(home):
    said = json.loads((home / "sampled.json").read_text())
    assert (said["verdict"], said["frames"], said["episodes"], said["failed"]) == ("PASS", 48, 4, {})
    assert said["sessions"] == ["s/atari_pong", "s/atari_alien"]
    done = rushes("sample", "Pong", "--frames-per-env", 20, "--output-dir", "t", "--policy", "uniform", cwd=home)
    assert "1 games into t: 20 frames, about" in done.stderr
    assert "PASS: 1 sessions in t" in done.stdout


def test_info_has_the_promised_keys_for_every_kind_of_path(home):
    for name, target in (("interleaved", "i.parquet"), ("simple", "s.parquet"), ("folders", "folders")):
        assert rushes("convert", "s", target, "--format", name, cwd=home).returncode == 0
    for path, known in (
        ("s", "session"),
        ("s/atari_pong", "session"),
        ("i.parquet", "atari_interleaved"),
        ("folders", "atari_folders"),
    ):
        done = rushes("info", path, "--json", cwd=home)
        said = json.loads(done.stdout)
        assert set(said) == {
            "format", "sessions", "episodes", "segments", "frames", "events", "duration_s", "streams", "action_space",
            "time_source", "ledger", "problems", "samples",
        }  # fmt: skip
        assert (said["format"], said["samples"]) == (known, None)
        assert said["frames"] == (24 if path == "s/atari_pong" else 48)
        assert said["time_source"] == ["emulated"]


def test_reading_options_reach_the_format_that_reads(tmp_path):
    """A folder of the NitroGen Capture program that lost its meta.json does not say its rate."""
    frames = tmp_path / "set" / "frames" / "chunk_001"
    frames.mkdir(parents=True)
    for number in range(1, 5):
        Image.new("RGB", (8, 6)).save(frames / f"{number:06d}.png")
    np.save(tmp_path / "set" / "actions_chunk_001.npy", np.eye(4, 28, dtype=np.int8))
    np.save(tmp_path / "set" / "mouse_deltas_chunk_001.npy", np.zeros((4, 2), np.float32))
    np.save(tmp_path / "set" / "frame_indices_chunk_001.npy", np.arange(1, 5))
    done = rushes("info", "set", "--json", "--read-option", "fps=8", cwd=tmp_path)
    assert json.loads(done.stdout)["duration_s"] == 0.5
    target = ("out", "--format", "session", "--json")
    assert rushes("convert", "set", *target, "--read-option", "fps=2", cwd=tmp_path).returncode == 0
    assert json.loads(rushes("info", "out", "--json", cwd=tmp_path).stdout)["duration_s"] == 2
    refused = rushes("info", "set", "--read-option", "fsp=8", cwd=tmp_path)
    assert refused.returncode == 1
    assert "did you mean 'fps'" in refused.stderr


def test_convert_has_the_promised_keys_and_writes_what_pandas_reads(home):
    done = rushes("convert", "s", "c.parquet", "--format", "simple", "--strict", "--json", cwd=home)
    said = json.loads(done.stdout)
    assert set(said) == {"target", "format", "written", "ledger", "kept", "lost"}
    assert said["format"] == "atari_simple"
    assert said["written"]["episodes"] == 4
    table = pd.read_parquet(home / "c.parquet")
    assert list(table) == ["environment", "episode", "frame_number", "action", "action_raw", "image"]


def test_qa_passes_on_sound_play_and_fails_with_status_1_on_a_changed_file(home):
    done = rushes("qa", "s", "--json", cwd=home)
    said = json.loads(done.stdout)
    assert done.returncode == 0
    assert set(said) == {"verdict", "reasons", "figures", "findings", "sessions"}
    assert list(said["figures"]) == ["offset_ms", "offset_low_ms", "offset_high_ms", "drift_ppm", "rate_hz"]
    assert len(said["sessions"]) == 2
    assert [f["check"] for f in said["findings"]].count("replay.exact") == 2
    assert {f["severity"] for f in said["findings"]} == {"info"}
    shutil.copytree(home / "s", home / "damaged")
    path = home / "damaged" / "atari_pong" / "chunks" / "0001" / "steps.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    done = rushes("qa", "damaged", "--check", "structure", "--json", cwd=home)
    assert done.returncode == 1
    assert json.loads(done.stdout)["verdict"] == "FAIL"


def test_preview_makes_a_sheet_and_a_film_and_overwrites_neither(home):
    done = rushes("preview", "s", "--out", "p", "--seconds", 4, cwd=home)
    assert done.returncode == 0, done.stderr
    assert (home / "p" / "s_contact_sheet.png").read_bytes()[:4] == b"\x89PNG"
    assert b"ftyp" in (home / "p" / "s_preview.mp4").read_bytes()[:16]
    again = rushes("preview", "s", "--out", "p", cwd=home)
    assert again.returncode == 1
    assert "exists" in again.stderr


def test_a_sampling_that_is_killed_is_recovered_and_resumed(home, tmp_path):
    """kill -9 on the whole group while it works; then `recover`, then the same command with --resume."""
    command = [
        "sample",
        "Seaquest",
        "--frames-per-env",
        "80",
        "--max-episodes",
        "2",
        "--output-dir",
        "k",
        "--parallel",
        "1",
    ]
    begun = subprocess.Popen([*RUSHES, *command], cwd=tmp_path, start_new_session=True, stderr=subprocess.DEVNULL)
    journal = tmp_path / "k" / "atari_seaquest" / "chunks" / "0001" / "journal.bin"
    for _ in range(6000):
        if journal.is_file() and journal.stat().st_size > 4000:
            break
        time.sleep(0.005)
    os.killpg(begun.pid, signal.SIGSTOP)  # it would be done before anybody has looked
    busy = rushes("recover", "k", cwd=tmp_path)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    assert busy.returncode == 1
    assert "being written by another process" in busy.stderr
    assert rushes("qa", "k", "--check", "structure", cwd=tmp_path).returncode == 1, (
        "an unfinished session does not look whole"
    )
    shown = rushes("recover", "k", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["sessions"][0]["frames"] > 0
    assert rushes("qa", "k", cwd=tmp_path).returncode == 0
    assert rushes(*command, cwd=tmp_path).returncode == 1, "what is there is not overwritten"
    assert rushes(*command, "--resume", cwd=tmp_path).returncode == 0
    info = json.loads(rushes("info", "k", "--json", cwd=tmp_path).stdout)
    assert (info["frames"], info["episodes"]) == (80, 2)


def test_a_game_that_fails_makes_warn_wherever_it_stands(tmp_path):
    done = rushes(
        "sample", "CartPole-v1,Pong", "--frames-per-env", 8, "--max-episodes", 2, "--output-dir", "o", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "WARN: 1 sessions" in done.stdout
    assert "CartPole-v1 could not be sampled" in done.stdout


def test_a_policy_of_ones_own_is_found_in_the_current_folder(tmp_path):
    (tmp_path / "mine.py").write_text("def still(moment):\n    return 0\n")
    done = process(
        "sample", "Pong", "--frames-per-env", 8, "--max-episodes", 2, "--randomness", 0, "--policy", "mine:still",
        "--output-dir", "o", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(pd.read_parquet(tmp_path / "o/atari_pong/chunks/0001/steps.parquet")["action"]) == {0}


def test_doctor_says_what_works_and_lists_all_games(home):
    said = json.loads(rushes("doctor", "--json", cwd=home).stdout)
    kinds = {part["kind"] for part in said["parts"]}
    assert kinds == {"backend", "policy", "format", "check", "extra", "library"}
    assert all(part["works"] for part in said["parts"] if part["kind"] != "extra")
    for part in said["parts"]:
        assert part["works"] or "pip install" in part["needs"]
    extras = {part["name"] for part in said["parts"] if part["kind"] == "extra"}
    assert extras == {"audio", "browser", "desktop", "games", "test", "tf"}
    games = rushes("doctor", "--games", cwd=home).stdout.split()
    assert len(games) == 104
    assert "ALE/Breakout-v5" in games


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["sample", "Brekout"], 1, "did you mean 'Breakout'"),
        (["sample", "Pong", "--frames-per-env", "0"], 1, "a whole number from 1"),
        (["sample", "Pong", "--randomness", "1.5"], 1, "a number from 0 to 1"),
        (["sample", "Pong", "--policy", "lookahed"], 1, "did you mean 'lookahead'"),
        (["sample", "Pong", "--output-dir", "s"], 1, "a new or empty folder"),
        (["sample", "Pong", "--frames-per-env", "many"], 2, "--frames-per-env"),
        (["sample"], 2, "Missing argument"),
        (["smaple", "Pong"], 2, "smaple"),
        (["info", "nowhere"], 1, "nothing is there"),
        (["info", "empty"], 1, "empty"),
        (["info", "cut.parquet"], 1, "cut.parquet"),
        (["convert", "s", "x.parquet", "--format", "interleavd"], 1, "did you mean 'atari_interleaved'"),
        (["convert", "s", "x.parquet", "--format", "simple", "--option", "shard_md=3"], 1, "did you mean 'shard_mb'"),
        (["convert", "s", "sampled.json", "--format", "simple"], 1, "which exists"),
        (["qa", "s", "--check", "relpay"], 1, "did you mean 'replay'"),
        (["recover", "nowhere"], 1, "no session"),
        (["run", "nothing.ipynb"], 1, "nothing.ipynb"),
        (["run", RECIPE, "-p", "formats"], 2, "has no value"),
        (["run", RECIPE, "-p", "gamse", "Pong"], 1, "did you mean 'games'"),
        (["run", RECIPE, "-p", "seed", "many"], 1, "seed"),
        (["run", RECIPE, "-p", "out_dir", "s"], 1, "s"),
        (["sample", "Pong", "--parallel", "-3"], 1, "workers=-3"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_with_the_right_status_and_no_traceback(home, arguments, status, message):
    (home / "empty").mkdir(exist_ok=True)
    (home / "cut.parquet").write_bytes(b"PAR1 and nothing more")
    before = sorted(p.name for p in home.iterdir())
    done = rushes(*arguments, cwd=home)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in home.iterdir()) == before, "bad input leaves nothing behind"


def test_debug_shows_the_traceback(home):
    assert "Traceback" in process("info", "nowhere", "--debug", cwd=home).stderr


def test_a_reader_that_has_seen_enough_is_no_error(home):
    done = subprocess.run(
        f"{' '.join(RUSHES)} doctor --games | head -1",
        shell=True,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "ALE/Adventure-v5\n"
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_says_so(home):
    (home / "file").write_text("")
    done = rushes("sample", "Pong", "--policy", "uniform", "--output-dir", "file/inside", cwd=home)
    assert done.returncode == 1
    assert "To mend it" in done.stderr
    assert Path(home / "file").read_text() == ""
