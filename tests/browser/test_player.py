"""The player in a real JupyterLab, in a real browser: what stands on the page is what stands in the session."""

import base64
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rushes.formats.base import convert, open_any
from rushes.model.readings import Encoded, Frame, Sound
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.pairing import asked_delay
from rushes.store.reader import open_session
from rushes.store.video import read_video
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.widgets.player import player
from rushes.worlds.synthetic import Synthetic, read_counter

sys.path.insert(0, str(Path(__file__).parent))
from waiting import until

pytestmark = pytest.mark.require("browser")

WORLD = Synthetic(frames=240, segments=2, seed=5)
TONE = (8000 * np.sin(np.arange(264) / 3)).astype(np.int16)[:, None]
SHOW = "from rushes.widgets.player import player\np = player({0!r})\np"
BESIDE = "q = player({0!r}, beside={1!r})\nq"
AGAIN = "p if pathlib.Path('again.txt').exists() else None"
BUSY = "import time\ntime.sleep(4 if pathlib.Path('busy.txt').exists() else 0)"
LINKED = "import pathlib\nlink = pathlib.Path('link.txt')\nplayer(link.read_text()) if link.exists() else None"
PLAYER = "document.querySelectorAll('.rushes-player')[{}]?.parentElement.rushes"
PIXELS = """() => {{
  const seen = {}.pixels({});
  let text = "";
  for (let k = 0; k < seen.data.length; k += 4) text += String.fromCharCode(...seen.data.slice(k, k + 3));
  return [seen.width, seen.height, btoa(text)];
}}"""
RESTART = """async () => {
  const base = document.getElementById("jupyter-config-data");
  const token = JSON.parse(base.textContent).token;
  const ask = (path, method) => fetch(`/api/kernels${path}`, { method, headers: { Authorization: `token ${token}` } });
  const kernels = await (await ask("", "GET")).json();
  await ask(`/${kernels[0].id}/restart`, "POST");
}"""
BOXES = """() => Array.from(document.querySelector(".rushes-player").querySelectorAll(
  ".rushes-stage, .rushes-bar, .rushes-timeline, .rushes-status"),
  part => { const box = part.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })"""


def record(path, *, lossy=False):
    """Record the planted world: pictures as PNG files, or as a film that is not exact."""
    height, width = WORLD.size
    codec = "h264" if lossy else "png"
    streams = (
        StreamSpec("screen", "frames", codec, not lossy, width, height, WORLD.rate_hz),
        StreamSpec("events", "events", unit="counts"),
        StreamSpec("game", "sound", "flac", rate_hz=8000.0),
    )
    source = {"kind": "synthetic", "name": "synthetic"}
    info = SessionInfo(path.name, "Synthetic", source, "measured", streams, WORLD.action_space)
    with SessionWriter(path, info, chunk_frames=WORLD.frames) as writer:
        encoder = VideoEncoder(codec, width=width, height=height, rate_hz=30, gop_s=0.5) if lossy else None
        for reading in WORLD.readings():
            if isinstance(reading, Frame):
                writer.write(Sound(reading.t_ns, TONE, 8000, "game"))
            if encoder is None or not isinstance(reading, Frame):
                writer.write(reading)
                continue
            data = encoder.encode(reading.pixels)
            writer.write(Frame(reading.t_ns, Encoded(codec, data, encoder.last_was_key)))
    return path


class Shown:
    """One player on the page."""

    def __init__(self, page, number=0):
        self.page, self.js = page, PLAYER.format(number)
        self.root = page.locator(".rushes-player").nth(number)

    def state(self):
        return self.page.evaluate(f"() => {self.js}?.state()")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def at_rest(self, frame=None):
        """Wait until a picture stands there with its own pixels; give its frame."""

        def stands():
            now = self.state()
            own = now and not now["playing"] and now["shown"][0] == now["frame"] and all(now["exact"])
            return own and (frame is None or now["frame"] == frame)

        def explained():
            words = self.page.locator(".rushes-status").all_inner_texts()
            return f"frame {frame} does not stand: {self.state()}; the players say {words}"

        until(stands, explained=explained)
        return self.state()["frame"]

    def pixels(self, source=0):
        width, height, text = self.page.evaluate(PIXELS.format(self.js, source))
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 3)

    def says(self, words):
        until(lambda: words in self.root.locator(".rushes-status").inner_text())


@pytest.fixture(scope="module")
def lab(open_lab, tmp_path_factory):
    """A JupyterLab with a player, one of two sources, and one that a link will open."""
    folder = tmp_path_factory.mktemp("recorded")
    path, other = record(folder / "session"), record(folder / "lossy", lossy=True)
    cells = [SHOW.format(str(path)), BESIDE.format(str(path), str(other)), LINKED, AGAIN, BUSY]
    with open_lab(cells, keep="player") as (page, notebook, faults):
        page.wait_for_selector(".rushes-player >> nth=1")
        yield page, notebook, faults, path


@pytest.fixture
def one(lab):
    """The player of the first cell, with the keys."""
    shown = Shown(lab[0])
    shown.root.locator(".rushes-title").click()
    return shown


def test_every_step_shows_the_pixels_of_its_frame(lab, one):
    assert one.at_rest() == 0
    moves = (
        ("ArrowRight", 1), ("ArrowRight", 2), ("Shift+ArrowRight", 12), ("ArrowLeft", 11), ("End", 239),
        ("Shift+ArrowLeft", 229), ("Home", 0),
    )  # fmt: skip
    for key, frame in moves:
        one.press(key)
        one.at_rest(frame)
        seen = one.pixels()
        assert read_counter(seen) == frame
        assert np.array_equal(seen, WORLD.picture(frame))
    one.press("g")
    lab[0].keyboard.type("119")
    one.press("Enter")
    one.at_rest(119)
    assert np.array_equal(one.pixels(), WORLD.picture(119)), "the last before a pause"


def test_a_view_that_is_opened_later_shows_the_frame_and_the_first_goes_on(lab, one):
    page, notebook, faults, _ = lab
    one.press("End")
    one.at_rest(239)
    (notebook / "again.txt").touch()
    page.locator(".jp-CodeCell .jp-Editor").nth(3).click()
    page.keyboard.press("Control+Enter")
    until(lambda: page.locator(".rushes-player").count() == 3)
    later = Shown(page, 2)
    later.at_rest(239)
    assert np.array_equal(later.pixels(), WORLD.picture(239))
    one.root.locator(".rushes-title").click()
    one.press("ArrowLeft")
    one.at_rest(238)
    assert np.array_equal(one.pixels(), WORLD.picture(238))
    later.at_rest(238)
    (notebook / "again.txt").unlink()
    page.locator(".jp-CodeCell .jp-Editor").nth(3).click()
    page.keyboard.press("Control+Enter")
    until(lambda: page.locator(".rushes-player").count() == 2)
    assert faults == []


def test_sound_is_heard_while_it_plays_at_its_own_speed(lab, one):
    one.press("Home", "a")
    one.says("Sound: game")
    one.at_rest(0)
    one.press("Space")
    sound = until(lambda: (now := lab[0].evaluate(f"() => {one.js}.sound"))["pieces"] >= 2 and now)
    assert abs(sound["apart_ms"]) <= 80
    one.press("a")
    one.says("Sound is off")
    one.press("Space")
    one.at_rest()
    assert lab[2] == []


def test_it_plays_in_real_time_and_stands_where_it_is_stopped(lab, one):
    page = lab[0]
    one.press("Home")
    before = page.evaluate(BOXES)
    start = time.monotonic()
    one.at_rest(0)
    one.press("Space")
    until(lambda: one.state()["frame"] > 40)
    seconds = time.monotonic() - start
    assert page.evaluate(BOXES) == before, "nothing jumps"
    one.press("Space")
    frame = one.at_rest()
    assert 40 < frame <= 30 * (seconds + 1), "never quicker than it was"
    assert np.array_equal(one.pixels(), WORLD.picture(frame))


def test_dragging_on_the_ruler_looks_at_the_frame_under_the_hand(lab, one):
    page = lab[0]
    line = one.root.locator(".rushes-timeline")
    line.scroll_into_view_if_needed()
    box, view, times = line.bounding_box(), one.state()["view"], WORLD.times_ns()

    def spot(frame):
        share = (times[frame] + 16_000_000 - view["from_ns"]) / (view["to_ns"] - view["from_ns"])
        return box["x"] + view["left"] + share * view["width"], box["y"] + 6

    page.mouse.move(*spot(200))
    page.mouse.down()
    for frame in (190, 150, 70, 30):
        page.mouse.move(*spot(frame), steps=2)
    page.mouse.up()
    frame, px_ns = one.at_rest(), (view["to_ns"] - view["from_ns"]) / view["width"]
    assert abs(int(times[frame]) - int(times[30])) <= px_ns + 34_000_000, "to a pixel and a frame"
    assert np.array_equal(one.pixels(), WORLD.picture(frame))


def test_marks_and_an_offset_that_are_made_here_reach_an_export(lab, one, tmp_path):
    page, _, faults, path = lab
    page.evaluate("() => { document.querySelector('.rushes-player').dataset.same = 'yes'; }")
    one.press("Home", "Shift+ArrowRight", "Shift+ArrowRight", "[", "Shift+ArrowRight", "]", "i")
    one.says("invalid: frames 20 to 30")
    number = one.root.locator(".rushes-number")
    number.fill("70")
    one.root.locator("button:has-text('Save')").click()
    one.says("stored: inputs 70 ms later")
    page.wait_for_selector(".rushes-stored:has-text('stored 70 ms')")
    until(lambda: number.input_value() == "0")
    assert one.root.get_attribute("data-same") == "yes", "what was saved is shown without building the page anew"
    assert one.state()["frame"] == 30
    _keep(page, "marked")
    assert float(asked_delay(open_session(path), "measured")) == 70.0
    report = convert(path, tmp_path / "out", format="gameon", action_delay_ms="measured")
    assert report.ledger["frames"].lost == {"marked_invalid": 11}
    assert report.ledger.balances
    (back,) = open_any(tmp_path / "out")
    numbers = [read_counter(np.ascontiguousarray(picture)) for picture in back.frames(0, back.frame_count)]
    assert numbers == [*range(20), *range(31, 240)]
    presses = back.events().query("kind == 'press'")
    first = next(event for event in WORLD.events() if event.kind == "press")
    assert (presses["t_ns"].iloc[0], presses["control"].iloc[0]) == (first.t_ns + 70_000_000, first.control)
    assert faults == []


def test_a_correction_that_is_saved_while_another_cell_runs_is_stored_once(lab, one):
    """What a page sets waits until the kernel took what it set before; what it says does not, and came first."""
    page, notebook, faults, path = lab
    (notebook / "busy.txt").touch()
    page.locator(".jp-CodeCell .jp-Editor").nth(4).click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=busy]")
    one.root.locator(".rushes-title").click()
    one.press("ArrowRight")
    page.wait_for_timeout(300)
    number = one.root.locator(".rushes-number")
    number.fill("40")
    page.wait_for_timeout(200)
    one.root.locator("button:has-text('Save')").click()
    one.says("stored: inputs 40 ms later")
    until(lambda: number.input_value() == "0")
    (notebook / "busy.txt").unlink()
    number.fill("70")
    one.root.locator("button:has-text('Save')").click()
    one.says("stored: inputs 70 ms later")
    until(lambda: number.input_value() == "0")
    assert float(asked_delay(open_session(path), "measured")) == 70.0
    one.press("ArrowLeft")
    assert faults == []


def test_a_clip_comes_down_and_a_link_says_where(lab, one, tmp_path):
    page, notebook, _, _ = lab
    with page.expect_download() as coming:
        one.press("c")
    coming.value.save_as(tmp_path / "clip.mp4")
    frames = list(read_video(tmp_path / "clip.mp4"))
    assert len(frames) == 11
    assert read_counter(np.ascontiguousarray(frames[0].pixels[::4, ::4])) == 20, "enlarged by four"
    one.press("ArrowRight", "d")
    one.says("frame=31")
    link = one.root.locator(".rushes-status").inner_text().strip()
    again = player(link)
    assert again.frame == 31
    again.close()
    (notebook / "link.txt").write_text(link)


def test_two_sources_show_the_same_moment(lab):
    page, _, faults, _ = lab
    two = Shown(page, 1)
    two.root.scroll_into_view_if_needed()
    two.root.locator(".rushes-title").click()
    two.at_rest(0)
    for key in ("End", "Shift+ArrowLeft", "ArrowLeft"):
        two.press(key)
        frame = two.at_rest()
        until(lambda frame=frame: two.state()["shown"] == [frame, frame] and all(two.state()["exact"]))
        assert np.array_equal(two.pixels(0), WORLD.picture(frame))
        assert read_counter(two.pixels(1)) == frame
    assert frame == 228
    two.press("Home", "Space")
    until(lambda: two.state()["frame"] > 30)
    first, second = two.state()["shown"]
    assert abs(first - second) <= 8, "together also while it plays"
    _keep(page, "two_playing")
    two.press("Space")
    frame = two.at_rest()
    until(lambda: two.state()["shown"] == [frame, frame])
    assert read_counter(two.pixels(0)) == read_counter(two.pixels(1)) == frame
    _keep(page, "two")
    assert faults == []


def test_looks(lab, one):
    """Pictures for a person: both themes, narrow and wide; without a folder for them there is nothing to do."""
    if not os.environ.get("RUSHES_SCREENSHOTS"):
        return
    page = lab[0]
    for theme in ("Dark", "Light"):
        page.click(".lm-MenuBar-itemLabel:text-is('Settings')")
        page.click(".lm-Menu-itemLabel:text-is('Theme')")
        page.click(f".lm-Menu-itemLabel:text-is('JupyterLab {theme}')")
        for width in (600, 1600):
            page.set_viewport_size({"width": width + 420, "height": 1100})
            page.wait_for_timeout(1200)
            one.root.scroll_into_view_if_needed()
            page.wait_for_timeout(300)
            _keep(page, f"{theme.lower()}_{width}")
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_kernel_that_restarts_is_said_and_the_cell_brings_the_player_back(lab, one):
    page, _, faults, path = lab
    page.evaluate(RESTART)
    one.press("g")
    page.keyboard.type("150")  # a picture that the page has not seen yet
    one.press("Enter", "i", "Space", "Space")  # nothing of it breaks the page
    one.says("un this cell again")
    _keep(page, "restarted")
    _run_again(page)
    again = Shown(page, 0)
    again.at_rest(0)
    assert np.array_equal(again.pixels(), WORLD.picture(0))
    assert page.locator(".rushes-stored").first.inner_text() == "stored 70 ms", "what was saved is there"
    linked = Shown(page, 2)
    linked.root.scroll_into_view_if_needed()
    linked.at_rest(31)
    assert np.array_equal(linked.pixels(), WORLD.picture(31)), "the link opened its moment"
    marks = [fact for fact in open_session(path).facts if fact.kind == "validity"]
    assert [mark.value["valid"] for mark in marks] == [False]
    assert faults == []


def _run_again(page):
    """Run all cells, as the page says: once is enough."""
    page.evaluate("() => document.querySelectorAll('.rushes-player').forEach(old => { old.dataset.old = 'yes'; })")
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
    until(lambda: page.locator(".rushes-player:not([data-old])").count() == 3)


def _keep(page, name):
    """Keep a picture of the page where RUSHES_SCREENSHOTS names a folder, for a person to look at."""
    if folder := os.environ.get("RUSHES_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"player_{name}.png")
