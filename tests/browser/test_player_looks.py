"""The player in a real JupyterLab, by the boxes of the page: what stands beside what, and what can be read."""

import os
import sys
from pathlib import Path

import pytest

from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.writer import SessionWriter
from rushes.widgets.player import player
from rushes.worlds.synthetic import Synthetic

sys.path.insert(0, str(Path(__file__).parent))
from waiting import until

pytestmark = pytest.mark.require("browser")

SIDE_PX = 420
EDGE_PX = 57
"""What Lab takes of the window's width for itself, and of it at the right."""
TALLS = Synthetic(frames=30, seed=3, size=(210, 160))
"""Pictures of an Atari's size."""
WORLD = Synthetic(frames=240, seed=5)
SHOW = "from rushes.widgets.player import player\np = player({0!r})\np"
BESIDE = "q = player({0!r}, beside={1!r})\nq"
SAMPLES = """from rushes.prepare.press_release import press_release
from rushes.store.reader import open_session
samples, _ = press_release(open_session({0!r}), "Space")
player(samples)"""
STATE = "() => document.querySelectorAll('.rushes-player')[{}].parentElement.rushes.state()"
BOXES = """([k, name]) => Array.from(document.querySelectorAll(".rushes-player")[k].querySelectorAll(name), (part) => {
  const { x, y, right, bottom } = part.getBoundingClientRect();
  return [x, y, right, bottom];
})"""
HEARKEN = """() => {
  window.drawn = [];
  const plain = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y, most) {
    const letters = this.measureText(text).width;
    const { a, d, e, f } = this.getTransform();
    const canvas = this.canvas;
    window.drawn.push({
      text, on: canvas.className, squeezed: most !== undefined && letters > most + 0.01,
      tall: parseFloat(this.font.match(/[\\d.]+(?=px)/)[0]) * d,
      right: a * (x + letters) + e, bottom: d * y + f, width: canvas.width, height: canvas.height,
    });
    return most === undefined ? plain.call(this, text, x, y) : plain.call(this, text, x, y, most);
  };
}"""


def record(path, world):
    height, width = world.size
    streams = (
        StreamSpec("screen", "frames", "png", True, width, height, world.rate_hz),
        StreamSpec("events", "events", unit="counts"),
    )
    source = {"kind": "synthetic", "name": "synthetic"}
    info = SessionInfo(path.name, "Synthetic of a long name", source, "measured", streams, world.action_space)
    with SessionWriter(path, info, chunk_frames=world.frames) as writer:
        for reading in world.readings():
            writer.write(reading)
    return path


@pytest.fixture(scope="module")
def lab(open_lab, tmp_path_factory):
    """A JupyterLab with a player of a session, one of labelled samples, and one of two sources."""
    folder = tmp_path_factory.mktemp("recorded")
    path = record(folder / "session", WORLD)
    first, second = (record(folder / f"session_with_a_long_id_{k}", TALLS) for k in (1, 2))
    cells = [SHOW.format(str(path)), SAMPLES.format(str(path)), BESIDE.format(str(first), str(second))]
    with open_lab(cells, keep="player_looks") as (page, _, faults):
        page.evaluate(HEARKEN)
        for number in range(3):
            page.wait_for_selector(f".rushes-player >> nth={number}")
            until(lambda number=number: all(page.evaluate(STATE.format(number))["exact"]))
        yield page, faults, path


@pytest.fixture
def one(lab):
    """The page, with the keys in the player of the first cell."""
    page = lab[0]
    page.set_viewport_size({"width": 1280, "height": 1000})
    choose(page, 0)
    return page


def choose(page, number):
    root = page.locator(".rushes-player").nth(number)
    root.scroll_into_view_if_needed()
    root.locator(".rushes-title").click()
    return root


def widen(page, number, width):
    """Make a player about as wide as that, in CSS px."""
    page.set_viewport_size({"width": width + SIDE_PX, "height": 1000})

    def is_laid_out():
        ((left, _, right, _),) = page.evaluate(BOXES, [number, ".rushes-view"])
        view = page.evaluate(STATE.format(number))["view"]
        fits = abs(view["left"] + view["width"] + 14 - (right - left)) < 2
        return fits and abs(width + SIDE_PX - EDGE_PX - right) < 32

    until(is_laid_out)
    page.locator(".rushes-player").nth(number).scroll_into_view_if_needed()


def says(page, words):
    said = page.locator(".rushes-player").first.locator(".rushes-status")
    until(lambda: words in said.inner_text(), explained=said.inner_text)


def marks_of(path):
    """Give the marks that another player of the session has."""
    again = player(path)
    again.close()
    return again.marks


def overlap(one, two):
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


@pytest.mark.parametrize("width", [600, 1600])
def test_no_key_cap_of_the_help_leaves_its_place_or_lies_on_another(lab, one, width):
    widen(one, 0, width)
    choose(one, 0)
    one.keyboard.press("?")
    one.wait_for_selector(".rushes-help kbd")
    _keep(one, f"player_help_{width}")
    caps, words = one.evaluate(BOXES, [0, ".rushes-help kbd"]), one.evaluate(BOXES, [0, ".rushes-help dd"])
    places = one.evaluate(BOXES, [0, ".rushes-help dt"])
    letters = one.evaluate(
        "() => Array.from(document.querySelectorAll('.rushes-help kbd'), (cap) => [cap.scrollWidth, cap.clientWidth])"
    )
    one.keyboard.press("Escape")
    assert len(caps) == 33, "as the page of the docs has them"
    for number, cap in enumerate(caps):
        around = [p for p in places if p[0] - 0.5 <= cap[0] and cap[2] <= p[2] + 0.5 and p[1] - 0.5 <= cap[1]]
        assert any(cap[3] <= p[3] + 0.5 for p in around), "a cap stands in its term"
        assert not any(overlap(cap, other) for other in [*caps[:number], *words])
    assert all(needed <= there for needed, there in letters), "no word leaves its cap"
    assert {round(cap[3] - cap[1]) for cap in caps} == {20}, "caps are of one height"


@pytest.mark.parametrize("width", [600, 860])
def test_two_sources_stand_side_by_side(lab, width):
    page = lab[0]
    widen(page, 2, width)
    first, second = until(lambda: page.evaluate(BOXES, [2, ".rushes-stage"]))
    _keep(page, f"player_two_{width}")
    assert first[1] == second[1], "at one height"
    assert first[2] < second[0]
    (view,) = page.evaluate(BOXES, [2, ".rushes-view"])
    assert second[2] <= view[2] + 0.5
    assert page.evaluate(BOXES, [2, "figcaption"])[0][2] <= first[2] + 0.5, "a caption is no wider than its picture"


@pytest.mark.parametrize("place", ["beside", "over"])
@pytest.mark.parametrize("width", [600, 860, 1600])
def test_the_note_of_a_sample_is_written_in_letters_of_their_own_width(lab, width, place):
    page = lab[0]
    widen(page, 1, width)
    choose(page, 1)
    page.keyboard.press("Home")
    until(lambda: (now := page.evaluate(STATE.format(1)))["frame"] == 0 and now["row"])
    while page.evaluate(STATE.format(1))["overlay"] != place:
        page.keyboard.press("o")
    page.evaluate("() => { window.drawn.length = 0; }")
    page.keyboard.press("ArrowRight")
    sheet = "rushes-hands-sheet" if place == "beside" else "rushes-stage-sheet"
    panel = page.locator(".rushes-player").nth(1).locator(".rushes-hands-sheet")

    def described():
        now = page.evaluate(STATE.format(1))
        found = now["frame"] == 1 and now["row"] and now["row"]["note"]
        return found if found and panel.get_attribute("aria-label").endswith(found) else None

    note = until(described, explained=lambda: panel.get_attribute("aria-label"))
    _keep(page, f"player_samples_{width}_{place}")
    drawn = [one for one in page.evaluate("() => window.drawn") if one["on"] == sheet]
    start = max(k for k, one in enumerate(drawn) if one["text"].startswith("label 1"))
    lines = drawn[start:]
    assert " ".join(one["text"].replace("\xa0", " ") for one in lines) == note
    assert {"label 1", "Space", "session session"} <= set(note.split(" \N{MIDDLE DOT} "))
    assert not any(one["squeezed"] for one in lines)
    assert all(one["right"] <= one["width"] and one["bottom"] <= one["height"] for one in lines), "nothing is cut off"
    assert min(one["tall"] for one in lines) >= 9


def mark_twice(page, frames):
    """Mark what is selected invalid, and give it a label too."""
    page.keyboard.press("i")
    says(page, f"invalid: {frames}")
    page.keyboard.press("t")
    page.keyboard.type("scene")
    page.keyboard.press("Tab")
    page.keyboard.type("menu")
    page.keyboard.press("Enter")
    says(page, f"scene = menu: {frames}")
    page.keyboard.press("Escape")


def test_a_mark_is_chosen_and_taken_back_with_the_keys(lab, one):
    path = lab[2]
    one.keyboard.press("Home")
    for key in ("[", "Shift+ArrowRight", "]"):
        one.keyboard.press(key)
    one.keyboard.press("Shift+ArrowRight")
    for key in ("[", "Shift+ArrowRight", "]"):
        one.keyboard.press(key)
    mark_twice(one, "frames 20 to 30")
    one.keyboard.press("Home")
    one.keyboard.press("Delete")
    says(one, "Choose a mark first")
    one.keyboard.press("m")
    says(one, "invalid: frames 20 to 30")
    _keep(one, "player_stacked")
    state = one.evaluate(STATE.format(0))
    assert (state["frame"], state["selection"]) == (20, [20, 31])
    one.keyboard.press("m")
    says(one, "scene = menu: frames 20 to 30")
    assert one.evaluate(STATE.format(0))["frame"] == 20, "the second that begins there"
    one.keyboard.press("m")
    says(one, "no mark after this frame")
    one.keyboard.press("Shift+M")
    says(one, "invalid: frames 20 to 30")
    one.keyboard.press("Delete")
    says(one, "taken back: invalid, frames 20 to 30")
    assert one.locator(".rushes-status button").count() == 0
    assert [mark["label"] for mark in marks_of(path)] == [{"column": "scene", "value": "menu"}]
    one.keyboard.press("End")
    for key in ("Shift+M", "Delete"):
        one.keyboard.press(key)
    says(one, "taken back: scene = menu, frames 20 to 30")
    assert marks_of(path) == []


def test_marks_of_the_same_frames_are_each_clicked(lab, one):
    one.keyboard.press("Home")
    one.keyboard.press("Shift+ArrowRight")
    for key in ("[", *["Shift+ArrowRight"] * 9, "]"):
        one.keyboard.press(key)
    mark_twice(one, "frames 10 to 100")
    _keep(one, "player_rows")
    box, view = one.locator(".rushes-timeline").first.bounding_box(), one.evaluate(STATE.format(0))["view"]
    middle = int(WORLD.times_ns()[50])
    x = box["x"] + view["left"] + (middle - view["from_ns"]) / (view["to_ns"] - view["from_ns"]) * view["width"]
    for down, words in ((25, "invalid"), (37, "scene = menu")):  # the ruler ends at 20, the strip of marks at 44
        one.mouse.click(x, box["y"] + down)
        says(one, f"{words}: frames 10 to 100")
    colours = one.evaluate(
        """([x, ...downs]) => {
          const sheet = document.querySelector(".rushes-timeline-head");
          const ratio = devicePixelRatio;
          const at = (y) => sheet.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data;
          return downs.map((y) => [...at(y)].slice(0, 3));
        }""",
        [x - box["x"], 27, 34],
    )
    assert colours[0] != colours[1], "each in its own colour"
    for _ in range(2):
        one.keyboard.press("Home")
        one.keyboard.press("m")
        one.keyboard.press("Delete")
        says(one, "taken back")
        one.keyboard.press("Escape")
    assert lab[1] == []


def test_looks(lab, one):
    """Pictures for a person: both themes, narrow and wide; without a folder for them there is nothing to do."""
    if not os.environ.get("RUSHES_SCREENSHOTS"):
        return
    for theme in ("Dark", "Light"):
        one.click(".lm-MenuBar-itemLabel:text-is('Settings')")
        one.click(".lm-Menu-itemLabel:text-is('Theme')")
        one.click(f".lm-Menu-itemLabel:text-is('JupyterLab {theme}')")
        for width in (600, 1600):
            for number, name in ((1, "samples"), (2, "two")):
                widen(one, number, width)
                choose(one, number)
                one.wait_for_timeout(500)
                _keep(one, f"player_{name}_{theme.lower()}_{width}")
            choose(one, 0)
            one.keyboard.press("?")
            _keep(one, f"player_help_{theme.lower()}_{width}")
            one.keyboard.press("Escape")


def _keep(page, name):
    """Keep a picture of the page where RUSHES_SCREENSHOTS names a folder, for a person to look at."""
    if folder := os.environ.get("RUSHES_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")
