"""A data fault shows as a failed learning test: what is learnt from sound sessions is not learnt from faulty ones.

The sessions are real ones, written here with and without a fault and read by the real loader.
"""

from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from rushes.errors import BadInputError, MissingError
from rushes.notebook.run import begin
from rushes.notebook.train import pictures, sessions, study, verdict
from rushes.notebook.train.data import sets_of
from rushes.notebook.train.learning import learn, new_net
from rushes.notebook.train.lessons import LESSONS, Lesson, plan_take
from rushes.notebook.train.nets import BehaviouralCloning, SequenceModel, TwoBranches
from rushes.notebook.train.sessions import make_take
from rushes.notebook.train.study import Choices, Example

LAMPS = Lesson("lamps", "Lamps", ("KeyA", "KeyD"), ("left", "right"), kind="lamp")
ROW_MS = 50
NOTEBOOK = Path(__file__).parent.parent.parent / "notebooks" / "06_train.ipynb"


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads of other tests beside these make it slower, not faster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def played(folder, lesson, *, count=4, frames=(90, 80)):
    for number in range(1, count + 1):
        take = plan_take(lesson, number=number, frames=frames)
        make_take(folder / f"{lesson.name}{number}", take, size=(48, 48))
    return folder


@pytest.fixture(scope="module")
def lamps(tmp_path_factory):
    return played(tmp_path_factory.mktemp("lamps"), LAMPS)


def trained(folder, kind=BehaviouralCloning, *, length=8, epochs=4, **options):
    sets = sets_of(folder, length=length, size=36, **options)
    return learn(new_net(kind, sets, seed=0), sets, epochs=epochs, windows=8, name="net", watched=False)


@pytest.fixture(scope="module")
def nets(lamps):
    """A net that learnt from sound sessions, and one whose inputs are a row late."""
    return trained(lamps), trained(lamps, action_delay_ms=ROW_MS)


def severities(name, learnt, *, control=None):
    example = Example(name, (learnt,), (control,) if control else ())
    return [finding.severity for finding in verdict.judge([example]) if finding.check != "train.keras"]


def test_a_cue_in_the_picture_is_learnt_and_inputs_that_are_a_row_late_are_not(nets):
    sound, late = nets
    assert sound.score.balanced > 0.97
    assert severities("cloning", sound) == ["info"]
    assert late.score.balanced < 0.65
    assert severities("cloning", late) == ["error"]


def test_a_tone_is_learnt_and_sound_that_is_stamped_a_row_late_is_not(tmp_path, monkeypatch):
    good = trained(played(tmp_path / "good", LESSONS["tones"]), TwoBranches, audio="logmel", epochs=2)
    deaf = trained(tmp_path / "good", epochs=1)
    real = sessions.sound

    def late(take, part):
        end_ns = int(part.t_ns[-1])
        for block in real(take, part):
            if block.t_ns + 150_000_000 < end_ns:
                yield block._replace(t_ns=block.t_ns + 100_000_000)

    monkeypatch.setattr(sessions, "sound", late)
    bad = trained(played(tmp_path / "late", LESSONS["tones"]), TwoBranches, audio="logmel", epochs=2)
    assert good.score.balanced > 0.95
    assert severities("hearing", good, control=deaf) == ["info", "info"]
    assert bad.score.balanced < 0.7
    assert severities("hearing", bad, control=deaf) == ["error", "info"]
    assert severities("hearing", good, control=good) == ["info", "error"], "a control that knows is a leak"


@pytest.mark.full
def test_only_memory_solves_a_cue_of_the_past_and_only_where_windows_are_in_the_order_of_time(tmp_path, monkeypatch):
    folder = played(tmp_path, LESSONS["echo"], count=7, frames=(260, 190))
    options = {"length": 16, "warm": 3, "epochs": 10}
    remembers, sees = (trained(folder, kind, **options) for kind in (SequenceModel, BehaviouralCloning))
    assert severities("remembering", remembers, control=sees) == ["info", "info"]
    real = study.sets_of(folder, length=16, size=36, warm=3)
    windows = type(real.learn.windows)
    fetch = windows.fetch
    monkeypatch.setattr(windows, "fetch", lambda self, wanted: [
        item | {"frames": np.ascontiguousarray(item["frames"][::-1])} for item in fetch(self, wanted)])  # fmt: skip
    assert severities("remembering", trained(folder, SequenceModel, **options)) == ["error"]


def test_the_same_seed_gives_the_same_net_and_the_same_answers(lamps):
    first, second = (trained(lamps, epochs=1) for _ in range(2))
    assert first.epochs[-1].loss == second.epochs[-1].loss
    assert (first.answers.said == second.answers.said).all()


def test_parts_are_whole_sessions_and_answers_are_of_every_row_that_counts(lamps):
    sets = sets_of(lamps, length=8, size=36, warm=3)
    learnt, unseen = ({entry.id for entry in part.entries} for part in (sets.learn, sets.unseen))
    assert learnt | unseen == {f"lamps{k}" for k in range(1, 5)}
    assert not learnt & unseen
    answers = sets.answers(lambda batch: batch["inputs"].numpy())
    assert len(answers.truth) == len(sets.unseen) * 5
    assert (answers.row.min(), answers.row.max()) == (3, 7)
    assert answers.score.balanced == 1
    picture = sets.picture(answers, 7)
    assert (picture == sets.unseen.windows.fetch([1])[0]["frames"][5]).all()


def test_sessions_of_ones_own_are_held_against_luck_and_no_bar(nets):
    guess = replace(nets[1], answers=replace(nets[0].answers, said=np.zeros_like(nets[0].answers.said)))
    good, bad = (verdict.judge([Example("cloning", (one,), planted=False)])[0] for one in (nets[0], guess))
    assert (good.severity, bad.severity) == ("info", "warning")
    assert (bad.value, bad.limit) == (0.5, 0.5)
    assert "always down" in good.sentence
    assert "no better than luck" in bad.sentence


def test_without_tensorflow_the_third_example_warns_with_the_line_that_installs_it(nets, monkeypatch):
    monkeypatch.setattr(verdict, "there", lambda: False)
    (warning,) = [f for f in verdict.judge([Example("hearing", nets)]) if f.check == "train.keras"]
    assert warning.severity == "warning"
    assert 'pip install "rushes[tf]"' in warning.sentence


def test_keys_that_only_one_part_has_stand_in_both(tmp_path, lamps):
    others = Lesson("others", "Others", ("KeyE", "KeyD"), ("left", "right"), kind="lamp")
    played(tmp_path, others, count=2)
    sets = sets_of([*sorted(tmp_path.iterdir()), *sorted(lamps.iterdir())[:2]], length=8, size=36)
    assert sets.learn.space == sets.unseen.space
    assert set(sets.names) == {"KeyA", "KeyD", "KeyE"}


def test_windows_are_thinned_evenly_where_there_is_more_play_than_asked_for(lamps):
    whole, some = (sets_of(lamps, length=1, size=36, most=most) for most in (None, 100))
    assert len(whole.learn) > 300
    assert 80 <= len(some.learn) <= 100
    assert len(some.unseen) < len(whole.unseen) / 3


def test_sessions_of_ones_own_train_the_first_example_and_the_others_are_left_out(project, ran, lamps):
    declared = nbformat.read(NOTEBOOK, as_version=4).cells[1].source
    mine = f"# Parameters\nsource = {str(lamps)!r}\nsize = 36\nepochs_signs = 2\nlayout = 'KeyA'"
    run = begin("06_train", ran(declared, mine))
    choices = study.choices_of(run)
    examples = study.cloning(run, choices), study.remembering(run, choices), study.hearing(run, choices)
    assert [len(example.every) for example in examples] == [1, 0, 0]
    for show in (study.scores_table, pictures.curves, pictures.time_sheet, pictures.heard):
        assert "Left out" in repr(show(examples[1]))
    assert "balanced accuracy" in pictures.curves(examples[0]).alt
    assert "unseen pictures" in pictures.said_sheet(examples[0]).alt
    assert "marked_invalid" in repr(study.data_table(examples[0]))
    done = run.finish(verdict.judge(examples), figures=verdict.figures_of(examples))
    assert done.verdict in {"PASS", "WARN"}
    assert set(done.figures) == {f"cloning_{name}" for name in ("balanced", "luck", "f1", "always_f1", "rows")}
    kept = torch.load(run.folder / "cloning.pt", weights_only=True)
    assert (kept["keys"], kept["size"]) == (["KeyA"], [36, 36])


@pytest.mark.parametrize(("name", "value"), [("size", 20), ("epochs_echo", 0)])
def test_parameters_that_mean_nothing_are_refused_by_name(project, ran, name, value):
    declared = nbformat.read(NOTEBOOK, as_version=4).cells[1].source
    with pytest.raises(BadInputError, match=name):
        study.choices_of(begin("06_train", ran(declared, f"# Parameters\n{name} = {value}")))


def test_what_cannot_be_trained_on_is_refused(tmp_path, lamps):
    with pytest.raises(BadInputError, match="36 px"):
        new_net(BehaviouralCloning, sets_of(lamps, length=1, size=20), seed=0)
    with pytest.raises(BadInputError, match="nothing can be pressed"):
        sets_of(lamps, length=1, size=36, layout="MouseDX")
    with pytest.raises(MissingError):
        sets_of(tmp_path / "nowhere", length=1, size=36)
    assert Choices().epochs["signs"] > 0
