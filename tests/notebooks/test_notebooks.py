"""Every notebook and recipe, executed by papermill as a user does, held to what it promises."""

import importlib.util
import io
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from rushes.errors import BadInputError, BadNameError, OccupiedError
from rushes.notebook.desktop_sample import make_session

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted([*(ROOT / "recipes").glob("*.ipynb"), *(ROOT / "notebooks").glob("*.ipynb")])
PAPERMILL = [sys.executable, "-m", "papermill"]
QUICK = {
    "browser_10hz": ["-p", "seconds", "20"],
    "check_library": ["-p", "workers", "1"],
    "atari_sample": ["-p", "games", "Pong,Breakout", "-p", "frames_per_env", "24", "-p", "policy", "persistent"],
    "desktop_to_nitrogen": ["-p", "img_size", "32"],
    "training_exports": ["-p", "formats", "hdf5,npz,torch,safetensors"],
    "jump_dataset": ["-p", "sessions", "9", "-p", "epochs", "7"],
    "06_train": ["-p", "size", "36"],
    "01_record_session": [
        "-p",
        "seconds",
        "2",
        "-p",
        "fps",
        "20",
        "-p",
        "most_late",
        "100",
        "-p",
        "most_dropped",
        "100",
    ],
}
"""Parameters with which a long notebook is short, and with which a busy machine is no fault of the recording."""


def papermill(*arguments, cwd):
    return subprocess.run(
        [*PAPERMILL, *map(str, arguments), "--no-progress-bar"], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request):
    return request.param


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run a notebook in its quick form, once for all tests of this file, and give the folder of OUT.ipynb and `run`."""

    @cache
    def run(stem):
        (path,) = [path for path in NOTEBOOKS if path.stem == stem]
        folder = tmp_path_factory.mktemp(stem)
        done = papermill(path, folder / "OUT.ipynb", "-p", "out_dir", folder / "run", *QUICK.get(stem, []), cwd=folder)
        assert done.returncode == 0, done.stderr[-3000:]
        return folder

    return run


def test_it_runs_headlessly_and_leaves_a_verdict_and_a_record_of_the_run(notebook, ran):
    folder = ran(notebook.stem)
    out = folder / "run"
    verdict = json.loads((out / "verdict.json").read_text())
    assert {"verdict", "reasons", "figures", "findings"} <= set(verdict)
    without = notebook.stem == "06_train" and importlib.util.find_spec("tensorflow") is None
    assert verdict["verdict"] == ("WARN" if without else "PASS"), verdict["reasons"]
    run = json.loads((out / "run.json").read_text())
    assert {"name", "parameters", "seed", "revision", "versions", "inputs", "outputs", "started", "ended"} <= set(run)
    assert run["name"] == notebook.stem
    assert run["ended"]
    executed = nbformat.read(folder / "OUT.ipynb", as_version=4)
    shown = [o for c in executed.cells if c.cell_type == "code" for o in c.outputs]
    assert any("image/png" in o.get("data", {}) or "text/html" in o.get("data", {}) for o in shown)
    assert not any("widget-view" in mime for o in shown for mime in o.get("data", {})), (
        "headless runs show static output"
    )


def began(notebook, given):
    """Do what papermill does up to where a run begins: the cell of parameters, what was given, the cell after it.

    That papermill shows such an error and ends with it stands in tests/notebook/test_execution.py.
    """
    declared, begins = [c.source for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"][:2]
    cells = ["", declared, f"# Parameters\n{given}\n", begins]
    namespace = {"__name__": "__main__", "In": cells}
    for source in cells:
        exec(source, namespace)


def as_cell(name, value, *more):
    """Write parameters as papermill writes them into a cell: `-p NAME VALUE` each after the first."""
    given = [(name, value), *zip(more[1::3], more[2::3], strict=True)]
    return "\n".join(f"{n} = {v if v.replace('.', '').isdecimal() else repr(v)}" for n, v in given)


def test_an_unknown_parameter_is_an_error_that_names_the_near_one(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadNameError, match="did you mean 'out_dir'"):
        began(notebook, 'out_dirr = "x"')
    assert list(tmp_path.iterdir()) == []


def test_a_parameter_of_the_wrong_type_is_an_error(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInputError, match=r"out_dir(.|\n)*str"):
        began(notebook, "out_dir = 3")
    assert list(tmp_path.iterdir()) == []


def test_its_first_cell_says_what_it_reads_writes_and_takes(notebook):
    first = nbformat.read(notebook, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "?" in first.source.splitlines()[0], "a question as the title"
    for word in ("Reads", "Writes", "Takes"):
        assert word in first.source


@pytest.fixture(scope="module")
def atari(ran):
    return ran("atari_sample") / "run"


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
    quick = QUICK["atari_sample"]
    with pytest.raises(OccupiedError):
        began(recipe, as_cell("out_dir", str(atari), *quick))
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
    with pytest.raises(OccupiedError):  # with other parameters it is another run
        began(recipe, as_cell("out_dir", str(unfinished), *quick, "-p", "workers", "1", "-p", "seed", "5"))
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
    done = papermill(ROOT / "notebooks" / "04_convert_formats.ipynb", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert nbformat.reads(done.stdout, as_version=4).cells
    runs = tmp_path / "outputs" / "04_convert_formats"
    newest = runs / (runs / "latest").read_text().strip()
    assert json.loads((newest / "verdict.json").read_text())["verdict"] == "PASS"
    assert (newest / "run.json").is_file()


def test_the_recording_notebook_proves_its_session_and_leaves_it_in_the_run_folder(ran):
    run_folder = ran("01_record_session") / "run"
    assert {p.name for p in run_folder.iterdir()} == {
        "session", "play_sheet.png", "run.json", "verdict.json",
    }  # fmt: skip
    verdict = json.loads((run_folder / "verdict.json").read_text())
    assert [f["check"] for f in verdict["findings"] if not f["sentence"].startswith("cannot tell")] == ["planted.equal"]
    assert 15 < verdict["figures"]["rate_hz"] < 21, "20, on a busy machine too"
    assert verdict["figures"]["inputs"] > 200
    info = json.loads((run_folder / "session" / "session.json").read_text())
    assert info["source"] == {"kind": "synthetic", "name": "live"}
    run = json.loads((run_folder / "run.json").read_text())
    assert run["notes"]["recording"]["reason"] == "max_seconds"
    assert str(run_folder.parent) not in json.dumps(run["notes"]), "places are named from the run"


def test_the_nitrogen_recipe_writes_three_forms_that_hold_what_the_session_says(tmp_path):
    make_session(tmp_path / "take", frames=(150, 60), size=(64, 144))
    done = papermill(
        ROOT / "recipes" / "desktop_to_nitrogen.ipynb", tmp_path / "OUT.ipynb", "-p", "out_dir", tmp_path / "run",
        "-p", "source", tmp_path / "take", "-p", "img_size", "48", "-p", "seq_len", "12", "-p", "layout", "capture25",
        "-p", "obs", "uint8", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert {p.name for p in (tmp_path / "run").iterdir() if "card" not in p.name} == {
        "nitrogen_capture", "nitrogen.pt", "nitrogen_dataset", "play_sheet.png", "run.json", "verdict.json",
    }  # fmt: skip
    verdict = json.loads((tmp_path / "run" / "verdict.json").read_text())
    assert verdict["verdict"] == "PASS", verdict["reasons"]
    said = [f["check"] for f in verdict["findings"] if not f["sentence"].startswith("cannot tell")]
    assert said == ["timing.time_source", "alignment.clock", "nitrogen.equal", "nitrogen.equal"]
    figures = verdict["figures"]
    windows = (150 - 12 + 1) + (60 - 12 + 1)
    assert (figures["rows"], figures["windows"], figures["pieces"]) == (210, windows, 2)
    assert figures["training_samples"] == (150 - 15) + (60 - 15)
    assert figures["comparisons_equal"] == figures["comparisons"] == 17
    events = pd.concat(pd.read_parquet(p) for p in sorted((tmp_path / "take").rglob("events.parquet")))
    pressed = events.loc[events["kind"] == "press", "control"]
    assert figures["presses"] == len(pressed) > 10
    assert figures["presses_kept_capture"] == len(pressed[~pressed.isin(["KeyM", "Tab"])])
    assert figures["presses_kept_pt"] == len(pressed[~pressed.isin(["KeyM", "Tab", "KeyT"])])
    assert figures["presses_kept_dataset"] == len(pressed[~pressed.isin(["KeyM", "KeyT", "KeyX"])])
    data = torch.load(tmp_path / "run" / "nitrogen.pt", weights_only=True, mmap=True)
    assert (tuple(data["obs"].shape), data["obs"].dtype) == ((windows, 3, 48, 48), torch.uint8)
    assert tuple(data["actions"].shape) == (windows, 12, 25)
    moves = events[events["kind"] == "move"]
    deltas = np.load(tmp_path / "run" / "nitrogen_capture" / "mouse_deltas.npy")
    assert deltas.sum(0).tolist() == [moves["dx"].sum(), moves["dy"].sum()]
    shown = nbformat.read(tmp_path / "OUT.ipynb", as_version=4)
    outputs = [o for c in shown.cells if c.cell_type == "code" for o in c.outputs]
    alts = [o["metadata"]["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {})]
    assert sum(alt.startswith((".pt file", "Pieces of the release", "Samples of the .pt file")) for alt in alts) == 3


def test_the_recipe_about_browser_games_leaves_a_set_that_its_guide_can_load(ran):
    run_folder = ran("browser_10hz") / "run"
    assert {p.name for p in run_folder.iterdir() if "card" not in p.name} == {
        "reacture", "gameplay.npz", "gameplay.mp4", "preview.mp4", "run.json", "verdict.json",
    }  # fmt: skip
    figures = json.loads((run_folder / "verdict.json").read_text())["figures"]
    (file,) = (run_folder / "reacture").glob("reacture_*_frames.npy")
    frames, times = np.load(file), np.load(str(file).replace("_frames", "_timestamps"))
    assert frames.shape == (figures["frames"], 128, 128, 3)
    assert (times.shape, times[0]) == ((figures["frames"],), 0.0)
    assert figures["frames"] + figures["dropped"] == 200, "ten a second for twenty seconds"
    assert figures["offset_low_ms"] <= figures["planted_offset_ms"] == 40.0 <= figures["offset_high_ms"]
    assert figures["comparisons_equal"] == figures["comparisons"] == 5


def test_the_notebook_about_samples_writes_the_table_that_it_shows(ran):
    run_folder = ran("03_augment_and_negatives") / "run"
    assert {p.name for p in run_folder.iterdir()} == {
        "samples.parquet", "sample_grid.png", "run.json", "verdict.json",
    }  # fmt: skip
    rows = pd.read_parquet(run_folder / "samples.parquet")
    figures = json.loads((run_folder / "verdict.json").read_text())["figures"]
    assert figures["rows"] == len(rows)
    assert figures["copies"] == (rows["parent"] != "").sum() > 0
    assert set(rows["kind"]) == {
        "positive", "uniform", "idle", "near_miss", "hard", "shifted", "swapped", "cross_session", "during_hold",
    }  # fmt: skip
    originals = rows[rows["parent"] == ""]
    assert ((originals["label"] == 0).sum() / (originals["label"] == 1).sum()) == pytest.approx(2.0, abs=0.1)
    assert set(rows.loc[rows["parent"] != "", "split"]) == {"train"}
    assert rows.groupby("session")["split"].nunique().tolist() == [1, 1, 1, 1]
    assert figures["press_seen"] == figures["positives"]
    assert figures["left_open"] == figures["unmatched_final_press"] == 4, "one a session is under way at the pause"
    shown = nbformat.read(run_folder.parent / "OUT.ipynb", as_version=4)
    outputs = [o for c in shown.cells if c.cell_type == "code" for o in c.outputs]
    alts = " ".join(o["metadata"]["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {}))
    for words in (
        "Rows: found",
        "How long controls were held",
        "each kind of negative",
        "look most alike",
        "by itself",
    ):
        assert words in alts


def test_the_recipe_of_training_files_leaves_files_that_other_libraries_read(ran):
    out = ran("training_exports") / "run"
    assert {p.name for p in out.iterdir() if "card" not in p.name} == {
        "dataset.h5", "dataset.npz", "dataset.pt", "dataset.safetensors", "run.json", "verdict.json",
    }  # fmt: skip
    figures = json.loads((out / "verdict.json").read_text())["figures"]
    assert (figures["files_equal"], figures["rows"], figures["rows_with_sound"]) == (4, 300, 210)
    with np.load(out / "dataset.npz", allow_pickle=False) as held:
        assert held["metadata"]["game"].tolist() == [b"Harbour", b"Ridge Run"]
        heard = held["audio"].max(1) > 0.2
        presses = held["inputs"][:, [json.loads(held["about"].item())["columns"].index("MouseLeft")]]
        assert heard[(np.diff(presses[:, 0], prepend=0) > 0) & held["audio_mask"]].all(), "each shot is heard"
        assert 0 < heard.sum() < 60


def test_the_jump_recipe_trains_a_net_that_meets_its_bars_on_unseen_play(ran):
    out = ran("jump_dataset") / "run"
    assert {p.name for p in out.iterdir()} == {"samples.parquet", "net.pt", "run.json", "verdict.json"}
    figures = json.loads((out / "verdict.json").read_text())["figures"]
    assert figures["f1"] >= 0.9
    assert figures["hold_error_median"] < 0.2
    assert figures["survival_share"] >= 0.8
    others = [figures[f"survival_{name}"] for name in ("random", "always_jumps", "never_jumps")]
    assert max(others) < 0.5 * figures["survival_net"]
    assert figures["survival_net_longest_holds"] < 0.6 * figures["survival_net"], "how long a key is held matters"
    rows = pd.read_parquet(out / "samples.parquet")
    assert len(rows) == figures["rows"]
    assert rows.groupby("session")["split"].nunique().max() == 1
    assert set(rows.loc[rows["parent"] != "", "split"]) == {"train"}
    assert torch.load(out / "net.pt", weights_only=True)["threshold"] == figures["threshold"]


def test_the_training_notebook_learns_each_planted_lesson_and_nothing_without_what_decides(ran):
    out = ran("06_train") / "run"
    assert {p.name for p in out.iterdir()} == {"cloning.pt", "run.json", "verdict.json"}
    figures = json.loads((out / "verdict.json").read_text())["figures"]
    for name in ("cloning", "remembering", "hearing"):
        assert figures[f"{name}_balanced"] > 0.95
        assert figures[f"{name}_luck"] < 0.6
        assert figures[f"{name}_rows"] > 400
    assert figures["remembering_control_balanced"] < 0.57
    assert figures["hearing_control_balanced"] < 0.57
    assert torch.load(out / "cloning.pt", weights_only=True)["keys"] == ["KeyA", "Space", "KeyD"]
    shown = nbformat.read(out.parent / "OUT.ipynb", as_version=4)
    outputs = [o for c in shown.cells if c.cell_type == "code" for o in c.outputs]
    alts = " ".join(o["metadata"]["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {}))
    for words in ("balanced accuracy", "unseen pictures", "one after the other", "Log-mel"):
        assert words in alts


def test_the_checking_notebook_finds_the_offset_that_it_planted_and_mends_it(ran):
    out = ran("02_alignment_qa") / "run"
    assert {p.name for p in out.iterdir()} == {"moment.mp4", "repaired_session", "run.json", "verdict.json"}
    verdict = json.loads((out / "verdict.json").read_text())
    figures = verdict["figures"]
    assert figures["planted_offset_ms"] == 250.0
    assert figures["offset_ms"] == pytest.approx(250.0, abs=33.4), "within a frame"
    assert figures["repaired_offset_ms"] == pytest.approx(0.0, abs=33.4)
    assert (figures["findings_error"], figures["findings_warning"]) == (0, 1), "the planted fault and nothing else"
    assert verdict["findings"][0]["sentence"].startswith("planted and found: alignment.offset")
    (fact,) = [json.loads(line) for line in (out / "repaired_session" / "facts.jsonl").read_text().splitlines()]
    assert (fact["kind"], fact["value"]["ms"]) == ("offset", pytest.approx(figures["offset_ms"], abs=0.01))
    shown = nbformat.read(out.parent / "OUT.ipynb", as_version=4)
    outputs = [o for c in shown.cells if c.cell_type == "code" for o in c.outputs]
    alts = " ".join(o["metadata"]["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {}))
    for words in ("limit timing.gap 250 ms", "limit timing.rate", "planted +250.0 ms", "Offset over time",
                  "frame that answers", "alignment.offset at frame"):  # fmt: skip
        assert words in alts


def test_the_recipe_about_a_library_finds_each_planted_fault_and_ends_with_what_needs_attention(ran):
    out = ran("check_library") / "run"
    figures = json.loads((out / "verdict.json").read_text())["figures"]
    assert (figures["sessions"], figures["sessions_pass"]) == (6, 1)
    assert figures["planted_found"] == figures["planted_faults"] == 5
    cells = [c for c in nbformat.read(out.parent / "OUT.ipynb", as_version=4).cells if c.cell_type == "code"]
    table = cells[-2].outputs[-1]["data"]["text/plain"].splitlines()
    assert table[0] == "5 of 6 sessions need attention"
    assert table[-1].split()[:2] == ["PASS", "nothing_wrong"]


@pytest.mark.require("tensorflow")
def test_the_keras_model_of_the_training_notebook_learns_by_ear(ran):
    figures = json.loads((ran("06_train") / "run" / "verdict.json").read_text())["figures"]
    assert figures["hearing_keras_balanced"] > 0.95
    assert figures["hearing_control_keras_balanced"] < 0.57


def test_a_recording_with_the_panel_waits_for_the_person_and_says_what_to_press(tmp_path):
    done = papermill(
        ROOT / "notebooks" / "01_record_session.ipynb", tmp_path / "OUT.ipynb", "-p", "out_dir", tmp_path / "run",
        "-p", "live", "True", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "press Start, play, press Stop" in done.stderr
    assert not (tmp_path / "run" / "verdict.json").exists()
