"""What the documentation shows, works: its blocks are executed, its tables generated, its paths there."""

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from rushes.formats.nitrogen.chunks_notes import SENTENCES

ROOT = Path(__file__).parent.parent
WARM = ROOT / "tests" / "warm.py"
DOCS = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^>]*) -->\n)?```(?P<kind>bash|python)(?: ours)?(?P<display> display)?\n(?P<text>.*?)```",
    re.DOTALL,
)
ELSEWHERE = {
    "run by .ci/run": "these commands are what .ci/run calls, or make the environment in which this test runs",
    "what make sample does, and papermill as tests/notebooks calls it": "an environment is not made inside a test",
    "needs a desktop": "coming_from.md records a window and a region of a display in the same way, and that is run",
    "wants the official repository": "its code is no part of this project; the page says how it was tried by hand",
    "needs conda": "there is no conda on the machines of CI; tests/test_setup.py parses environment.yml",
}
"""Remarks before a block that is not executed here, with the reason."""


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A folder for PATH whose `rushes` needs no time to start."""
    folder = tmp_path_factory.mktemp("warm")
    server = subprocess.Popen([sys.executable, WARM, folder / "socket"], stdout=subprocess.PIPE, cwd=folder)
    spec = importlib.util.spec_from_file_location("warm", WARM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.shim(folder, folder / "socket")
    assert server.stdout.readline() == b"ready\n"
    yield folder
    server.kill()
    server.wait()
    server.stdout.close()


def execute(path, folder, warm, *, display=False, least=3, instead=("", "")):
    """Run the blocks of a page in one folder, one after the other; returns what they printed.

    Those that want a display are run apart from the others, so that a machine without one skips them alone. `instead`
    is what stands on the page, and what is run for it in the short form.
    """
    environment = {
        **os.environ,
        "PATH": f"{warm}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    printed, count = [], 0
    for found in BLOCK.finditer((ROOT / path).read_text(encoding="utf-8")):
        if found["note"] and not found["note"].startswith("table"):
            assert found["note"] in ELSEWHERE, f"{path}: a remark without a reason: {found['note']}"
            continue
        if bool(found["display"]) != display:
            continue
        program = [warm / "block"] if found["kind"] == "python" else ["bash", "-euc"]
        text = found["text"].replace(*instead) if instead[0] else found["text"]
        done = subprocess.run(
            [*program, text], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{path}:\n{found['text']}\n{done.stdout}\n{done.stderr}"
        printed.append(done.stdout)
        count += 1
    assert count >= (1 if display else least)
    return printed


def headings(page):
    """Name the headings of a page as links to them do: small letters, no marks, hyphens for spaces."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in found}


def load(name):
    """Load a file of tests/desktop; test folders are no packages."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "tests" / "desktop" / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def game_exe(require):
    """A display of the test's own with one window on it: `Game`, of the process Game.exe."""
    require("display")
    servers, painted = load("servers"), load("painted")
    with servers.run_display(), servers.programs_that_end() as programs:
        words = ["Game.exe", painted.__file__, "Game", "640", "480", "100", "80"]
        environment = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}  # its name hides the environment
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": None}
        program = programs.start(words, env=environment, executable=sys.executable, **pipes)
        assert program.stdout.readline().startswith(b"0x"), "it says so when its window is there"
        with program.stdin, program.stdout:
            yield


def test_the_tour_of_the_readme_runs_as_it_stands(tmp_path, warm):
    printed = execute("README.md", tmp_path, warm)
    assert "PASS: 2 sessions" in printed[0]
    assert "came back bit for bit" in printed[0]
    assert "episode_000_rand0.2 20 frames, seed" in printed[2]
    assert (tmp_path / "tour" / "first.png").stat().st_size > 500


def test_coming_from_runs_as_it_stands(tmp_path, request, warm):
    """In the long form also the proof that all 104 games are sampled: the page's full pipeline takes `all`."""
    games = 104 if request.config.getoption("--full") else 8
    few = "rushes sample Alien,Breakout,Freeway,Pong,Qbert,Seaquest,Skiing,Tennis "
    instead = ("", "") if games == 104 else ("rushes sample all ", few)
    printed = "\n".join(execute("docs/coming_from.md", tmp_path, warm, instead=instead))
    assert re.search(r"^\d+: [A-Z]+", printed, re.MULTILINE), "an action file as the guide shows it"
    assert "Total episodes: 6" in printed
    assert f"PASS: {games} sessions" in printed
    assert f"{5 * games} segments" in printed
    assert f"{10 * games} frames" in printed
    assert "['test', 'train'] pictures: uint8" in printed, "the training file of the JumpNet part"
    assert "(16, 3, 224, 224) (16, 20)" in printed, "a batch of GameOn's class"
    shapes = re.search(r"\((\d+), 180, 320, 3\) \(\1, 30\)", printed)
    assert shapes, "HDF5 at half the size, as its guide reads it"
    assert 85 <= int(shapes[1]) <= 95, "three seconds at 30 frames a second, recorded in real time"
    assert "60 samples, pictures (60, 128, 128, 3) uint8" in printed, "ReActure's summary"
    assert "(32, 3, 128, 128) (32, 6) (32, 1)" in printed, "its batches"
    assert "(32, 128, 128, 3) (32, 6)" in printed
    assert "Saved gameplay.mp4 (60 frames)" in printed


def test_recording_runs_as_it_stands_where_there_is_no_hardware(tmp_path, warm):
    printed = "\n".join(execute("docs/recording.md", tmp_path, warm))
    assert "ended by max_seconds" in printed
    assert "PASS: 1 sessions" in printed


def test_checking_runs_as_it_stands(tmp_path, warm):
    printed = "\n".join(execute("docs/checking.md", tmp_path, warm))
    assert "timing.gap" in printed, "the list of rules"
    assert "cannot tell: " in printed, "nothing in the synthetic world follows its hands"
    assert (tmp_path / "moved.npz").is_file()
    assert 'testcase classname="timing"' in (tmp_path / "junit.xml").read_text()


def test_preparing_runs_as_it_stands(tmp_path, warm):
    printed = "\n".join(execute("docs/preparing.md", tmp_path, warm, least=2))
    assert re.search(r"^(PASS|WARN): 2 sessions", printed, re.MULTILINE), "a busy machine may have dropped a tick"
    found = [line.split()[0] for line in printed.splitlines() if " leakage." in line]
    assert found, "the balance of the splits"
    assert set(found) == {"info"}, "nothing leaks from one split to the other"
    assert "PairCounts(total=" in printed
    assert "(16, 1, 96, 96, 3) uint8" in printed


@pytest.mark.require("tensorflow")
def test_training_runs_as_it_stands(tmp_path, warm):
    printed = "\n".join(execute("docs/training.md", tmp_path, warm))
    assert "'frames': (4, 16, 3, 96, 96)" in printed
    assert "'audio': (4, 16, 128)" in printed
    assert "(4, 8, 96, 96, 3) (4, 8, 30) (4, 8, 128)" in printed, "the batch of TensorFlow"
    assert "'position': 8" in printed
    assert "{'frame': (16, 3, 128, 128), 'keys': (16, 6), 'battery': (16, 1)}" in printed, "ReActure's"


def test_nitrogen_runs_as_it_stands_up_to_the_official_code(tmp_path, warm):
    printed = "\n".join(execute("docs/nitrogen.md", tmp_path, warm))
    assert re.search(r"Synthetic \d\d rows .*'SOUTH'", printed), "labels without their video"
    assert "no_place_MouseLeft" in printed, "a map that leaves a key out"
    assert "'buttons': (" in printed, "the training loop came to its end"


def test_player_runs_as_it_stands(tmp_path, warm):
    printed = execute("docs/player.md", tmp_path, warm)
    assert "frame 0 of 60>" in printed[1]
    assert "invalid (player)" in "".join(printed)
    assert "scene = menu (player)" in "".join(printed)
    assert re.search(r"frame=12&t=\d.* 12$", "".join(printed), re.MULTILINE), "a link leads where it was made"
    assert re.search(
        r"^\(\d+, \d+, 3\) Timeline of 3\.9 s: 4 lanes \(.*\), 2 segments, 2 marks", "".join(printed), re.MULTILINE
    )


def test_the_shortcuts_of_the_page_are_those_of_the_player():
    """The table of docs/player.md beside the one that the widget's help sheet shows."""
    source = (ROOT / "lib" / "rushes" / "widgets" / "esm" / "keys.js").read_text(encoding="utf-8")
    rows = re.findall(r'^  \["\w+", "(.+?)", "(.+?)", \{', source, re.MULTILINE)
    page = (ROOT / "docs" / "player.md").read_text(encoding="utf-8")
    told = [f"| {keys} | {words} |".replace("\\u2190", "←").replace("\\u2192", "→") for keys, words in rows]
    assert len(told) > 15
    assert [row for row in told if row not in page] == []


@pytest.mark.require("display")
def test_what_coming_from_records_of_a_desktop_is_recorded(game_exe, tmp_path, warm):
    printed = "\n".join(execute("docs/coming_from.md", tmp_path, warm, display=True))
    assert re.search(r"640x480 .* Game\.exe +Game$", printed, re.MULTILINE), "the window as `rushes windows` lists it"
    assert printed.count("1 segments, ended by max_seconds") == 2


def test_the_tables_of_the_readme_are_those_of_the_code():
    done = subprocess.run([sys.executable, ROOT / ".ci" / "readme.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_formats_tells_every_fault_that_reading_capture_folders_knows():
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [kind for kind in SENTENCES if f"`{kind}`" not in text] == []


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in DOCS)])
def test_every_path_and_heading_that_a_page_links_to_is_there(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    for target, heading in re.findall(r"\]\(([^)#:]*)(#[^)]*)?\)", text):
        page = (ROOT / path).parent / target if target else ROOT / path
        assert page.exists(), f"{path} links to {target}"
        assert not heading or heading[1:] in headings(page), f"{path} links to {target}{heading}"


def test_every_module_that_the_architecture_names_is_there():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `(\w+)/` \| (.*) \|$", text, re.MULTILINE)
    assert len(rooms) == 12
    for room, row in rooms:
        folder = ROOT / "lib" / "rushes" / room
        named = set(re.findall(r"`(\w+)`", row))
        there = {p.stem for p in folder.rglob("*.py")} | {p.name for p in folder.iterdir() if p.is_dir()}
        assert named <= there, f"{room}: the page names {named - there}"
        unnamed = {p.stem for p in folder.rglob("*.py") if p.stem != "__init__"} - named
        assert room in ("formats", "cli") or not unnamed, f"{room}: the page does not name {unnamed}"
