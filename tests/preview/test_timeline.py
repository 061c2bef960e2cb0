"""The player's timeline and pictures without a browser: everything at its time, in the colours of the page."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import ImageColor, ImageDraw

from rushes.errors import BadInputError, OccupiedError
from rushes.preview import timeline
from rushes.preview.notes import Bar, Note
from rushes.preview.player_sheet import ON, Tile, player_sheet
from rushes.preview.style import font
from rushes.preview.timeline import timeline_plot
from rushes.store.images import decode

NS = 1_000_000_000
ESM = Path(timeline.__file__).parent.parent / "widgets" / "esm"
LANES = [
    {"name": "ALE/FIRE", "kind": "holds", "spans": [[2 * NS, 3 * NS, 1], [5 * NS, 5 * NS + 1, 1]]},
    {"name": "game", "kind": "wave", "low": [-0.5, None], "high": [1.0, None]},
    {"name": "score", "kind": "line", "values": [0.0, 10.0]},
    {"name": "late", "kind": "ticks", "t": [7 * NS]},
]


def bars(figure, colour):
    """(start, end) in s of all bars of a colour."""
    found = []
    for one in figure.axes[0].collections:
        if len(one.get_facecolor()) and to_hex(one.get_facecolor()[0]) == colour:
            found += [(p.vertices[:, 0].min(), p.vertices[:, 0].max()) for p in one.get_paths() if len(p.vertices)]
    return sorted(found)


def test_everything_stands_at_its_time_and_is_said_in_words():
    figure = timeline_plot(
        LANES,
        from_ns=NS,
        to_ns=9 * NS,
        segments=[{"t_start_ns": NS, "t_end_ns": 4 * NS}, {"t_start_ns": 5 * NS, "t_end_ns": 9 * NS}],
        marks=[{"t_start_ns": 5 * NS, "t_end_ns": 8 * NS, "valid": False, "text": "invalid (player)"}],
        findings=[
            {"t_ns": 6 * NS, "t_end_ns": 7 * NS, "severity": "error"},
            {"t_ns": None, "t_end_ns": None, "severity": "warning"},
        ],
        facts=[{"t_start_ns": 2 * NS, "t_end_ns": 4 * NS}],
        title="A play",
    )
    axes = figure.axes[0]
    assert axes.get_xlim() == (1.0, 9.0)
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "segments, marks", "findings, facts", "FIRE", "game", "score", "late",
    ]  # fmt: skip
    assert bars(figure, timeline.HELD) == [(2.0, 3.0), (5.0, pytest.approx(5.0))]
    assert bars(figure, timeline.SHADE) == [(1.0, 4.0), (5.0, 9.0)]
    assert {(5.0, 8.0), (6.0, 7.0)} <= set(bars(figure, timeline.BAD)), "the mark and the finding"
    assert bars(figure, timeline.ACCENT)[0] == (2.0, 4.0), "the fact"
    assert [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "v"] == [[6.0]]
    assert [line.get_xdata().tolist() for line in axes.lines if line.get_color() == timeline.ACCENT] == [[3.0, 7.0]]
    assert bars(figure, timeline.WAVE) == [(1.0, 5.0)], "nothing is drawn where nothing is known"
    words = {text.get_text().strip() for text in axes.texts}
    assert words == {"invalid (player)", "0 to 10"}
    assert figure.alt == "Timeline of 8.0 s: 4 lanes (ALE/FIRE, game, score, late), 2 segments, 1 mark, 1 finding"
    assert figure._repr_png_()[0].startswith(b"\x89PNG")


def test_colours_and_heights_are_those_of_the_page():
    light = (ESM / "player.css").read_text().partition("[data-jp-theme-light")[0]
    for name in ("held", "wave", "accent", "good", "warn", "bad"):
        (colour,) = re.findall(rf"--rushes-{name}: .*?(#[0-9a-f]{{6}})", light)
        assert colour == getattr(timeline, name.upper()), name
    (heights,) = re.findall(r"HEIGHTS = \{ (.*) \}", (ESM / "lanes.js").read_text())
    assert {k: int(v) for k, v in (pair.split(": ") for pair in heights.split(", "))} == timeline.LANE_PX


def test_a_stretch_that_is_none_is_refused():
    with pytest.raises(BadInputError, match="end after the start"):
        timeline_plot([], from_ns=5, to_ns=5)
    with pytest.raises(BadInputError, match="0 pictures"):
        player_sheet([], title="x")


def lit(sheet):
    """Columns of a sheet that have the colour of a control that is down."""
    return np.flatnonzero((sheet == ImageColor.getrgb(ON)).all(axis=2).any(axis=0))


def test_a_sheet_keeps_pictures_sharp_and_lights_what_was_down(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)

    def tile(down, frame=3):
        note = Note("Game", 0, 3, 34, 0.2, "keys", "", frozenset(down), reward=1.0, score=4.0, lives=2)
        return Tile(pixels, note, frame, 1.5, ("KeyA", "KeyW"))

    sheet = player_sheet([tile({"KeyW"})] * 4, tmp_path / "sheet.png", title="Game", columns=3)
    twice = pixels.repeat(2, axis=0).repeat(2, axis=1)
    left = 8 + (401 - 320) // 2
    assert np.array_equal(sheet[52 : 52 + 180, left : left + 320], twice), "enlarged by a whole number"
    assert np.array_equal(decode((tmp_path / "sheet.png").read_bytes(), where="sheet"), sheet)
    assert len(np.unique(lit(sheet) // 413)) == 3, "one control is lit in each of three columns"
    assert not len(lit(player_sheet([tile(())], title="Game")))
    first = lit(player_sheet([tile({"KeyA"})], title="Game"))
    assert first.max() < lit(player_sheet([tile({"KeyW"})], title="Game")).min(), "each at its own place"
    with pytest.raises(OccupiedError):
        player_sheet([tile(())], tmp_path / "sheet.png", title="Game")


def test_controls_that_do_not_fit_stand_behind_those_that_are_down():
    names = tuple(f"Control{k}" for k in range(20))
    note = Note("Game", 0, 0, 1, 0.0, "keys", "", frozenset({"Control19"}))
    sheet = player_sheet([Tile(np.zeros((90, 160, 3), np.uint8), note, 0, 0.0, names)], title="Game")
    assert lit(sheet).min() < 30


def test_what_is_said_of_a_sample_is_on_lines_of_a_sheet_and_uncut(monkeypatch):
    said = [
        "label 1",
        "positive",
        "Space",
        "press",
        "held 0.007 s",
        "mouse left 6, up 5",
        "train",
        "session of_a_long_name",
    ]
    written = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda _, at, text, *_a, **_n: written.append((at[1], text)))
    moved = (Bar("MouseDX", -6.0, -6.0, 6.0), Bar("MouseDY", -5.0, -6.0, 6.0))
    note = Note("Game", 0, 0, 1, 0.0, "keys", "", frozenset(), bars=moved, end=" · ".join(said))
    sheet = player_sheet([Tile(np.zeros((90, 160, 3), np.uint8), note, 0, 0.0)], title="Game")
    lines = [(y, text) for y, text in written if set(text.split(" · ")) & set(said)]
    assert " · ".join(text for _, text in lines).split(" · ") == said, "each once, and in order"
    assert len(lines) > 1
    assert all(font(13).getlength(text) <= 401 - 20 for _, text in lines)
    assert min(y for y, _ in lines) > 52 + 180
    assert max(y for y, _ in lines) + 17 <= len(sheet) - 8
