"""An environment played from the recording notebook: by a policy where nobody is there, by a person with the panel."""

import numpy as np
import pytest

from rushes.capture.hand.settings import HandSettings
from rushes.errors import BadNameError, StoppedError
from rushes.notebook.planted import prove
from rushes.notebook.recording import judge, panel_of, record, segments_table, settings_of
from rushes.notebook.run import Run
from rushes.preview.timing import frame_timing, inputs_over_time
from rushes.qa.base import examine
from rushes.widgets.play_panel import PlayPanel

GIVEN = {
    "backend": "play", "env": "Breakout", "policy": "", "game": "Synthetic", "seconds": 1.0, "fps": 0.0, "window": "",
    "region": "", "codec": "h264", "layout": "capture28", "audio": "", "keys": "window", "live": False, "seed": 3,
    "out": "",
}  # fmt: skip


def new_run(folder, **given):
    folder.mkdir()
    return Run("01_record_session", folder, {**GIVEN, **given}, root=folder.parent)


def test_without_a_panel_a_policy_plays_for_the_time_and_the_environment_gives_every_picture_back(tmp_path):
    run = new_run(tmp_path / "run")
    take = record(run, settings_of(run))
    session, steps = take.session, take.session.steps()
    assert session.path == tmp_path / "run" / "session"
    assert session.info.source == {"kind": "env", "name": "ALE/Breakout-v5"}
    assert session.info.provenance["policy"] == "persistent"
    assert not steps["is_human"].any()
    assert len(set(steps["action"])) > 1
    assert 20 < len(steps) <= 61, "a second at 60 a second, on a busy machine too"
    assert take.figures()["rate_hz"] > 20
    assert "the time limit" in segments_table(take).html
    found = {f.check: f.severity for f in examine(session).findings}
    assert found["replay.exact"] == "info"
    assert "replay.differs" not in found
    assert judge(take, most_dropped=100, most_late=100) == []
    assert prove(session).findings == ()
    assert frame_timing(session) is not None
    assert inputs_over_time(session) is not None


def test_with_the_panel_a_person_plays_until_stop_and_shares_with_the_policy_that_is_named(tmp_path):
    run = new_run(tmp_path / "run", live=True, policy="uniform", env="CartPole-v1", seed=7, fps=20.0)
    settings = settings_of(run)
    assert settings == HandSettings(
        "CartPole-v1", out=str(tmp_path / "run" / "session"), policy="uniform", seed=7, fps=20.0
    )
    assert settings.who == "shared"
    panel = panel_of(settings)
    assert isinstance(panel, PlayPanel)
    with pytest.raises(StoppedError, match="has not ended"):
        record(run, settings, panel=panel)
    panel.start()
    while panel.path is None:
        assert panel.state in {"starting", "ready", "playing"}
        if panel.state == "ready":
            panel.resume()
        panel._process.wait(0.1)
    panel.close()
    take = record(run, settings, panel=panel)
    assert take.session.path == tmp_path / "run" / "session"
    assert np.array_equal(take.session.steps()["is_human"], np.zeros(len(take.session.steps()), bool))
    assert "<Take" in repr(take)


def test_an_environment_that_is_none_is_named_with_the_nearest(tmp_path):
    run = new_run(tmp_path / "run", env="Breakuot")
    with pytest.raises(BadNameError, match="Breakout"):
        settings_of(run)
