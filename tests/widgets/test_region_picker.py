"""The choice of a region on the kernel's side; tests/browser drags it with a real mouse."""

import io
import os
import subprocess

import numpy as np
import pytest
from PIL import Image

from rushes.errors import BadInputError, UnavailableError
from rushes.widgets.region_picker import RegionPicker, pick_region


def shot(height=120, width=200, channels=3):
    pixels = np.zeros((height, width, channels), np.uint8)
    pixels[:, :, 0] = 200  # red of RGB, blue of BGRA
    return pixels


def test_the_picture_that_is_sent_is_the_screenshot_in_its_own_colours():
    for channels, colour in ((3, (200, 0, 0)), (4, (0, 0, 200))):
        sent = np.asarray(Image.open(io.BytesIO(RegionPicker(shot(channels=channels)).picture)))
        assert sent.shape == (120, 200, 3)
        assert np.abs(sent.astype(int) - colour).max() < 12


def test_nothing_is_chosen_at_first_and_then_the_numbers_are_said_in_both_forms():
    picker = RegionPicker(shot())
    assert (picker.region, picker.option, picker.text) == (None, "", "")
    picker.region = (10, 20, 110, 100)
    assert picker.option == "--region 10 20 110 100"
    assert picker.text == "10,20,110,100"


def test_what_comes_from_the_browser_is_taken_and_told_to_who_listens():
    picker, heard = RegionPicker(shot(), screen=(-50, 0, 150, 120)), []
    picker.observe(lambda change: heard.append(change.new), "region")
    picker.set_state({"region": [-50, 0, 150, 120]})
    picker.set_state({"region": None})
    assert heard == [(-50, 0, 150, 120), None]


@pytest.mark.parametrize("region", [(0, 0, 201, 50), (-1, 0, 50, 50), (0, 0, 15, 50), (60, 60, 20, 20)])
def test_a_region_outside_of_the_screen_or_too_small_is_refused(region):
    picker = RegionPicker(shot())
    with pytest.raises(BadInputError, match="accepted: left, top, right, bottom"):
        picker.region = region
    assert picker.region is None


@pytest.mark.parametrize("picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(picture):
    with pytest.raises(BadInputError, match="RGB"):
        RegionPicker(picture)


def test_a_screen_without_area_is_refused():
    with pytest.raises(BadInputError, match="left < right"):
        RegionPicker(shot(), screen=(0, 0, 0, 10))


def test_without_a_screen_it_says_what_works(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with pytest.raises(UnavailableError, match="display"):
        pick_region()


@pytest.mark.require("display")
def test_the_screenshot_is_of_the_screen_that_is_there(monkeypatch):
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x24", "-noreset"],
        pass_fds=(writer,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writer)
    try:
        with os.fdopen(reader) as said:
            number = said.readline().strip()
        assert number, "Xvfb did not start"
        monkeypatch.setenv("DISPLAY", f":{number}")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
        picker = pick_region(monitor=1)
        assert picker.screen == (0, 0, 640, 480)
        assert Image.open(io.BytesIO(picker.picture)).size == (640, 480)
        with pytest.raises(BadInputError, match="monitor 7"):
            pick_region(monitor=7)
    finally:
        server.terminate()
        server.wait(10)
