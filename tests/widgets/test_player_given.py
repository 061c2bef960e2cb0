"""What a player shows beside a recording, of a part of it, and what it refuses; expected values are those planted."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_player import WORLD, Page, record

from rushes.errors import BadInputError, MissingError
from rushes.formats.base import convert
from rushes.model.findings import Finding
from rushes.model.recording import Sessions
from rushes.prepare.press_release import press_release
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.samples import write_samples
from rushes.store.validity import honour
from rushes.widgets.player import player

NS = 1_000_000_000
TIMES = WORLD.times_ns()
JUMPNET_HZ = 30


@pytest.fixture
def path(tmp_path):
    return record(tmp_path / "session")


@pytest.fixture
def second(path):
    """The second of two segments of sixty frames."""
    return list(open_session(path).episodes())[1]


def frames_of_presses():
    """Frames on which Space went down."""
    presses = [e.t_ns for e in WORLD.events() if e.kind == "press" and e.control == "Space"]
    return np.searchsorted(TIMES, presses, side="right") - 1


def write_pairs(path, target, **options):
    session = open_session(path)
    samples, _ = press_release(session, "Space")
    given = Sessions([session], format="session", samples=samples)
    if target.suffix == ".npz":
        convert(given, target, format="jumpnet", options=options)
    else:
        write_samples(samples, target)
    return target


def shown_beside(source, other, frames):
    page = Page(player(source, beside=other))
    return [page.ask("match", frame=int(frame))[0]["frame"] for frame in frames]


@pytest.mark.parametrize(("name", "places"), [("pairs.parquet", np.arange(120)), ("pairs.npz", TIMES)])
def test_beside_a_session_stands_the_row_of_the_nearest_press(path, tmp_path, name, places):
    """By the number of its frame where the table has it, by its time where the file has pictures of its own."""
    table, presses = write_pairs(path, tmp_path / name), frames_of_presses()
    assert len(presses) > 3
    near = [int(np.argmin(np.abs(places[presses] - places[frame]))) for frame in range(120)]
    assert shown_beside(path, table, range(0, 120, 7)) == near[::7]
    assert shown_beside(path, table, presses) == list(range(len(presses)))
    assert shown_beside(table, path, range(len(presses))) == presses.tolist()


def test_a_file_that_names_no_session_is_matched_by_time(path, tmp_path):
    table, presses = write_pairs(path, tmp_path / "strict.npz", strict=True), frames_of_presses()
    rows_ns = presses * NS / JUMPNET_HZ  # all that the file says of them is the number of their frame
    near = [int(np.argmin(np.abs(rows_ns - (TIMES[frame] - TIMES[0])))) for frame in range(0, 120, 7)]
    assert len(set(near)) > 2
    assert shown_beside(path, table, range(0, 120, 7)) == near


def test_a_table_of_which_no_row_belongs_there_is_refused(path, tmp_path):
    others = [open_session(record(tmp_path / name, replace(WORLD, seed=seed))) for name, seed in (("b", 6), ("c", 7))]
    samples, _ = press_release(others, "Space")
    with pytest.raises(BadInputError, match="beside session, of which none") as refused:
        player(path, beside=samples)
    assert refused.value.accepts
    assert refused.value.fix
    assert player(tmp_path / "b", beside=samples).about["sources"][1]["frames"] == len(samples)


def test_an_episode_has_its_own_marks_alone(path, second):
    whole = player(path)
    whole.mark(0, 40, valid=False)
    whole.mark(10, 12, label={"column": "scene", "value": "menu"})
    whole.mark(55, 70, label={"column": "scene", "value": "both"})
    page = Page(player(second))
    assert [(m["start"], m["stop"], m["label"]["value"]) for m in page.widget.marks] == [(0, 10, "both")]
    (said,) = page.ask("next", frame=30, kind="mark", direction=-1)
    assert said["frame"] == 0
    page.ask("unmark", id=page.widget.marks[0]["id"])
    assert page.ask("next", frame=30, kind="mark", direction=-1)[0]["is"] == "said"
    page.ask("mark", start=5, stop=8, valid=False, label=None)
    assert [(m["start"], m["stop"], m["valid"]) for m in page.widget.marks] == [(5, 8, False)]
    left = honour(open_session(path)).index()["frame_index"].tolist()
    assert left == [*range(40, 65), *range(68, 120)], "frames 5 to 7 of the episode, and what was marked before"
    assert len(player(path).marks) == 3


def test_an_episode_has_its_own_findings_and_facts_alone(path, second):
    add_fact(path, "note", {"text": "early"}, author="me", t_start_ns=int(TIMES[3]), t_end_ns=int(TIMES[4]))
    add_fact(path, "note", {"text": "late"}, author="me", t_start_ns=int(TIMES[63]), t_end_ns=int(TIMES[64]))
    findings = [
        Finding("a.time", "error", "x", t_ns=NS),
        Finding("a.frame", "error", "x", frame_index=59),
        Finding("a.frame_and_time", "error", "x", frame_index=20, t_ns=int(TIMES[20])),
        Finding("a.before", "error", "x", t_ns=int(TIMES[10]), t_end_ns=int(TIMES[12])),
        Finding("b.reaches", "error", "x", t_ns=int(TIMES[58]), t_end_ns=int(TIMES[62])),
        Finding("b.frame", "error", "x", frame_index=61),
        Finding("b.time", "error", "x", t_ns=int(TIMES[62])),
        Finding("whole", "info", "x"),
    ]
    about = player(second, findings=findings).about
    expected = [("b.reaches", 0), ("b.frame", 1), ("b.time", 2), ("whole", None)]
    assert [(one["id"], one["frame"]) for one in about["findings"]] == expected
    assert [fact["text"] for fact in about["facts"]] == ["late, me"]
    about = player(path, findings=[*findings, Finding("pause", "info", "x", t_ns=int(TIMES[60]) - 1)]).about
    assert (len(about["findings"]), len(about["facts"])) == (len(findings) + 1, 2), "of the whole nothing is left out"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("label", "Space: yes"),
        ("label", " space :"),
        ("drop", "Spaze: maybe"),
        ("hold_s", "Space: long"),
        ("weight", "KeyW: 1kg"),
    ],
)
def test_an_edit_that_does_not_read_is_refused_and_not_kept_as_a_text(path, column, value):
    with pytest.raises(BadInputError, match="says nothing") as refused:
        player(path).mark(0, 5, label={"column": column, "value": value})
    assert refused.value.accepts
    assert refused.value.fix
    assert not (path / "facts.jsonl").exists()


@pytest.mark.parametrize(
    ("column", "value"), [("label", "note: hello"), ("scene", "Space: yes"), ("label", "F24: a key nobody recorded")]
)
def test_a_free_label_may_have_a_colon(path, column, value):
    view = player(path)
    view.mark(0, 5, label={"column": column, "value": value})
    assert [mark["label"] for mark in view.marks] == [{"column": column, "value": value}]


@pytest.mark.parametrize("rate", [0.1, 9999, float("nan"), -30])
def test_a_rate_that_cannot_be_played_is_refused(path, rate):
    with pytest.raises(BadInputError, match=r"0\.3 to 1920 here"):
        player(path, rate=rate)
    assert player(path, rate=1.5).speed == pytest.approx(0.05)


@pytest.mark.parametrize("given", ["x" * 5000, "x" * 5000 + "?frame=3", "/".join(["y" * 200] * 30)])
def test_a_path_that_is_too_long_is_missing(given):
    with pytest.raises(MissingError, match="nothing is there"):
        player(given)


def test_a_link_opens_from_another_folder(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    links = [player("session").link(7), player(open_session("session")).link(7)]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert [player(link).frame for link in links] == [7, 7]
