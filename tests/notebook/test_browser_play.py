"""A browser game recorded from the notebook: its address, the first play, the download afterwards."""

import importlib.util
import io
import queue
import threading
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rushes.errors import BadInputError, StoppedError
from rushes.notebook import browser_play
from rushes.notebook.recording import judge, record, segments_table, settings_of
from rushes.notebook.run import Run

PARAMETERS = {
    "backend": "browser", "game": "Synthetic", "seconds": 5.0, "fps": 0.0, "window": "", "region": "", "codec": "h264",
    "layout": "capture28", "audio": "", "keys": "window", "live": False, "seed": 0, "out": "",
}  # fmt: skip
WAIT_S = 60


@pytest.fixture(scope="module")
def pages():
    """The page without a browser of tests/capture, which is no package."""
    path = Path(__file__).parents[1] / "capture" / "conftest.py"
    spec = importlib.util.spec_from_file_location("notebook_pages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def shown(monkeypatch):
    """What stands in the notebook, as it comes; no server is left."""
    seen = queue.Queue()
    monkeypatch.setattr(browser_play, "Spot", lambda: seen.put)
    yield seen
    while browser_play._SERVED:
        browser_play._SERVED.pop().close()


def new_run(folder, **given):
    folder.mkdir()
    return Run("01_record_session", folder, {**PARAMETERS, **given}, root=folder.parent)


def start(run, taken):
    """Run the cell on a thread of its own."""
    thread = threading.Thread(target=lambda: taken.put(record(run, settings_of(run), port=0)), daemon=True)
    thread.start()
    return thread


def test_the_notebook_shows_an_address_and_goes_on_with_the_first_play_which_the_page_can_download(
    tmp_path, shown, pages, monkeypatch
):
    taken = queue.Queue()
    start(new_run(tmp_path / "run"), taken)
    said = shown.get(timeout=WAIT_S)
    address = said.text.splitlines()[0]
    assert f'href="{address}"' in said.html
    pages.Page(address).join().close()  # looks in and leaves
    page = pages.Page(address).join()
    _, pixels = page.frames(4)
    page.send({"type": "end", "t": pages.now_ms() + 400, "reason": "died"})
    saved = page.until("saved")
    take = taken.get(timeout=WAIT_S)
    assert take.session.path == tmp_path / "run" / "session"
    assert take.session.info.game == "Planted", "the page's own name, where nobody gave another"
    assert np.array_equal(np.stack(list(take.session.frames(0, 4))), pixels)
    assert "died" in segments_table(take).html
    assert take.figures()["rate_hz"] == pytest.approx(10)
    assert judge(take) == []
    assert "4 frames" in shown.get(timeout=WAIT_S).text
    page.close()
    with urllib.request.urlopen(saved["download"], timeout=WAIT_S) as answer:
        body = answer.read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert sum(name.endswith(".png") for name in archive.namelist()) == 4
        assert any(name.endswith(".card.json") for name in archive.namelist())


def test_the_next_recording_takes_the_place_of_the_server_and_one_that_is_stopped_says_that_nobody_played(
    tmp_path, shown, pages
):
    first, second = new_run(tmp_path / "first"), new_run(tmp_path / "second")
    taken = queue.Queue()
    thread = start(first, taken)
    address = shown.get(timeout=WAIT_S).text.splitlines()[0]
    page = pages.Page(address).join()
    page.frames(2)
    page.close()
    taken.get(timeout=WAIT_S)
    thread.join(WAIT_S)
    shown.get(timeout=WAIT_S)
    again = int(address.split(":")[2].split("/")[0])
    ended = queue.Queue()

    def wait():
        try:
            record(second, settings_of(second), port=again)
        except StoppedError as error:
            ended.put(error)

    threading.Thread(target=wait, daemon=True).start()
    assert f":{again}/" in shown.get(timeout=WAIT_S).text, "the same port is free again"
    browser_play._SERVED[0].stop()  # as the notebook's stop button
    assert "nobody" in shown.get(timeout=WAIT_S).text.lower()
    assert "open the address and play" in str(ended.get(timeout=WAIT_S))
    assert not (tmp_path / "second" / "session").exists()


def test_a_port_that_is_none_is_refused(tmp_path, shown):
    run = new_run(tmp_path / "run")
    with pytest.raises(BadInputError, match="70000"):
        record(run, settings_of(run), port=70000)
    assert settings_of(run).fps == 10
    assert settings_of(new_run(tmp_path / "named", game="Mine", fps=5.0)).game == "Mine"
    assert shown.empty()
