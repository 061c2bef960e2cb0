"""Whole notebooks, executed by papermill as users do."""

import json
import re
import subprocess
import sys

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rushes.errors import BusyError, OccupiedError, RushesError
from rushes.preview.report import execute

BEGIN = 'from rushes.notebook.run import begin\nrun = begin("tour", globals())\nrun'
WORK = """
bar = run.bar("counting")
for k in range(frames + 1):
    bar(k, frames, "numbers")
run.path("n.txt").write_text(str(frames))
"""
END = 'run.finish(figures={"frames": frames}, next_notebook="next.ipynb")'


@pytest.fixture
def tour(project):
    """A notebook as the house writes them."""
    parameters = new_code_cell('frames: int = 3  # how many\nrandomness: float = 0.5\nout_dir: str = ""')
    parameters.metadata["tags"] = ["parameters"]
    book = new_notebook(cells=[new_markdown_cell("# How many?"), parameters, *map(new_code_cell, (BEGIN, WORK, END))])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, project / "tour.ipynb")
    return project / "tour.ipynb"


def test_a_report_has_its_verdict_its_provenance_and_only_the_last_state_of_the_bar(tour, project):
    report = execute(tour, project / "outputs" / "tour" / "mine", {"frames": 40, "randomness": 1})
    assert report.verdict == "PASS"
    page = report.page.read_text()
    assert page.count("counting: 40 of 40") == 1
    assert not re.search(r"counting: \d of 40", page)
    assert "randomness=1.0" in page
    assert "Next: <b>next.ipynb</b>" in page
    assert set(json.loads((report.folder / "run.json").read_text())["outputs"]) == {"n.txt"}
    assert (project / "outputs" / "tour" / "latest").read_text() == "mine\n"


def test_papermill_itself_gets_the_error_that_names_the_near_parameter(tour, project):
    with pytest.raises(papermill.PapermillExecutionError, match="did you mean 'frames'"):
        papermill.execute_notebook(str(tour), str(project / "out.ipynb"), {"fraems": 4}, progress_bar=False)
    assert list((project / "outputs").iterdir()) == []


def test_the_notebook_being_executed_may_lie_in_its_own_folder(tour, project):
    folder = project / "mine"
    folder.mkdir()
    papermill.execute_notebook(str(tour), str(folder / "x.ipynb"), {"out_dir": str(folder)}, progress_bar=False)
    assert sorted(p.name for p in folder.iterdir()) == ["n.txt", "run.json", "verdict.json", "x.ipynb"]


def test_a_run_that_broke_off_is_resumed_by_executing_it_again(tour, project):
    text = tour.read_text()
    tour.write_text(text.replace("bar = run.bar", "raise KeyboardInterrupt; bar = run.bar"))
    with pytest.raises(RushesError):
        execute(tour, project / "mine")
    tour.write_text(text)
    execute(tour, project / "mine")
    found = json.loads((project / "mine" / "run.json").read_text())
    assert found["resumed_from"] is not None
    assert found["ended"] is not None


def everything(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def rushes_run(*arguments, cwd):
    command = [sys.executable, "-m", "rushes", "run", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_finished_run_keeps_its_report_when_it_is_asked_for_again(tour, project):
    folder = project / "mine"
    execute(tour, folder)
    before = everything(folder)
    assert b"counting: 3 of 3" in before["report.html"]
    with pytest.raises(OccupiedError, match="finished run of tour"):
        execute(tour, folder)
    again = rushes_run(tour, "--out", folder, cwd=project)
    assert again.returncode == 1
    assert "finished run" in again.stderr
    assert everything(folder) == before


def test_a_report_of_somebody_else_is_left_alone(tour, project):
    folder = project / "theirs"
    folder.mkdir()
    (folder / "report.html").write_text("<p>theirs</p>")
    before = everything(folder)
    with pytest.raises(OccupiedError, match=r"report\.html"):
        execute(tour, folder)
    assert rushes_run(tour, "--out", folder, cwd=project).returncode == 1
    assert everything(folder) == before


def test_an_unfinished_run_of_other_parameters_keeps_its_report(tour, project):
    text = tour.read_text()
    tour.write_text(text.replace("run.path(", "run.path('begun.txt'); raise KeyboardInterrupt; run.path("))
    with pytest.raises(RushesError):
        execute(tour, project / "mine")
    before = everything(project / "mine")
    tour.write_text(text)
    with pytest.raises(OccupiedError, match="unfinished run with frames=3"):
        execute(tour, project / "mine", {"frames": 4})
    assert everything(project / "mine") == before
    assert ".run.lock" not in before


def test_a_folder_in_which_a_run_is_going_on_is_refused_before_anything_is_written(tour, project, ran):
    from rushes.notebook.run import begin

    run = begin("tour", ran(f'frames: int = 3\nrandomness: float = 0.5\nout_dir: str = "{project / "mine"}"'))
    before = everything(run.folder)
    with pytest.raises(BusyError, match="a run is going on"):
        execute(tour, run.folder)
    assert everything(run.folder) == before
    run.finish()


def test_a_run_that_failed_before_it_wrote_anything_is_not_latest_and_can_be_corrected_in_place(tour, project):
    tour.write_text(tour.read_text().replace("bar = run.bar", "assert frames, 'no frames'; bar = run.bar"))
    folder = project / "outputs" / "tour" / "mine"
    with pytest.raises(RushesError, match="no frames"):
        execute(tour, folder, {"frames": 0})
    assert not (folder.parent / "latest").exists()
    assert sorted(p.name for p in folder.iterdir()) == ["report.html", "report.ipynb", "run.json"]
    execute(tour, folder, {"frames": 2})
    assert json.loads((folder / "run.json").read_text())["parameters"]["frames"] == 2
    assert (folder.parent / "latest").read_text() == "mine\n"
