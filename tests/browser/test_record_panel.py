"""The recorder's panel and the choice of a region in a real JupyterLab, in a real browser, with a real recorder."""

import io
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rushes.capture.live_synthetic import planted_event
from rushes.store.reader import open_session
from rushes.worlds.synthetic import read_counter

sys.path.insert(0, str(Path(__file__).parent))
from waiting import until

pytestmark = pytest.mark.require("browser")

PANEL = (
    "from rushes.capture.settings import Settings\n"
    "from rushes.widgets.record_panel import record_panel\n"
    "panel = record_panel(Settings(backend='synthetic', game='Synthetic', out='take', seed=5))\n"
    "panel"
)
PICKER = (
    "import json, pathlib\n"
    "import numpy as np\n"
    "from rushes.widgets.region_picker import RegionPicker\n"
    "ramp = np.linspace(40, 220, 1600, dtype=np.uint8)\n"
    "shot = np.broadcast_to(ramp[None, :, None], (900, 1600, 3)).copy()\n"
    "shot[300:500, 600:1000] = (60, 140, 90)\n"
    "picker = RegionPicker(shot, screen=(-100, 50, 1500, 950))\n"
    "picker.observe(lambda change: pathlib.Path('region.json').write_text(json.dumps(change.new)), 'region')\n"
    "picker"
)


@pytest.fixture(scope="module")
def lab(open_lab):
    """A JupyterLab with both widgets, opened in Chromium, all of its cells run."""
    with open_lab([PANEL, PICKER], keep="record_panel") as (page, folder, faults):
        page.wait_for_selector(".rushes-record-panel .rushes-state:text-is('ready')")
        page.wait_for_selector(".rushes-pick-stage img")
        yield page, folder, faults


def test_start_pause_and_stop_record_what_was_planted(lab):
    page, folder, faults = lab

    def state(name):
        page.wait_for_selector(f".rushes-record-panel .rushes-state:text-is('{name}')")

    def press(name):
        page.click(f".rushes-record-panel button:has-text('{name}'):not([disabled])")

    def shown():
        pixels = page.locator(".rushes-picture").screenshot()
        return np.asarray(Image.open(io.BytesIO(pixels)).convert("RGB")).astype(int)

    def frames():
        text = page.locator(".rushes-record-panel table").inner_text()
        said = re.search(r"frames\s+([\d,]+)", text)
        return int(said[1].replace(",", "")) if said else 0

    def boxes():
        return page.evaluate(BOXES)  # all at one moment: the table is made anew five times a second

    before = boxes()
    assert sorted(part[0] for part in before) == ["BUTTON", "BUTTON", "BUTTON", "DIV", "TABLE"]
    press("Start")
    state("recording")
    until(lambda: frames() > 10)
    first = shown()
    page.wait_for_timeout(1200)
    until(lambda: np.abs(shown() - first).max() > 60)  # the picture moves
    assert first.std() > 20, "and is no grey placeholder"
    _keep(page, "recording")
    assert boxes() == before, "nothing jumps"
    press("Pause")
    state("paused")
    press("Go on")
    state("recording")
    before_pause = frames()
    until(lambda: frames() > before_pause + 10)
    press("Stop")
    state("ended")
    said = page.locator(".rushes-record-panel").inner_text()
    assert "ended by stop" in said
    assert "take" in said
    assert boxes() == before
    _keep(page, "ended")
    session = open_session(folder / "take")
    assert [s.end_reason for s in session.segments] == ["pause", "stop"]
    ticks = session.index()["tick"].tolist()
    assert [read_counter(picture) for picture in session.frames(0, session.frame_count)] == ticks
    assert f"{session.frame_count:,} frames, ended by" in said
    moves = session.events(0)
    first_move = moves[moves["kind"] == "move"].iloc[:30]
    planted = [planted_event(5, k) for k in range(4000)]
    pairs = [(e.dx, e.dy) for e in planted if e.kind == "move"]
    stored = list(zip(first_move["dx"], first_move["dy"], strict=True))
    assert any(pairs[k : k + 30] == stored for k in range(len(pairs))), "the inputs are those of the seed"
    assert faults == []


BOXES = """() => {
  const parts = document.querySelectorAll(
    ".rushes-record-panel .rushes-picture, .rushes-record-panel button, .rushes-record-panel table");
  return Array.from(parts, part => {
    const box = part.getBoundingClientRect();
    return [part.tagName, box.x, box.y, box.width, box.height];
  });
}"""


def test_a_region_is_dragged_on_the_screenshot_and_its_numbers_are_said_and_known_to_the_kernel(lab):
    page, folder, faults = lab
    image = page.locator(".rushes-pick-stage img")
    image.scroll_into_view_if_needed()
    shown = image.bounding_box()
    scale = shown["width"] / 1600
    assert abs(shown["height"] - 900 * scale) < 2, "the whole screenshot, undistorted"

    def at(x, y):
        return shown["x"] + (x + 0.5) * scale, shown["y"] + (y + 0.5) * scale

    page.mouse.move(*at(1000, 500))
    page.mouse.down()
    page.mouse.move(*at(700, 400), steps=3)
    label = page.locator(".rushes-pick-label")
    assert "x" in label.inner_text(), "the numbers stand there while the button is down"
    page.mouse.move(*at(600, 300), steps=3)
    page.mouse.up()
    region = until(lambda: _json(folder / "region.json"))
    expected = (600 - 100, 300 + 50, 1001 - 100, 501 + 50)  # pixels are inside, right and bottom one further
    assert np.abs(np.array(region) - expected).max() <= 1 / scale + 1, "as exact as the screen's pixels"
    text = page.locator(".rushes-pick-lines").inner_text()
    assert "--region " + " ".join(map(str, region)) in text
    assert 'region = "' + ",".join(map(str, region)) + '"' in text
    _keep(page, "picked")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    left, top, right, bottom = region
    wanted = [left + 1, top, right + 1, bottom + 1]
    assert until(lambda: (now := _json(folder / "region.json")) == wanted and now) == wanted
    page.mouse.move(*at(50, 50))
    page.mouse.down()
    page.mouse.move(*at(53, 53))
    page.mouse.up()
    until(lambda: "too small" in page.locator(".rushes-pick-lines").inner_text())
    assert until(lambda: (folder / "region.json").read_text() == "null")
    assert faults == []


def _json(path):
    with suppress(OSError, ValueError):
        return json.loads(path.read_text())
    return None


def _keep(page, name):
    """Keep a picture of the page where RUSHES_SCREENSHOTS names a folder, for a person to look at."""
    if folder := os.environ.get("RUSHES_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"record_panel_{name}.png")
