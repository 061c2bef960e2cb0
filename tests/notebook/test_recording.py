"""What the recording notebook calls: its settings, its recording, its limits, and the proof of what was planted."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rushes.capture.live import LiveRecorder
from rushes.capture.live_synthetic import LiveSynthetic, planted_event
from rushes.errors import BadInputError, RushesError, StoppedError
from rushes.notebook.planted import match, prove
from rushes.notebook.recording import Take, judge, record, segments_table, settings_of
from rushes.notebook.recording_settings import region_of
from rushes.notebook.run import Run
from rushes.store.reader import open_session

GIVEN = {
    "backend": "synthetic", "game": "Synthetic", "seconds": 1.0, "fps": 30.0, "window": "", "region": "",
    "codec": "h264", "layout": "capture28", "audio": "", "keys": "window", "live": False, "seed": 3, "out": "",
}  # fmt: skip


def new_run(folder, **given):
    folder.mkdir(parents=True, exist_ok=True)
    return Run("01_record_session", folder, {**GIVEN, **given}, root=folder.parent)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Three segments with pauses between them, recorded in real time."""
    path = tmp_path_factory.mktemp("planted") / "take"
    backend = LiveSynthetic(seed=11, size=(96, 160), rate_hz=30)
    recorder, counted = None, []

    def drive(status):
        counted.append(status["frames"])
        steps = {2: "pause", 3: "resume", 5: "pause", 6: "resume", 8: "stop"}
        if (name := steps.get(len(counted))) is not None:
            recorder.command(name)

    recorder = LiveRecorder(backend, path, rate_hz=30, paused=False, report=drive)
    assert recorder.run().error is None
    return open_session(path)


class Altered:
    """A recording with something done to it."""

    def __init__(self, recording, *, events=lambda e: e, frames=lambda f: f, index=lambda i: i):
        self._recording, self._events, self._frames, self._index = recording, events, frames, index

    def __getattr__(self, name):
        return getattr(self._recording, name)

    def events(self, segment=None):
        return self._events(self._recording.events(segment))

    def frames(self, start, stop):
        return iter(self._frames(list(self._recording.frames(start, stop))))

    def index(self, segment=None):
        return self._index(self._recording.index(segment))


def unequal(recording):
    return [row[0] for row in prove(recording).rows if not row[3]]


def test_what_was_planted_is_found_with_pauses_and_all(session):
    proof = prove(session)
    assert len(session.segments) == 3
    assert unequal(session) == []
    assert [f.severity for f in proof.findings] == ["info"]
    skipped = next(int(row[1].replace(",", "")) for row in proof.rows if "not there" in row[0])
    assert skipped > 50, "the pauses took inputs away, and the ledger counts them"
    assert "yes" in repr(proof)


def test_a_picture_of_another_tick_is_noticed(session):
    swapped = prove(Altered(session, frames=lambda f: [f[1], f[0], *f[2:]]))
    frames = session.frame_count
    assert (
        "frames whose picture carries the number of their tick",
        f"{frames}",
        f"{frames - 2}",
        False,
    ) in swapped.rows
    assert {f.severity for f in swapped.findings} == {"error"}


def test_a_tick_that_is_missing_and_not_said_is_noticed(session):
    def cut(index):
        return index[index["frame_index"] != 5].reset_index(drop=True)

    def leave_out(frames):
        return frames[:5] + frames[6:]

    assert "numbers that are missing, and ticks that are said to be dropped" in unequal(
        Altered(session, index=cut, frames=leave_out)
    )


@pytest.mark.parametrize("what", ["altered", "doubled", "swapped"])
def test_an_input_that_is_not_the_planted_one_is_noticed(session, what):
    def change(events):
        events = events.copy()
        if len(events) < 60:
            return events
        k = 40 + int(np.flatnonzero(events["kind"].to_numpy()[40:] == "move")[0])
        if what == "altered":
            events.loc[k, "dx"] += 1
            return events
        order = list(range(len(events)))
        order[k : k + 1] = [k, k] if what == "doubled" else [k + 1, k]
        if what == "swapped":
            del order[k + 2]
        return events.iloc[order].reset_index(drop=True)

    assert unequal(Altered(session, events=change))


def test_an_input_that_is_missing_is_noticed_by_its_count():
    stored = [tuple(planted_event(1, k))[1:] for k in range(300) if k != 100]
    places = match(stored, 1)
    assert -1 not in places
    assert places[99:101] == [99, 101]


def test_nothing_is_claimed_about_play_that_was_not_planted(session):
    desktop = Altered(session)
    desktop.info = replace(session.info, source={"kind": "desktop", "name": "linux"})
    proof = prove(desktop)
    assert proof.findings == ()
    assert "Nothing is known beforehand" in proof.show().html


def test_a_recording_by_itself_lies_in_the_run_folder_and_is_shown(tmp_path):
    run = new_run(tmp_path / "run")
    take = record(run, settings_of(run))
    assert take.session.path == tmp_path / "run" / "session"
    assert "run/session" in take._repr_html_()
    assert "the time limit" in repr(take)
    figures = take.figures()
    assert figures["frames"] == take.session.frame_count > 10
    assert 25 < figures["rate_hz"] < 35
    assert figures["inputs_not_kept"] == 0
    assert "the time limit" in segments_table(take).html
    assert judge(take, most_dropped=100, most_late=100) == []


def test_the_limits_are_held_against_what_was_dropped_and_late(session):
    def worse(index):
        index = index.copy()
        index["dropped_before"] = 0
        index.loc[index.index[1], "dropped_before"] = 1
        index.loc[index.index[:3], "late"] = True
        return index

    end = {"path": str(session.path), "reason": "stop", "sentence": "", "notes": ["mic: gone"], "frames": 9}
    take = Take(Altered(session, index=worse), end, "take")
    frames = session.frame_count
    found = {f.check: f for f in judge(take, most_dropped=0.0, most_late=0.0)}
    assert set(found) == {"record.dropped", "record.late", "record.without"}
    assert found["record.dropped"].severity == "error"
    assert found["record.dropped"].value == pytest.approx(100 / (frames + 1))
    assert found["record.late"].severity == "warning"
    assert found["record.late"].value >= 300 / frames - 1e-9
    assert [f.check for f in judge(take, most_dropped=100, most_late=100)] == ["record.without"]


def test_the_parameters_of_the_notebook_become_settings(tmp_path):
    run = new_run(
        tmp_path / "run", backend="desktop", window="Doom", audio="system, mic", fps=60.0, codec="h265", seconds=7.5,
    )  # fmt: skip
    settings = settings_of(run)
    part = settings_of(new_run(tmp_path / "part", backend="desktop", region="1, 2, 401, 302", keys="anywhere"))
    assert (part.region, part.keys_anywhere) == ((1, 2, 401, 302), True)
    assert settings.audio == ("system", "mic")
    assert (settings.window, settings.fps, settings.codec, settings.max_seconds) == ("Doom", 60.0, "h265", 7.5)
    assert settings.start_immediately
    assert not settings.keys_anywhere
    mine = str(tmp_path / "mine")
    live = settings_of(new_run(tmp_path / "live", backend="desktop", live=True, keys="none", out=mine))
    assert live.no_keys
    assert not live.start_immediately
    assert live.max_seconds == 0
    assert live.out == mine


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"backend": "desktop"}, "without a window"),
        ({"backend": "browser", "live": True}, "the page, which has its own buttons"),
        ({"backend": "browser", "audio": "system"}, "--audio with the browser backend"),
        ({"backend": "synthetics"}, "did you mean 'synthetic'"),
        ({"region": "1,2,3"}, "left,top,right,bottom"),
        ({"region": "a,b,c,d"}, "left,top,right,bottom"),
        ({"keys": "some"}, "window, anywhere, none"),
        ({"seconds": 0.0}, "more than 0"),
    ],
)
def test_parameters_that_mean_nothing_are_named(given, said, tmp_path):
    with pytest.raises(BadInputError, match=said):
        settings_of(new_run(tmp_path / "run", **given))
    assert region_of("  ") is None


def test_of_a_panel_only_a_recording_that_was_stopped_is_taken(tmp_path, session):
    run = new_run(tmp_path / "run", live=True)
    settings = settings_of(run)
    panel = SimpleNamespace(error=None, state="recording", result={})
    with pytest.raises(StoppedError, match="press Start, play, press Stop"):
        record(run, settings, panel=panel)
    panel.state = "ended"
    panel.result = {"path": str(session.path), "reason": "stop", "sentence": "", "notes": [], "frames": 0}
    with pytest.raises(StoppedError, match="without a frame"):
        record(run, settings, panel=panel)
    panel.result["frames"] = session.frame_count
    assert record(run, settings, panel=panel).session.frame_count == session.frame_count
    panel.error = RushesError("no display", accepts="one", fix="log in")
    with pytest.raises(RushesError, match="no display"):
        record(run, settings, panel=panel)
