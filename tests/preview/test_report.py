"""Reports: real papermill, a page that opens offline, and failures that can be read."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rushes.errors import BadDataError, BadInputError, BadNameError, MissingError, RushesError
from rushes.preview.report import execute, to_html

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def notebook(path, *cells, parameters='frames: int = 3  # how many\nout_dir: str = ""'):
    book = new_notebook(cells=[new_markdown_cell("# How *many* frames?"), new_code_cell(parameters), *cells])
    book.cells[1].metadata["tags"] = ["parameters"]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path


def test_a_notebook_is_executed_into_its_folder_with_its_parameters(tmp_path):
    source = notebook(
        tmp_path / "tour.ipynb",
        new_code_cell("import pathlib\npathlib.Path(out_dir, 'made.txt').write_text(str(frames))"),
        new_code_cell("""pathlib.Path(out_dir, 'verdict.json').write_text('{"verdict": "WARN"}')"""),
    )
    before = source.read_bytes()
    report = execute(source, tmp_path / "new" / "run", {"frames": 7})
    assert (tmp_path / "new" / "run" / "made.txt").read_text() == "7"
    assert report.verdict == "WARN"
    assert report.notebook.name == "report.ipynb"
    page = report.page.read_text()
    assert "<title>How many frames?</title>" in page
    assert source.read_bytes() == before


def test_a_failing_cell_leaves_a_report_that_shows_it(tmp_path):
    source = notebook(
        tmp_path / "tour.ipynb",
        new_code_cell("'so far so good'"),
        new_code_cell("raise ValueError('the disk is <full>')"),
        new_code_cell("'never'"),
    )
    with pytest.raises(
        RushesError, match=r"tour\.ipynb, cell \d: the disk is <full>; accepted.*report so far"
    ) as raised:
        execute(source, tmp_path / "run")
    assert "report.html" in str(raised.value)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "so far so good" in page
    assert "the disk is &lt;full&gt;" in page
    assert (tmp_path / "run" / "report.ipynb").is_file()


def test_unknown_and_mistyped_parameters_are_refused_before_anything_is_made(tmp_path):
    source = notebook(tmp_path / "tour.ipynb")
    with pytest.raises(BadNameError, match="did you mean 'frames'"):
        execute(source, tmp_path / "run", {"frame": 1})
    with pytest.raises(BadInputError, match="frames="):
        execute(source, tmp_path / "run", {"frames": "many"})
    assert not (tmp_path / "run").exists()


def test_what_is_no_notebook_is_refused(tmp_path):
    with pytest.raises(MissingError):
        execute(tmp_path / "none.ipynb", tmp_path / "run")
    (tmp_path / "a.ipynb").write_text("{}")
    with pytest.raises(BadDataError):
        to_html(tmp_path / "a.ipynb", tmp_path / "a.html")


@pytest.fixture
def busy_page(tmp_path):
    """A notebook whose outputs would load all kinds of things."""
    foreign = (
        '<script src="https://cdn.example/require.js"></script><link rel="stylesheet" href="//cdn.example/a.css">'
        '<img src="http://cdn.example/tracker.png"><iframe src="https://cdn.example/"></iframe>'
        '<script>window.ran = true; fetch("https://cdn.example/data")</script>'
        '<style>p { background: url(https://cdn.example/b.png) }</style><p id="kept">kept</p>'
    )
    cell = new_code_cell("make_it()")
    cell.outputs = [
        new_output("display_data", {"text/html": foreign, "text/plain": "x"}),
        new_output("display_data", {"image/png": PIXEL}, metadata={"image/png": {"width": 40}}),
        new_output("display_data", {"application/javascript": "window.ran = true", "text/plain": "js"}),
        new_output("stream", name="stderr", text="12%|#### | 3/25"),
        new_output("stream", name="stdout", text="printed"),
    ]
    text = new_markdown_cell("Text with $x^2$, a [link](https://example.org) and ![away](https://cdn.example/away.png)")
    path = notebook(tmp_path / "busy.ipynb", text, cell)
    return to_html(path, tmp_path / "busy.html")


VERDICT = '<div class="verdict">PASS</div>'


def shown(html):
    return new_output("display_data", {"text/html": html, "text/plain": ""})


def test_the_verdict_stands_below_the_title_and_only_there(tmp_path):
    last = new_code_cell("run.finish()", outputs=[shown(VERDICT)])
    path = notebook(tmp_path / "a.ipynb", new_markdown_cell("## Work"), new_markdown_cell("## Verdict"), last)
    page = to_html(path, tmp_path / "a.html").read_text()
    assert page.count(VERDICT) == 1
    assert page.index("</h1>") < page.index(VERDICT) < page.index("Work")
    assert "run.finish" in re.sub("<[^>]*>", "", page)
    assert ">Verdict" not in page


def test_neighbouring_code_folds_into_one_line_and_keeps_its_outputs(tmp_path):
    cells = [new_code_cell(f"step_{k}()", outputs=[shown(f"<p>out {k}</p>")]) for k in range(3)]
    path = notebook(tmp_path / "a.ipynb", new_markdown_cell("## Work"), *cells)
    page = to_html(path, tmp_path / "a.html").read_text()
    assert re.findall("<summary>(.*?)</summary>", page) == ["parameters and code", "code"]
    assert all(f"step_{k}" in page and f"out {k}" in page for k in range(3))


def test_nothing_stands_after_an_error(tmp_path):
    failed = new_code_cell("bad()", outputs=[new_output("error", ename="E", evalue="broken", traceback=["here"])])
    after = [new_markdown_cell("## Never reached"), new_code_cell("never()")]
    path = notebook(tmp_path / "a.ipynb", new_markdown_cell("## Work"), failed, *after)
    page = to_html(path, tmp_path / "a.html").read_text()
    assert "broken" in page
    assert "ever reached" not in page
    assert "never" not in page


def test_code_is_folded_away_and_outputs_are_not(busy_page):
    page = busy_page.read_text()
    assert "<script" not in page
    folded = "".join(re.findall(r"<details>.*?</details>", page, re.DOTALL))
    assert "make_it" in folded
    assert "3/25" in folded
    assert "printed" not in folded
    assert 'href="https://example.org"' in page


def test_the_page_opens_offline_and_asks_the_network_for_nothing(busy_page, chromium):
    from playwright.sync_api import sync_playwright

    asked = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1100, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.goto(busy_page.as_uri())
        page.wait_for_timeout(300)
        found = page.evaluate("""() => ({
            ran: window.ran === true,
            kept: document.querySelector('#kept').textContent,
            picture: Array.from(document.images).map(i => i.complete && i.naturalWidth),
            heading: document.querySelector('h1').textContent.trim(),
            wide: document.documentElement.scrollWidth,
            code: Array.from(document.querySelectorAll('.highlight')).filter(e => e.checkVisibility()).length,
        })""")
        browser.close()
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert found == {
        "ran": False,
        "kept": "kept",
        "picture": [1],
        "heading": "How many frames?",
        "wide": 1100,
        "code": 0,
    }
