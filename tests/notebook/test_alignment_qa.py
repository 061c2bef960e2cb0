"""Notebook 02 beside its cells: parameters, the verdict on a planted session, the repair."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.model.findings import Finding
from rushes.notebook.alignment.examined import examine_take, open_take
from rushes.notebook.alignment.looked import player_of, twin_of
from rushes.notebook.alignment.planted_take import write_take
from rushes.notebook.alignment.repair import COPY, Mended, repair
from rushes.notebook.alignment.settings import Settings, parse_limits, parse_size
from rushes.notebook.alignment.slider import look as slide
from rushes.notebook.alignment.slider import offset_slider
from rushes.notebook.alignment.verdict import figures_of, judge, planted_table
from rushes.notebook.run import begin
from rushes.qa.alignment.measured import Measured, Offset
from rushes.qa.repair import Repair
from rushes.qa.subject import Subject
from rushes.store.facts import read_facts
from rushes.store.reader import open_session
from rushes.worlds.steered.world import Steered

PARAMETERS = 'source: str = ""\nsession: str = ""\nfix: bool = False\nchecks: str = "structure"\nout_dir: str = ""'
KNOWN = Offset("input_picture", ms=198.0, low_ms=190.0, high_ms=206.0, confidence=0.9, evidence={"edges": 80.0})


def found(value=198.0, check="alignment.offset", severity="warning"):
    return Finding(check, severity, "store it", "early", value=value, limit=150.0)


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    """A planted session of two short stretches."""
    path = tmp_path_factory.mktemp("planted") / "early"
    worlds = [Steered(kind="mixed", seconds=s, rate_hz=10, seed=s, offset_ms=200.0, size=(64, 114)) for s in (5, 3)]
    write_take(path, name="early", stretches=worlds, planted={"alignment.offset": 200.0})
    return path


@pytest.fixture
def look(take, project, ran):
    """Begin a run on that session, and give it with what the check of its structure said."""

    def look(*, planted=True, fix=False):
        run = begin("02_alignment_qa", ran(PARAMETERS.replace('source: str = ""', f'source: str = "{take}"')))
        run.parameters["fix"] = fix
        one = open_take(run)
        one = replace(one, planted={"alignment.offset": 200.0} if planted else {})
        checked = examine_take(run, one, Settings.of(run.parameters))
        checked.subject.__dict__["measured"] = Measured(KNOWN)
        return run, replace(checked, findings=(*checked.findings, found()))

    return look


def test_limits_are_read_by_rule_in_any_of_three_spellings():
    assert parse_limits("timing.gap 300, alignment.offset=40.5,timing.rate : 2").values == {
        "timing.gap": 300.0, "alignment.offset": 40.5, "timing.rate": 2.0,
    }  # fmt: skip
    assert parse_limits(" ").values == {}
    with pytest.raises(BadInputError, match=r"timing.gap 300, alignment.offset 40"):
        parse_limits("timing.gap")


def test_parameters_become_what_is_expected_and_nonsense_is_refused():
    settings = Settings.of({"expect_rate_hz": 30.0, "expect_size": "320x180", "checks": "timing, structure"})
    assert (settings.expected.rate_hz, settings.expected.size) == (30.0, (180, 320))
    assert settings.checks == ("timing", "structure")
    assert Settings.of({}).expected.rate_hz is None
    assert Settings.of({}).left_out() == ()
    some = Settings.of({"quick": True, "checks": "structure,timing,content,actions,sound,replay"})
    assert [f.sentence.split(",")[0] for f in some.left_out()] == [
        "not looked at: pictures", "not looked at: what alignment would say",
    ]  # fmt: skip
    assert parse_size("") is None
    for bad in ({"expect_size": "640"}, {"expect_rate_hz": -1.0}):
        with pytest.raises(BadInputError):
            Settings.of(bad)
    with pytest.raises(BadNameError, match="timing"):
        Settings.of({"checks": "timin"})


def test_recordings_beside_the_one_that_is_looked_at_are_counted(take, project, ran, tmp_path):
    for name in ("a", "b", "c"):
        shutil.copytree(take, tmp_path / name)
    one = open_take(
        begin("02_alignment_qa", ran(PARAMETERS.replace('source: str = ""', f'source: str = "{tmp_path}"')))
    )
    assert [(f.check, f.severity, f.value) for f in one.problems] == [("read.others", "info", 2.0)]


def test_a_planted_session_is_what_a_recorder_writes_and_says_what_is_wrong_with_it(take):
    session = open_session(take)
    assert session.info.provenance["planted"] == {"alignment.offset": 200.0}
    assert [s.frames for s in session.segments] == [50, 30]
    assert [s.end_reason for s in session.segments] == ["pause", "end"]
    assert session.ledger.balances
    assert session.segments[1].start_ns - session.segments[0].end_ns == pytest.approx(3e9, rel=0.05)
    assert session.info.stream("frames").codec == "h264"
    edges = session.events(0)
    downs = [(edges["control"] == c) & (edges["kind"] == k) for k in ("press", "release") for c in ("KeyW",)]
    state = int(((edges["control"] == "KeyW") & (edges["kind"] == "state")).sum())
    assert downs[1].sum() in (downs[0].sum(), downs[0].sum() + state), "hands let go before the pause"


def test_what_was_planted_and_found_is_a_remark_and_the_verdict_rests_on_the_rest(look):
    run, checked = look()
    mended = Mended((), KNOWN, COPY, 0, 198.0, replace(KNOWN, ms=2.0), 150.0)
    said = judge(checked, mended)
    assert {f.severity for f in said} == {"info"}
    assert "planted 200 ms, measured 198 ms" in said[0].sentence
    assert "-2.0 ms" in repr(planted_table(checked))
    other = replace(checked, findings=(*checked.findings, found(9.0, "timing.gap")))
    assert [f.check for f in judge(other, mended) if f.severity != "info"] == ["timing.gap"]
    missed = replace(checked, findings=())
    assert [f.check for f in judge(missed, mended)] == ["planted.missed"]
    for bad in (replace(mended, after=replace(KNOWN, ms=160.0)), replace(mended, raw_alike=False)):
        assert [f.check for f in judge(checked, bad) if f.severity == "error"] == ["planted.not_mended"]
    figures = figures_of(checked, mended)
    assert (figures["planted_offset_ms"], figures["repaired_offset_ms"]) == (200.0, 2.0)
    run.finish(said)


def test_a_recording_of_ones_own_keeps_the_verdict_of_its_checks_and_is_not_written_to(look, take):
    _, checked = look(planted=False)
    mended = repair(look(planted=False)[0], checked)
    assert [f.check for f in judge(checked, mended)] == ["alignment.offset", "read.left_out"]
    assert "planted_offset_ms" not in figures_of(checked, mended)
    assert not mended.place
    assert read_facts(take) == ()


@pytest.fixture
def told(monkeypatch):
    """Let measurements and repairs say what is given here; give the recordings that were measured."""
    seen = []

    def measured(self):
        seen.append(self.recording)
        return Measured(Offset("input_picture", ms=-1.5, low_ms=-5.0, high_ms=3.0))

    monkeypatch.setattr(Subject, "measured", property(measured))
    value = {"ms": 198.0, "low": 190.0, "high": 206.0, "drift_ppm": None}
    one = Repair("offset", value, "too early", "a test")
    monkeypatch.setattr("rushes.notebook.alignment.repair.repairs", lambda *_: [one])
    return seen


def test_the_repair_is_a_side_fact_on_a_copy_and_moves_every_input(look, take, told):
    run, checked = look()
    mended = repair(run, checked)
    assert mended.within
    assert mended.delay_ms == pytest.approx(198.0)
    assert [f.value["ms"] for f in read_facts(run.folder / COPY)] == [198.0]
    assert read_facts(take) == (), "the session itself stays, so that the next run finds the fault again"
    (moved,) = told
    shift = moved.events()["t_ns"].to_numpy() - open_session(take).events()["t_ns"].to_numpy()
    assert set((np.abs(shift - 198_000_000) < 10).tolist()) == {True}
    assert "recorded files unchanged" in repr(mended)


def test_a_session_of_ones_own_is_repaired_in_its_place_when_asked_and_only_once(look, take, told, tmp_path):
    own, said = shutil.copytree(take, tmp_path / "mine"), []
    for stored, known in ((1, 0), (0, 1)):
        run, checked = look(planted=False, fix=True)
        checked = replace(checked, take=replace(checked.take, recording=open_session(own)))
        mended = repair(run, checked)
        assert (len(mended.facts), mended.known, mended.place) == (stored, known, "early")
        assert not (run.folder / COPY).exists()
        run.finish()
        said.append([f.severity for f in judge(checked, mended) if f.check == "alignment.offset"])
    assert [f.value["ms"] for f in read_facts(own)] == [198.0]
    assert said[0] == ["info"], "what was stored a moment ago is not asked for again"
    assert len(told) == 2


def test_the_player_has_the_findings_and_the_offset_that_is_stored_or_was_measured(look, take, told):
    run, checked = look()
    twin = twin_of(run, checked, Mended((), KNOWN))
    assert (twin.delay_ms, twin.about["offset"], twin.shown.session_of_ours.path) == (198.0, None, take)
    mended = repair(run, checked)
    twin, own = twin_of(run, checked, mended), player_of(run, checked, mended)
    assert twin.shown.session_of_ours.path == run.folder / COPY, "marks do not reach the planted session"
    assert (float(twin.delay_ms), own.offset_ms, twin.about["offset"]["ms"]) == (198.0, 198.0, 198.0)
    assert "alignment.offset" in {one["id"] for one in own.about["findings"]}
    own.close()


def test_the_slider_draws_the_curve_and_the_inputs_for_where_it_stands(look):
    _, checked = look()
    said = []
    curve, strips = slide(checked, (), {"offset": -40.0}, lambda *words: said.append(words[2]))
    assert "-40 ms" in [text.get_text() for text in curve.axes[0].texts]
    assert "No input" in repr(strips)
    assert said == ["the curve", "inputs and their pictures"]
    sliders = offset_slider(checked, ())
    sliders.close()
    assert sliders.values == {"offset": 198.0}
