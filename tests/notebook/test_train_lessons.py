"""The planted lessons, read from the files of their sessions and not through the loader that they are to test."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from rushes.formats.base import open_any
from rushes.notebook.train.lessons import LESSONS, Lesson, plan_take
from rushes.notebook.train.sessions import Amount, lesson_source, make_take
from rushes.notebook.train.signs import View
from rushes.qa.base import run_checks

SMALL = Amount(2, (80, 70), (48, 48))


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A session of each lesson, and what was planned for it."""
    folder = tmp_path_factory.mktemp("lessons")
    takes = {name: plan_take(lesson, number=1, frames=SMALL.frames) for name, lesson in LESSONS.items()}
    for name, take in takes.items():
        make_take(folder / name, take, size=SMALL.size)
    return folder, takes


def table(session, name):
    return pd.concat([pd.read_parquet(path) for path in sorted(session.glob(f"chunks/*/{name}"))], ignore_index=True)


def held_rows(events, control, edges):
    """Which rows a key is down in, from its edges alone."""
    mine = events[events["control"] == control]
    downs, ups = (mine.loc[mine["kind"] == kind, "t_ns"].to_numpy() for kind in ("press", "release"))
    assert len(downs) == len(ups) > 0
    return np.array([bool(((downs < b) & (ups > a)).any()) for a, b in pairwise(edges)])


@pytest.mark.parametrize("name", LESSONS)
def test_keys_are_down_in_the_rows_that_the_cue_asks_for_and_in_no_other(played, name):
    folder, takes = played
    events, lesson = table(folder / name, "events.parquet"), LESSONS[name]
    for part in takes[name].parts:
        free = np.ones(len(part.shown), bool)
        if part.marked:
            free[slice(*part.marked)] = False
        due = np.concatenate([np.zeros(lesson.back, int), part.shown])[: len(part.shown)]
        for number, key in enumerate(lesson.keys, 1):
            held = held_rows(events, key, part.t_ns)
            assert held[free].tolist() == (due == number)[free].tolist()


def test_what_the_hand_does_in_the_marked_stretch_is_not_what_the_cue_asks_for(played):
    folder, takes = played
    (fact,) = (json.loads(line) for line in (folder / "signs" / "facts.jsonl").read_text().splitlines())
    assert (fact["kind"], fact["value"]) == ("validity", {"valid": False})
    part = takes["signs"].parts[0]
    first, last = part.marked
    assert (fact["t_start_ns"], fact["t_end_ns"]) == (part.t_ns[first], part.t_ns[last])
    assert (part.answer[first:last] == part.shown[first:last]).mean() < 0.6


def test_pictures_come_unevenly_and_some_are_lost(played):
    index = table(played[0] / "signs", "index.parquet")
    steps = index.groupby("segment")["t_ns"].apply(lambda t: t.diff().dropna()) / 1e6
    assert steps.min() < 48
    assert steps.max() > 52
    assert index["dropped_before"].sum() > 0
    assert index["segment"].nunique() == 2


def test_each_tone_sounds_within_its_row_and_the_sound_begins_late_and_has_a_hole(played):
    folder, takes = played
    part, chunk = takes["tones"].parts[0], folder / "tones" / "chunks" / "0001" / "audio"
    samples, rate = soundfile.read(chunk / "game.flac")
    blocks = pd.read_parquet(chunk / "game.parquet")
    times = np.concatenate([b.t_ns + np.arange(b.count) * 1_000_000_000 // rate for b in blocks.itertuples()])
    assert times[0] - part.t_ns[0] == 310_000_000
    assert np.diff(times).max() > 400_000_000
    for row, cue in enumerate(part.shown):
        inside = samples[(times >= part.t_ns[row]) & (times < part.t_ns[row + 1])]
        if len(inside) < 1000:
            assert not cue, "no cue where nothing is heard"
            continue
        spectrum = np.abs(np.fft.rfft(inside * np.hanning(len(inside))))
        loudest = np.fft.rfftfreq(len(inside), 1 / rate)[spectrum.argmax()]
        if cue:
            assert abs(loudest - (440, 1200)[cue - 1]) < 25
        else:
            assert spectrum.max() < 30


def test_the_structure_of_the_sessions_is_sound(played):
    for name in LESSONS:
        assert not [f for f in run_checks(open_any(played[0] / name)) if f.severity == "error"]


def test_sessions_are_made_once_and_the_same_again(tmp_path):
    lesson = Lesson("lamps", "Lamps", ("KeyA", "KeyD"), ("left", "right"), kind="lamp")
    for root in ("a", "b"):
        folder = lesson_source("x", lesson, amount=SMALL, root=tmp_path / root)
        assert lesson_source("x", lesson, amount=SMALL, root=tmp_path / root) == folder
    first, second = ([p.read_bytes() for p in sorted((tmp_path / r).rglob("frames.mp4"))] for r in ("a", "b"))
    assert first == second
    assert len(first) == 4


def test_arrows_lamps_and_noise_look_as_they_are_called():
    view = View((96, 96), seed=3)
    up, left, none = (view.arrow(5, way).astype(int) for way in ("up", "left", ""))
    assert (up != left).any()
    assert (np.abs(up - none).max(axis=2) > 60).sum() > 300, "an arrow of some size"
    white = (view.arrow(5, "left").min(axis=2) > 240).nonzero()[1]
    turned = (view.arrow(5, "right").min(axis=2) > 240).nonzero()[1]
    middle = (min(*white, *turned) + max(*white, *turned)) / 2
    tips = [np.bincount(columns, minlength=96)[int(middle) :].sum() for columns in (white, turned)]
    assert tips[0] < tips[1], "the head of an arrow has more of it than its shaft"
    dark, lamp = view.lamp(9, "").astype(int), view.lamp(9, "right").astype(int)
    assert (np.abs(lamp - dark).sum(axis=2).nonzero()[1] >= 45).all()
    wide = Image.fromarray(View((48, 80), seed=1).noise(2))
    assert wide.size == (80, 48)
