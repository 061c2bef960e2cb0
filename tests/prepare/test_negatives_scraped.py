"""Negatives scraped from a plain video with its log, beside what the reference's script takes from the same files."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from rushes.formats.base import open_any
from rushes.prepare.negatives import negatives

JUMPS = {7: 0.25, 20: 0.125, 21: 0.5, 50: 0.25, 58: float("nan")}
"""frame_index -> hold; at 30 a second the holds end in frame 14, with the next press, before 36, in 57 and never."""
FRAMES = 60


def load(name):
    path = Path(__file__).parent.parent / "formats" / "jumpnet" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"scraped_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def opened(tmp_path):
    saved = load("saved")
    rows = [saved.row(k, 1.0, [1.0], [hold], frame) for k, (frame, hold) in enumerate(JUMPS.items())]
    saved.save(tmp_path / "pairs.npz", rows)
    film = cv2.VideoWriter(str(tmp_path / "film.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 30, (64, 64))
    for k in range(FRAMES):
        film.write(np.full((64, 64, 3), 4 * k, np.uint8))
    film.release()
    return open_any(tmp_path / "pairs.npz", options=[f"video={tmp_path / 'film.mp4'}"])


def reference():
    """The rule of its script: every frame of the video that is not within two of a positive's frame_index."""
    excluded = {frame + offset for frame in JUMPS for offset in range(-2, 3)}
    return [frame for frame in range(FRAMES) if frame not in excluded]


def test_the_reference_s_own_rule_gives_its_frames(opened):
    found = negatives(opened.samples, opened, kinds="uniform=all", exclusion="2", holds="uniform")
    assert found.rows["frame_index"].tolist() == reference()
    assert found.rows["label"].tolist() == [0.0] * len(reference())
    assert found.rows["control"].unique().tolist() == ["KeyW"]


def test_frames_in_the_middle_of_a_hold_are_no_longer_called_no_jump(opened):
    found = negatives(opened.samples, opened, kinds="uniform=all,during_hold=all")
    held = found.rows[found.rows["kind"] == "during_hold"]["frame_index"].tolist()
    assert set(held) == set(reference()) & {*range(7, 15), *range(20, 36), *range(50, 60)}
    assert sorted(found.rows["frame_index"]) == reference()


def test_hard_rows_of_a_video_look_like_its_positives(opened):
    found = negatives(opened.samples, opened, kinds="hard=3", exclusion="2", holds="uniform")
    nearest = [min(abs(frame - jump) for jump in JUMPS) for frame in found.rows["frame_index"]]
    assert nearest == [3, 3, 3]  # the video grows brighter with each frame
