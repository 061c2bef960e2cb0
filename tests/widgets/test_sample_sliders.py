"""Sliders on the kernel's side: when they draw, what they say, and how they end."""

import threading
import time

import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.preview.html import Html, picture
from rushes.widgets import sample_sliders as room
from rushes.widgets.sample_sliders import Knob, SampleSliders, sample_sliders

COPIES = Knob("copies", "copies", 2, 0, 5, 1)
RANGE = Knob("brightness", "brightness, factor", (0.7, 1.3), 0.2, 2.0, 0.05)


class Draw:
    """Draws what the test says, and remembers for what."""

    def __init__(self):
        self.asked, self.steps = [], 1
        self.may_go = threading.Event()
        self.may_go.set()
        self.error = None

    def __call__(self, values, say):
        self.asked.append(values)
        for step in range(self.steps):
            say(step, self.steps, "painting")
            self.may_go.wait(10)
        if self.error is not None:
            raise self.error
        grey = picture(np.full((4, 4, 3), values["copies"], np.uint8))
        return [grey, Html(f"<b>{values['copies']}</b>"), "plain & simple"]


@pytest.fixture
def draw():
    return Draw()


@pytest.fixture
def sliders(draw):
    made = SampleSliders([COPIES, RANGE], draw, wait_s=0.05)
    yield made
    draw.may_go.set()
    made.close()


@pytest.fixture(autouse=True)
def none_open():
    yield
    while room._open:
        room._open[-1].close()


def status(sliders):
    return sliders._status.value


def until(found, seconds=20.0):
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)
    return value


def test_it_draws_for_where_the_sliders_stand_pictures_html_and_text(sliders, draw):
    assert sliders.values == {"copies": 2, "brightness": (0.7, 1.3)}
    assert draw.asked == []
    sliders.draw()
    assert sliders.wait()
    assert sliders.state == "ready"
    assert draw.asked == [{"copies": 2, "brightness": (0.7, 1.3)}]
    kinds = [type(child).__name__ for child in sliders._pictures.children]
    assert kinds == ["Image", "HTML", "HTML"]
    assert bytes(sliders._pictures.children[0].value).startswith(b"\x89PNG")
    assert sliders._pictures.children[1].value == "<b>2</b>"
    assert "plain &amp; simple" in sliders._pictures.children[2].value


def test_several_movements_are_one_drawing_of_the_last(sliders, draw):
    for value in (3, 4, 5):
        sliders._widgets[0].value = value
        assert sliders.state == "waiting"
    assert sliders.wait()
    assert [asked["copies"] for asked in draw.asked] == [5]
    assert sliders.state == "ready"


def test_a_drawing_that_is_overtaken_stops_at_its_next_word_and_is_not_shown(sliders, draw):
    draw.steps = 2
    draw.may_go.clear()
    sliders.draw()
    until(lambda: draw.asked)
    sliders._widgets[0].value = 4
    until(lambda: sliders._timer is None)  # the movement has been noted
    draw.may_go.set()
    assert sliders.wait()
    assert [asked["copies"] for asked in draw.asked] == [2, 4]
    assert sliders._pictures.children[1].value == "<b>4</b>", "the first never came so far"
    assert sliders.error == ""


def test_what_it_is_doing_is_said(sliders, draw):
    draw.may_go.clear()
    draw.steps = 3
    sliders.draw()
    until(lambda: "Step 1 of 3: painting." in status(sliders))
    assert sliders.state == "working"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadInputError("kinds=''", accepts="some <kind>", fix="move one up"), "some &lt;kind&gt;"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_what_goes_wrong_is_said_in_words_and_what_was_drawn_stays(sliders, draw, error, words, capsys):
    sliders.draw()
    assert sliders.wait()
    draw.error = error
    sliders._widgets[0].value = 5
    assert sliders.wait()
    assert sliders.state == "failed"
    assert words in status(sliders)
    assert "drawn before" in status(sliders)
    assert sliders._pictures.children[1].value == "<b>2</b>"
    draw.error = None
    sliders.draw()
    assert sliders.wait()
    assert (sliders.state, sliders.error) == ("ready", "")
    assert "Traceback" not in "".join(capsys.readouterr())


def test_closing_stops_what_is_being_drawn_and_nothing_moves_any_more(sliders, draw):
    draw.steps = 50
    draw.may_go.clear()
    sliders.draw()
    until(lambda: draw.asked)
    closer = threading.Thread(target=sliders.close)
    closer.start()
    until(lambda: sliders.state == "closed")
    draw.may_go.set()
    closer.join(10)
    assert not closer.is_alive()
    assert sliders._thread is None
    assert sliders._pictures.children == ()
    assert all(widget.disabled for widget in sliders._widgets)
    sliders._widgets[0].value = 5
    sliders.draw()
    assert sliders.state == "closed"
    assert len(draw.asked) == 1


def test_a_kernel_has_one_set_of_sliders_at_a_time(draw):
    first = sample_sliders([COPIES], draw)
    second = sample_sliders([COPIES], draw)
    assert (first.state, room._open) == ("closed", [second])
    assert second.wait()
    assert "state" not in repr(second)
    assert repr(second) == "<SampleSliders ready: copies=2>"
    assert "application/vnd.jupyter.widget-view+json" in second._repr_mimebundle_()


def test_sliders_that_mean_nothing_are_refused(draw):
    with pytest.raises(BadInputError, match="each name once"):
        SampleSliders([COPIES, COPIES], draw)
    with pytest.raises(BadInputError, match="slider copies at 9"):
        SampleSliders([Knob("copies", "copies", 9, 0, 5, 1)], draw)
    with pytest.raises(BadInputError, match="between its ends"):
        SampleSliders([Knob("b", "b", (0.1, 1.0), 0.2, 2.0, 0.1)], draw)
