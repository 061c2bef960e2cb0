"""Contact sheets: the right pictures, evenly spaced, whole, with room for their labels."""

import numpy as np
import pytest
from PIL import Image

from rushes.errors import BadInputError, OccupiedError
from rushes.model.recording import Sessions
from rushes.preview.contact_sheet import contact_sheet


def greys(sheet, height=210, width=160):
    """Grey levels of the pictures in reading order: plain blocks of one grey as large as a picture."""
    found = []
    plain = (sheet == sheet[:, :, :1]).all(-1)
    for y in range(0, sheet.shape[0] - height, 2):
        row = sheet[y, :, 0].astype(int)
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        for x, end in zip(starts, [*starts[1:], len(row)], strict=True):
            block = sheet[y : y + height - 1, x:end]
            if end - x == width and plain[y, x] and (block == block[0, 0]).all() and block[0, 0, 0] < 250:
                found.append((x, int(block[0, 0, 0])))
    return [grey for k, (x, grey) in enumerate(found) if (x, grey) not in found[:k]]


def test_a_row_is_an_episode_and_holds_its_first_and_last_picture(environment):
    sheet = contact_sheet(environment("Alien", (21, 5)), columns=3)
    assert greys(sheet) == [0, 70, 140, 147, 161, 175]  # frame k is grey 7 k


def test_a_row_is_a_game_when_there_are_many_episodes(environment):
    sheet = contact_sheet([environment(f"Game {k}", (3,) * 5) for k in range(2)], columns=3)
    assert greys(sheet) == [0, 49, 98] * 1 or greys(sheet) == [0, 49, 98]
    assert contact_sheet([environment("A", (3,) * 5)] * 1, columns=3, rows="games").shape[0] < sheet.shape[0]


def test_it_is_a_page_wide_whatever_the_pictures(alien, desktop, cart, pendulum):
    for recording in (alien, desktop, cart, pendulum):
        assert contact_sheet(recording).shape[1] <= 1260


def test_the_file_is_the_picture(tmp_path, alien):
    sheet = contact_sheet(alien, tmp_path / "sheet.png")
    assert (np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB")) == sheet).all()
    with pytest.raises(OccupiedError):
        contact_sheet(alien, tmp_path / "sheet.png")


def test_many_games_are_thinned(environment):
    sessions = Sessions([environment(f"Game {k}", (3,)) for k in range(40)], format="memory")
    few, more = (contact_sheet(sessions, most_rows=n) for n in (3, 6))
    assert few.shape[0] < more.shape[0] < 2500


def test_an_episode_of_one_picture_and_all_kinds_are_shown(environment, all_kinds):
    assert greys(contact_sheet(environment("Short", (1,)), columns=4)) == [0]
    assert contact_sheet(all_kinds).shape[0] > 800


def test_pictures_whose_size_changes_are_fitted_into_the_first_ones_place(alien):
    width = contact_sheet(alien).shape[1]
    sizes = [(210, 160), (480, 640), (100, 300), (1200, 40), (1, 1), (900, 1600), (64, 64), (210, 160)]
    alien.frames = lambda start, stop: (np.full((*sizes[k], 3), 7 * k, np.uint8) for k in range(start, stop))
    sheet = contact_sheet(alien)
    assert sheet.shape[1] <= width
    assert greys(sheet) == [0, 49]
    assert greys(sheet, 120, 160) == [0, 7, 28, 49]  # 640 x 480 and 1 x 1 fill the place's width
    assert contact_sheet(alien, columns=3, rows="games").shape[0] > 300


def test_nothing_to_show_and_bad_numbers_are_refused(alien):
    with pytest.raises(BadInputError, match="without pictures"):
        contact_sheet([])
    for wrong in ({"columns": 0}, {"most_rows": 0}, {"rows": "weeks"}):
        with pytest.raises(BadInputError, match=next(iter(wrong))):
            contact_sheet(alien, **wrong)
