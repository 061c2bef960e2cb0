"""Every notebook and recipe, executed by papermill as a user does, held to what it promises."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted([*(ROOT / "recipes").glob("*.ipynb"), *(ROOT / "notebooks").glob("*.ipynb")])
PAPERMILL = [sys.executable, "-m", "papermill"]
QUICK = {
    "atari_sample": ["-p", "games", "Pong,Breakout", "-p", "frames_per_env", "24", "-p", "policy", "persistent"],
    "01_record_session": ["-p", "seconds", "2", "-p", "most_late", "100", "-p", "most_dropped", "100"],
}
"""Parameters with which a long notebook is short, and with which a busy machine is no fault of the recording."""


def papermill(*arguments, cwd):
    return subprocess.run(
        [*PAPERMILL, *map(str, arguments), "--no-progress-bar"], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request):
    return request.param


def test_it_runs_headlessly_and_leaves_a_verdict_and_a_record_of_the_run(notebook, tmp_path):
    out = tmp_path / "run"
    done = papermill(
        notebook, tmp_path / "OUT.ipynb", "-p", "out_dir", out, *QUICK.get(notebook.stem, []), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    verdict = json.loads((out / "verdict.json").read_text())
    assert {"verdict", "reasons", "figures", "findings"} <= set(verdict)
    assert verdict["verdict"] == "PASS", verdict["reasons"]
    run = json.loads((out / "run.json").read_text())
    assert {"name", "parameters", "seed", "revision", "versions", "inputs", "outputs", "started", "ended"} <= set(run)
    assert run["name"] == notebook.stem
    assert run["ended"]
    executed = nbformat.read(tmp_path / "OUT.ipynb", as_version=4)
    shown = [o for c in executed.cells if c.cell_type == "code" for o in c.outputs]
    assert any("image/png" in o.get("data", {}) or "text/html" in o.get("data", {}) for o in shown)
    assert not any("widget-view" in mime for o in shown for mime in o.get("data", {})), (
        "headless runs show static output"
    )


def test_an_unknown_parameter_is_an_error_that_names_the_near_one(notebook, tmp_path):
    done = papermill(notebook, tmp_path / "OUT.ipynb", "-p", "out_dirr", "x", cwd=tmp_path)
    assert done.returncode == 1
    assert "did you mean 'out_dir'" in done.stderr


def test_a_parameter_of_the_wrong_type_is_an_error(notebook, tmp_path):
    done = papermill(notebook, tmp_path / "OUT.ipynb", "-p", "out_dir", "3", cwd=tmp_path)
    assert done.returncode == 1
    assert "out_dir" in done.stderr
    assert "str" in done.stderr


def test_its_first_cell_says_what_it_reads_writes_and_takes(notebook):
    first = nbformat.read(notebook, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "?" in first.source.splitlines()[0], "a question as the title"
    for word in ("Reads", "Writes", "Takes"):
        assert word in first.source


@pytest.fixture(scope="module")
def atari(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atari")
    done = papermill(
        ROOT / "recipes" / "atari_sample.ipynb", folder / "OUT.ipynb", "-p", "out_dir", folder / "run",
        *QUICK["atari_sample"], cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "run"


def test_the_atari_recipe_leaves_what_it_promises(atari):
    names = {p.name for p in atari.iterdir() if "card" not in p.name}
    assert names == {
        "sessions", "atari_interleaved.parquet", "atari_simple.parquet", "frames", "preview.mp4", "contact_sheet.png",
        "run.json", "verdict.json",
    }  # fmt: skip
    episode = pd.read_parquet(atari / "atari_interleaved.parquet").iloc[0]
    assert len(episode["inputs"]) == 2 * episode["num_frames"] + 1
    picture = np.asarray(Image.open(io.BytesIO(episode["images"][0])))
    assert picture.shape == (210, 160, 3)
    first = atari / "frames" / "atari_pong" / "episode_000_rand0.2" / "frame_000000.png"
    assert (np.asarray(Image.open(first)) == picture).all()
    versions = json.loads((atari / "run.json").read_text())
    assert "ale-py" in json.dumps(versions)


def test_a_finished_run_is_not_written_over_and_an_unfinished_one_is_gone_on_with(atari, tmp_path):
    recipe = ROOT / "recipes" / "atari_sample.ipynb"
    again = papermill(recipe, tmp_path / "A.ipynb", "-p", "out_dir", atari, *QUICK["atari_sample"], cwd=tmp_path)
    assert again.returncode == 1
    assert "OccupiedError" in again.stderr
    unfinished = tmp_path / "run"
    code = (
        "import os, signal, sys; from rushes.store.writer import SessionWriter\n"
        "real, count = SessionWriter.write, [0]\n"
        "def write(self, reading):\n"
        "    real(self, reading); count[0] += 1\n"
        "    if count[0] > 40: os.kill(os.getpid(), signal.SIGKILL)\n"
        "SessionWriter.write = write\n"
    )
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(code)
    killed = subprocess.run(
        [*PAPERMILL, recipe, tmp_path / "B.ipynb", "-p", "out_dir", unfinished, *QUICK["atari_sample"],
         "-p", "workers", "1"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")}, cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert killed.returncode != 0
    assert not (unfinished / "verdict.json").exists()
    other = papermill(
        recipe,
        tmp_path / "C.ipynb",
        "-p",
        "out_dir",
        unfinished,
        *QUICK["atari_sample"],
        "-p",
        "seed",
        "5",
        cwd=tmp_path,
    )
    assert other.returncode == 1, "other parameters"
    more = papermill(
        recipe,
        tmp_path / "D.ipynb",
        "-p",
        "out_dir",
        unfinished,
        *QUICK["atari_sample"],
        "-p",
        "workers",
        "1",
        cwd=tmp_path,
    )
    assert more.returncode == 0, more.stderr[-3000:]
    for name in ("atari_interleaved.parquet", "atari_simple.parquet"):
        assert (unfinished / name).read_bytes() == (atari / name).read_bytes(), "the same bytes as without the kill"


def test_without_an_output_path_papermill_prints_the_notebook_and_the_run_folder_is_written(tmp_path):
    (tmp_path / "outputs").mkdir()
    done = papermill(ROOT / "recipes" / "atari_sample.ipynb", *QUICK["atari_sample"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert nbformat.reads(done.stdout, as_version=4).cells
    runs = tmp_path / "outputs" / "atari_sample"
    newest = runs / (runs / "latest").read_text().strip()
    assert json.loads((newest / "verdict.json").read_text())["verdict"] == "PASS"
    assert (newest / "atari_simple.parquet").is_file()


def test_the_recording_notebook_proves_its_session_and_leaves_it_in_the_run_folder(tmp_path):
    done = papermill(
        ROOT / "notebooks" / "01_record_session.ipynb", tmp_path / "OUT.ipynb", "-p", "out_dir", tmp_path / "run",
        *QUICK["01_record_session"], "-p", "fps", "20", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        "session", "play_sheet.png", "run.json", "verdict.json",
    }  # fmt: skip
    verdict = json.loads((tmp_path / "run" / "verdict.json").read_text())
    assert [f["check"] for f in verdict["findings"]] == ["planted.equal"]
    assert 19 < verdict["figures"]["rate_hz"] < 21
    assert verdict["figures"]["inputs"] > 300
    info = json.loads((tmp_path / "run" / "session" / "session.json").read_text())
    assert info["source"] == {"kind": "synthetic", "name": "live"}
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["notes"]["recording"]["reason"] == "max_seconds"
    assert str(tmp_path) not in json.dumps(run["notes"]), "places are named from the run"


def test_a_recording_with_the_panel_waits_for_the_person_and_says_what_to_press(tmp_path):
    done = papermill(
        ROOT / "notebooks" / "01_record_session.ipynb", tmp_path / "OUT.ipynb", "-p", "out_dir", tmp_path / "run",
        "-p", "live", "True", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "press Start, play, press Stop" in done.stderr
    assert not (tmp_path / "run" / "verdict.json").exists()
