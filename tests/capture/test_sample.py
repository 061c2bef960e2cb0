"""Sampling many games: the same bytes for any number of workers, kills that cost nothing, failures that stay alone."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ale_py
import gymnasium
import numpy as np
import pytest

from rushes.capture.env.play import Play
from rushes.capture.env.sample import Estimate, estimate, plan, sample
from rushes.errors import BadInputError, BadNameError, OccupiedError, RushesError
from rushes.model.findings import verdict
from rushes.store.fingerprint import of_tree
from rushes.store.reader import open_session
from rushes.store.recover import recover

gymnasium.register_envs(ale_py)
GAMES = "Pong,Breakout,Alien"
SHORT = {"frames_per_env": 40, "max_episodes": 3}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    out = tmp_path_factory.mktemp("sampled") / "one"
    return out, sample(out, GAMES, **SHORT, workers=1)


@pytest.mark.parametrize("workers", [2, pytest.param(8, marks=pytest.mark.full)])
def test_the_same_seed_gives_the_same_bytes_for_any_number_of_workers(reference, tmp_path, workers):
    sample(tmp_path / "many", GAMES, **SHORT, workers=workers)
    assert of_tree(tmp_path / "many") == of_tree(reference[0])


def test_a_game_alone_gives_the_bytes_that_it_gives_among_others_and_another_seed_gives_others(reference, tmp_path):
    sample(tmp_path / "alone", "Alien", **SHORT, workers=1)
    assert of_tree(tmp_path / "alone" / "atari_alien") == of_tree(reference[0] / "atari_alien")
    sample(tmp_path / "other", "Alien", **SHORT, workers=1, seed=1)
    assert of_tree(tmp_path / "other" / "atari_alien") != of_tree(reference[0] / "atari_alien")


def test_any_executor_does_the_work(reference, tmp_path):
    with ThreadPoolExecutor(2) as executor:
        sample(tmp_path / "threads", GAMES, **SHORT, executor=executor)
    assert of_tree(tmp_path / "threads") == of_tree(reference[0])


def test_a_dask_cluster_does_the_work(reference, tmp_path):
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        sample(tmp_path / "cluster", GAMES, **SHORT, executor=client.get_executor())
    assert of_tree(tmp_path / "cluster") == of_tree(reference[0])


def test_sessions_come_in_the_order_asked_for_with_the_frames_asked_for(reference):
    sessions = reference[1].sessions
    assert [s.info.source["name"] for s in sessions] == ["ALE/Pong-v5", "ALE/Breakout-v5", "ALE/Alien-v5"]
    for session in sessions:
        assert session.frame_count == 40
        assert [s.frames for s in session.segments] == [14, 13, 13]
        assert [e.name for e in session.episodes()] == [f"episode_00{k}_rand0.2" for k in range(3)]
        assert {s.end_reason for s in session.segments} == {"budget"}
        assert session.info.time_source == "emulated"
    assert reference[1].findings == []


def test_times_are_emulated_steps_of_four_sixtieths_and_rise_over_the_whole_session(reference):
    t_ns = reference[1].sessions[0].index()["t_ns"].to_numpy()
    assert t_ns.tolist() == [k * 4 * 1_000_000_000 // 60 for k in range(40)]


def test_sampled_bytes_hold_no_time_of_day_no_host_and_no_version(reference):
    texts = b"".join(p.read_bytes() for p in sorted(reference[0].rglob("*.json")))
    for secret in (os.uname().nodename, time.strftime("%Y-%m-%d"), ale_py.__version__, np.__version__):
        assert secret.encode() not in texts


def test_a_stranger_plays_an_episode_again_with_plain_gymnasium(reference):
    for session in reference[1].sessions:
        for episode in session.episodes():
            attrs, steps = episode.segment.attrs, episode.steps
            env = gymnasium.make(
                attrs["env_id"],
                frameskip=attrs["frameskip"],
                repeat_action_probability=attrs["sticky"],
                full_action_space=attrs["full_action_space"],
            )
            observations = [env.reset(seed=attrs["seed"])[0]]
            rewards = []
            for action in steps["action"]:
                observation, reward, *_ = env.step(action)
                observations.append(observation)
                rewards.append(reward)
            assert rewards == steps["reward"].tolist()
            assert sum(rewards) == attrs["score"]
            for mine, theirs in zip(episode.frames(), observations, strict=True):
                assert (mine == theirs).all()


def test_episodes_end_with_their_true_last_picture_and_what_they_leave_goes_to_the_next(tmp_path):
    """Breakout by chance ends an episode within some 250 steps; a lost life before that ends nothing."""
    report = sample(tmp_path / "s", "Breakout", frames_per_env=1200, max_episodes=3, policy="uniform", workers=1)
    session = report.sessions[0]
    first = next(session.episodes())
    steps = first.steps
    assert first.segment.end_reason == "terminated"
    assert steps["terminated"].tolist() == [False] * (len(steps) - 1) + [True]
    assert first.observations == len(steps) + 1 < 400
    assert steps["lives"].iloc[-1] == 0
    assert len(set(steps["lives"])) > 3, "lost lives are numbers in a column"
    env = gymnasium.make("ALE/Breakout-v5", frameskip=4, repeat_action_probability=0.0)
    env.reset(seed=first.segment.attrs["seed"])
    for action in steps["action"]:
        last, _, terminated, *_ = env.step(action)
    assert terminated
    assert (list(first.frames())[-1] == last).all()
    assert session.segments[1].frames > 400 or session.segments[1].end_reason == "terminated"
    assert session.frame_count < 1200
    short = [f for f in report.findings if f.check == "sample.short"]
    assert (short[0].value, short[0].limit) == (session.frame_count, 1200.0)
    assert verdict(report.findings)[0] == "PASS"


@pytest.mark.parametrize("randomness", [0.0, 0.3, 1.0])
def test_randomness_is_graded_and_stored_per_step(tmp_path, randomness):
    report = sample(
        tmp_path / "s", "Pong", frames_per_env=1500, max_episodes=1, randomness=randomness, policy="uniform", workers=1
    )
    share = report.sessions[0].steps()["random_action"].mean()
    assert abs(share - randomness) < 0.05


def test_lookahead_without_randomness_is_deterministic(tmp_path):
    for name in "ab":
        sample(tmp_path / name, "Seaquest", frames_per_env=24, max_episodes=1, randomness=0.0, workers=1)
    assert of_tree(tmp_path / "a") == of_tree(tmp_path / "b")


EACH_IN_A_CHILD = """
# what is imported above is there in each child: one a line of standard input, "number path"; says how each ended
for line in sys.stdin:
    number, path = line.rstrip("\\n").split(" ", 1)
    child = os.fork()
    if not child:
        play(Path(path), int(number))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def killed_in_children(code, folders):
    """Run `code`, which defines `play`, and play once for each (number, path); gives an exit status for each."""
    lines = "".join(f"{number} {path}\n" for number, path in folders)
    command = [sys.executable, "-c", code + EACH_IN_A_CHILD]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


KILLED = """
import os, signal, sys
from pathlib import Path
from rushes.capture.env import sample as sampling
from rushes.store.writer import SessionWriter
real, count = SessionWriter.write, [0]
def play(path, number):
    def write(self, reading):
        real(self, reading)
        count[0] += 1
        if count[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
    SessionWriter.write = write
    sampling.sample(path, "Pong", frames_per_env=40, max_episodes=3, workers=1)
"""


@pytest.mark.parametrize("readings", [2, 31, *(pytest.param(n, marks=pytest.mark.full) for n in (30, 57, 82))])
def test_a_killed_sampling_recovers_and_resumes_to_the_same_bytes(reference, tmp_path, readings):
    """Killed in the first, at the edge of, and inside later episodes."""
    ended = killed_in_children(KILLED, [(readings, tmp_path / name) for name in ("shown", "resumed")])
    assert ended == [-signal.SIGKILL] * 2
    recover(tmp_path / "shown" / "atari_pong")
    shown = open_session(tmp_path / "shown" / "atari_pong")
    whole = open_session(reference[0] / "atari_pong")
    if shown.segments[-1].frames < whole.segments[len(shown.segments) - 1].frames:
        assert shown.segments[-1].end_reason == "killed"
    for mine, theirs in zip(shown.frames(0, shown.frame_count), whole.frames(0, shown.frame_count), strict=True):
        assert (mine == theirs).all()
    for name in ("shown", "resumed"):
        sample(tmp_path / name, "Pong", **SHORT, workers=1, resume=True)
        assert of_tree(tmp_path / name / "atari_pong") == of_tree(reference[0] / "atari_pong")


KILLED_AT = """
import os, signal, sys
from pathlib import Path
names, count = ("write", "fsync", "replace", "unlink", "mkdir", "open", "rename"), [0]
def counted(real, number):
    def call(*given, **more):
        count[0] += 1
        if count[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **more)
    return call
from rushes.capture.env.sample import play_game, plan
asked, = plan("Pong", frames_per_env=8, max_episodes=2, policy="uniform")
from rushes.worlds import catalog
catalog.make_world("ALE/Pong-v5").close()
def play(path, number):
    for name in names:
        setattr(os, name, counted(getattr(os, name), number))
    play_game(path / asked.name, asked)
    if not number:
        print(count[0], flush=True)
"""


def test_a_kill_at_any_call_to_the_disk_is_resumed_to_the_same_bytes(tmp_path, full):
    """The process dies before its n-th write, sync, rename, removal or folder, for every n (a third of them in CI)."""
    calls, ended = killed_in_children(KILLED_AT, [(0, tmp_path / "whole")])
    assert calls > 40
    assert ended == 0
    short = {"frames_per_env": 8, "max_episodes": 2, "policy": "uniform"}
    places = [(number, tmp_path / f"killed-{number}") for number in range(1, calls + 1, 1 if full else 5)]
    assert killed_in_children(KILLED_AT, places) == [-signal.SIGKILL] * len(places)
    for number, out in places:
        sample(out, "Pong", **short, workers=1, resume=True)
        assert of_tree(out) == of_tree(tmp_path / "whole"), f"killed before call {number} of {calls}"


def test_resuming_what_is_whole_changes_nothing_and_other_parameters_are_refused(reference, tmp_path):
    sample(tmp_path / "s", "Pong", **SHORT, workers=1)
    before = of_tree(tmp_path / "s")
    sample(tmp_path / "s", "Pong", **SHORT, workers=1, resume=True)
    assert of_tree(tmp_path / "s") == before
    with pytest.raises(OccupiedError, match="which these parameters did not make"):
        sample(tmp_path / "s", "Pong", **SHORT, seed=1, workers=1, resume=True)
    with pytest.raises(OccupiedError):
        sample(tmp_path / "s", "Pong", **SHORT, workers=1)
    assert of_tree(tmp_path / "s") == before


def wrong(moment):
    """A policy that leaves the action space after ten steps in Pong (6 actions), and never in Alien (18)."""
    return 11 if moment.step == 10 else 0


def test_one_failing_game_is_reported_with_its_reason_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    report = sample(tmp_path / "s", "Pong,Alien", **SHORT, policy="test_sample:wrong", workers=1)
    assert [bool(r.error) for r in report.results] == [True, False]
    assert "11" in report.results[0].error
    assert "To mend it" in report.results[0].error
    assert [s.info.game for s in report.sessions] == ["Alien"]
    name, reasons = verdict(report.findings)
    assert name == "WARN"
    assert "ALE/Pong-v5 could not be sampled" in reasons[0]
    assert open_session(tmp_path / "s" / "atari_pong").problems, "what is half-written does not look whole"


def test_when_every_game_fails_the_reason_is_raised(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    with pytest.raises(RushesError, match="11"):
        sample(tmp_path / "s", "Pong", **SHORT, policy="test_sample:wrong", workers=1)


@pytest.mark.parametrize(
    ("games", "given", "kind", "message"),
    [
        ("Brekout", {}, BadNameError, "did you mean 'Breakout'"),
        ("Pong", {"policy": "lokahead"}, BadNameError, "did you mean 'lookahead'"),
        ("Pong", {"frames_per_env": -1}, BadInputError, "frames_per_env=-1"),
        ("Pong", {"randomness": 2.0}, BadInputError, "randomness=2.0"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, games, given, kind, message):
    with pytest.raises(kind, match=message):
        sample(tmp_path / "s", games, **{**SHORT, **given})
    assert not (tmp_path / "s").exists()


def test_a_non_empty_output_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(OccupiedError, match="a new path or an empty folder"):
        sample(tmp_path, "Pong", **SHORT)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_other_gymnasium_environments_are_sampled_with_rgb_png_and_nominal_time(tmp_path):
    report = sample(
        tmp_path / "s",
        "CartPole-v1,MountainCarContinuous-v0",
        frames_per_env=30,
        max_episodes=2,
        policy="uniform",
        workers=1,
    )
    assert [r.error for r in report.results] == ["", ""]
    cart, car = report.sessions
    assert (cart.info.time_source, cart.info.stream("frames").codec) == ("nominal", "png")
    assert cart.path.name == "cartpole_v1"
    assert len(car.steps()["action"].iloc[0]) == 1
    env = gymnasium.make("MountainCarContinuous-v0", render_mode="rgb_array")
    episode = next(car.episodes())
    env.reset(seed=episode.segment.attrs["seed"])
    frames = episode.frames()
    assert (next(frames) == env.render()).all()
    for action, frame in zip(episode.steps["action"], frames, strict=True):
        env.step(np.array(action, np.float32))
        assert (frame == env.render()).all()


def test_progress_grows_within_an_episode_and_ends_with_what_is_there(tmp_path):
    """Breakout ends by itself, so 3,000 frames are asked for and fewer come."""
    seen = []
    report = sample(
        tmp_path / "s", "Breakout", frames_per_env=3000, max_episodes=3, policy="uniform", workers=1,
        progress=lambda *call: seen.append(call),
    )  # fmt: skip
    stored = report.sessions[0].frame_count
    assert seen[-1][:2] == (stored, 3000)
    assert stored < 3000
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)


def test_progress_of_a_game_that_fails_does_not_reach_the_total(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    seen = []
    sample(
        tmp_path / "s", "Pong,Alien", **SHORT, policy="test_sample:wrong", workers=1, progress=lambda *c: seen.append(c)
    )
    assert 40 <= seen[-1][0] < 80
    assert seen[-1][1] == 80


def test_the_estimate_takes_the_first_game_that_works_and_says_so_when_none_does(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    some = plan("CartPole-v1,Pong", frames_per_env=20, max_episodes=2, policy="lookahead")
    assert estimate(some, workers=1).seconds > 0
    none = estimate(plan("CartPole-v1", frames_per_env=20, max_episodes=2, policy="lookahead"), workers=1)
    assert none.seconds is None
    assert "no game could be tried" in str(none)


def test_negative_workers_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(BadInputError, match="workers=-3"):
        sample(tmp_path / "s", "Pong", **SHORT, workers=-3)
    assert not (tmp_path / "s").exists()


def test_the_type_of_a_number_changes_no_byte(tmp_path):
    for name, randomness in (("whole", 1), ("point", 1.0)):
        sample(tmp_path / name, "Pong", **SHORT, policy="uniform", randomness=randomness, workers=1)
    assert of_tree(tmp_path / "whole") == of_tree(tmp_path / "point")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_stops_the_workers_soon_and_what_is_stored_is_gone_on_with(tmp_path, workers):
    """As a notebook does it: only the parent is interrupted."""
    code = (
        "import sys; from rushes.capture.env.sample import sample\n"
        "if __name__ == '__main__':\n"
        "    sample(sys.argv[1], 'Pong,Breakout'[:4 + 9 * (sys.argv[2] == '2')], frames_per_env=200000, max_episodes=9,"
        " policy='uniform', workers=int(sys.argv[2]))\n"
    )
    (tmp_path / "play.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "play.py", tmp_path / "s", workers], start_new_session=True, stderr=subprocess.PIPE
    )
    journal = tmp_path / "s" / "atari_pong" / "chunks" / "0001" / "journal.bin"
    for _ in range(400):
        if journal.is_file() and journal.stat().st_size > 50_000:
            break
        time.sleep(0.05)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert time.monotonic() - started < 20
    assert [p.name for p in (tmp_path / "s").iterdir() if p.name.startswith(".")] == []
    assert recover(tmp_path / "s" / "atari_pong").frames > 0


def test_the_estimate_is_of_the_order_of_the_truth(tmp_path):
    plays = plan("Pong", frames_per_env=400, max_episodes=1, policy="uniform")
    guess = estimate(plays, workers=1)
    started = time.perf_counter()
    sample(tmp_path / "s", "Pong", frames_per_env=400, max_episodes=1, policy="uniform", workers=1)
    took = time.perf_counter() - started
    size = sum(p.stat().st_size for p in (tmp_path / "s").rglob("*") if p.is_file())
    assert 0.1 < guess.seconds / took < 10
    assert 0.2 < guess.bytes / size < 5
    assert str(Estimate(1000, 300.0, 2_500_000)) == "1000 frames, about 5 min and 2.5 MB"


def test_the_world_is_described_by_its_play(reference):
    session = reference[1].sessions[2]
    assert session.info.provenance == Play("ALE/Alien-v5", **SHORT).parameters()
    assert session.info.stream("frames").codec == "png-indexed"
    assert (session.info.stream("frames").width, session.info.stream("frames").height) == (160, 210)
