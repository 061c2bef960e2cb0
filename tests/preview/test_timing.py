"""Plots of when frames were taken and of what the hands did, and the sheet of one play, from made-up numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rushes.errors import BadInputError, OccupiedError
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.ledger import Ledger
from rushes.model.readings import Event
from rushes.model.recording import Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.preview.play_sheet import mouse_words, play_sheet
from rushes.preview.timing import MOST_CONTROLS, frame_timing, inputs_over_time, lateness_ms

NS = 1_000_000_000
MS = 1_000_000


@dataclass
class Play(Recording):
    """Two segments of ten frames each at 10 Hz, the second one ten seconds later; every frame has its own grey."""

    event_rows: pd.DataFrame
    rate_hz: float = 10.0
    frames_each: int = 10
    late_ms: int = 0

    def __post_init__(self):
        streams = (
            StreamSpec("screen", "frames", "h264", rate_hz=self.rate_hz),
            StreamSpec("events", "events", unit="counts"),
        )
        space = ActionSpace.from_names(["KeyW", "MouseDX", "MouseDY"])
        self.info = SessionInfo("play-1", "Doom", {"kind": "desktop", "name": "linux"}, "measured", streams, space)
        n = self.frames_each
        self.segments = tuple(
            Segment(k, 10 * k * NS, 10 * k * NS + n * NS // 10, k * n, n, "pause") for k in range(2) if n
        )
        self.ledger, self.problems = Ledger(), ()

    def index(self, segment=None):
        n = self.frames_each
        where = [(s, k) for s in range(2) for k in range(n)]
        late = [k == 4 and self.late_ms > 0 for _, k in where]
        rows = {
            "frame_index": range(2 * n),
            "tick": [s * 100 + k for s, k in where],
            "picture": range(2 * n),
            "t_ns": [
                10 * s * NS + k * NS // 10 + tardy * self.late_ms * MS
                for (s, k), tardy in zip(where, late, strict=True)
            ],
            "segment": [s for s, _ in where],
            "duplicate": False,
            "late": late,
            "dropped_before": 0,
        }
        table = pd.DataFrame(rows)
        return table if segment is None else table[table["segment"] == segment].reset_index(drop=True)

    def steps(self, segment=None):
        raise AssertionError("recorded play has no steps")

    def events(self, segment=None):
        if segment is None:
            return self.event_rows
        one = self.segments[segment]
        return self.event_rows[self.event_rows["t_ns"].between(one.start_ns, one.end_ns - 1)].reset_index(drop=True)

    def frames(self, start, stop):
        for k in range(start, stop):
            yield np.full((90, 160, 3), 10 * k, np.uint8)

    def pictures(self, start, stop):
        return iter([None] * (stop - start))


def key(name, down_ms, up_ms):
    return [
        Event(down_ms * MS, "keyboard", name, "press", 1.0),
        Event(up_ms * MS, "keyboard", name, "release", 0.0),
    ]


HANDS = [
    *key("KeyW", 250, 620), *key("KeyW", 700, 705), *key("Space", 10_050, 10_300),
    Event(310 * MS, "mouse", "Mouse", "move", dx=3.0, dy=-12.0),
    Event(10_110 * MS, "mouse", "Mouse", "move", dx=-4.0, dy=0.0),
]  # fmt: skip


def test_lateness_is_measured_from_the_grid_of_the_most_punctual_frame():
    times = [5 * MS, 105 * MS, 202 * MS, 412 * MS]
    assert lateness_ms(times, [0, 1, 2, 4], rate_hz=10).tolist() == pytest.approx([3, 3, 0, 10])
    assert len(lateness_ms([], [], rate_hz=10)) == 0


def test_the_figure_of_frames_says_the_interval_and_the_lateness():
    figure = frame_timing(Play(events_frame(), late_ms=30))
    over_time, histogram = figure.axes
    points = np.concatenate([c.get_offsets() for c in over_time.collections if len(c.get_offsets())])
    assert sorted(points[:, 1].round().tolist()) == [70] * 2 + [100] * 14 + [130] * 2
    orange = [c.get_offsets().tolist() for c in over_time.collections if len(c.get_offsets()) == 1]
    assert np.round(orange, 2).tolist() == [[[0.43, 130.0]], [[10.43, 130.0]]], "late frames stand out"
    assert sum(bar.get_height() for bar in histogram.patches) == 20
    assert "100.0 ms" in figure.alt
    assert "orange: late" in [text.get_text() for text in over_time.texts]
    assert figure._repr_png_()[0].startswith(b"\x89PNG")


def test_without_frames_or_rate_there_is_nothing_to_show():
    for play in (Play(events_frame(), frames_each=0), Play(events_frame(), rate_hz=0.0)):
        with pytest.raises(BadInputError, match="frames"):
            frame_timing(play)
    with pytest.raises(BadInputError, match="frames"):
        inputs_over_time(Play(events_frame(), frames_each=0))


def test_the_figure_of_inputs_shows_each_hold_where_it_was():
    figure = inputs_over_time(Play(events_frame(HANDS)))
    keys, mouse = figure.axes
    assert [label.get_text() for label in keys.get_yticklabels()] == ["KeyW", "Space"]
    spans = [
        (round(path.vertices[:, 0].min(), 2), round(path.vertices[:, 0].max(), 2))
        for bars in keys.collections
        for path in bars.get_paths()
        if bars.get_zorder() == 3
    ]
    assert spans[0] == (0.25, 0.62)
    assert spans[1][0] == 0.7
    assert spans[1][1] > 0.705, "a tap is drawn wide enough to be seen"
    assert spans[2] == (10.05, 10.3)
    assert {"2 presses", "1 press"} <= {text.get_text() for text in keys.texts}
    lines = [line.get_ydata() for line in mouse.lines if len(line.get_ydata()) == 10]
    assert lines[0].tolist() == [0, 0, 0, 3, 0, 0, 0, 0, 0, 0]
    assert lines[1].tolist() == [0, 0, 0, -12, 0, 0, 0, 0, 0, 0]
    assert mouse.get_ylabel() == "counts"


def test_play_without_inputs_says_so():
    keys, mouse = inputs_over_time(Play(events_frame())).axes
    assert "no control was pressed" in [text.get_text() for text in keys.texts]
    assert "the mouse did not move" in [text.get_text() for text in mouse.texts]


def test_many_controls_are_thinned_and_the_figure_says_so():
    hands = [event for k in range(20) for event in key(f"Key{chr(65 + k)}", 10 * k, 10 * k + 5)]
    keys, _ = inputs_over_time(Play(events_frame(sorted(hands, key=lambda e: e.t_ns)))).axes
    assert len(keys.get_yticklabels()) == MOST_CONTROLS
    assert f"({20 - MOST_CONTROLS} rarer controls not shown)" in keys.get_title(loc="left")


def test_the_sheet_shows_first_and_last_frame_in_four_columns(tmp_path):
    sheet = play_sheet(Play(events_frame(HANDS)), tmp_path / "sheet.png", pictures=8)
    assert (np.asarray(Image.open(tmp_path / "sheet.png")) == sheet).all()
    greys = {tuple(pixel) for pixel in sheet[90::10, ::10].reshape(-1, 3)}
    assert (0, 0, 0) in greys, "frame 0"
    assert (190, 190, 190) in greys, "frame 19"
    height = 294 * 90 // 160
    assert sheet.shape[0] > 2 * height
    assert sheet.shape[1] > 4 * 294
    with pytest.raises(OccupiedError):
        play_sheet(Play(events_frame()), tmp_path / "sheet.png")


def test_the_motion_of_the_mouse_is_said_in_words():
    assert mouse_words({"MouseDX": -20.0, "MouseDY": 7.0}) == "mouse left 20, down 7"
    assert mouse_words({"MouseDX": 0.0, "MouseWheel": 1.0}) == ""


def test_a_sheet_of_nothing_is_refused():
    with pytest.raises(BadInputError, match="at least one frame"):
        play_sheet(Play(events_frame(), frames_each=0))
    with pytest.raises(BadInputError, match="pictures=0"):
        play_sheet(Play(events_frame()), pictures=0)
