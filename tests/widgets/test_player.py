"""The player on the kernel's side, driven by the messages of a page; tests/browser looks at it."""

import io
import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rushes.errors import BadInputError, MissingError
from rushes.formats.base import convert
from rushes.model.findings import Finding
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec
from rushes.prepare.augment.base import Drawn, written
from rushes.prepare.press_release import press_release
from rushes.store.delayed import delayed
from rushes.store.facts import add_fact
from rushes.store.pairing import asked_delay, pairs
from rushes.store.reader import open_session, open_sessions
from rushes.store.samples import write_samples
from rushes.store.validity import honour
from rushes.store.video import read_video
from rushes.store.writer import SessionWriter
from rushes.widgets.player import player
from rushes.worlds.synthetic import Synthetic, read_counter

WORLD = Synthetic(frames=120, segments=2, seed=5)


def record(path, world=WORLD):
    streams = (
        StreamSpec("screen", "frames", "png", width=160, height=120, rate_hz=30.0),
        StreamSpec("events", "events", unit="counts"),
    )
    source = {"kind": "synthetic", "name": "synthetic"}
    with SessionWriter(path, SessionInfo(path.name, "Synthetic", source, "measured", streams, world.action_space)) as w:
        for reading in world.readings():
            w.write(reading)
    return path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return record(tmp_path_factory.mktemp("recorded") / "session")


@pytest.fixture
def path(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "session")


class Page:
    """A page: what it was told, in order."""

    def __init__(self, widget):
        self.widget, self.told = widget, []
        widget.send = lambda content, buffers=None: self.told.append((content, buffers))

    def ask(self, do, **asked):
        self.told.clear()
        self.widget._on_msg(self.widget, {"do": do, **asked}, [])
        assert self.widget._talk.wait(20)
        return [content for content, _ in self.told]

    def pictures(self, numbers, *, source=0, exact=False, ticket=1):
        self.ask("frames", ticket=ticket, source=source, numbers=numbers, exact=exact)
        return [
            (number, kind, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
            for content, buffers in self.told
            if content["is"] == "frames"
            for number, kind, data in zip(content["numbers"], content["types"], buffers, strict=True)
        ]


@pytest.fixture
def page(path):
    page = Page(player(path))
    yield page
    page.widget.close()


def test_pictures_come_in_the_order_in_which_they_are_asked_for(page):
    for numbers in ([0, 1, 2, 3, 4, 5, 6], [90, 60, 59, 58], [119]):
        found = page.pictures(numbers)
        assert [number for number, _, _ in found] == numbers
        assert [read_counter(pixels) for _, _, pixels in found] == numbers
        assert all(np.array_equal(pixels, WORLD.picture(number)) for number, _, pixels in found)


def test_an_older_ticket_that_has_not_begun_is_dropped(page):
    talk, wait = page.widget._talk, threading.Event()
    talk._decoding[0].put(wait.wait)
    for ticket, number in ((4, 10), (5, 20), (5, 30)):
        message = {"do": "frames", "ticket": ticket, "source": 0, "numbers": [number], "exact": False}
        page.widget._on_msg(page.widget, message, [])
    wait.set()
    assert talk.wait(20)
    assert [content.get("numbers", content["ticket"]) for content, _ in page.told] == [5, [20], [30]]
    assert page.told[0][0]["is"] == "dropped", "whoever asked with it learns of the newer one"


def test_rows_say_what_the_grid_says(page, path):
    rows = [row for start in (0, 60) for row in page.ask("rows", source=0, start=start, stop=start + 60)[0]["rows"]]
    at = 0
    for pair in pairs(open_session(path)):
        for k in range(len(pair)):
            row = rows[at]
            assert set(row["down"]) == {name for name, held in pair.grid.held.items() if held[k]}
            assert set(row["pressed"]) == {name for name, count in pair.grid.pressed.items() if count[k]}
            motion = [pair.grid.motion["MouseDX"][k], pair.grid.motion["MouseDY"][k]]
            assert (row["mouse"] or [0, 0]) == motion
            assert (row["t"], row["seg"]) == (pair.grid.t_ns[k] / 1e9, pair.segment.index)
            at += 1
    assert at == 120


def test_a_correction_moves_what_was_done_as_it_will_when_it_is_stored(page, path):
    page.widget.offset_ms = 70.0
    row = page.ask("rows", source=0, start=10, stop=11)[0]["rows"][0]
    times = WORLD.times_ns()
    start, end = times[10] - 70_000_000, times[11] - 70_000_000
    down, held = set(), {}
    for event in WORLD.events():
        if event.kind == "press":
            held[event.control] = event.t_ns
        elif event.kind == "release" and held.pop(event.control) < end and event.t_ns > start:
            down.add(event.control)
    assert set(row["down"]) == down
    assert page.ask("offset", ms=-30, ticket=4) == [{"is": "offset", "ticket": 4, "ms": -30.0}]
    assert page.widget.offset_ms == -30.0
    said, answer = page.ask("save_offset", ms=70, ticket=5)
    assert answer == {"is": "offset", "ticket": 5, "ms": 0.0}, "inputs as they were recorded again"
    assert said["tone"] == "ok"
    assert float(asked_delay(open_session(path), "measured")) == 70.0
    fact = open_session(path).facts[-1]
    assert fact.author.startswith("player")
    assert fact.value["low"] < 70 < fact.value["high"]
    assert player(path, offset="measured").offset_ms == 70.0
    page.ask("save_offset", ms=-12.5)
    assert [f.value["ms"] for f in open_session(path).facts] == [-12.5], "the newer one takes its place"


def test_a_mark_reaches_what_may_be_used_and_can_be_taken_back(page, path):
    assert page.ask("mark", start=10, stop=30, valid=False, label=None) == []
    assert [(m["start"], m["stop"], m["valid"]) for m in page.widget.marks] == [(10, 30, False)]
    assert honour(open_session(path)).frame_count == 100
    page.ask("mark", start=15, stop=20, valid=True, label=None)
    assert honour(open_session(path)).frame_count == 105
    assert [(m["start"], m["stop"]) for m in page.widget.marks if not m["valid"]] == [(10, 15), (20, 30)]
    page.ask("unmark", id=page.widget.marks[0]["id"])
    assert honour(open_session(path)).frame_count == 110
    page.ask("mark", start=0, stop=120, valid=True, label=None)
    assert honour(open_session(path)).frame_count == 120
    assert all(mark["valid"] for mark in page.widget.marks)
    assert len((path / "facts.jsonl").read_text().splitlines()) > 5, "nothing that was said is gone"


def test_a_mark_ends_with_its_segment_and_not_in_the_pause_after_it(page, path):
    page.ask("mark", start=50, stop=60, valid=False, label=None)
    (fact,) = open_session(path).facts
    assert fact.t_end_ns == open_session(path).segments[0].end_ns


def test_a_label_of_a_known_column_edits_samples_and_any_other_is_kept(page, path):
    before, _ = press_release(open_session(path), "Space")
    page.ask("mark", start=0, stop=60, valid=None, label={"column": "drop", "value": "space: true"})
    after, _ = press_release(open_session(path), "Space")
    assert len(after) == int((before.rows["frame_index"] >= 60).sum()) < len(before)
    page.ask("mark", start=3, stop=5, valid=None, label={"column": "phase", "value": "menu"})
    assert [(m["label"]["column"], m["label"]["value"]) for m in page.widget.marks] == [
        ("drop", "Space: True"),
        ("phase", "menu"),
    ]
    (said,) = page.ask("mark", start=3, stop=5, valid=None, label={"column": "label", "value": "Space: 7"})
    assert (said["is"], said["accepts"]) == ("refused", "a number from 0 to 1")


BAD = [
    None, [], {}, {"do": 3}, {"do": "explode"}, {"do": "frames"}, {"do": "frames", "numbers": [0] * 33},
    {"do": "frames", "numbers": ["1"]}, {"do": "frames", "numbers": [-1]}, {"do": "frames", "numbers": [120]},
    {"do": "frames", "numbers": [1], "source": 1}, {"do": "frames", "numbers": [1], "source": -1},
    {"do": "rows", "start": 0}, {"do": "rows", "start": 0, "stop": 1e30}, {"do": "rows", "start": 5, "stop": 2},
    {"do": "rows", "start": 0, "stop": 600}, {"do": "lines", "from_ns": 5, "to_ns": 5, "px": 9},
    {"do": "lines", "from_ns": 0, "to_ns": 5, "px": 10**6}, {"do": "lines", "from_ns": None, "to_ns": 5, "px": 2},
    {"do": "mark", "start": 0, "stop": 5}, {"do": "mark", "start": 9, "stop": 5, "valid": True},
    {"do": "mark", "start": 0, "stop": 500, "valid": True}, {"do": "mark", "start": 0, "stop": 5, "valid": "yes"},
    {"do": "mark", "start": 0, "stop": 5, "label": {"column": "", "value": 1}}, {"do": "unmark", "id": "nobody"},
    {"do": "save_offset", "ms": "fast"}, {"do": "save_offset", "ms": float("nan")}, {"do": "save_offset", "ms": 1e12},
    {"do": "offset", "ms": None}, {"do": "offset"},
    {"do": "clip", "start": 5, "stop": 5}, {"do": "still", "frame": 120}, {"do": "link", "frame": 500},
    {"do": "next", "frame": 0, "kind": "luck"}, {"do": "next", "frame": 0, "kind": "mark", "direction": 7},
    {"do": "match", "frame": 3},
]  # fmt: skip


def test_bad_messages_are_refused_in_words_and_nothing_is_stored(page, path):
    for message in BAD:
        page.told.clear()
        page.widget._on_msg(page.widget, message, [])
        assert page.widget._talk.wait(20)
        assert [content["is"] for content, _ in page.told] == ["refused"], message
        content = page.told[0][0]
        assert content["given"], message
        assert content["accepts"], message
        assert content["fix"], message
    assert not (path / "facts.jsonl").exists()


def test_what_is_damaged_is_said_and_the_rest_is_shown(page):
    page.ask("frames", ticket=1, source=0, numbers=[3, 999, 4], exact=False)
    assert [content["is"] for content, _ in page.told] == ["frames", "refused", "frames"]
    assert (page.told[1][0]["source"], page.told[1][0]["number"]) == (0, 999), "so that the page shows none for it"


def test_the_next_event_is_the_next_press_and_segments_and_marks_are_found(page):
    times, presses = WORLD.times_ns(), [e.t_ns for e in WORLD.events() if e.kind == "press"]
    first = int(np.searchsorted(times, presses[0], side="right")) - 1
    (said,) = page.ask("next", frame=0, kind="event", direction=1)
    assert said["frame"] == first
    assert "pressed" in said["why"]
    assert page.ask("next", frame=0, kind="segment", direction=1)[0]["frame"] == 60
    assert page.ask("next", frame=60, kind="segment", direction=-1)[0]["frame"] == 0
    assert page.ask("next", frame=0, kind="finding", direction=1)[0]["is"] == "said"
    page.widget.mark(40, 50, valid=False)
    assert page.ask("next", frame=0, kind="mark", direction=1)[0]["frame"] == 40


def test_stored_reasons_are_findings_where_their_marks_are_and_given_ones_take_their_place(path):
    value = {"verdict": "WARN", "reasons": ["timing.gap: nothing came", "content.dark: dark"], "figures": {}}
    add_fact(path, "verdict", value, author="rushes qa")
    times = {"t_start_ns": int(WORLD.times_ns()[20]), "t_end_ns": int(WORLD.times_ns()[25])}
    add_fact(path, "validity", {"valid": False}, author="rushes qa: timing.gap", **times)
    found = player(path).about["findings"]
    assert [(f["id"], f["frame"], f["severity"]) for f in found] == [
        ("timing.gap", 20, "info"),
        ("content.dark", None, "warning"),
    ]
    given = [Finding("a.b", "error", "wrong", session="session", frame_index=33), Finding("c.d", "error", "", "other")]
    assert [(f["id"], f["frame"]) for f in player(path, findings=given).about["findings"]] == [("a.b", 33)]


def test_a_clip_a_still_and_a_link_come_back(page, path, tmp_path):
    (told,) = page.ask("clip", start=50, stop=70)
    (tmp_path / "clip.mp4").write_bytes(page.told[0][1][0])
    frames = list(read_video(tmp_path / "clip.mp4"))
    assert (told["type"], len(frames)) == ("video/mp4", 20)
    assert read_counter(np.ascontiguousarray(frames[0].pixels[::4, ::4])) == 50, "enlarged by four"
    (told,) = page.ask("still", frame=7)
    assert told["type"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(page.told[0][1][0])).convert("RGB"))
    assert np.array_equal(pixels, WORLD.picture(7))
    (said,) = page.ask("link", frame=77)
    again = player(said["link"])
    assert (again.frame, again.about["title"]) == (77, page.widget.about["title"])
    assert np.array_equal(np.asarray(Image.open(page.widget.still(tmp_path / "still.png", 7))), WORLD.picture(7))


def test_of_several_sessions_the_first_is_shown_and_the_title_says_so(tmp_path):
    for name in ("a", "b", "c"):
        record(tmp_path / "all" / name, Synthetic(frames=20))
    first, second = player(tmp_path / "all"), player(tmp_path / "all", session="b")
    assert "session 1 of 3" in first.about["title"]
    assert "session 2 of 3" in second.about["title"]
    assert "session 2 of 3" in player(second.link(3)).about["title"]
    with pytest.raises(BadInputError, match="session='d'"):
        player(tmp_path / "all", session="d")
    assert player(open_sessions(tmp_path / "all"), session=2).about["title"].count("3 of 3") == 1


def test_two_sources_stand_side_by_side_frame_by_frame(path, tmp_path):
    session = open_session(path)
    convert(session, tmp_path / "log.npz", format="jumpnet_raw")
    page = Page(player(path, beside=tmp_path / "log.npz"))
    log = page.widget.about["sources"][1]
    assert (log["width"], log["height"]) == (227, 227)
    presses = sorted(e.t_ns for e in WORLD.events() if e.kind in {"press", "release"})
    frame = int(np.searchsorted(WORLD.times_ns(), presses[4], side="right"))  # the first frame after the fifth edge
    later = [t for t in presses if t <= WORLD.times_ns()[frame]]
    (said,) = page.ask("match", frame=frame)
    assert (said["is"], said["source"], said["frame"], said["by"]) == ("frame", 1, len(later) - 1, "time")
    assert len(page.pictures([0, 1], source=1)) == 2
    (said,) = Page(player(path, beside=path)).ask("match", frame=44)
    assert (said["frame"], said["by"]) == (44, "number")


def test_labelled_samples_are_shown_row_by_row_with_their_label(path, tmp_path):
    session = open_session(path)
    samples, _ = press_release(session, "Space")
    write_samples(samples, tmp_path / "pairs.parquet")
    convert(Sessions([session], format="session", samples=samples), tmp_path / "pairs.npz", format="jumpnet")
    for source in (tmp_path / "pairs.parquet", tmp_path / "pairs.npz", samples):
        page = Page(player(source))
        assert page.widget.about["sources"][0]["frames"] == len(samples)
        row = page.ask("rows", source=0, start=0, stop=1)[0]["rows"][0]
        assert "label 1" in row["note"]
        assert "Space" in row["down"]
        (_, kind, pixels), *_ = page.pictures([0])
        assert kind == "png"
        if source != tmp_path / "pairs.npz":  # whose pictures are squashed
            assert read_counter(pixels) == samples.rows["frame_index"].iloc[0]
        (said,) = page.ask("mark", start=0, stop=1, valid=False, label=None)
        assert "rushes convert" in said["fix"]


def test_findings_of_labelled_samples_stand_at_their_rows(path):
    samples, _ = press_release(open_session(path), "Space")
    last = (samples.rows["frame_index"] + samples.rows["length"] - 1).to_numpy()
    row = int(np.flatnonzero(last != last[0])[-1])
    found = Finding("a.b", "error", "wrong", session="session", frame_index=int(last[row]), t_ns=900 * 10**9)
    (told,) = player(samples, findings=[found]).about["findings"]
    assert last[told["frame"]] == last[row]
    assert told["t_ns"] == told["frame"] * 250_000_000, "four rows a second, not the session's own time"


def test_a_transformed_row_is_shown_as_training_sees_it(path):
    samples, _ = press_release(open_session(path), "Space")
    rows = samples.rows.copy()
    rows.loc[1, "transform"] = written([Drawn("flip", {})])
    rows.loc[2, "transform"] = '[{"name":"unheard"}]'
    page = Page(player(replace(samples, rows=rows)))
    found = page.pictures([0, 1, 2])
    assert [number for number, _, _ in found] == [0, 1]
    assert any("unheard" in content["given"] for content, _ in page.told if content["is"] == "refused")
    plain = WORLD.picture(int(rows["frame_index"].iloc[1]) + int(rows["length"].iloc[1]) - 1)
    squashed = np.asarray(Image.fromarray(plain).resize((227, 227), Image.Resampling.BOX))
    assert found[1][2].shape == (227, 227, 3)
    flipped, plain = (np.abs(one.astype(int) - squashed).mean() for one in (found[1][2][:, ::-1], found[1][2]))
    assert flipped < plain / 4


def test_a_view_with_moved_inputs_shows_them_moved(path):
    """As `action_delay_ms` has it in an export."""
    moved, page = delayed(open_session(path), 70.0), Page(player(path, offset=70.0))
    rows = Page(player(moved)).ask("rows", source=0, start=60, stop=120)[0]["rows"]
    corrected = page.ask("rows", source=0, start=60, stop=120)[0]["rows"]
    (_, second) = pairs(moved)
    for k, (row, other) in enumerate(zip(rows, corrected, strict=True)):
        held = {name for name, down in second.grid.held.items() if down[k]}
        assert set(row["down"]) == set(other["down"]) == held


def test_what_a_page_sets_stays_within_the_recording(page):
    page.widget.set_state({"frame": 4000, "selection": [-5, 7]})
    assert (page.widget.frame, page.widget.selection) == (119, [0, 7])
    assert page.ask("offset", ms=1e15)[0]["ms"] == page.widget.offset_ms == 86_400_000.0
    page.widget.set_state({"selection": [9, 3]})
    assert page.widget.selection is None
    page.widget.playing = True
    page.widget.go(5)
    assert (page.widget.frame, page.widget.playing) == (5, False)
    with pytest.raises(BadInputError, match="frame 120"):
        page.widget.go(120)


def test_a_closed_player_leaves_no_thread_and_what_is_not_there_is_said(page, tmp_path):
    before = set(threading.enumerate())
    page.pictures([1, 2, 3])
    page.ask("rows", source=0, start=0, stop=9)
    own = set(threading.enumerate()) - before
    assert len(own) == 2
    page.widget.close()
    until = time.monotonic() + 5
    while time.monotonic() < until and own & set(threading.enumerate()):
        time.sleep(0.01)
    assert not own & set(threading.enumerate())
    with pytest.raises(MissingError, match="nothing is there"):
        player(tmp_path / "nowhere")
    for wrong in ({"rate": 0}, {"frame": 120}, {"offset": "measured"}):
        with pytest.raises(BadInputError):
            player(tmp_path / "session", **wrong)
    assert player(tmp_path / "session", rate=60).speed == 2.0
