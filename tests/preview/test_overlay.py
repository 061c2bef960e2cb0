"""The panel beside a picture, and what it says."""

import numpy as np
import pytest

from rushes.preview.notes import LAST_PICTURE, Note, notes
from rushes.preview.overlay import HEIGHT_PX, PANEL_PX, fit_scale, overlay, panel, scaled

LIT = np.array((0xF2, 0xA3, 0x3A))


def lit(picture, region=slice(None)):
    return int((np.abs(picture[region].astype(int) - LIT).max(axis=-1) < 12).sum())


def pad(*down, action="NOOP", **more):
    return Note("Alien", 0, 3, 34, 0.2, "pad", action, frozenset(down), reward=0.0, score=0.0, lives=3, **more)


def test_lives_are_not_said_of_a_game_that_has_none_at_any_step(alien):
    alien.step_rows["lives"] = 0
    assert {note.lives for episode in alien.episodes() for note in notes(episode)} == {None}
    alien.step_rows.loc[alien.step_rows.index[0], "lives"] = 1  # it has: the second episode plays with the last one
    second = list(alien.episodes())[1]
    assert [note.lives for note in notes(second)] == [None, 0, 0]


def test_notes_go_with_the_picture_that_was_acted_on(alien):
    first, second = (list(notes(e)) for e in alien.episodes())
    assert [n.action for n in first] == ["NOOP", "FIRE", "UP", "RIGHT", LAST_PICTURE]
    assert [n.reward for n in first] == [0.0, 10.0, 0.0, 5.0, None]
    assert [n.score for n in first] == [0.0, 0.0, 10.0, 10.0, 15.0]  # as each picture shows it
    assert [n.lives for n in first] == [None, 9, 8, 7, 6]
    assert [n.random for n in first] == [False, True, False, False, False]
    assert [n.t_s for n in first] == pytest.approx([k / 15 for k in range(5)], abs=1e-8)
    assert first[-1].end == "ended by the frame budget"
    assert second[-1].end == "ended by the game"
    assert [n.score for n in second] == [0.0, 0.0, 10.0]  # an episode begins at nothing


def test_a_missing_action_is_said_and_never_bridged(alien):
    alien.step_rows = alien.step_rows[alien.step_rows["frame_index"] != 1]
    first = list(notes(next(alien.episodes())))
    assert [n.action for n in first] == ["NOOP", "no action", "UP", "RIGHT", LAST_PICTURE]


def test_a_compound_action_holds_its_buttons(alien):
    alien.step_rows.loc[0, "action_name"] = "UPFIRE"
    assert next(notes(next(alien.episodes()))).down == {"UP", "FIRE"}


def test_a_name_that_no_joystick_has_is_shown_all_the_same(alien):
    alien.step_rows.loc[0, "action_name"] = "SOMERSAULT"
    note = next(notes(next(alien.episodes())))
    assert (note.action, note.down) == ("SOMERSAULT", frozenset())


def test_numbers_become_bars_with_their_limits(pendulum):
    found = list(notes(next(pendulum.episodes())))
    assert [b.value for n in found for b in n.bars] == [0.5, -1.0, 2.0]
    assert (found[0].bars[0].low, found[0].bars[0].high) == (-2.0, 2.0)


def test_recorded_play_shows_the_keys_that_are_down(desktop):
    found = list(notes(next(desktop.episodes())))
    assert [n.down for n in found] == [{"KeyW"}, {"KeyW", "MouseLeft"}, {"MouseLeft"}]
    assert {b.name: b.value for b in found[1].bars} == {"MouseDX": 30.0, "MouseDY": -4.0}
    assert found[0].score is None


def test_the_picture_is_enlarged_by_a_whole_number_and_nothing_is_drawn_over_it():
    pixels = np.random.default_rng(0).integers(0, 255, (210, 160, 3), np.uint8)
    found = overlay(pixels, pad("UP", "FIRE", action="UPFIRE"))
    assert found.shape == (420, 320 + PANEL_PX, 3)
    assert (found[:, :320] == np.kron(pixels, np.ones((2, 2, 1), np.uint8))).all()


@pytest.mark.parametrize(
    ("size", "scale"),
    [((210, 160), 2), ((64, 64), 7), ((400, 600), 1), ((720, 1280), -2), ((1080, 1920), -2), ((1, 1), 420)],
)
def test_the_scale_is_a_whole_number_that_fits_a_page(size, scale):
    assert fit_scale(*size) == scale


def test_reducing_takes_means():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[::2] = 200
    assert (scaled(pixels, -2) == 100).all()


def test_each_button_lights_up_its_own_place():
    dark = lit(panel(pad()))
    assert dark == 0
    places = {
        b: np.argwhere(np.abs(panel(pad(b)).astype(int) - LIT).max(-1) < 12).mean(0)
        for b in ("UP", "DOWN", "LEFT", "RIGHT", "FIRE")
    }
    assert places["UP"][0] < places["LEFT"][0] < places["DOWN"][0]
    assert places["LEFT"][1] < places["UP"][1] < places["RIGHT"][1] < places["FIRE"][1]


def test_chance_and_the_end_are_written():
    assert lit(panel(pad(random=True))) > 50
    assert not np.array_equal(panel(pad()), panel(pad(end="ended by the game")))


def test_all_kinds_of_actions_can_be_drawn(all_kinds):
    for episode in all_kinds.episodes():
        for pixels, note in zip(episode.frames(), notes(episode), strict=True):
            found = overlay(pixels, note)
            assert found.shape[0] >= HEIGHT_PX
            assert found.dtype == np.uint8


def test_many_choices_keep_the_chosen_one_in_sight():
    names = tuple(f"ACTION_{k}" for k in range(40))
    for action in (names[0], names[20], names[39]):
        assert lit(panel(Note("Long", 0, 0, 2, 0.0, "choices", action, choices=names))) > 200


def test_a_long_name_stays_inside_the_panel():
    found = panel(Note("A Game With An Endless Name Indeed", 0, 0, 2, 0.0, "keys", " + ".join(["ShiftLeft"] * 9)))
    assert (found[:, -15:] == found[0, 0]).all()


def test_pictures_of_several_sizes_stand_in_one_field():
    for size in ((210, 160), (250, 160)):
        found = overlay(np.full((*size, 3), 255, np.uint8), pad(), size=(500, 400))
        assert found.shape == (500, 400 + PANEL_PX, 3)
        assert (found[0, :400] == 0).all() or size[0] == 250
