"""Rules about pictures: each planted fault is found at its place, and a sound recording says nothing."""

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from rushes.errors import MissingError
from rushes.qa.content.check import RULES, check_content
from rushes.qa.content.seen import stretches
from rushes.qa.rules import Limits
from rushes.qa.subject import Expected, Subject


def load(name):
    spec = importlib.util.spec_from_file_location(f"content_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


film = load("film")
Film, pan, RATE = film.Film, film.pan, film.RATE_HZ
PLAY = pan(100)


def found(frames, *, expected=None, limits=None, quick=False, **more):
    """What is found: rule -> its findings that are no mere remark."""
    subject = Subject(Film(frames, **more), Limits(limits or {}), expected or Expected(), quick)
    said = {}
    for finding in check_content(subject):
        if finding.severity != "info":
            said.setdefault(finding.check.partition(".")[2], []).append(finding)
    return said


def each(change):
    return [np.ascontiguousarray(change(picture)) for picture in PLAY]


def between(start, stop, change):
    return [change(picture) if start <= k < stop else picture for k, picture in enumerate(PLAY)]


def test_sound_play_says_nothing():
    assert found(PLAY, playing=True) == {}


def test_there_are_as_many_rules_as_the_table_says_and_each_has_a_unit_with_its_limit():
    assert len(RULES) >= 12
    assert all(rule.unit for rule in RULES.values() if rule.limit is not None)
    assert all(name == rule.id and name.startswith("content.") for name, rule in RULES.items())


@pytest.mark.parametrize(("rule", "level"), [("black", 0), ("black", 12), ("white", 250), ("flat", (0, 0, 200))])
def test_a_plain_stretch_is_found_with_its_times(rule, level):
    frames = between(20, 80, lambda picture: np.full_like(picture, level))
    (finding,) = found(frames)[rule]
    assert finding.frame_index == 20
    assert (finding.t_ns, finding.t_end_ns) == (2_000_000_000, 8_000_000_000)
    assert finding.value == pytest.approx(6.0)
    assert RULES[finding.check].repair == "invalid"


def test_every_plain_stretch_is_named_and_short_ones_are_left_out():
    dark = np.zeros_like(PLAY[0])
    frames = [dark if 10 <= k < 30 or 45 <= k < 65 or 80 <= k < 85 else p for k, p in enumerate(PLAY)]
    assert [f.frame_index for f in found(frames, limits={"content.black": 1.5})["black"]] == [10, 45]
    assert "black" not in found(frames)


def test_a_recording_that_is_too_dark_is_found():
    (finding,) = found(each(lambda picture: picture // 5))["dark"]
    assert finding.value <= 51


def test_flicker_of_the_whole_picture_is_found():
    frames = [np.clip(p.astype(int) - 14 * (k % 2), 0, 255).astype(np.uint8) for k, p in enumerate(PLAY)]
    (finding,) = found(frames)["flicker"]
    assert finding.value == pytest.approx(14, abs=3)


def test_a_frozen_picture_is_found_only_while_inputs_come():
    frames = [PLAY[20] if 20 <= k < 90 else p for k, p in enumerate(PLAY)]
    (finding,) = found(frames, playing=True)["frozen"]
    assert (finding.frame_index, finding.value) == (20, pytest.approx(7.0))
    assert finding.t_end_ns == 90 * film.STEP_NS
    assert "frozen" not in found(frames)


@pytest.mark.parametrize("times", [2, 4])
def test_a_game_slower_than_its_recording_is_found_unless_its_repeats_are_marked(times):
    frames = [PLAY[k // times * times] for k in range(100)]
    (finding,) = found(frames)["repeats"]
    assert finding.value == pytest.approx(100 * (times - 1) / times, abs=3)
    marked = [k for k in range(100) if k % times]
    assert "repeats" not in found(frames, duplicates=marked)


def test_pictures_that_were_kept_at_moments_may_come_twice():
    recording = Film([picture for picture in PLAY for _ in range(2)])
    assert "content.repeats" in {f.check for f in check_content(Subject(recording)) if f.severity != "info"}
    recording.kept_at_moments = True
    assert [f for f in check_content(Subject(recording)) if f.severity != "info"] == []


def test_pictures_the_wrong_way_round_are_found():
    frames = list(PLAY)
    for k in range(10, 95, 10):
        frames[k], frames[k + 1] = frames[k + 1], frames[k]
    (finding,) = found(frames)["out_of_order"]
    assert finding.frame_index == 10
    assert "9 times" in finding.sentence


@pytest.mark.parametrize("step", [1, 3, 8])
def test_pictures_the_wrong_way_round_are_found_however_fast_the_camera_is(step):
    frames = pan(100, step=step)
    assert "out_of_order" not in found(frames)
    for k in (12, 47, 80):
        frames[k], frames[k + 1] = frames[k + 1], frames[k]
    (finding,) = found(frames)["out_of_order"]
    assert finding.frame_index == 12
    assert "3 times" in finding.sentence


@pytest.mark.parametrize("level", [0, 255, (0, 0, 255)])
def test_single_plain_pictures_in_between_are_found(level):
    frames = [np.full_like(p, level) if k in (31, 60, 88) else p for k, p in enumerate(PLAY)]
    (finding,) = found(frames)["blink"]
    assert (finding.frame_index, finding.value) == (31, pytest.approx(3.0))


@pytest.mark.parametrize("back", [1, 2])
@pytest.mark.parametrize("upper", [False, True])
def test_torn_pictures_are_found(back, upper):
    frames = list(PLAY)
    for k in range(10, 95, 9):
        frames[k] = PLAY[k].copy()
        part = slice(0, 45) if upper else slice(45, None)
        frames[k][part] = PLAY[k - back][part]
    (finding,) = found(frames)["torn"]
    assert finding.value == pytest.approx(100 * 10 / 99, abs=2.1)


def few_things(places):
    """Small things on a plain ground, that go to the right."""
    for k in range(100):
        picture = np.full((90, 160, 3), (90, 120, 180), np.uint8)
        for x, y in places:
            left = (x + 3 * k) % 160
            picture[y : y + 10, left : left + 12] = (200, 40 + y, 60)
        yield picture


def test_torn_pictures_are_found_where_only_a_few_things_move():
    whole = list(few_things([(37 * row % 160, row) for row in (*range(3, 40, 2), *range(48, 80, 2))]))
    assert "torn" not in found(whole)
    frames = [np.concatenate([p[:45], whole[k - 1][45:]]) if k in (20, 50, 80) else p for k, p in enumerate(whole)]
    (finding,) = found(frames)["torn"]
    assert finding.value == pytest.approx(100 * 3 / 99, abs=0.1)


@pytest.mark.parametrize("columns", [4, 8])
def test_things_in_ranks_are_no_tear(columns):
    ranks = [(160 // columns * k + 16 * (row > 1), 5 + 20 * row) for row in range(4) for k in range(columns)]
    assert "torn" not in found(list(few_things(ranks)))


def test_two_figures_of_which_one_stops_for_a_moment_are_no_tear():
    frames = [PLAY[0].copy() for _ in range(100)]
    for k, picture in enumerate(frames):
        high, low = 20 + k, 120 - (k - k // 9)
        picture[5:35, high : high + 20] = np.random.default_rng(1).integers(0, 255, (30, 20, 3))
        picture[55:85, low : low + 20] = np.random.default_rng(2).integers(0, 255, (30, 20, 3))
    assert "torn" not in found(frames)


@pytest.mark.parametrize("axis", [0, 1])
def test_black_bars_are_found_on_screens(axis):
    def barred(picture):
        picture = picture.copy()
        long = picture.swapaxes(0, axis)
        edge = len(long) // 12
        long[:edge], long[-edge:] = 0, 0
        return picture

    (finding,) = found(each(barred))["bars"]
    assert finding.value == pytest.approx((100 * 14 / 90, 100 * 26 / 160)[axis])
    assert "bars" not in found([cv2.resize(barred(p), (160, 210)) for p in PLAY[:30]])


def test_blurred_pictures_are_found():
    (finding,) = found(each(lambda picture: cv2.GaussianBlur(picture, (0, 0), 2.5)))["blurred"]
    assert 4.0 < finding.value < 8.0


@pytest.mark.parametrize("colour", [(0, 135, 0), (0, 77, 0), (128, 128, 128)])
def test_a_decoders_damage_is_found(colour):
    frames = list(PLAY)
    for k in (50, 51, 80):
        frames[k] = PLAY[k].copy()
        frames[k][32:64, 48:96] = colour
    findings = found(frames)["corrupt"]
    assert [(f.frame_index, f.t_end_ns) for f in findings] == [(50, 52 * film.STEP_NS), (80, 81 * film.STEP_NS)]


def test_pictures_that_cannot_be_decoded_are_an_error_and_hide_nothing_else():
    frames = between(30, 90, np.zeros_like)
    said = found(frames, broken={3, 4})
    (finding,) = said["unreadable"]
    assert (finding.severity, finding.frame_index, finding.value) == ("error", 3, pytest.approx(2.0))
    assert "picture 3 is damaged" in finding.sentence
    assert said["black"][0].frame_index == 30


def test_a_size_that_was_not_expected_is_found_without_a_picture():
    (finding,) = found(PLAY, expected=Expected(size=(360, 640)), quick=True, broken=range(100))["size"]
    assert "160x90" in finding.sentence
    assert found(PLAY, expected=Expected(size=(90, 160)), quick=True) == {}


def test_a_size_that_changes_is_found():
    frames = [cv2.resize(p, (80, 46)) if k >= 75 else p for k, p in enumerate(PLAY)]
    (finding,) = found(frames)["true_size"]
    assert (finding.frame_index, finding.value) == (75, pytest.approx(25.0))


def text(picture):
    return cv2.putText(picture.copy(), "REC 0:12", (10, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 2)


TURNS = {
    "upside_down": lambda p: p[::-1],
    "mirrored": lambda p: p[:, ::-1],
    "swapped_colours": lambda p: p[..., ::-1],
    "greyscale": lambda p: np.repeat(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
    "levels": lambda p: (p * (219 / 255) + 16).astype(np.uint8),
    "overlay": text,
}


@pytest.mark.parametrize("rule", TURNS)
def test_against_the_recording_of_the_same_play_only_what_is_wrong_is_found(rule):
    said = found(each(TURNS[rule]), expected=Expected(reference=Film(PLAY)))
    assert set(said) == {rule}
    assert len(said[rule]) == 1


def test_the_recording_itself_is_like_its_reference():
    assert found(PLAY, expected=Expected(reference=Film(PLAY))) == {}


def test_a_reference_of_something_else_lets_nothing_be_told():
    subject = Subject(Film(PLAY[:30]), expected=Expected(reference=Film(pan(30, seed=9))))
    said = {f.check: f for f in check_content(subject)}
    assert said["content.upside_down"].sentence.startswith("cannot tell")
    assert said["content.levels"].severity == "info"


@pytest.mark.parametrize("rule", ["upside_down", "swapped_colours", "greyscale"])
def test_a_screenshot_of_another_scene_is_enough_for_some(rule, tmp_path):
    path = tmp_path / "screenshot.png"
    cv2.imwrite(str(path), cv2.cvtColor(pan(1, seed=5)[0], cv2.COLOR_RGB2BGR))
    assert set(found(each(TURNS[rule])[:60], expected=Expected(picture=path))) == {rule}
    assert found(PLAY[:30], expected=Expected(picture=path)) == {}


def test_without_a_reference_it_says_that_it_cannot_tell():
    said = [f for f in check_content(Subject(Film(PLAY[:30]))) if f.severity == "info"]
    assert {f.check.partition(".")[2] for f in said} == {*TURNS, "size"}
    assert all(f.tells_nothing for f in said)


def test_a_screenshot_that_is_not_there_is_refused_with_its_path(tmp_path):
    with pytest.raises(MissingError, match=r"nothing\.png"):
        list(check_content(Subject(Film(PLAY[:5]), expected=Expected(picture=tmp_path / "nothing.png"))))


def test_no_frame_at_all_says_nothing():
    subject = Subject(Film(PLAY[:1]))
    subject.recording.segments = ()
    assert [f for f in check_content(subject) if f.severity != "info"] == []


def test_a_limit_moves_what_is_found():
    frames = between(40, 80, np.zeros_like)
    assert "black" not in found(frames)
    assert found(frames, limits={"content.black": 2.0})["black"][0].limit == 2.0


def test_stretches_end_where_segments_do():
    mask = np.array([True, True, True, False, True])
    assert stretches(mask, np.array([0, 0, 1, 1, 1])) == [(0, 2), (2, 3), (4, 5)]
    assert stretches(np.zeros(0, bool)) == []
