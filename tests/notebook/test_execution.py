"""Whole notebooks, executed by papermill as users do."""

import json
import re

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rushes.errors import RushesError
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
