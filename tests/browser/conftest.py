"""A real JupyterLab in a real browser, for the tests of widgets."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

sys.path.insert(0, str(Path(__file__).parent))
from waiting import until

TOKEN = "only-for-this-test"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
START_S = 60


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory, chromium):
    """The maker of Labs: code cells -> (page, folder, faults of the page), all cells run."""

    @contextmanager
    def lab(cells, *, keep):
        yield from _lab(tmp_path_factory.mktemp("lab"), chromium, cells, keep)

    return lab


def _lab(folder, chromium, cells, keep):
    """Serve an empty folder with one notebook, open it in Chromium, and run it."""
    from playwright.sync_api import sync_playwright

    book = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / "tour.ipynb")
    quiet = folder / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    places = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    env = {
        **os.environ, **{f"JUPYTER_{name}": str(folder / place) for name, place in places.items()},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }  # fmt: skip
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1", "--port=0",
             f"--IdentityProvider.token={TOKEN}"],
            cwd=folder, env=env, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        url = until(lambda: _address(folder / "runtime", server), START_S)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            faults = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.set_default_timeout(START_S * 1000)
            with _explained(page, folder, keep):
                page.goto(f"{url}lab/tree/tour.ipynb?reset&token={TOKEN}")
                page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
                until(lambda: _has_kernel(page, url), START_S)
                until(lambda: _run_all(page), START_S)
                yield page, folder, faults
            browser.close()
    finally:
        with suppress(OSError):
            urllib.request.urlopen(  # the kernel and its recorder end with the server
                urllib.request.Request(
                    f"{url}api/shutdown", method="POST", headers={"Authorization": f"token {TOKEN}"}
                ),
                timeout=5,
            )
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _has_kernel(page, url):
    """Whether the page itself is connected to a kernel that the server calls idle.

    A page shows an idle kernel before it has any. Cells that are run then make Lab ask which kernel is meant, in a
    dialog over everything.
    """
    request = urllib.request.Request(f"{url}api/kernels", headers={"Authorization": f"token {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            states = [kernel["execution_state"] for kernel in json.load(answer)]
    except urllib.error.HTTPError:  # the server cannot describe a kernel that is being started
        return False
    named = page.locator(".jp-NotebookPanel-toolbar .jp-KernelName").first
    shown = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    return states == ["idle"] and "Python 3" in named.inner_text() and shown.count() == 1


def _run_all(page):
    """Run all cells, once; say whether the first has run."""
    if asked := _dialogs(page):
        assert len(asked) == 1, asked
        assert "Select Kernel" in asked[0], f"Lab asks: {asked[0]}"
        page.click(".jp-Dialog .jp-mod-accept")  # the notebook's own is chosen already; the cells run then
    else:
        page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
    prompt, idle = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").first, 0
    while idle < 50 and not _dialogs(page):
        if (shown := prompt.inner_text().strip()) not in {"[ ]:", "[*]:"}:
            return True
        idle += shown == "[ ]:"
        page.wait_for_timeout(100)
    return False


def _dialogs(page):
    """Read what the dialogs say that stand over the page."""
    return page.locator(".jp-Dialog").all_inner_texts()


@contextmanager
def _explained(page, folder, keep):
    """Where it fails, say what the page shows and what the server said last."""
    try:
        yield
    except Exception as error:
        shown = [page.locator(what).all_inner_texts() for what in (".jp-KernelName", ".jp-Notebook .jp-Cell")]
        keep_picture(page, f"{keep}_failed")
        log = (folder / "lab.log").read_text()[-2000:]
        msg = f"{error}\ndialogs: {_dialogs(page)}\nkernel and cells: {shown}\nthe server said: {log}"
        raise AssertionError(msg) from error


def _address(runtime, server):
    assert server.poll() is None, "the server ended"
    for path in runtime.glob("jpserver-*.json"):
        with suppress(ValueError):
            return json.loads(path.read_text())["url"]
    return None


def keep_picture(page, name):
    """Keep a picture of the page where RUSHES_SCREENSHOTS names a folder, for a person to look at."""
    if folder := os.environ.get("RUSHES_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")
