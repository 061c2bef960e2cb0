"""Planted leaks with known recall: each is found, with its rows counted, and a sound split is clean."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rushes.capture.recorder import record
from rushes.capture.synthetic import SyntheticBackend
from rushes.formats.base import open_any
from rushes.model.actions import ActionSpace
from rushes.model.ledger import Ledger
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples, Source, Step
from rushes.model.samples import samples_frame
from rushes.qa.base import run_checks
from rushes.qa.leakage.check import check_leakage
from rushes.store.facts import add_fact
from rushes.store.samples import write_samples

SPACE = ActionSpace.from_names(["KeyW"])


def load(name):
    path = Path(__file__).parent.parent / "prepare" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"leakage_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


tape = load("tape")


def row(session, frame, split="", label=1.0, **more):
    t_ns = frame * tape.STEP
    given = {"control": "KeyW", "label": label, "keys": [label], "session": session, "frame_index": frame}
    given |= {"t_ns": t_ns, "sample_id": f"{session}:{frame}:{label:g}", "group": session, "split": split}
    given |= {} if label else {"kind": "uniform", "reason": "by hand"}
    given |= more
    return given | {"action_t_ns": t_ns + (given.get("length", 1) - 1) * tape.STEP}


def made(rows, *steps):
    return Samples(samples_frame(rows), SPACE, steps=steps)


def step(name, **parameters):
    return Step(name, parameters, Ledger())


def found(samples, recordings=()):
    return {f.check.removeprefix("leakage."): f for f in check_leakage(samples, list(recordings))}


def bad(samples, recordings=()):
    return {name: f.severity for name, f in found(samples, recordings).items() if f.severity != "info"}


def two(name_a="a", name_b="b", pictures=range(100, 140)):
    return [tape.Tape([40], name=name_a), tape.Tape([40], name=name_b, pictures=pictures)]


def apart(count=20):
    return [row("a", 2 * k, "train", float(k % 2)) for k in range(count)] + [
        row("b", 2 * k, "test", float(k % 4 == 0)) for k in range(count)
    ]


def test_a_split_by_session_is_clean():
    assert bad(made(apart()), two()) == {}


def test_class_balance_is_said_for_each_split():
    (balance,) = [f for name, f in found(made(apart()), two()).items() if name == "balance"]
    assert (balance.severity, balance.value) == ("info", 0.25)
    assert balance.sentence == "test: 5 positives of 20; train: 10 positives of 20"


def test_no_split_is_said_and_a_half_decided_one_warned_of():
    assert found(made([row("a", 3)]), two())["undecided"].severity == "info"
    half = found(made([*apart(), row("a", 39)]), two())["undecided"]
    assert (half.severity, half.limit) == ("warning", 0.0)


@pytest.mark.parametrize("leaks", [1, 7, 19])
def test_children_split_from_their_parents_are_found_all(leaks):
    rows = [row(f"s{k}", 0, "train") for k in range(20)]
    rows += [
        row(f"s{k}", 0, "test" if k < leaks else "train", parent=f"s{k}:0:1", sample_id=f"s{k}:0:1+1", group="")
        for k in range(20)
    ]
    finding = found(made(rows))["family"]
    assert (finding.severity, finding.value, finding.limit) == ("error", 2 * leaks, 0)
    assert "s0:0:1 (train) and s0:0:1+1 (test)" in finding.sentence
    assert (finding.session, finding.frame_index) == ("s0", 0)


def test_siblings_are_one_family_when_their_parent_is_not_there():
    rows = [row("a", 5, split, parent="gone", sample_id=f"gone+{k}") for k, split in enumerate(("train", "test"))]
    assert found(made(rows))["family"].value == 2
    grandchild = row("a", 5, "val", parent="gone+0", sample_id="gone+0+1")
    assert found(made([*rows, grandchild]))["family"].value == 3


def test_a_group_in_two_splits_is_found():
    rows = [row("a", 0, "train"), row("b", 20, "test", group="a"), row("c", 0, "test")]
    finding = found(made(rows))["group"]
    assert (finding.severity, finding.value) == ("error", 2)
    assert "1 groups stand in two splits" in finding.sentence


@pytest.mark.parametrize(("first", "overlaps"), [(12, True), (13, True), (14, False), (7, True), (6, False)])
def test_windows_that_share_a_frame_are_found(first, overlaps):
    rows = [row("a", 10, "train", length=4, group="x"), row("a", first, "test", 0.0, length=4, group="y")]
    rows += [row("b", 10, "test", length=4, group="z")]
    assert ("overlap" in bad(made(rows))) == overlaps
    if overlaps:
        assert found(made(rows))["overlap"].value == 2


def test_a_copy_of_faster_play_shows_frames_in_front_of_its_window():
    faster = {"parent": "a:20:1", "sample_id": "a:20:1+1", "transform": '[{"name":"stretch","speed":4.0}]'}
    rows = [row("a", 10, "test", length=4), row("a", 20, "train", length=4), row("a", 20, "train", length=4, **faster)]
    assert "overlap" not in found(made(rows[:2]))
    one = found(made(rows))["overlap"]  # frames 11, 15, 19 and 23 beside 10 to 13
    assert (one.severity, one.value) == ("error", 2.0)
    assert "a:10:1 (test) and a:20:1+1 (train)" in one.sentence
    slower = [rows[0], rows[1], rows[2] | {"transform": '[{"name":"stretch","speed":0.333333}]'}]
    assert "overlap" not in found(made(slower))


def test_copies_of_one_label_alone_are_said():
    noise = '[{"name":"noise","sigma":0.02,"seed":1}]'
    rows = [
        row("a", 5, "train"),
        row("a", 50, "train", label=0.0),
        row("b", 5, "test"),
        row("b", 50, "test", label=0.0),
    ]
    copy = {"parent": "a:5:1", "sample_id": "a:5:1+1"}
    one = found(made([*rows, row("a", 5, "train", **copy, transform=noise)]))["copies"]
    assert (one.severity, one.value) == ("warning", 1.0)
    assert "all 1 changed copies in train are positives, and none is of its negatives" in one.sentence
    assert "copies" not in found(made([*rows, row("a", 5, "train", **copy)])), "a copy for which nothing was drawn"
    of_both = {"parent": "a:50:0", "sample_id": "a:50:0+1"}
    both = [row("a", 5, "train", **copy, transform=noise), row("a", 50, "train", 0.0, **of_both, transform=noise)]
    assert "copies" not in found(made([*rows, *both]))
    alone = [row("a", 5, "train"), row("a", 5, "train", **copy, transform=noise)]
    assert "copies" not in found(made(alone)), "there is nothing to tell apart yet"


@pytest.mark.parametrize(("negatives", "told"), [(0, True), (3, True), (15, False), (30, False)])
def test_copies_of_nearly_one_label_alone_are_said_too(negatives, told):
    noise = '[{"name":"noise","sigma":0.02,"seed":1}]'
    rows = [row("a", 2 * k, "train", label) for k in range(30) for label in (1.0, 0.0)]
    for label, many in ((1, 30), (0, negatives)):
        for k in range(many):
            of = {"parent": f"a:{2 * k}:{label}", "sample_id": f"a:{2 * k}:{label}+1"}
            rows.append(row("a", 2 * k, "train", float(label), **of, transform=noise))
    finding = found(made(rows)).get("copies")
    assert (finding is not None) == told
    if negatives and told:
        assert "30 changed copies in train are positives, and 3 are of its negatives" in finding.sentence


def test_what_is_painted_in_every_row_tells_nothing():
    mask = '[{"name":"mask","boxes":[[0,0,1,0.1]]}]'
    rows = [row("a", 5, transform=mask), row("a", 50, label=0.0, transform=mask)]
    rows += [row("a", 5, parent="a:5:1", sample_id="a:5:1+1", transform=mask)]
    assert "copies" not in found(made(rows))


def test_a_promised_gap_is_held_to_and_another_one_advised():
    rows = [row("a", 10, "train", group="x"), row("a", 14, "test", group="y")]
    assert bad(made(rows)) == {"near": "warning"}
    finding = found(made(rows))["near"]
    assert (finding.value, finding.limit) == (pytest.approx(0.4), 1.0)
    assert bad(made(rows, step("split", by="time", gap_s=0.5))) == {"near": "error"}
    assert bad(made(rows, step("split", by="time", gap_s=0.4))) == {}
    assert bad(made(rows, step("split", by="session"))) == {"near": "warning"}
    far = [row("a", 10, "train", group="x"), row("a", 30, "test", group="y")]
    assert bad(made(far)) == {}
    other = [row("a", 10, "train", group="x"), row("a", 14, "test", group="y", segment=1)]
    assert bad(made(other)) == {}


def test_the_gap_is_measured_from_the_last_frame():
    rows = [row("a", 1, "train", group="x", length=10), row("a", 15, "test", group="y")]
    assert found(made(rows), two())["near"].value == pytest.approx(0.5)


def test_equal_pictures_in_two_splits_are_an_error_above_the_share():
    many = two(pictures=[*range(20), *range(120, 140)])  # frames 0 to 19 of b show those of a
    assert bad(made(apart()), many)["equal_pictures"] == "error"
    finding = found(made(apart()), many)["equal_pictures"]
    assert (finding.value, finding.limit) == (20 / 40, 0.01)
    assert "20 rows show pictures" in finding.sentence
    assert "a:0:0 (train) and b:0:1 (test)" in finding.sentence


def test_a_title_screen_that_comes_again_is_a_warning():
    rows = [row("a", k, "train", float(k % 2)) for k in range(150)] + [row("b", k, "test", 0.0) for k in range(150)]
    tapes = [
        tape.Tape([150], name="a", pictures=[*range(60), *range(60), *range(30)]),
        tape.Tape([150], name="b", pictures=[59, 59, *[100 + k for k in range(148)]]),
    ]
    assert bad(made(rows), tapes)["equal_pictures"] == "error"  # 4 of 300 rows: 2 of b, 2 of a ...
    tapes[0].shown[119] = 99  # ... and now 3
    assert bad(made(rows), tapes)["equal_pictures"] == "warning"


def test_screens_that_come_again_are_seen_in_lossy_films_too():
    tapes = two(pictures=[*range(2, 22), *range(220, 240)])  # 2 levels beside those of frames 0 to 19 of a
    sharp = [row("a", 2 * k, "train") for k in range(5)] + [row("b", 2 * k, "test") for k in range(20)]
    for one in tapes:
        one.shown = [one.shown[k] * 5 % 256 + (2 if one.info.id == "b" else 0) for k in range(40)]
    assert bad(made(sharp), tapes) == {}
    tapes[1].info = replace(tapes[1].info, streams=(replace(tapes[1].info.streams[0], exact=False),))
    finding = found(made(sharp), tapes)["alike_pictures"]
    # frames 0, 2, 4, 6 of b show 10, 20, 30, 40 and 2 levels more, as frames 2, 4, 6, 8 of a do without the 2
    assert (finding.severity, finding.value, finding.limit) == ("warning", 8 / 25, 0.01)
    assert "a:2:1 (train) and b:0:1 (test)" in finding.sentence


def test_windows_are_compared_by_all_their_frames():
    rows = [row("a", 10, "train", length=3), row("b", 10, "test", length=3)]
    same = list(range(40))
    assert "equal_pictures" in bad(made(rows), two(pictures=same))
    same[11] = 99
    assert bad(made(rows), two(pictures=same)) == {}


def test_pictures_that_are_not_there_are_said():
    finding = found(made(apart()), two()[:1])["unseen"]
    assert (finding.severity, finding.value) == ("info", 0.5)
    assert "(b)" in finding.sentence
    gone = found(made([row("a", 99, "train")]), two())
    assert gone["unseen"].value == 1
    assert (gone["no_such_frame"].severity, gone["no_such_frame"].value) == ("error", 1.0)
    assert "no_such_frame" not in found(made(apart()), two()[:1]), "of what is not there nobody knows"


def test_both_labels_on_one_frame_are_an_error():
    rows = [*apart(), row("a", 2, "train", 0.0)]
    assert bad(made(rows), two()) == {"contradiction": "error"}
    assert found(made(rows), two())["contradiction"].value == 2
    other = [*apart(), row("a", 2, "train", 0.0, control="KeyA")]
    assert bad(made(other), two()) == {}


def test_a_flipped_copy_is_no_contradiction():
    rows = [row("a", 5, control="KeyA"), row("a", 5, label=0.0, control="KeyD")]
    rows += [row("a", 5, control="KeyD", parent="a:5:1", sample_id="a:5:1+1", transform='{"flip": true}')]
    rows += [row("a", 5, label=0.0, control="KeyA", parent="a:5:0", sample_id="a:5:0+1", transform='{"flip": true}')]
    assert bad(made(rows), two()) == {}
    assert bad(made(rows[1:]), two()) == {}  # its parent is gone


def test_positives_that_look_like_negatives_are_said():
    pictures = list(range(40))
    pictures[2] = pictures[0]  # frame 0 is a negative, 2 a positive of 10
    rows = [one for one in apart() if one["session"] == "a"]
    assert bad(made(rows), [tape.Tape([40], name="a", pictures=pictures)]) == {"same_look": "error"}
    assert found(made(rows), [tape.Tape([40], name="a", pictures=pictures)])["same_look"].value == 0.1


@pytest.mark.parametrize(("exclusion", "near"), [("2", True), ("1", False), ("250ms", True), ("150ms", False)])
def test_negatives_near_a_later_positive_are_said(exclusion, near):
    rows = [row("a", 10), row("a", 12, label=0.0), row("a", 30, label=0.0)]
    samples = made(rows, step("negatives", exclusion=exclusion))
    assert bad(samples) == ({"near_press": "warning"} if near else {})
    if near:
        assert found(samples)["near_press"].value == 1


class Moments(tape.Tape):
    """A file that kept every fifth frame of the play."""

    kept_at_moments = True

    def index(self, segment=None):
        table = super().index(segment)
        return table.assign(tick=5 * table["frame_index"])


@pytest.mark.parametrize(("exclusion", "near"), [("9", False), ("10", True)])
def test_how_near_a_negative_is_follows_from_the_play_and_not_from_what_a_file_kept(exclusion, near):
    samples = made([row("a", 10), row("a", 12, label=0.0)], step("negatives", exclusion=exclusion))
    assert ("near_press" in bad(samples, [Moments([30], name="a")])) == near


class Copies(tape.Tape):
    """Every picture stands three times in the file, with one number."""

    def index(self, segment=None):
        table = super().index(segment)
        return table.assign(tick=table["frame_index"] // 3)


def test_copies_with_one_frame_number_are_found():
    rng = np.random.default_rng(0)
    splits = rng.permutation(["train"] * 24 + ["test"] * 6)
    rows = [row("a", k, split, group="") for k, split in enumerate(splits)]
    torn = sum(3 for k in range(10) if len({*splits[3 * k : 3 * k + 3]}) == 2)
    finding = found(made(rows), [Copies([30], name="a")])["frame_number"]
    assert (finding.severity, finding.value) == ("error", torn / 30)
    whole = [row("a", k, "train" if k < 15 else "test", group="") for k in range(30)]
    assert "frame_number" not in bad(made(whole), [Copies([30], name="a")])


def test_a_file_of_samples_is_checked_over_the_sessions_that_it_names(tmp_path):
    session = record(SyntheticBackend(frames=30), tmp_path / "session")
    name = session.info.id
    rows = [row(name, 4 * k, "train" if k < 3 else "test", float(k % 2), group=f"{name}/{k}") for k in range(7)]
    samples = Samples(samples_frame(rows), SPACE, sources={name: Source(str(session.path))})
    write_samples(samples, tmp_path / "rows.parquet")
    opened = open_any(tmp_path / "rows.parquet")
    findings = {f.check: f.severity for f in run_checks(opened, ["leakage"])}
    assert findings == {"leakage.balance": "info", "leakage.near": "warning"}
    assert {f.check for f in run_checks(opened) if f.severity != "info"} == {"leakage.near"}


def test_an_empty_table_has_nothing_to_say():
    assert found(made([])) == {}


def test_samples_without_recordings_are_something_to_check():
    leaking = Sessions([], format="samples", samples=made([row("a", 0, "train"), row("a", 5, "test")]))
    assert {f.check for f in run_checks(leaking) if f.severity == "error"} == {"leakage.group"}
    nothing = Sessions([], format="samples", samples=made([]))
    assert [f.check for f in run_checks(nothing)] == ["read.nothing"]


def test_rows_in_a_stretch_that_was_marked_invalid_later_are_found(tmp_path):
    session = record(SyntheticBackend(frames=30), tmp_path / "take")
    times = session.index()["t_ns"].tolist()
    rows = [row(session.info.id, frame) | {"t_ns": times[frame], "action_t_ns": times[frame]} for frame in (3, 9, 20)]
    assert "marked_invalid" not in found(made(rows), [session])
    add_fact(session.path, "validity", {"valid": False}, author="me", t_start_ns=times[8], t_end_ns=times[12])
    finding = found(made(rows), [session])["marked_invalid"]
    assert (finding.severity, finding.value, finding.frame_index) == ("error", 1.0, 9)
