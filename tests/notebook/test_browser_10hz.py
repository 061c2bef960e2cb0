"""The recipe about browser games beside its cells: what is wrong in an export is found, and its figures say what is."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rushes.capture.recorder import record
from rushes.capture.rescue import RescueBackend
from rushes.capture.steered import SteeredBackend
from rushes.errors import BadInputError, UnavailableError
from rushes.model.findings import Finding
from rushes.notebook.alignment.examined import Checked, Take
from rushes.notebook.alignment.settings import Settings
from rushes.notebook.browser_10hz import demo, verdict
from rushes.notebook.browser_10hz.compared import Compared, compare_exports
from rushes.notebook.browser_10hz.exports import ARRAYS, FILM, SET, write_exports
from rushes.notebook.browser_10hz.pictures import first_and_last
from rushes.notebook.browser_10hz.sample import rescue_source
from rushes.notebook.browser_10hz.take import open_play, rates_table
from rushes.notebook.browser_10hz.telemetry import path_plot, telemetry_plot
from rushes.preview.figure import HouseFigure
from rushes.qa.alignment.measured import Measured, Offset
from rushes.store.reader import open_session
from rushes.worlds.rescue.world import Rescue
from rushes.worlds.steered.world import Steered


class Run:
    """As much of a run as the cells ask for."""

    name = "browser_10hz"

    def __init__(self, folder, **given):
        usual = {"source": "", "scripted": False, "seconds": 6.0, "seed": 7, "planted_ms": 40.0, "size": 128}
        self.folder, self.parameters = folder, {**usual, **given}

    def path(self, name):
        return self.folder / name

    def input(self, path):
        return path

    def bar(self, label):
        del label


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """A planted play of five seconds."""
    return record(RescueBackend(Rescue(seconds=5.0, offset_ms=40.0)), tmp_path_factory.mktemp("play") / "play")


@pytest.fixture(scope="module")
def written(play, tmp_path_factory):
    """What it becomes, and the folder in which it lies."""
    folder = tmp_path_factory.mktemp("run")
    return write_exports(Run(folder), play)


def moved(written, play, folder, change):
    """Copy the exports, change something, and compare."""
    for path in written.paths.values():
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    change(folder)
    there = type("Moved", (), {"paths": {name: folder / path.name for name, path in written.paths.items()}})()
    return compare_exports(there, play)


def test_exports_as_they_were_written_are_equal_by_every_reader(written, play):
    compared = compare_exports(written, play)
    assert [(line.output, line.equal) for line in compared.lines] == [
        (SET, True), (SET, True), (SET, True), (ARRAYS, True), (FILM, True),
    ]  # fmt: skip
    exact = [line.apart for line in compared.lines if line.output != FILM]
    assert exact == [0.0] * 4
    assert {line.rows for line in compared.lines} == {len(play.index())}
    told = {line.reader: line.told for line in compared.lines if line.told}
    assert told["NumPy and json"] == (9 * len(play.index()),) * 2, "battery, health, zone, position, velocity"
    fields = len(set(play.telemetry().columns) - {"t_ns", "segment", "frame_index"})
    assert told["NumPy"] == (fields * len(play.index()),) * 2, "everything that the game told, in the arrays too"
    assert {f.check for f in compared.findings} == {"exports.equal"}
    assert repr(written.show()).count("nothing") == 2, "of the set and of the arrays"


def rewrite_row(folder, number, change):
    (data,) = (folder / SET).glob("*_data.jsonl")
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    change(rows[number])
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))


def spoil_picture(folder):
    (file,) = (folder / SET).glob("*_frame_000010.png")
    pixels = np.asarray(Image.open(file)).copy()
    pixels[3, 4] ^= 1
    Image.fromarray(pixels).save(file)


def spoil_arrays(folder, name, change):
    with np.load(folder / ARRAYS) as file:
        held = {key: file[key].copy() for key in file}
    change(held[name])
    np.savez(folder / ARRAYS, **held)


def spoil_battery(told):
    told["battery"][9] += 1


@pytest.mark.parametrize(
    ("what", "change", "reader"),
    [
        ("a key", lambda f: rewrite_row(f, 7, lambda r: r["key_presses"].update(W=not r["key_presses"]["W"])), "json"),
        ("a figure", lambda f: rewrite_row(f, 7, lambda r: r.update(battery=3.0)), "json"),
        ("a time", lambda f: rewrite_row(f, 7, lambda r: r.update(timestamp_ms=r["timestamp_ms"] + 1)), "Pillow"),
        ("a pixel", spoil_picture, "Pillow"),
        ("a time of the arrays", lambda f: spoil_arrays(f, "t_ns", lambda a: a.__setitem__(5, a[5] + 1)), "NumPy"),
        ("a figure of the arrays", lambda f: spoil_arrays(f, "telemetry", spoil_battery), "NumPy"),
        ("an input of the arrays", lambda f: spoil_arrays(f, "inputs", lambda a: a.__setitem__((5, 0), 7)), "NumPy"),
    ],
)
def test_what_is_wrong_is_found_by_its_reader(written, play, tmp_path, what, change, reader):
    compared = moved(written, play, tmp_path, change)
    wrong = [line.reader for line in compared.lines if not line.equal]
    assert any(reader in name for name in wrong), what
    assert "error" in {f.severity for f in compared.findings}
    assert "NO" in compared.show().html


def test_a_larger_play_without_telemetry_is_squashed_and_equal(tmp_path):
    world = Steered(kind="mixed", seconds=2.0, rate_hz=10.0, seed=1, size=(180, 320))
    session = record(SteeredBackend(world, codec="lossless"), tmp_path / "take")
    compared = compare_exports(write_exports(Run(tmp_path, size=64), session), session)
    assert [line.equal for line in compared.lines] == [True] * 5
    assert [line.told for line in compared.lines] == [None] * 5
    assert "told nothing" in telemetry_plot(session).text
    assert "told no position" in path_plot(session).text


def test_figures_name_what_the_game_told_and_when_pictures_were_taken(play):
    plot, path = telemetry_plot(play), path_plot(play)
    assert isinstance(plot, HouseFigure)
    told = play.telemetry()
    bumps = int((told["event"] == "collision_damage").sum())
    assert ("collision_damage" in plot.alt) == bool(bumps)
    went = np.hypot(*(told.loc[told["frame_index"].notna(), f"position_{a}"].diff() for a in "xz")).sum()
    assert f"{went:.0f} units" in path.alt
    last = play.index()["t_ns"].iloc[-1]
    assert (
        f"number {play.frame_count - 1}: {(last - play.index()['t_ns'].iloc[0]) / 1e9:.3f} s"
        in first_and_last(play).alt
    )
    assert [axes.get_title(loc="left") for axes in plot.axes][-4:] == [
        "Battery and health", "Damage", "Speed over the ground", "Acceleration",
    ]  # fmt: skip


def test_the_table_of_rates_says_what_each_stretch_was_like(play):
    text = rates_table(play).text.splitlines()[-1]
    times = play.index()["t_ns"].to_numpy() / 1e6
    assert text.split()[-1] == "stop"
    assert f"{np.diff(times).std():.1f}" in text.split()
    assert f"{np.diff(times).max():.1f}" in text.split()


def test_the_planted_session_is_made_once_for_the_same_numbers(project):
    told = []
    one = rescue_source(
        "browser_10hz", seconds=5.0, seed=3, offset_ms=0.0, progress=lambda *said: told.append(said[:2])
    )
    assert one.parent == project / "outputs" / "samples" / "browser_10hz"
    assert told[-1] == (50, 50)
    before = one.stat().st_mtime_ns
    assert rescue_source("browser_10hz", seconds=5.0, seed=3, offset_ms=0.0) == one
    assert one.stat().st_mtime_ns == before
    take = open_play(Run(project, source=str(one)))
    assert (take.recording.info.id, take.planted) == (open_session(one).info.id, {})


def test_a_source_beside_a_scripted_play_and_a_missing_browser_are_refused(tmp_path, monkeypatch):
    with pytest.raises(BadInputError, match="one of the two"):
        open_play(Run(tmp_path, source="here", scripted=True))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UnavailableError, match="apt-get install chromium"):
        demo.chromium()
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"rushes\[browser\]"):
        demo.chromium()


@pytest.mark.parametrize(
    ("offset", "severity"),
    [
        (Offset("input_picture", ms=31.0, low_ms=20.0, high_ms=45.0), "info"),
        (Offset("input_picture", ms=10.0, low_ms=0.0, high_ms=35.0), "error"),
        (Offset("input_picture", reason="nothing moves"), "error"),
    ],
)
def test_a_planted_offset_must_lie_within_the_measured_interval(offset, severity, play):
    take = Take(play, "session", (), {"alignment.offset": 40.0})
    subject = type("Subject", (), {"measured": Measured(offset), "figures": {}})()
    subject.__dict__["measured"] = Measured(offset)
    checked = Checked(take, Settings(), subject, (Finding("timing.late", "info", "x"),))
    found = verdict.judge(checked, Compared(()))
    assert [(f.check.partition(".")[0], f.severity) for f in found] == [("timing", "info"), ("planted", severity)]
    assert "+40 ms" in found[-1].sentence
    own = Take(play, "session", (), {})
    assert verdict.judge(Checked(own, Settings(), subject, ()), Compared(())) == []


def test_figures_of_the_verdict_are_those_of_the_frames(play):
    subject = type("Subject", (), {"figures": {}})()
    figures = verdict.figures_of(Checked(Take(play, "session", (), {}), Settings(), subject, ()), Compared(()))
    between = pd.Series(play.index()["t_ns"]).diff().dropna() / 1e6
    assert figures["longest_ms"] == pytest.approx(between.max())
    assert figures["jitter_ms"] == pytest.approx(between.std(ddof=0))
    assert (figures["frames"], figures["segments"], figures["planted_offset_ms"]) == (len(play.index()), 1, None)


@pytest.mark.full
@pytest.mark.require("browser")
def test_the_demo_is_played_by_script_and_recorded_as_a_persons_play_is(tmp_path):
    session = open_session(demo.play_demo(tmp_path / "play", seconds=6.0, seed=7))
    assert session.info.source == {"kind": "browser", "name": "demo"}
    assert session.segments[-1].end_reason == "stop"
    assert session.frame(session.frame_count - 1).shape == (128, 128, 3)
    events, told = session.events(), session.telemetry()
    assert {"KeyW", "Mouse"} <= set(events["control"])
    went = np.hypot(told["position_x"].iloc[-1] - 1.2, told["position_z"].iloc[-1] - 52.0)
    assert went > 1, "units from where the game begins"
    assert told["battery"].min() < 100
