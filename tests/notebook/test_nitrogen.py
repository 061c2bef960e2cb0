"""What the NitroGen recipe calls: its parameters, its planted session, and the proof of what a trainer loads.

The three forms are written here by hand, with numpy, torch and pyarrow, from rows that were worked out by hand too.
"""

import json
import shutil
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from rushes.errors import BadInputError, MissingError, RushesError
from rushes.formats.base import open_any
from rushes.formats.report import Report
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec
from rushes.notebook.desktop_sample import desktop_source, make_session, plan_hand
from rushes.notebook.nitrogen.compared import figures_of
from rushes.notebook.nitrogen.forms import Forms, Plan, controls_table, ledgers_table, plan_of, play_of, without_place
from rushes.notebook.nitrogen.pictures import release_histograms, samples_strip, tensor_histograms
from rushes.notebook.nitrogen.reload import reload_forms
from rushes.notebook.run import Run
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter

MS = 1_000_000
GIVEN = {
    "source": "", "record_s": 0.0, "img_size": 4, "seq_len": 3, "layout": "capture20", "pad_map": "", "obs": "float32",
}  # fmt: skip
TIMES = ([0, 100, 200, 300, 400, 500], [2000, 2100, 2200, 2300])
ENDS = (600, 2400)
EVENTS = [
    (110, "KeyW", "press"), (130, "Mouse", (600.0, 150.0)), (250, "MouseLeft", "press"), (260, "MouseLeft", "release"),
    (350, "KeyW", "release"), (420, "Mouse", (-30.0, -60.0)), (450, "KeyM", "press"), (460, "KeyM", "release"),
    (510, "Tab", "press"), (520, "Tab", "release"),
    (2010, "KeyA", "press"), (2110, "KeyA", "release"), (2310, "Space", "press"), (2330, "Space", "release"),
]  # fmt: skip


def words(text):
    return text.split()


# name of the column -> the rows that hold it, counted over both segments: 0 to 5 and 6 to 9
KEYS28 = {"w": (1, 2, 3), "lmb": (2,), "a": (6, 7), "space": (9,)}
NAMES28 = words("w a s d space shift ctrl e q r f g c v x z t p i backspace esc 1 2 3 4 enter lmb rmb")
NAMES20 = words("lx ly rx ry space ctrl shift e lmb rmb q r f g c v 1 2 3 4")
ROWS20 = {
    "ly": {1: 1, 2: 1, 3: 1}, "lx": {6: -1, 7: -1}, "rx": {1: 1, 4: -0.1}, "ry": {1: -0.5, 4: 0.2}, "lmb": {2: 1},
    "space": {9: 1},
}  # fmt: skip
BUTTONS17 = words(
    "back dpad_down dpad_left dpad_right dpad_up east guide left_shoulder left_thumb left_trigger north "
    "right_shoulder right_thumb right_trigger south start west"
)
# what a frame shows was done before it: one row later, and Tab and Space, behind the last frames, nowhere
RELEASE = {"right_trigger": {3: 1}}
STICKS = {
    "j_left": {2: (0, -1), 3: (0, -1), 4: (0, -1), 7: (-1, 0), 8: (-1, 0)},
    "j_right": {2: (1, 0.5), 5: (-0.1, -0.2)},
}
STARTS = (0, 1, 2, 3, 6, 7)  # windows of three rows


def grey(k):
    return np.full((12, 16, 3), 20 * k + 7, np.uint8)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = tmp_path_factory.mktemp("planted") / "session"
    info = SessionInfo(
        "tiny-1", "Synthetic", {"kind": "synthetic", "name": "tiny"}, "nominal",
        (StreamSpec("screen", "frames", "png", width=16, height=12, rate_hz=10), StreamSpec("events", "events")),
        ActionSpace.from_names(["KeyW", "KeyA", "KeyM", "Tab", "Space", "MouseLeft", "MouseDX", "MouseDY"]),
    )  # fmt: skip
    with SessionWriter(path, info) as writer:
        k = 0
        for times, end in zip(TIMES, ENDS, strict=True):
            writer.write(Start(times[0] * MS))
            for at, tick in zip(times, range(10 * k, 10 * k + len(times)), strict=True):
                writer.write(Frame(at * MS, grey(k), tick=tick))
                k += 1
                for t, control, what in EVENTS:
                    if at <= t < at + 100:
                        writer.write(event(t, control, what))
            writer.write(Gap(end * MS, "pause"))
    return open_session(path)


def event(t, control, what):
    if control == "Mouse":
        return Event(t * MS, "mouse", "Mouse", "move", dx=what[0], dy=what[1])
    return Event(t * MS, "mouse" if "Mouse" in control else "keyboard", control, what, float(what == "press"))


def rows(names, table, count=10):
    found = np.zeros((count, len(names)), np.float32)
    for name, held in table.items():
        for k, value in held.items() if isinstance(held, dict) else ((k, 1) for k in held):
            found[k, names.index(name)] = value
    return found


def write_capture(root):
    (root / "frames" / "chunk_001").mkdir(parents=True)
    for k in range(10):
        cv2.imwrite(str(root / "frames" / "chunk_001" / f"{k + 1:06d}.png"), grey(k))
    deltas = np.zeros((10, 2), np.float32)
    deltas[1], deltas[4] = (600, 150), (-30, -60)
    np.save(root / "actions.npy", rows(NAMES28, KEYS28).astype(np.int8))
    np.save(root / "mouse_deltas.npy", deltas)
    np.save(root / "frame_indices.npy", np.array([*range(6), *range(60, 64)], np.int64))


def write_pt(path):
    every = rows(NAMES20, ROWS20)
    actions = np.stack([every[k : k + 3] for k in STARTS])
    pictures = np.stack([np.full((3, 4, 4), (20 * k + 7) / 255, np.float32) for k in STARTS])
    torch.save(
        {"obs": torch.from_numpy(pictures), "actions": torch.from_numpy(actions), "meta": {"action_names": NAMES20}},
        path,
    )


def write_release(root):
    table = {name: [bool(RELEASE.get(name, {}).get(k)) for k in range(10)] for name in BUTTONS17}
    sticks = {name: [list(map(float, STICKS[name].get(k, (0, 0)))) for k in range(10)] for name in STICKS}
    for number, (first, stop, start) in enumerate([(0, 6, 0), (6, 10, 60)]):
        folder = root / "actions" / "SHARD_0000" / "tiny-1" / f"tiny-1_chunk_{number:04d}"
        folder.mkdir(parents=True)
        part = {name: values[first:stop] for name, values in {**table, **sticks}.items()}
        pq.write_table(pa.table(part), folder / "actions_raw.parquet")
        told = {"chunk_size": stop - first, "original_video": {"start_frame": start, "end_frame": start + stop - first}}
        (folder / "metadata.json").write_text(json.dumps(told))


@pytest.fixture
def forms(session, tmp_path):
    """The three forms, and what their reports would say."""
    targets = {
        "nitrogen_capture": tmp_path / "nitrogen_capture",
        "nitrogen_pt": tmp_path / "nitrogen.pt",
        "nitrogen_dataset": tmp_path / "nitrogen_dataset",
    }
    write_capture(targets["nitrogen_capture"])
    write_pt(targets["nitrogen_pt"])
    write_release(targets["nitrogen_dataset"])
    lost = {"no_place_KeyM": 2, "no_place_Tab": 2, "hotkey": 1}
    ledgers = [lost, lost, {"no_place_KeyM": 2}]
    reports = {
        name: Report(
            target,
            name,
            {"frames": 10},
            Ledger({"events": Account(15, 15 - sum(a.values()), a)}),
            ("times",),
            ("audio",),
        )
        for (name, target), a in zip(targets.items(), ledgers, strict=True)
    }
    return Forms(reports, Plan(**GIVEN), Sessions([session], format="session"))


def unequal(forms):
    return {line.what.split(" that ")[0].split(",")[0] for line in reload_forms(forms).lines if not line.equal}


def test_forms_that_hold_what_the_events_say_are_found_equal_in_every_line(forms):
    back = reload_forms(forms)
    assert [line for line in back.lines if not line.equal] == []
    assert [f.severity for f in back.findings] == ["info"]
    assert back.figures["rows"] == 10
    assert back.figures["windows"] == 6
    assert back.figures["clipped_rows"] == 1
    assert back.figures["presses"] == 6
    assert back.figures["presses_kept_capture"] == 4
    assert back.figures["presses_kept_pt"] == 4
    assert back.figures["presses_kept_dataset"] == 5
    assert figures_of(back)["comparisons_equal"] == figures_of(back)["comparisons"] == 14
    assert "570" in back.show().text
    assert "nitrogen.pt" in back._repr_html_()


def edit(path, change):
    values = np.load(path)
    change(values)
    np.save(path, values)


def damage(forms, what):
    target = {name: report.target for name, report in forms.reports.items()}
    if what == "a key that is not held":
        edit(target["nitrogen_capture"] / "actions.npy", lambda a: a.__setitem__((4, 0), 1))
    elif what == "motion that is missing":
        edit(target["nitrogen_capture"] / "mouse_deltas.npy", lambda a: a.__setitem__(4, 0))
    elif what == "a picture of another frame":
        shutil.copy(*(target["nitrogen_capture"] / "frames" / "chunk_001" / f"{k:06d}.png" for k in (2, 3)))
    elif what == "a window across the edge":
        data = torch.load(target["nitrogen_pt"], weights_only=True)
        more = {key: torch.cat([data[key], data[key][-1:]]) for key in ("obs", "actions")}
        torch.save({**more, "meta": data["meta"]}, target["nitrogen_pt"])
    elif what == "a row late":
        data = torch.load(target["nitrogen_pt"], weights_only=True)
        torch.save({**data, "actions": torch.roll(data["actions"], 1, 1)}, target["nitrogen_pt"])
    elif what == "a button of the pad":
        file = next(target["nitrogen_dataset"].rglob("*chunk_0001/actions_raw.parquet"))
        table = pq.read_table(file).to_pydict()
        table["south"][0] = True
        pq.write_table(pa.table(table), file)
    else:
        file = next(target["nitrogen_dataset"].rglob("*chunk_0001/metadata.json"))
        file.write_text(json.dumps({**json.loads(file.read_text()), "chunk_size": 600}))


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        ("a key that is not held", {"rows of actions.npy", "frame numbers"}),
        ("motion that is missing", {"mouse motion"}),
        ("a picture of another frame", {"PNG files compared with their frames"}),
        ("a window across the edge", {"shape of obs", "shape of actions"}),
        ("a row late", {"windows whose rows are the session's"}),
        ("a button of the pad", {"rows"}),
        ("a wrong chunk_size", {"pieces"}),
    ],
)
def test_what_differs_is_named_and_is_an_error(forms, what, lines):
    damage(forms, what)
    assert lines <= unequal(forms)
    assert unequal(forms) <= lines | {"PNG files compared with their frames"}
    assert {f.severity for f in reload_forms(forms).findings} == {"error"}


def test_the_tables_say_which_controls_were_lost_where_and_what_became_of_everything(forms):
    said = controls_table(forms).text
    assert [line.split() for line in said.splitlines() if line.startswith(("KeyM", "Tab"))] == [
        ["KeyM", "2", "lost", "2", "lost", "2", "lost"],
        ["Tab", "2", "lost", "2", "lost", "has", "a", "place"],
    ]
    assert without_place(forms.reports["nitrogen_dataset"]) == {"KeyM": 2}
    ledger = ledgers_table(forms).text
    assert "no_place 4, hotkey 1" in ledger
    assert "nitrogen.pt" in forms.show().text
    none = replace(forms, reports={"nitrogen_pt": replace(forms.reports["nitrogen_pt"], ledger=Ledger())})
    assert "has a place in every form" in controls_table(none).text


def test_the_pictures_show_what_the_trainer_reads(forms):
    back = reload_forms(forms)
    assert "space held" not in tensor_histograms(back).alt, "row 9 begins no window"
    assert "lmb held 16.7 %" in tensor_histograms(back).alt
    assert "RIGHT_TRIGGER held 10.0 %" in release_histograms(back).alt
    strip = samples_strip(back, samples=3)
    assert [axes.get_xlabel() for axes in strip.axes[::2]] == [
        "sample 0: frame 0, 0.00 s", "sample 2: frame 2, 0.20 s", "sample 5: frame 7, 2.10 s",
    ]  # fmt: skip
    assert "rows of 100 ms" in strip.axes[-1].get_xlabel()


def new_run(folder, **given):
    folder.mkdir(parents=True, exist_ok=True)
    return Run("desktop_to_nitrogen", folder, {**GIVEN, **given}, root=folder.parent)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"layout": "capture28"}, "capture20, capture25"),
        ({"obs": "float16"}, "float32, uint8"),
        ({"img_size": 0}, "img_size=0"),
        ({"seq_len": 0}, "seq_len=0"),
        ({"record_s": -1.0}, "record_s=-1.0"),
        ({"source": "take", "record_s": 2.0}, "source and record_s together"),
        ({"pad_map": "nowhere.toml"}, "nowhere.toml"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_before_any_work(tmp_path, given, said):
    with pytest.raises(RushesError) as caught:
        plan_of(new_run(tmp_path / "run", **given))
    assert isinstance(caught.value, BadInputError | MissingError)
    assert said in str(caught.value)


def test_the_plan_gives_each_writer_its_options(tmp_path):
    plan = plan_of(new_run(tmp_path / "run", layout="capture25", obs="uint8"))
    assert plan.options("nitrogen_capture") == {"pad_map": ""}
    assert plan.options("nitrogen_pt") == {
        "pad_map": "", "img_size": 4, "seq_len": 3, "layout": "capture25", "obs": "uint8",
    }  # fmt: skip


def test_a_source_that_is_named_is_opened_and_entered_in_the_run(tmp_path, session):
    run = new_run(tmp_path / "run", source=str(session.path))
    assert play_of(run, plan_of(run))[0].frame_count == 10
    assert len(json.loads((tmp_path / "run" / "run.json").read_text())["inputs"]) == 1


def test_seconds_are_recorded_first_where_they_are_asked_for(tmp_path):
    run = new_run(tmp_path / "run", record_s=0.5)
    (recorded,) = play_of(run, plan_of(run))
    assert recorded.path == tmp_path / "run" / "session"
    assert recorded.frame_count > 5


def test_the_planted_session_is_always_the_same_and_is_made_once(tmp_path):
    made = [tmp_path / name for name in ("a", "b")]
    for path in made:
        make_session(path, frames=(20, 8), size=(64, 144))
    one, other = (open_session(path) for path in made)
    assert [s.frames for s in one.segments] == [20, 8]
    assert one.events().equals(other.events())
    assert all(np.array_equal(a, b) for a, b in zip(one.frames(0, 28), other.frames(0, 28), strict=True))
    assert one.info.time_source == "nominal"
    folder = tmp_path / "outputs" / "samples" / "mine"
    folder.mkdir(parents=True)
    assert desktop_source("mine", root=tmp_path) == folder, "what is there is used again"
    shutil.copytree(made[0], folder / "session")
    assert open_any(folder)[0].frame_count == 28


def test_everything_that_the_hand_holds_is_let_go_and_some_of_it_has_no_place():
    hand = plan_hand(seed=0, seconds=20.0)
    down = {}
    for e in hand:
        if e.kind != "move":
            assert down.get(e.control, 0.0) == 1.0 - e.value, "a press and its release in turn"
            down[e.control] = e.value
    assert set(down.values()) == {0.0}
    assert {"KeyW", "KeyM", "Tab", "Escape", "MouseLeft"} <= set(down)
    assert all(0 <= a.t_ns <= b.t_ns < 20_000 * MS for a, b in pairwise(hand))
