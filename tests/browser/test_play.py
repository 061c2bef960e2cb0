"""Playing by hand in a real JupyterLab: real keys in a real browser, a real game, and the session that it leaves."""

import base64
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from rushes.store.reader import open_session
from rushes.worlds.synthetic import read_counter

sys.path.insert(0, str(Path(__file__).parent))
from waiting import until

pytestmark = pytest.mark.require("browser")

PLAY = (
    "from rushes.widgets.play import play\npanel = play('Breakout', out='by_hand', seed=3, policy='persistent')\npanel"
)
WIDE = "from rushes.widgets.play import play\npanel = play('wide:Wide-v0', out='by_hand')\npanel"
SOURCE = (Path(__file__).parent / "wide.py").read_text()
PANEL = "document.querySelector('.rushes-play').parentElement.rushes"
PIXELS = f"""() => {{
  const seen = {PANEL}.pixels();
  let text = "";
  for (let k = 0; k < seen.data.length; k += 4) text += String.fromCharCode(...seen.data.slice(k, k + 3));
  return [{PANEL}.message().number, seen.width, seen.height, btoa(text)];
}}"""
PAD = """() => {
  const pad = { id: "a pad", mapping: "standard", connected: true, timestamp: 0, axes: [-1, 0, 0, 0],
    buttons: Array.from({ length: 17 }, () => ({ value: 0, pressed: false })) };
  navigator.getGamepads = () => [pad];
}"""
RESTART = """async () => {
  const base = document.getElementById("jupyter-config-data");
  const token = JSON.parse(base.textContent).token;
  const ask = (path, method) => fetch(`/api/kernels${path}`, { method, headers: { Authorization: `token ${token}` } });
  const kernels = await (await ask("", "GET")).json();
  await ask(`/${kernels[0].id}/restart`, "POST");
}"""
BOXES = """() => Array.from(document.querySelectorAll(
  ".rushes-play .rushes-play-room, .rushes-play .rushes-press, .rushes-play .rushes-said, .rushes-play .rushes-tile"),
  part => { const box = part.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })"""


@pytest.fixture(scope="module")
def lab(open_lab):
    """A JupyterLab with the panel, its cell run."""
    with open_lab([PLAY], keep="play") as (page, folder, faults):
        page.wait_for_selector(".rushes-play .rushes-state:text-is('off')")
        yield page, folder, faults


def test_what_is_played_with_real_keys_is_a_session_and_a_page_that_reloads_finds_it_paused(lab):
    page, folder, faults = lab

    def state(name):
        page.wait_for_selector(f".rushes-play .rushes-state:text-is('{name}')")

    def press(name):
        page.click(f".rushes-play .rushes-press:has-text('{name}'):not([disabled])")

    def figure(name):
        return page.evaluate(f"() => {PANEL}.figures.{name}")

    _keep(page, "off")
    page.click(".rushes-play .rushes-who-choice :text-is('You')")
    press("Start")
    state("playing")
    before = page.evaluate(BOXES)
    for key in ("Space", "ArrowRight", "ArrowLeft"):
        page.keyboard.down(key)
        shown = figure("shown")
        until(lambda shown=shown: figure("shown") > shown + 20)
        assert page.locator(".rushes-chip[data-on=true]").count() == 1, "the key that is held is lit"
        page.keyboard.up(key)
    assert page.evaluate(BOXES) == before, "nothing jumps while it is played"
    _keep(page, "playing")
    page.keyboard.down("ArrowRight")
    page.click(".jp-NotebookPanel-toolbar", position={"x": 400, "y": 8})  # the focus leaves with a key held
    state("paused")
    page.keyboard.up("ArrowRight")
    page.wait_for_timeout(500)
    _keep(page, "paused")
    number, width, height, text = page.evaluate(PIXELS)
    seen = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 3)

    page.keyboard.press("Control+s")
    until(
        lambda: (
            "by_hand" in (folder / "tour.ipynb").read_text() and "widget-view" in (folder / "tour.ipynb").read_text()
        )
    )
    page.reload()
    state("paused")
    until(lambda: figure("shown") >= 1)  # more than once where a slow kernel was asked again
    assert page.evaluate(PIXELS)[0] == number, "the picture that stood there stands there again"
    page.focus(".rushes-play-room")
    page.keyboard.down("ArrowLeft")  # held when the pause ends
    press("Go on")
    state("playing")
    until(lambda: figure("shown") > 20)
    page.keyboard.up("ArrowLeft")
    page.evaluate(PAD)
    until(lambda: figure("shown") > 60)
    assert page.locator(".rushes-chip[data-pad=true][data-on=true]").count() == 1
    page.evaluate("() => { navigator.getGamepads = () => []; }")
    page.keyboard.press("Escape")
    page.wait_for_selector(".rushes-play-veil:has-text('Esc again')")
    page.keyboard.press("Escape")
    state("ended")
    _keep(page, "ended")
    assert "by_hand" in page.locator(".rushes-play .rushes-said").inner_text()
    assert faults == []

    session = open_session(folder / "by_hand")
    assert [s.end_reason for s in session.segments] == ["pause", "stop"]
    assert np.array_equal(next(iter(session.frames(number, number + 1))), seen), "what was shown is what is stored"
    events = session.events()
    edges = events[events["kind"].isin(["press", "release"])]
    assert [tuple(edge) for edge in edges[["control", "kind"]].to_numpy()] == [
        *((key, kind) for key in ("Space", "ArrowRight", "ArrowLeft", "ArrowRight") for kind in ("press", "release")),
        ("ArrowLeft", "release"),
    ]
    assert events["control"][events["kind"] == "state"].tolist() == ["ArrowLeft"]
    assert session.steps(1)["action_name"].iloc[0] == "ALE/LEFT", "what is held when a pause ends counts from there on"
    sticks = events[events["kind"] == "axis"]
    assert sticks[["device", "control", "value"]].to_numpy().tolist()[0] == ["pad0", "J_LEFT_X", -1.0]
    steps = session.steps()
    assert set(steps["action_name"]) == {"ALE/NOOP", "ALE/FIRE", "ALE/RIGHT", "ALE/LEFT"}
    assert steps["is_human"].all()


def test_a_policy_plays_with_sound_until_a_key_takes_over_and_gives_back(lab):
    page, folder, faults = lab

    def sound(name):
        return page.evaluate(f"() => {PANEL}.sound.{name}")

    def human_plays(yes):
        page.wait_for_selector(f".rushes-play .rushes-who-now[data-human='{yes}']")

    page.click(".rushes-play .rushes-who-choice :text-is('Both')")
    before = sound("pieces")
    page.click(".rushes-play .rushes-press:has-text('New session'):not([disabled])")
    page.wait_for_selector(".rushes-play .rushes-state:text-is('playing')")
    human_plays("false")
    page.keyboard.down("ArrowLeft")
    human_plays("true")
    _keep(page, "both")
    page.keyboard.up("ArrowLeft")
    human_plays("false")
    until(lambda: sound("pieces") > before + 30)
    assert 0 <= sound("queue_ms") <= 120, "what is heard is at most so far behind what is seen"
    page.click(".rushes-play .rushes-press:has-text('Stop')")
    page.wait_for_selector(".rushes-play .rushes-state:text-is('ended')")
    assert faults == []
    session = open_session(folder / "by_hand_2")
    steps, events = session.steps(), session.events()
    human = steps["is_human"].to_numpy()
    assert not human[0]
    assert not human[-1]
    assert np.count_nonzero(np.diff(human.astype(int))) == 2, "taken over once, given back once"
    press, release = (int(events["t_ns"][events["kind"] == kind].iloc[0]) for kind in ("press", "release"))
    t_ns = steps["t_ns"].to_numpy()[human]
    assert t_ns[0] > press - 40_000_000
    assert t_ns[-1] > release + 900_000_000, "given back a second after the last touch"
    assert set(steps["action_name"][human]) <= {"ALE/LEFT", "ALE/NOOP"}
    assert session.info.stream("sound") is not None


def test_a_lost_page_pauses_the_play_and_a_kernel_that_restarts_leaves_a_whole_session(lab):
    page, folder, _ = lab
    address, chunks = page.url, folder / "by_hand_3" / "chunks"
    page.click(".rushes-play .rushes-who-choice :text-is('You')")
    page.click(".rushes-play .rushes-press:has-text('New session'):not([disabled])")
    page.wait_for_selector(".rushes-play .rushes-state:text-is('playing')")
    page.keyboard.down("ArrowRight")
    until(lambda: page.evaluate(f"() => {PANEL}.figures.shown") > 30)
    page.goto("about:blank")  # with a key held, and nobody says anything any more
    page.wait_for_timeout(3000)
    page.goto(address)
    page.wait_for_selector(".rushes-play .rushes-state:text-is('paused'), .rushes-play .rushes-state:text-is('lost')")
    if page.inner_text(".rushes-play .rushes-state") == "lost":  # a Lab that joined its kernel twice has a dead widget
        page.reload()
        page.wait_for_selector(".rushes-play .rushes-state:text-is('paused')")
    page.click(".rushes-play .rushes-press:has-text('Go on'):not([disabled])")
    page.wait_for_selector(".rushes-play .rushes-state:text-is('playing')")
    page.wait_for_timeout(1000)
    page.evaluate(RESTART)

    def sealed():
        return list(chunks.glob("*/chunk.json")) and [s.end_reason for s in open_session(chunks.parent).segments]

    assert until(lambda: (now := sealed()) and len(now) == 2 and now) == ["pause", "front_gone"]
    page.wait_for_selector(".rushes-play .rushes-said[data-tone=bad]:has-text('run this cell again')")
    state = page.locator(".rushes-play .rushes-state")
    assert state.inner_text() == "lost"
    assert page.locator(".rushes-play .rushes-press:has-text('Pause'):not([disabled])").count() == 0
    _keep(page, "restarted")
    session = open_session(chunks.parent)
    assert session.problems == ()
    assert session.frame_count > 60
    assert len(session.steps()) == session.frame_count - len(session.segments), "no step between pictures is missing"


@pytest.mark.full
def test_a_large_picture_at_60_a_second_is_shown_as_it_was(open_lab):
    with open_lab([f"import pathlib\npathlib.Path('wide.py').write_text({SOURCE!r})", WIDE], keep="play_wide") as lab:
        page, folder, faults = lab
        page.wait_for_selector(".rushes-play .rushes-state:text-is('off')")
        page.click(".rushes-play .rushes-press:has-text('Start')")
        page.wait_for_selector(".rushes-play .rushes-state:text-is('playing')")
        until(lambda: page.evaluate(f"() => {PANEL}.figures.shown") > 60)
        page.keyboard.press("p")
        page.wait_for_selector(".rushes-play .rushes-state:text-is('paused')")
        page.wait_for_timeout(500)
        _keep(page, "wide")
        number, width, height, text = page.evaluate(PIXELS)
        seen = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 3)
        assert (width, height) == (640, 480)
        page.click(".rushes-play .rushes-press:has-text('Stop')")
        page.wait_for_selector(".rushes-play .rushes-state:text-is('ended')")
        session = open_session(folder / "by_hand")
        assert read_counter(seen) == read_counter(next(iter(session.frames(number, number + 1)))), "JPEG, but the same"
        assert faults == []


def _keep(page, name):
    """Keep a picture of the page where RUSHES_SCREENSHOTS names a folder, for a person to look at."""
    if folder := os.environ.get("RUSHES_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"play_{name}.png")
