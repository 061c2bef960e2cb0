"""Run folders: where they lie, what counts as occupied, what is resumed, and what run.json keeps."""

import hashlib
import json
import re
import subprocess
import sys
import textwrap

import pytest

from rushes.errors import BadDataError, BadInputError, BadNameError, BusyError, OccupiedError
from rushes.model.findings import Finding
from rushes.notebook.run import begin

CELL = 'frames: int = 100  # pictures\nseed: int = 4\nout_dir: str = ""'


@pytest.fixture
def start(ran):
    def run(name="tour", **values):
        injected = "# Parameters\n" + "\n".join(f"{k} = {v!r}" for k, v in values.items())
        return begin(name, ran(CELL, injected))

    return run


def record(run):
    return json.loads((run.folder / "run.json").read_text())


def break_off(run):
    """What a killed process leaves: the lock is gone with it, run.json has no end."""
    from rushes.notebook.workplace import release

    release(run.folder)


def test_without_out_dir_every_run_has_its_own_folder_and_latest_names_the_last_that_finished(project, start):
    first, second = start(), start()
    assert first.folder != second.folder
    for run in (first, second):
        assert run.folder.parent == project / "outputs" / "tour"
        assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}(-\d+)?", run.folder.name)
        assert not run.resumed
    latest = project / "outputs" / "tour" / "latest"
    assert not latest.exists()
    second.finish()
    assert latest.read_text().strip() == second.folder.name
    first.finish()
    assert latest.read_text().strip() == first.folder.name


def test_the_folder_is_found_from_a_notebook_that_lies_deeper(project, start, monkeypatch):
    (project / "notebooks").mkdir()
    monkeypatch.chdir(project / "notebooks")
    assert start().folder.parent == project / "outputs" / "tour"


def test_equal_parameters_have_equal_hashes(project, start):
    def tail(run):
        return run.folder.name.split("-")[1]

    assert tail(start()) == tail(start(frames=100)) != tail(start(frames=5))


def test_run_json_keeps_what_somebody_needs_to_do_it_again(project, start):
    (project / "in.txt").write_text("input")
    run = start(frames=7)
    run.input(project / "in.txt")
    run.note("emulator", {"version": "1"})
    found = record(run)
    assert found["name"] == "tour"
    assert found["parameters"] == {"frames": 7, "seed": 4, "out_dir": ""}
    assert found["seed"] == 4
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"rushes", "numpy", "pyarrow"} <= set(found["versions"])
    assert found["ended"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["started"])
    assert found["inputs"]["in.txt"] == {"sha256": hashlib.sha256(b"input").hexdigest(), "files": 1, "bytes": 5}
    assert found["notes"] == {"emulator": {"version": "1"}}


def test_outputs_stand_in_run_json_with_their_digests_when_it_ends(project, start):
    run = start()
    run.path("a.txt").write_text("one")
    folder = run.path("frames")
    folder.mkdir()
    (folder / "0.png").write_bytes(b"12345")
    (run.folder / "extra.csv").write_text("announced by nobody")
    (run.scratch("trial")).write_text("gone afterwards")
    run.finish()
    found = record(run)
    assert found["outputs"]["a.txt"]["sha256"] == hashlib.sha256(b"one").hexdigest()
    assert (found["outputs"]["frames"]["files"], found["outputs"]["frames"]["bytes"]) == (1, 5)
    assert set(found["outputs"]) == {"a.txt", "frames", "extra.csv"}
    assert found["ended"] >= found["started"]
    assert sorted(p.name for p in run.folder.iterdir()) == ["a.txt", "extra.csv", "frames", "run.json", "verdict.json"]


def test_an_output_that_was_announced_and_is_not_there_is_an_error(project, start):
    run = start()
    run.path("film.mp4")
    with pytest.raises(BadDataError, match=r"film\.mp4"):
        run.finish()
    assert record(run)["ended"] is None


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "", "."])
def test_outputs_stay_inside_the_folder(project, start, name):
    with pytest.raises(BadInputError):
        start().path(name)


def test_the_verdict_has_the_keys_that_programs_read(project, start):
    findings = [
        Finding("replay.exact", "info", "all came back", value=float("nan")),
        Finding("sample.failed", "warning", "Pong could not be sampled", session="pong", limit=3.0),
    ]
    made = start().finish(
        findings, figures={"rate_hz": 15.0, "offset_ms": None, "drift_ppm": float("inf"), "frames": 7}
    )
    (path,) = (project / "outputs" / "tour").glob("*/verdict.json")
    found = json.loads(path.read_text())
    assert found["verdict"] == made.verdict == "WARN"
    assert found["reasons"] == ["sample.failed: Pong could not be sampled"]
    assert found["figures"] == {"rate_hz": 15.0, "offset_ms": None, "drift_ppm": None, "frames": 7}
    assert found["findings"][1] == {
        "check": "sample.failed",
        "severity": "warning",
        "sentence": "Pong could not be sampled",
        "session": "pong",
        "stream": "",
        "frame_index": None,
        "t_ns": None,
        "t_end_ns": None,
        "value": None,
        "limit": 3.0,
    }
    assert found["findings"][0]["value"] is None
    assert "Pong could not be sampled" in made._repr_html_()


def test_the_verdict_shows_its_proof_its_figures_and_the_files_beside_it(project, start):
    run = start()
    run.path("film.mp4").write_bytes(bytes(2_340_000))
    (run.folder / "film.mp4.card.json").write_text("{}")
    proof = [Finding("replay.exact", "info", f"game {k}: all came back") for k in range(10)]
    proof += [Finding(f"content.{name}", "info", "cannot tell: no reference") for name in ("mirrored", "levels")]
    proof += [Finding(f"a.{k}", "info", f"cannot tell: {k} is missing") for k in range(5)]
    shown = re.sub("<[^>]+>", " ", run.finish(proof, figures={"duration_s": 25.86667})._repr_html_())
    said = " ".join(shown.split())
    assert "game 7: all came back. 2 more remarks in verdict.json." in said
    assert "content.mirrored, content.levels: cannot tell: no reference. a.0: cannot tell: 0 is missing." in said
    assert "a.3, a.4: cannot tell either; verdict.json says why." in said
    assert "duration_s 25.9" in said
    assert "film.mp4 2.34" in said
    assert "card" not in said


def test_out_dir_may_be_new_or_empty_or_hold_the_report_that_is_being_written(tmp_path, project, start):
    assert start(out_dir=str(tmp_path / "a" / "b")).folder == tmp_path / "a" / "b"
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / ".hidden").write_text("x")
    (folder / "executed.ipynb").write_text('{"metadata": {"papermill": {}}, "cells": []}')
    run = start(out_dir=str(folder))
    assert not run.resumed
    run.finish()
    assert set(record(run)["outputs"]) == set()


@pytest.mark.parametrize("content", ["a.txt", "mine.ipynb", "folder/", "report.html", "report.ipynb"])
def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path, project, start, content):
    folder = tmp_path / "mine"
    folder.mkdir()
    if content.endswith("/"):
        (folder / content).mkdir()
    else:
        (folder / content).write_text("{}")
    with pytest.raises(OccupiedError, match=content.rstrip("/")):
        start(out_dir=str(folder))
    assert [p.name for p in folder.iterdir()] == [content.rstrip("/")]


def test_a_file_is_no_folder(tmp_path, project, start):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OccupiedError, match="is a file"):
        start(out_dir=str(tmp_path / "file"))


def test_a_finished_run_is_never_written_into_again(tmp_path, project, start):
    start(out_dir=str(tmp_path / "a")).finish()
    with pytest.raises(OccupiedError, match="finished run"):
        start(out_dir=str(tmp_path / "a"))


def test_an_unfinished_run_of_the_same_parameters_is_resumed(tmp_path, project, start):
    first = start(out_dir=str(tmp_path / "a"))
    (first.path("sessions")).mkdir()
    (first.folder / "sessions" / "whole").write_text("kept")
    first.path("half.parquet").write_text("half")
    (first.folder / "half.parquet.card.json").write_text("{}")
    break_off(first)
    run = start(out_dir=str(tmp_path / "a"))
    assert run.resumed
    assert (run.path("sessions", keep=True) / "whole").read_text() == "kept"
    assert not run.path("half.parquet").exists()
    assert not (run.folder / "half.parquet.card.json").exists()
    run.path("half.parquet").write_text("whole")
    run.path("half.parquet")  # asked for again in the same run: nothing is removed
    run.finish()
    assert (run.folder / "half.parquet").read_text() == "whole"


@pytest.mark.parametrize("other", [{"name": "another"}, {"frames": 5}])
def test_an_unfinished_run_of_other_parameters_is_refused(tmp_path, project, start, other):
    first = start(out_dir=str(tmp_path / "a"))
    first.path("a.txt")
    break_off(first)
    with pytest.raises(OccupiedError, match="unfinished run with"):
        start(**{"out_dir": str(tmp_path / "a"), **other})


def test_an_unfinished_run_that_wrote_nothing_makes_way_for_other_parameters(tmp_path, project, start):
    break_off(start(out_dir=str(tmp_path / "a")))
    run = start(out_dir=str(tmp_path / "a"), frames=5)
    assert not run.resumed
    assert record(run)["parameters"]["frames"] == 5


BEGUN = """
    import sys
    from rushes.notebook.run import begin
    space = {"frames": 100, "out_dir": sys.argv[1], "__annotations__": {"frames": int, "out_dir": str}}
    run = begin("tour", space)
"""


@pytest.mark.parametrize("written", [False, True])
def test_a_process_that_ends_before_it_wrote_anything_takes_its_folder_with_it(tmp_path, project, written):
    code = textwrap.dedent(BEGUN) + ("run.path('a.txt')" if written else "")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=True)
    left = sorted(p.name for p in (tmp_path / "a").iterdir()) if (tmp_path / "a").exists() else []
    assert left == (["run.json"] if written else [])
    assert (tmp_path / "a").exists() == written


def test_a_cell_that_is_run_again_resumes_its_own_run(tmp_path, project, start):
    start(out_dir=str(tmp_path / "a"))
    assert start(out_dir=str(tmp_path / "a")).resumed


def test_two_processes_never_run_in_one_folder(tmp_path, project, start):
    code = """
        import sys
        from rushes.notebook.run import begin
        space = {"frames": 100, "seed": 4, "out_dir": sys.argv[1],
                 "__annotations__": {"frames": int, "seed": int, "out_dir": str}}
        run = begin("tour", space)
        sys.stdout.write("begun\\n"); sys.stdout.flush()
        sys.stdin.readline()
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "a")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "begun\n"
    with pytest.raises(BusyError):
        start(out_dir=str(tmp_path / "a"))
    other.kill()
    other.communicate()
    assert start(out_dir=str(tmp_path / "a")).resumed


def test_bad_parameters_make_no_folder(project, start, ran):
    with pytest.raises(BadNameError):
        start(fraems=5)
    with pytest.raises(BadInputError, match="out_dir"):
        begin("tour", ran("frames: int = 3"))
    assert list((project / "outputs").iterdir()) == []


def test_a_commit_is_named_and_a_change_since_shows(project, start):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True
        )

    assert start().show().text.count("not under version control") == 1
    git("init")
    (project / "a.txt").write_text("1")
    (project / ".gitignore").write_text("outputs")
    git("add", ".")
    git("commit", "-m", "x")
    commit = record(start())["revision"]
    assert re.fullmatch(r"[0-9a-f]{40}", commit)
    (project / "a.txt").write_text("2")
    assert record(start())["revision"] == commit + "-dirty"


def test_what_is_shown_names_folders_from_the_project(project, start):
    run = start()
    assert str(project) not in run._repr_html_()
    assert f"outputs/tour/{run.folder.name}" in run._repr_html_()
    assert str(project) not in run.finish()._repr_html_()
