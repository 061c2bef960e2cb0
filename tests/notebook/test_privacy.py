"""What is sent to a colleague does not say where it lay: no byte of a report names the folders above it."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from rushes.errors import RushesError
from rushes.preview.places import Places
from rushes.preview.report import execute

SECRET = "secret-hömé"
SPELT = [SECRET.encode(), rb"secret-h\u00f6m\u00e9", b"secret-h%C3%B6m%C3%A9", b"secret-h"]
SENT = ("report.ipynb", "report.html", "run.json", "verdict.json")
PARAMETERS = 'frames: int = 3\nsource: str = ""\nout_dir: str = ""'
BEGIN = 'from rushes.notebook.run import begin\nrun = begin("tour", globals())\nrun'
WORK = """
import json, pathlib, sys, rushes.errors
from IPython.display import HTML
from rushes.model.findings import Finding
print(out_dir, pathlib.Path.cwd(), pathlib.Path.home(), json.dumps(out_dir), file=sys.stderr)
run.path("n.txt").write_text(out_dir)
run.input(source)
run.note("where", {source: [source]})
assert pathlib.Path(out_dir).is_absolute() and pathlib.Path(source).is_file()
HTML(f'<a href="{(pathlib.Path(out_dir) / "n.txt").as_uri()}">{out_dir}</a>')
"""
FAIL = """
sys.path.insert(0, str(pathlib.Path.cwd()))
import broken
broken.fail(out_dir)
"""
END = """
found = [Finding("x", "warning", f"{source} is odd", session=source)]
run.finish(found, figures={"where": out_dir, "frames": frames})
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project in somebody's home folder, as the current one."""
    home = tmp_path / SECRET
    project = home / "project"
    (project / "outputs").mkdir(parents=True)
    (project / "broken.py").write_text("def fail(path):\n    raise ValueError(f'{path}/a.mp4 and {__file__}')\n")
    (home / "elsewhere.txt").write_text("input")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(project)
    return project


def write(place, *cells):
    parameters = new_code_cell(PARAMETERS)
    parameters.metadata["tags"] = ["parameters"]
    book = new_notebook(cells=[parameters, *map(new_code_cell, cells)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, place / "tour.ipynb")
    return place / "tour.ipynb"


def told(folder):
    return [
        (name, spelt) for name in SENT if (folder / name).exists() for spelt in SPELT
        if spelt in (folder / name).read_bytes()
    ]  # fmt: skip


@pytest.mark.parametrize("out", ["project/outputs/tour/mine", "runs/mine"])
def test_a_report_names_its_places_from_the_project(place, out):
    folder = place.parent / out
    execute(write(place, BEGIN, WORK, END), folder, {"source": str(place.parent / "elsewhere.txt")})
    assert all((folder / name).stat().st_size for name in SENT)
    assert told(folder) == []
    shown = "outputs/tour/mine" if out.startswith("project") else "mine"
    record = json.loads((folder / "run.json").read_text())
    assert record["parameters"] == {"frames": 3, "source": "~/elsewhere.txt", "out_dir": shown}
    assert list(record["inputs"]) == ["~/elsewhere.txt"]
    book = nbformat.read(folder / "report.ipynb", as_version=4)
    nbformat.validate(book)
    made = book.metadata["papermill"]
    assert made["parameters"]["out_dir"] == shown
    assert (made["input_path"], made["output_path"]) == ("tour.ipynb", f"{shown}/report.ipynb")
    (injected,) = (c for c in book.cells if "injected-parameters" in c.metadata.get("tags", []))
    assert f'out_dir = "{shown}"' in injected.source
    assert shown in (folder / "report.html").read_text()
    assert json.loads((folder / "verdict.json").read_text())["reasons"] == ["x: ~/elsewhere.txt is odd"]
    assert (folder / "n.txt").read_text() == str(folder)


def test_a_failing_report_names_its_places_so_too_and_its_run_is_gone_on_with(place):
    folder = place.parent / "runs" / "mine"
    given = {"source": str(place.parent / "elsewhere.txt")}
    with pytest.raises(RushesError, match=r"a\.mp4"):
        execute(write(place, BEGIN, WORK, FAIL, END), folder, given)
    assert told(folder) == []
    page = (folder / "report.html").read_text()
    assert "mine/a.mp4 and ./broken.py" in page
    assert json.loads((folder / "run.json").read_text())["ended"] is None
    execute(write(place, BEGIN, WORK, END), folder, given)
    record = json.loads((folder / "run.json").read_text())
    assert record["resumed_from"] is not None
    assert record["ended"] is not None
    assert told(folder) == []


def test_another_source_is_another_run_still(place):
    folder = place / "mine"
    with pytest.raises(RushesError):
        execute(write(place, BEGIN, WORK, FAIL), folder, {"source": str(place.parent / "elsewhere.txt")})
    with pytest.raises(RushesError, match="unfinished run with source="):
        execute(write(place, BEGIN, WORK, END), folder, {"source": str(place / "broken.py")})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("\x1b[32m/home/ann/p/a.py\x1b[39m:3", "\x1b[32m./a.py\x1b[39m:3"),
        ("'said\\n/home/ann/x'", "'said\\n~/x'"),
        ("it lies in /home/ann/p.", "it lies in .."),
        ("file:///home/ann/p/out/b.png", "file://out/b.png"),
        ("/mnt/home/ann/x /home/annabel /home/ann.old /home/ann-2", None),
        ("<img src='data:image/png;base64,AAA/home/ann/BBB='>", None),
        ("nothing of the kind", None),
    ],
)
def test_only_whole_paths_are_named_anew_and_no_embedded_file_is_touched(text, named):
    ann = Path("/home/ann")
    places = Places(ann / "p" / "out", root=ann / "p", home=ann)
    assert places.text(text) == (text if named is None else named)
    assert places.value({"image/png": "/home/ann/x", "text/plain": ["/home/ann/x", 3, None]}) == {
        "image/png": "/home/ann/x",
        "text/plain": ["~/x", 3, None],
    }
