"""Sliders that redraw in a real JupyterLab, in a real browser."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.require("browser")

SLIDERS = (
    "import time\n"
    "import numpy as np\n"
    "from rushes.errors import BadInputError\n"
    "from rushes.preview.html import note, picture\n"
    "from rushes.widgets.sample_sliders import Knob, sample_sliders\n"
    "def draw(values, say):\n"
    "    for step in range(3):\n"
    "        say(step, 3, 'painting')\n"
    "        time.sleep(0.1)\n"
    "    if values['grey'] > 200:\n"
    "        raise BadInputError('grey=%d' % values['grey'], accepts='up to 200', fix='take less')\n"
    "    grey = np.full((120, 480, 3), values['grey'], np.uint8)\n"
    "    low, high = values['range']\n"
    "    return [picture(grey, alt='grey'), note('between %.2f and %.2f' % (low, high))]\n"
    "grey = Knob('grey', 'grey level, of 255', 100, 0, 255, 5)\n"
    "brightness = Knob('range', 'brightness, factor', (0.7, 1.3), 0.2, 2.0, 0.05)\n"
    "sample_sliders([grey, brightness], draw)"
)


@pytest.fixture(scope="module")
def lab(open_lab):
    with open_lab([SLIDERS], keep="sample_sliders") as (page, folder, faults):
        yield page, folder, faults


def test_a_slider_that_is_moved_draws_anew_an_error_is_said_and_closing_ends_it(lab):
    page, _, faults = lab

    def state(name):
        page.wait_for_selector(f".rushes-sliders .rushes-state:text-is('{name}')")

    def level():
        image = page.locator(".rushes-sliders img").first
        image.evaluate("image => image.decode()")
        return int(np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("L"))[20, 20])

    state("ready")
    assert level() == 100
    assert "between 0.70 and 1.30" in page.locator(".rushes-sliders").inner_text()
    _keep(page, "ready")
    handle = page.locator(".rushes-sliders .noUi-handle").first
    handle.focus()
    for _ in range(4):
        handle.press("ArrowRight")
    state("ready")
    page.wait_for_function("() => !document.querySelector('.rushes-sliders').innerText.includes('moment')")
    page.wait_for_timeout(1500)
    state("ready")
    assert level() == 120
    handle.press("End")
    state("failed")
    said = page.locator(".rushes-sliders").inner_text()
    assert "grey=255" in said
    assert "take less" in said
    assert "Traceback" not in page.locator(".jp-Notebook").inner_text()
    assert level() == 120, "what was drawn before stays"
    _keep(page, "failed")
    page.click(".rushes-sliders button:has-text('Close')")
    state("closed")
    assert page.locator(".rushes-sliders button:not([disabled])").count() == 0
    assert faults == []


def _keep(page, name):
    if folder := os.environ.get("RUSHES_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"sample_sliders_{name}.png")
