"""A JupyterLab with one notebook in a Chromium without a window, all of its cells run, for what is measured there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page, sync_playwright

TOKEN = "only-for-this-benchmark"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--enable-precise-memory-info"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
START_S = 90.0
WINDOW = {"width": 1280, "height": 1000}


def until(found: Callable[[], Any], seconds: float = START_S) -> Any:
    """Wait for what `found` gives."""
    end = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > end:
            raise TimeoutError(found)
        time.sleep(0.1)
    return value


@contextmanager
def lab_page(cells: Sequence[str], ready: str) -> Iterator[tuple[Page, int]]:
    """Open a notebook and run it.

    Args:
        cells: Its code.
        ready: Selector of what stands on the page then.

    Yields:
        The page, and the process id of the kernel.
    """
    folder = Path(tempfile.mkdtemp(prefix="rushes-lab-"))
    book = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, folder / "measured.ipynb")
    quiet = folder / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    env = {
        **os.environ, **{f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }  # fmt: skip
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1", "--port=0"]
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, f"--IdentityProvider.token={TOKEN}"], cwd=folder, env=env, stdout=log, stderr=log
        )
    try:
        url = until(lambda: _address(folder / "runtime"))
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport=WINDOW)
            page.set_default_timeout(START_S * 1000)
            page.goto(f"{url}lab/tree/measured.ipynb?reset&token={TOKEN}")
            page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
            until(lambda: _states(url) == ["idle"])
            page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")
            until(lambda: _run(page, ready))
            yield page, _kernel(server.pid)
            browser.close()
    finally:
        with suppress(OSError):
            urllib.request.urlopen(_request(f"{url}api/shutdown", "POST"), timeout=5)
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _request(url: str, method: str = "GET") -> urllib.request.Request:
    return urllib.request.Request(url, method=method, headers={"Authorization": f"token {TOKEN}"})


def _states(url: str) -> list[str]:
    with suppress(OSError), urllib.request.urlopen(_request(f"{url}api/kernels"), timeout=30) as answer:
        return [kernel["execution_state"] for kernel in json.load(answer)]
    return []


def _address(runtime: Path) -> str:
    for path in runtime.glob("jpserver-*.json"):
        with suppress(ValueError):
            return str(json.loads(path.read_text())["url"])
    return ""


def _run(page: Page, ready: str) -> bool:
    """Run all cells, and choose the kernel where Lab asks for it."""
    if page.locator(".jp-Dialog").count():
        page.click(".jp-Dialog .jp-mod-accept")
    else:
        page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
    for _ in range(300):
        if page.locator(ready).count():
            return True
        if page.locator(".jp-Dialog").count():
            return False
        page.wait_for_timeout(100)
    return False


def _kernel(server: int) -> int:
    """Find the kernel among the children of the server."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == server and b"ipykernel" in (path / "cmdline").read_bytes():
                return int(path.name)
    return 0
