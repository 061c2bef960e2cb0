"""Parts of the player alone in a real browser: the store of pictures, whatever their size, and the colours it has."""

import pytest

from rushes.widgets.esm import FOLDER, read_module

pytestmark = pytest.mark.require("browser")

PLAYED = """async ([width, height]) => {
  let alive = 0;
  window.createImageBitmap = async () => {
    alive += 1;
    await new Promise((done) => setTimeout(done, 2));
    return { width, height, close: () => (alive -= 1) };
  };
  const found = { shown: 0, decoded: 0, most_bytes: 0 };
  const files = (numbers) => numbers.map(() => new Uint8Array(9));
  const types = (numbers) => numbers.map(() => "jpeg");
  const send = ({ numbers }) => setTimeout(() => reel.take({ numbers, types: types(numbers) }, files(numbers)), 2);
  const about = { width, height, frames: 100, rate_hz: 30 };
  const arrived = () => (found.decoded += 1);
  const reel = makeReel({ send, source: 0, about, tickets: makeTickets(), arrived });
  for (let frame = 0; frame < 40; frame += 1) {
    for (let k = 0; k < 100 && !reel.get(frame); k += 1) {
      reel.aim(frame, { ahead: 12 });
      await new Promise((done) => setTimeout(done, 3));
    }
    if (!reel.get(frame)) break;
    reel.pin(reel.get(frame));
    found.shown += 1;
    found.most_bytes = Math.max(found.most_bytes, alive * width * height * 4);
  }
  return found;
}"""


COLOURS = """async () => {
  const root = document.createElement("div");
  const seen = [];
  const { colours, read, dispose } = makeColours(root, () => seen.push(colours.ink));
  read();
  const first = colours.ink;
  await new Promise((done) => setTimeout(done, 250));
  document.body.append(root);
  root.style.setProperty("--rushes-ink", "#123456");
  while (seen.at(-1) !== "#123456") await new Promise((done) => setTimeout(done, 20));
  dispose();
  return [first, colours.ink];
}"""


@pytest.fixture(scope="module")
def page(chromium):
    from playwright.sync_api import sync_playwright

    text = "\n".join(read_module(name, (FOLDER / name).read_text()).body for name in ("parts.js", "reel.js"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.add_script_tag(content=text)
        yield page
        browser.close()


@pytest.mark.parametrize("size", [(160, 120), (1920, 1080), (3840, 2160), (7680, 4320)])
def test_pictures_of_any_size_are_shown_and_decoded_about_once(page, size):
    found = page.evaluate(PLAYED, list(size))
    assert found["shown"] == 40
    assert found["decoded"] < 2 * 40
    picture = size[0] * size[1] * 4
    assert found["most_bytes"] <= max(96e6, 7 * picture) + 2 * picture, "memory stays flat"


def test_a_view_that_is_made_before_it_stands_in_the_page_gets_its_colours_when_it_does(page):
    assert page.evaluate(COLOURS) == ["#888888", "#123456"]
