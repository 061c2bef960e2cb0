"""A JupyterLab with one notebook in a Chromium without a window, all of its cells run, for what is measured there.

The browser is a process of its own that a driver joins and may leave (`LabPage.left_alone`). While one is joined, the
page keeps each answer of the network for its developer's tools. Lab fetches its icon again each time the kernel begins
or ends something, so that a page that is driven grows by half a MB a second that no person's page grows by.
"""

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
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

TOKEN = "only-for-this-benchmark"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--enable-precise-memory-info"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
START_S = 90.0
WINDOW = (1280, 1143)
"""Of the browser; the page has 143 px less of its height."""


def until(found: Callable[[], Any], seconds: float = START_S) -> Any:
    """Wait for what `found` gives."""
    end = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > end:
            raise TimeoutError(found)
        time.sleep(0.1)
    return value


class LabPage:
    """A page with a notebook that has run.

    Attributes:
        page: As a driver has it; another object after `left_alone`.
        kernel: The process id of the kernel.
    """

    def __init__(self, play: Playwright, profile: Path) -> None:
        port = until(lambda: (profile / "DevToolsActivePort").exists() and _first_line(profile / "DevToolsActivePort"))
        self._play, self._address = play, f"http://127.0.0.1:{port}"
        self.kernel = 0
        self._join()

    def _join(self) -> None:
        self._browser: Browser = self._play.chromium.connect_over_cdp(self._address)
        self.page: Page = self._browser.contexts[0].pages[0]
        self.page.set_default_timeout(START_S * 1000)

    @contextmanager
    def left_alone(self) -> Iterator[int]:
        """Go on without a driver, as for a person; give the id of the process that holds the page."""
        told = self._browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        holders = [one["id"] for one in told if one["type"] == "renderer"]
        self._browser.close()
        yield max(holders, key=resident)
        self._join()


@contextmanager
def lab_page(cells: Sequence[str], ready: str) -> Iterator[LabPage]:
    """Open a notebook and run it.

    Args:
        cells: Its code.
        ready: Selector of what stands on the page then.

    Yields:
        The page, and what runs behind it.
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
        with _chromium(folder / "profile"), sync_playwright() as play:
            lab = LabPage(play, folder / "profile")
            page = lab.page
            page.goto(f"{url}lab/tree/measured.ipynb?reset&token={TOKEN}")
            page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
            until(lambda: _states(url) == ["idle"])
            page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")
            until(lambda: _run(page, ready))
            lab.kernel = _kernel(server.pid)
            yield lab
    finally:
        with suppress(OSError):
            urllib.request.urlopen(_request(f"{url}api/shutdown", "POST"), timeout=5)
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def resident(process: int) -> float:
    """Give the MB that a process has in memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 / 1e6


@contextmanager
def _chromium(profile: Path) -> Iterator[None]:
    """Run a browser with a profile of its own."""
    profile.mkdir()
    size = ",".join(map(str, WINDOW))
    places = ["--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}", f"--window-size={size}"]
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("chromium")
    browser = subprocess.Popen([program, *places, *FLAGS, "about:blank"], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(20)


def _first_line(path: Path) -> str:
    return path.read_text().split()[0]


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
