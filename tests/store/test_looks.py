"""What frames look like: hashes of 64 x 64 pixels and tiny pictures, with expected values made here."""

import hashlib
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.store.looks import Looks, look_at, windows


def load(name):
    path = Path(__file__).parent.parent / "formats" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"looks_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hands, hand_play = load("hands"), load("hand_play")


def hash_of(picture):
    small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)
    return int(hashlib.blake2b(small.tobytes(), digest_size=8).hexdigest(), 16)


def test_content_is_the_hash_of_the_picture_at_64(tmp_path):
    session = hand_play.play(tmp_path / "s", [6, 5])
    looks = look_at(session, [9, 2, 2, 5])
    assert looks.frame_index.tolist() == [2, 5, 9]
    assert looks.content.tolist() == [hash_of(hand_play.SCENERY.picture(k)) for k in (2, 5, 9)]


def test_tiny_pictures_are_means_of_cells(tmp_path):
    session = hand_play.play(tmp_path / "s", [3])
    whole = cv2.resize(hand_play.SCENERY.picture(1), (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    means = [[whole[4 * y : 4 * y + 4, 4 * x : 4 * x + 4].mean(axis=(0, 1)) for x in range(16)] for y in range(16)]
    assert np.abs(look_at(session, [1]).small[0] - np.array(means)).max() <= 0.5


@pytest.mark.parametrize("stored", ["png", "png-indexed", "video"])
def test_any_recording_can_be_looked_at_on_any_number_of_threads(stored):
    play = hands.Hands([40, 30], stored=stored)
    alone = look_at(play, np.arange(70))
    with ThreadPoolExecutor(3) as pool:
        together = look_at(play, np.arange(70), executor=pool)
    assert (alone.content == together.content).all()
    assert (alone.small == together.small).all()
    assert alone.content.tolist() == [hash_of(hands.picture(1, k)) for k in range(70)]


@pytest.mark.parametrize("codec", ["h264", "lossless"])
def test_pictures_of_a_film_look_as_they_are_within_what_the_codec_loses(tmp_path, codec):
    session = hand_play.play(tmp_path / "s", [40, 30], codec=codec)
    looks = look_at(session, np.arange(70))
    for k in (0, 33, 69):
        whole = cv2.resize(session.frame(k), (64, 64), interpolation=cv2.INTER_AREA).astype(float)
        means = whole.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
        assert np.abs(looks.small[k] - means).mean() < 1.5
        assert np.abs(looks.small[k] - means).max() < 16
    with ThreadPoolExecutor(3) as pool:
        assert (look_at(session, np.arange(70), executor=pool).content == looks.content).all()
    assert look_at(session, [33, 50]).content.tolist() == looks.content[[33, 50]].tolist()


def test_a_picture_that_stands_again_in_a_film_has_the_same_content(tmp_path, monkeypatch):
    monkeypatch.setattr(hand_play, "SCENERY", Still(hand_play.SCENERY))
    content = look_at(hand_play.play(tmp_path / "s", [30], codec="lossless"), np.arange(30)).content
    groups = [set(content[:10].tolist()), set(content[10:20].tolist()), set(content[20:].tolist())]
    assert [len(group) for group in groups] == [1, 1, 1]
    assert groups[0] == groups[2]
    assert groups[0] != groups[1]


class Still:
    """The first picture, then the second, then the first again, ten times each."""

    def __init__(self, scenery):
        self.scenery = scenery

    def picture(self, number):
        return self.scenery.picture(number // 10 % 2)


def test_equal_pictures_have_equal_content_in_every_session():
    one, other = look_at(hands.Hands([9]), [3]), look_at(hands.Hands([30], stored="video"), np.arange(30))
    assert np.flatnonzero(other.content == one.content[0]).tolist() == [3]


def test_no_frame_is_looked_at_as_well():
    found = look_at(hands.Hands([5]), [])
    assert (len(found), found.small.shape) == (0, (0, 16, 16, 3))


def test_frames_are_found_in_any_shape_and_others_refused():
    looks = look_at(hands.Hands([9]), [2, 4, 8])
    assert looks.rows([[8, 2], [4, 4]]).tolist() == [[2, 0], [1, 1]]
    for unknown in (3, 9, 0):
        with pytest.raises(BadInputError, match=f"frame {unknown}, which was not looked at"):
            looks.rows([2, unknown])
    with pytest.raises(BadInputError, match="frame 1"):
        Looks(looks.frame_index[:0], looks.content[:0], looks.small[:0]).rows([1])


def test_windows_differ_by_any_frame_and_by_order():
    one = np.array([[1, 2], [2, 1], [1, 2], [1, 3]], np.uint64)
    found = windows(one).tolist()
    assert found[0] == found[2]
    assert len(set(found)) == 3
    assert windows(one[:, :1]).tolist() == [1, 2, 1, 1]
