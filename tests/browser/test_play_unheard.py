"""The play panel's page alone in a real browser, before a kernel that it sees and that does not hear it."""

import pytest

from rushes.widgets.esm import join
from rushes.widgets.play_look import look_of

pytestmark = pytest.mark.require("browser")

BEGIN = """async ([text, look]) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const { default: view } = await import(url);
  const listeners = {};
  window.said = [];
  window.tell = (message) => listeners["msg:custom"](message, []);
  const model = {
    get: (name) => ({ look, about: { games: [] } })[name],
    on: (name, listener) => { listeners[name] = listener; },
    off() {},
    send: (message) => window.said.push(message.do),
  };
  view.render({ model, el: document.body });
  setInterval(() => window.tell({ is: "sync", s: 0 }), 250);
}"""


@pytest.fixture
def page(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.clock.install()
        yield page
        browser.close()


def test_a_page_that_is_not_heard_asks_again_and_says_so_until_it_is(page):
    look = look_of(
        "paused", env_id="ALE/Breakout-v5", status={}, result={}, error=None, note="", policy="", who="human"
    )
    page.evaluate(BEGIN, [join("play.js"), look])
    page.clock.run_for(3000)
    assert page.inner_text(".rushes-state") == "connecting", "what comes by itself says nothing of what is heard"
    assert page.evaluate("said.filter(one => one === 'hello').length") >= 3
    assert page.locator(".rushes-press:has-text('Go on'):not([disabled])").count() == 0
    page.clock.run_for(6000)
    assert page.inner_text(".rushes-state") == "lost"
    assert "run this cell again" in page.inner_text(".rushes-said")
    page.evaluate("tell({ is: 'met' })")
    page.clock.run_for(3000)
    assert page.inner_text(".rushes-state") == "paused"
    asked = page.evaluate("said.filter(one => one === 'hello').length")
    page.clock.run_for(3000)
    assert page.evaluate("said.filter(one => one === 'hello').length") == asked, "once heard it asks no more"
