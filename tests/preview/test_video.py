"""Films: real speed, what is left out, and pictures that go with their actions."""

import av
import numpy as np
import pytest

from rushes.errors import BadInputError, OccupiedError
from rushes.model.recording import Sessions
from rushes.preview.choose import evenly, spread
from rushes.preview.video import TITLE_S, preview_video


def decoded(path):
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]


def test_play_runs_at_real_speed(tmp_path, alien):
    film = preview_video(alien, tmp_path / "a.mp4", titles=False)
    assert film.rate_hz == pytest.approx(15)
    frames = decoded(tmp_path / "a.mp4")
    assert len(frames) == 8  # every picture once
    assert [int(f[200, 100].mean().round()) for f in frames] == pytest.approx([7 * k for k in range(8)], abs=2)


def test_a_title_stands_before_each_episode(tmp_path, alien):
    film = preview_video(alien, tmp_path / "a.mp4")
    titles = round(TITLE_S * 15)
    frames = decoded(tmp_path / "a.mp4")
    assert len(frames) == 2 * titles + 8
    assert film.seconds == pytest.approx(len(frames) / 15, abs=0.01)
    assert (frames[0] > 200).sum() > 1000  # white letters


def test_slow_motion_takes_longer_by_the_times_of_the_pictures(tmp_path, alien):
    preview_video(alien, tmp_path / "a.mp4", titles=False, speed=0.5, rate_hz=15)
    grey = [int(f[200, 100].mean().round()) for f in decoded(tmp_path / "a.mp4")]
    assert grey == pytest.approx([7 * (k // 2) for k in range(16)], abs=2)


def test_the_limit_holds_and_the_cut_is_told(tmp_path, environment):
    film = preview_video([environment("Alien", (400, 400))], tmp_path / "a.mp4", seconds=12)
    assert film.seconds == pytest.approx(12, abs=0.2)
    assert (film.episodes, film.episodes_left_out, film.cut) == (2, 0, 2)


def test_every_game_is_shown_before_any_is_shown_twice(tmp_path, environment):
    sessions = Sessions([environment(f"Game {k}", (200, 200)) for k in range(3)], format="memory")
    chosen = spread(list(sessions.episodes()), 4)
    assert [(e.recording.info.game, e.segment.index) for e in chosen] == [
        ("Game 0", 0),
        ("Game 0", 1),
        ("Game 1", 0),
        ("Game 2", 0),
    ]
    assert [e.recording.info.game for e in spread(list(sessions.episodes()), 2)] == ["Game 0", "Game 2"]
    film = preview_video(sessions, tmp_path / "a.mp4", seconds=16)
    assert (film.episodes, film.episodes_left_out) == (3, 3)
    assert film.seconds <= 16.2


def test_evenly_spaced_numbers_hold_both_ends():
    assert [evenly(n, 4) for n in (3, 4, 10)] == [[0, 1, 2], [0, 1, 2, 3], [0, 3, 6, 9]]
    assert evenly(9, 1) == [4]


def test_all_kinds_go_into_one_film(tmp_path, all_kinds):
    film = preview_video(all_kinds, tmp_path / "a.mp4")
    shapes = {f.shape for f in decoded(tmp_path / "a.mp4")}
    assert film.episodes == 5
    assert len(shapes) == 1


SIZES = [(210, 160), (480, 640), (100, 300), (1200, 40), (1, 1), (900, 1600), (64, 64), (210, 160)]


@pytest.mark.parametrize("order", [1, -1])
def test_pictures_whose_size_changes_are_fitted_into_the_field_whole(tmp_path, alien, order):
    sizes = SIZES[::order]
    sizes[0] = (300, 200)
    alien.frames = lambda start, stop: (np.full((*sizes[k], 3), 200, np.uint8) for k in range(start, stop))
    film = preview_video(alien, tmp_path / "a.mp4", titles=False)
    frames = decoded(tmp_path / "a.mp4")
    assert (film.episodes, len(frames), len({f.shape for f in frames})) == (2, 8, 1)
    for frame, (height, width) in zip(frames, sizes, strict=True):
        field = frame[:, :-240]
        lit = np.argwhere((field > 100).all(-1))
        assert len(lit), (height, width)
        tall, wide = lit.max(0) - lit.min(0) + 1
        if min(height, width) > 50:
            assert tall / wide == pytest.approx(height / width, rel=0.05), "its sides keep their proportion"
        if height > len(field) or width > field.shape[1]:
            assert tall > 0.8 * len(field) or wide > 0.8 * field.shape[1], "as large as it may be"
    assert preview_video(alien, tmp_path / "b.mp4").episodes == 2


def test_a_recording_without_times_still_makes_a_film(tmp_path, alien):
    alien.times = np.zeros_like(alien.times)
    alien.segments = tuple(type(s)(**{**s.to_json(), "start_ns": 0, "end_ns": 0}) for s in alien.segments)
    assert preview_video(alien, tmp_path / "a.mp4").episodes == 2


def test_nothing_to_show_and_bad_numbers_are_refused(tmp_path, alien):
    with pytest.raises(BadInputError, match="without pictures"):
        preview_video([], tmp_path / "a.mp4")
    for wrong in ({"seconds": 0}, {"speed": -1}, {"rate_hz": 0}):
        with pytest.raises(BadInputError, match=next(iter(wrong))):
            preview_video(alien, tmp_path / "a.mp4", **wrong)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.mp4").write_text("mine")
    with pytest.raises(OccupiedError):
        preview_video(alien, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_text() == "mine"
