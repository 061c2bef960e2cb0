"""A region is chosen by dragging on a screenshot, in a real window with a real pointer."""

import subprocess
import sys
import time

import numpy as np
import pytest

from rushes.capture.screen.base import Box
from rushes.capture.screen.mss_grabber import MssGrabber
from rushes.capture.screen.pick import draw, pick_region
from rushes.errors import BadInputError

pytestmark = pytest.mark.require("display")

EDGE = (80, 200, 255)
PROGRAM = "from rushes.capture.screen.pick import pick_region\nprint(pick_region(), flush=True)"


def xdotool(*words):
    subprocess.run(["xdotool", *map(str, words)], check=True, timeout=60)


def screen():
    with MssGrabber().open(Box(0, 0, 1280, 720)) as grabber:
        return grabber.grab()


def edge_at(picture, row, column):
    return tuple(int(v) for v in picture[row, column, :3]) == EDGE


def until(ask, seconds=60.0):
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, f"not within {seconds:g} s; the title says {title()}"
        time.sleep(0.02)


def start(programs):
    """Start a picker, and wait until it is drawn and gets the keys."""
    started = programs.start([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=None)
    until(lambda: (screen()[:, :, :3] == EDGE).all(axis=2).sum() > 50)  # its first line of text
    until(lambda: [window.focused for window in picker_windows()] == [True])
    return started


@pytest.fixture
def picker(display, programs):
    started = start(programs)
    yield started
    programs.end(started)
    started.stdout.close()


def answer(picker):
    assert picker.wait(60) == 0
    return picker.stdout.read().decode().strip()


def drag(start, end):
    xdotool("mousemove", *start, "mousedown", 1)
    middle = tuple((a + b) // 2 for a, b in zip(start, end, strict=True))
    xdotool("mousemove", *middle, "mousemove", *end)


def picker_windows():
    from rushes.capture.screen.windows import list_windows

    return [window for window in list_windows() if window.title.startswith("rushes")]


def title():
    return [window.title for window in picker_windows()]


def key(word, then):
    """Press a key, and wait until the title says what it has done."""
    xdotool("key", word)
    until(lambda: title() == [f"rushes: {then}"])


@pytest.mark.parametrize("key", ["Return", "space"])
def test_a_drag_in_any_direction_and_a_key_give_the_numbers_of_the_rectangle(picker, key):
    drag((799, 499), (200, 100))
    until(lambda: edge_at(screen(), 99, 400))
    xdotool("mouseup", 1)
    until(lambda: title() == ["rushes: L 200 T 100 R 800 B 500  600x400"])
    until(lambda: edge_at(screen(), 500, 800))  # the title may be there before the picture
    picture = screen()
    for row, column in ((99, 199), (99, 800), (500, 199), (500, 800), (300, 199), (300, 800)):
        assert edge_at(picture, row, column)
    assert not edge_at(picture, 100, 400)
    xdotool("key", key)
    assert answer(picker) == "(200, 100, 800, 500)"


def test_escape_cancels(picker):
    drag((100, 100), (300, 300))
    xdotool("mouseup", 1, "key", "Escape")
    assert answer(picker) == "None"


def test_a_new_drag_begins_anew_arrows_move_and_too_small_is_not_accepted(picker):
    drag((300, 300), (305, 305))
    xdotool("mouseup", 1)
    until(lambda: title() == ["rushes: L 300 T 300 R 306 B 306  6x6  (at least 16x16)"])
    xdotool("key", "Return")
    key("Left", then="L 299 T 300 R 305 B 306  6x6  (at least 16x16)")  # so Enter was there, and was not accepted
    assert picker.poll() is None
    drag((300, 200), (399, 299))
    xdotool("mouseup", 1)
    until(lambda: title() == ["rushes: L 300 T 200 R 400 B 300  100x100"])
    key("Right", then="L 301 T 200 R 401 B 300  100x100")
    key("Right", then="L 302 T 200 R 402 B 300  100x100")
    key("Up", then="L 302 T 199 R 402 B 299  100x100")
    key("shift+Down", then="L 302 T 199 R 402 B 300  100x101")
    xdotool("key", "Return")
    assert answer(picker) == "(302, 199, 402, 300)"


def test_without_a_window_manager_it_works_as_well_and_nothing_of_what_comes_at_once_is_lost(servers):
    """Faster than it can draw: a whole drag, keys, and Enter.

    With a window manager such a burst has no order: it holds a first click back to look at it, and no key.
    """
    with servers.run_display(window_manager=False), servers.programs_that_end() as programs:
        started = start(programs)
        xdotool(
            *("mousemove", 300, 200, "mousedown", 1, "mousemove", 399, 299, "mouseup", 1),
            *("key", "Right", "key", "Up", "key", "Up", "key", "Return"),
        )
        assert answer(started) == "(301, 198, 401, 298)"
        started.stdout.close()


def test_an_unknown_monitor_is_refused(display):
    with pytest.raises(BadInputError, match="monitor 7"):
        pick_region(monitor=7)


@pytest.mark.parametrize("box", [Box(0, 0, 40, 40), Box(1200, 0, 1280, 720), Box(0, 0, 1280, 720), None])
def test_the_numbers_stay_on_the_screen_wherever_the_rectangle_is(box):
    bright = np.full((720, 1280, 4), 90, np.uint8)
    dim = np.full((720, 1280, 4), 40, np.uint8)
    picture = draw(dim, bright, box, "L 1200 T 1200 R 1280 B 1720  1280x1720")
    assert picture.shape == bright.shape
    written = (picture[:, :, :3] > (60, 150, 200)).all(axis=2)
    if box is not None:
        written[box.top, :] = written[:, box.left] = False
    assert written.sum() > 100, "there is text"
    assert (dim == 40).all(), "the screenshot stays as it is"
