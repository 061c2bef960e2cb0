"""How capture.js reads a canvas, alone in a real browser: every way it can go gives the average by area."""

import base64
import sys
from pathlib import Path

import numpy as np
import pytest

from rushes.capture import browser as capture
from rushes.notebook.browser_10hz.demo import FLAGS

sys.path.insert(0, str(Path(__file__).parent))

from rescue_probe import by_area

pytestmark = pytest.mark.require("browser")

PARTS = Path(capture.__file__).parent / "page" / "capture.js"

READ = """async ([width, height, alpha, where, video]) => {
  const text = (bytes) => { // many numbers one by one take seconds to leave the page
    let all = "";
    for (let at = 0; at < bytes.length; at += 8192) all += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(all);
  };
  const Frame = window.VideoFrame, Thread = window.Worker;
  const drawing = WebGL2RenderingContext.prototype, getExtension = drawing.getExtension;
  if (!video) delete window.VideoFrame;
  if (where === "card") drawing.getExtension = () => null; // the name of what draws stays hidden
  if (where !== "worker") window.Worker = class { constructor() { throw new Error("not here"); } };
  try {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const view = canvas.getContext("2d", { alpha });
    const image = view.createImageData(width, height);
    for (let at = 0, noise = 1; at < image.data.length; at += 1) {
      noise = (Math.imul(noise, 1103515245) + 12345) & 0x7fffffff;
      image.data[at] = alpha || at % 4 < 3 ? noise >> 16 : 255;
    }
    view.putImageData(image, 0, 0);
    const pictures = new Away(96, 64);
    await pictures.begin();
    const take = (source) => new Promise((got) => pictures.take(source, (rgb, ms) => got([rgb && text(rgb), ms])));
    const nothing = Object.assign(document.createElement("canvas"), { width: 0, height: 0 });
    const [first, none, again] = await Promise.all([take(canvas), take(nothing), take(canvas)]);
    const pixels = text(view.getImageData(0, 0, width, height).data);
    return { pixels, first, none, again, here: pictures.here && pictures.here.by.constructor.name };
  } finally {
    Object.assign(window, { VideoFrame: Frame, Worker: Thread });
    drawing.getExtension = getExtension;
  }
}"""

BREAK = """async ([fault, video]) => {
  const Frame = window.VideoFrame, drawing = WebGL2RenderingContext.prototype, getExtension = drawing.getExtension;
  drawing.getExtension = () => null;
  const reader = new Reader(8, 8);
  drawing.getExtension = getExtension;
  const first = reader.by.constructor.name;
  const canvas = Object.assign(document.createElement("canvas"), { width: fault === "large" ? 20000 : 40, height: 24 });
  const view = canvas.getContext("2d");
  view.fillStyle = "#204060";
  view.fillRect(0, 0, canvas.width, canvas.height);
  if (!video) delete window.VideoFrame;
  const picture = fault === "strange" ? { width: 8, height: 8, close() {} } : await copy(canvas);
  window.VideoFrame = Frame;
  let closed = 0;
  const close = picture.close.bind(picture);
  picture.close = () => { closed += 1; close(); };
  if (fault === "lost") reader.by.gl.getExtension("WEBGL_lose_context").loseContext();
  const rgb = await reader.read(picture).then(Array.from, () => null);
  return [first, reader.by.constructor.name, rgb, closed];
}"""


def numbers(text):
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(float)


@pytest.fixture(scope="module", params=[FLAGS, ["--no-sandbox", "--disable-gpu"]], ids=["webgl_draws", "nothing_draws"])
def page(request, chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(request.param))
        page = browser.new_page()
        parts = [path.read_text() for path in sorted(PARTS.iterdir()) if path.name[0] in "2345"]
        page.add_script_tag(content="\n".join(parts))
        yield page
        browser.close()


@pytest.mark.parametrize("video", [True, False], ids=["frame_of_video", "bitmap"])
@pytest.mark.parametrize("where", ["worker", "processor", "card"])
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
@pytest.mark.parametrize(("width", "height"), [(640, 360), (50, 201), (96, 64)])
def test_every_way_gives_the_average_by_area_and_black_where_it_is_clear(page, width, height, alpha, where, video):
    found = page.evaluate(READ, [width, height, alpha, where, video])
    assert found["here"] == {"worker": None, "processor": "Processor", "card": "Card"}[where]
    whole = numbers(found["pixels"]).reshape(height, width, 4)
    seen = whole[..., :3] * whole[..., 3:] / 255 if alpha else whole[..., :3]
    for rgb, own_ms in (found["first"], found["again"]):
        apart = np.abs(numbers(rgb).reshape(64, 96, 3) - by_area(seen, 64, 96)).max()
        assert apart <= (1.0 if alpha else 0.501), "a canvas with alpha is stored rounded, once more"
        assert own_ms == 0 or where != "worker", "a worker's time is not the page's"
    assert found["none"] == [None, 0], "what cannot be read is told, and holds nothing up"


@pytest.mark.parametrize("video", [True, False], ids=["frame_of_video", "bitmap"])
@pytest.mark.parametrize("fault", ["lost", "large", "strange"])
def test_where_the_card_fails_the_processor_reads_the_same_picture_and_every_picture_is_closed(page, fault, video):
    first, then, rgb, closed = page.evaluate(BREAK, [fault, video])
    assert (first, then, closed) == ("Card", "Processor", 1)
    assert rgb == (None if fault == "strange" else [0x20, 0x40, 0x60] * 64)


AWAY = """() => {
  const sent = [];
  play.socket = { readyState: WebSocket.OPEN, send: (text) => sent.push(JSON.parse(text)) };
  play.out = [6000, 4000].map((ago) => ({ t: performance.now() - ago, waits: true, head: { dropped: 3 } }));
  flush(false);
  return [sent, play.out.length];
}"""


def test_a_picture_that_does_not_come_back_holds_nothing_up_and_is_counted_with_what_was_dropped_before_it(page):
    sent, waiting = page.evaluate(AWAY)
    assert [(one["type"], one["stream"], one["count"]) for one in sent] == [("lost", "frames", 4)]
    assert waiting == 1
