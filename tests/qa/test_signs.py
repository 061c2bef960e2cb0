"""Signs: what one pass over the pictures notes, and that damage, repeats and changing sizes hide nothing."""

import importlib.util
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.qa.pictures.row import edge_width
from rushes.qa.pictures.signs import SIGN, ahead, read_signs
from rushes.store.reader import open_session


def load(name):
    spec = importlib.util.spec_from_file_location(f"signs_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


film = load("film")
Film, pan = film.Film, film.pan


def plain(*levels, size=(90, 160)):
    return [np.full((*size, 3), level, np.uint8) for level in levels]


def test_changes_are_mean_differences_to_the_frame_before_and_to_the_one_two_before():
    signs = read_signs(Film(plain(10, 14, 24, 24)))
    np.testing.assert_allclose(signs["change"], [np.nan, 4, 10, 0])
    np.testing.assert_allclose(signs["change_two"], [np.nan, np.nan, 14, 10])
    assert signs["same"].tolist() == [False, False, False, True]
    assert signs["blocks"].shape == (4, 9, 16)
    np.testing.assert_allclose(signs["blocks"][2], 10)


def test_the_first_frame_of_a_segment_follows_on_nothing():
    signs = read_signs(Film(plain(10, 10, 10, 10), lengths=(2, 2)))
    assert signs["same"].tolist() == [False, True, False, True]
    assert np.isnan(signs["change"]).tolist() == [True, False, True, False]
    assert len(signs.of(1)) == 2


def test_light_is_that_of_the_picture():
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:45] = (200, 200, 200)
    picture[45:] = (30, 30, 30)
    signs = read_signs(Film([picture]))
    assert (signs["darkest"][0], signs["low"][0], signs["high"][0], signs["brightest"][0]) == (30, 30, 200, 200)
    assert signs["spread"][0] == pytest.approx(85)
    np.testing.assert_allclose(signs["mean"][0], 115, atol=1)


def test_a_camera_that_goes_right_moves_the_picture_left():
    signs = read_signs(Film(pan(12, step=6, size=(180, 320))))
    np.testing.assert_allclose(signs["shift"][1:], np.tile([-6, 0], (11, 1)), atol=0.7)


def test_brightness_that_changes_puts_nothing_apart():
    one = pan(1)[0]
    signs = read_signs(Film([one // 2, one // 4 * 2, (one // 2 + 90).astype(np.uint8)]))
    assert signs["change"][2] > 80
    assert signs["apart"][2].max() < 4


def test_a_damaged_picture_that_is_stored_alone_hides_no_other():
    signs = read_signs(Film(pan(12), broken={3, 4, 11}))
    assert np.flatnonzero(~signs["readable"]).tolist() == [3, 4, 11]
    assert [number for number, _ in signs.problems] == [3, 4, 11]
    assert "picture 3 is damaged" in signs.problems[0][1]
    assert np.isnan(signs["change"][5])


def test_a_video_that_ends_early_is_not_tried_at_every_frame():
    recording = Film(pan(200, step=1), broken=range(40, 200), video=True)
    signs = read_signs(recording)
    assert np.flatnonzero(~signs["readable"]).tolist() == list(range(40, 200))
    assert len(recording.asked) < 60


def test_what_cannot_be_read_of_a_session_at_all_is_said_of_every_frame():
    signs = read_signs(Film(plain(1, 2, 3), broken={0, 1, 2}))
    assert not signs["readable"].any()
    assert len(signs.problems) == 3


def test_a_size_that_changes_is_noted_and_compares_nothing():
    signs = read_signs(Film([*plain(9, 9), *plain(9, 9, size=(60, 80))]))
    assert signs["size"].tolist() == [[90, 160], [90, 160], [60, 80], [60, 80]]
    assert np.isnan(signs["change"]).tolist() == [True, False, True, False]


def test_rows_lie_in_a_file_and_not_in_memory():
    signs = read_signs(Film(plain(1, 2)))
    assert isinstance(signs.rows, np.memmap)
    assert signs.rows.dtype == SIGN


def test_the_album_of_a_long_recording_stays_small_and_spans_it():
    whole = read_signs(Film(pan(150, step=1))).whole
    numbers = sorted(whole.album)
    assert 32 <= len(numbers) <= 64
    assert numbers[0] == 0
    assert numbers[-1] > 140
    assert set(np.diff(numbers)) == {4}


def test_what_never_moves_has_no_deviation():
    frames = pan(40)
    for frame in frames:
        frame[:20, :40] = 255
    whole = read_signs(Film(frames)).whole
    assert whole.deviation[:19, :39].max() < 0.01
    assert whole.deviation[20:, 40:].mean() > 10
    assert whole.mean[:19, :39].min() > 254


def test_blurring_widens_the_sharpest_edges():
    step = np.zeros((90, 160), np.uint8)
    step[:, 80:] = 200
    assert edge_width(step) == 1.0
    assert np.isnan(edge_width(np.full((90, 160), 7, np.uint8)))
    for sigma in (1.5, 2.5):
        # a Gaussian's steepest step from pixel to pixel: the share within half a pixel of its middle
        share = np.diff(np.cumsum(cv2.getGaussianKernel(61, sigma)))[29]
        assert edge_width(cv2.GaussianBlur(step, (61, 61), sigma)) == pytest.approx(1 / share, rel=0.12)


def test_the_colours_of_a_decoder_without_data_are_measured():
    picture = pan(1)[0]
    picture[:45, :80] = (0, 135, 0)
    assert read_signs(Film([picture]))["lost"][0] == pytest.approx(0.25, abs=0.02)


def test_an_error_while_decoding_ahead_reaches_who_looks():
    def pictures():
        yield 1
        raise ZeroDivisionError

    coming = ahead(pictures())
    assert next(coming) == 1
    with pytest.raises(ZeroDivisionError):
        next(coming)


def test_who_stops_looking_leaves_no_thread_behind():
    before = threading.active_count()
    coming = ahead(iter(range(1000)))
    assert next(coming) == 0
    coming.close()
    assert threading.active_count() == before


def test_a_session_of_ours_is_read_as_it_is_stored(tmp_path):
    record(SyntheticBackend(frames=9, segments=2), tmp_path / "s")
    session = open_session(tmp_path / "s")
    signs = read_signs(session)
    assert signs["frame_index"].tolist() == list(range(9))
    assert signs["t_ns"].tolist() == session.index()["t_ns"].tolist()
    assert signs["readable"].all()
