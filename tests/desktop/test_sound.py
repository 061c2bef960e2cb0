"""Sound through a real PulseAudio: the right device, the right samples at the right time, and every way to lose it."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from rushes.capture.audio.base import AUDIO, audio_source
from rushes.capture.audio.devices import open_device
from rushes.capture.audio.soundcard_source import SoundSource
from rushes.capture.source import Source, SourceEnd
from rushes.errors import BadInputError, BadNameError, UnavailableError
from rushes.model.clock import Clock
from rushes.model.readings import Lost, Sound

RATE = 48_000
NS = 1_000_000_000


@pytest.fixture
def server(require, servers):
    """A sound server of this test's own: some tests end it."""
    require("sound")
    with servers.run_sound_server() as made:
        yield made


@pytest.fixture
def players(servers):
    with servers.programs_that_end() as made:
        yield made
        for program in made.running:
            program.stdin.close()


class Run:
    """A source that runs on a thread."""

    def __init__(self, name="system", **options):
        self.clock, self.stop, self.readings = Clock(), threading.Event(), []
        self.arrived: queue.SimpleQueue = queue.SimpleQueue()
        self.ended_with: BaseException | None = None
        self.source = audio_source(name, **options)
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        try:
            self.source.run(self.clock, self._take, self.stop)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.ended_with = error

    def _take(self, reading):
        self.readings.append(reading)
        self.arrived.put(reading)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(5)

    def first(self):
        """Wait for the first block; a speaker that was idle takes its time."""
        return self.arrived.get(timeout=10)

    def end(self, patience_s=5.0):
        """Wait for its end; returns how long it took and how it ended."""
        began = time.monotonic()
        self.thread.join(patience_s)
        assert not self.thread.is_alive(), f"it did not end within {patience_s} s"
        return time.monotonic() - began, self.ended_with

    @property
    def blocks(self):
        return [reading for reading in self.readings if isinstance(reading, Sound)]

    @property
    def samples(self):
        return np.concatenate([block.samples for block in self.blocks])

    @property
    def times_ns(self):
        """Time of each sample."""
        return np.concatenate([b.t_ns + np.arange(len(b.samples)) * NS // b.rate_hz for b in self.blocks])


def tone(seconds, hz=440, level=0.5):
    wave = level * 32767 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave.astype("<i2")[:, None], 2, axis=1).tobytes()


def player(players, sink="game", latency_ms=10):
    command = ["pacat", "--playback", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=2", f"--device={sink}"]
    return players.start([*command, f"--latency-msec={latency_ms}"], stdin=subprocess.PIPE)


def test_it_is_a_source_that_opens_nothing_before_it_runs():
    for name in AUDIO:
        source = audio_source(name)
        assert isinstance(source, Source)
        assert (source.name, source.essential) == (name, False)
    with pytest.raises(BadNameError):
        audio_source("radio")
    for wrong in ({"rate_hz": 0}, {"channels": 0}):
        with pytest.raises(BadInputError):
            SoundSource("mic", **wrong)


def test_a_tone_comes_with_its_pitch_its_loudness_and_its_time(server, players):
    with Run() as run:
        run.first()
        program, written_ns = player(players, latency_ms=60), []
        time.sleep(0.3)  # it connects
        for _ in range(3):
            written_ns.append(run.clock.now_ns())
            program.stdin.write(tone(0.2))
            program.stdin.flush()
            time.sleep(0.8)
    loud = np.abs(run.samples[:, 0].astype(int)) > 300
    starts = [i for i in np.flatnonzero(loud) if not loud[max(0, i - RATE // 3) : i].any()]
    assert len(starts) == 3
    errors_ms = (run.times_ns[starts] - written_ns) / 1e6
    assert -5 < errors_ms.min() <= errors_ms.max() < 200, errors_ms  # generous: a busy machine plays late
    # the loudest stretches of 50 ms are whole, whatever a busy machine did to the player between them
    stretches = run.samples[: len(run.samples) // 2400 * 2400, 0].astype(float).reshape(-1, 2400)
    loudness = np.sqrt((stretches**2).mean(axis=1))
    loudest = np.argsort(loudness)[-3:]
    assert [np.abs(np.fft.rfft(stretches[k])).argmax() * 20 for k in loudest] == [440, 440, 440]
    assert loudness[loudest] == pytest.approx(0.5 * 32767 / np.sqrt(2), rel=0.02)
    assert run.samples.dtype == np.int16
    assert run.samples.shape[1] == 2


def test_time_and_samples_agree_and_silence_is_silent(server):
    with Run() as run:
        run.first()
        time.sleep(1.5)
    times_ns = [block.t_ns for block in run.blocks]
    elapsed_s = (times_ns[-1] - times_ns[0]) / NS
    assert elapsed_s > 1
    assert sum(len(b.samples) for b in run.blocks[:-1]) / RATE == pytest.approx(elapsed_s, abs=0.01)
    assert np.abs(np.diff(times_ns) - 20_000_000).max() < 20_000_000
    assert not run.samples.any()
    assert {(b.rate_hz, b.stream, len(b.samples)) for b in run.blocks} == {(RATE, "system", 960)}
    assert run.end()[1] is None


def test_it_stops_at_once_even_where_nothing_plays(server):
    run = Run()
    with run:
        time.sleep(0.4)  # a speaker that was idle gives nothing yet
        run.stop.set()
        took_s, ended_with = run.end()
    assert ended_with is None
    assert took_s < 1
    assert run.readings == []


def test_a_suspended_speaker_is_no_lost_device_and_its_silence_is_counted(server, servers):
    with Run() as run:
        run.first()
        assert servers.pactl("suspend-sink", "game", "1").returncode == 0
        time.sleep(1.5)
        assert run.thread.is_alive()
        before = len(run.blocks)
        assert servers.pactl("suspend-sink", "game", "0").returncode == 0
        servers.wait_for(lambda: len(run.blocks) > before + 10, "sound after the pause")
    lost = [reading for reading in run.readings if isinstance(reading, Lost)]
    assert [(r.stream, r.reason) for r in lost] == [("system", "overrun")]
    assert 1 * RATE < lost[0].count < 5 * RATE
    assert (np.diff([r.t_ns for r in run.readings]) >= 0).all()
    elapsed_s = (run.blocks[-1].t_ns - run.blocks[0].t_ns) / NS
    counted = sum(len(b.samples) for b in run.blocks[:-1]) + lost[0].count
    assert counted / RATE == pytest.approx(elapsed_s, abs=0.1)


def test_an_unplugged_speaker_ends_it_and_the_microphone_is_not_taken_instead(server, servers, players):
    pactl = servers.pactl
    assert pactl("load-module", "module-null-sink", "sink_name=cable").returncode == 0
    assert pactl("set-default-source", "cable.monitor").returncode == 0  # where a server moves homeless streams
    whisper = player(players, "cable")
    with Run() as run:
        run.first()
        whisper.stdin.write(tone(1.5, hz=1000))
        whisper.stdin.flush()
        modules = [line.split("\t") for line in pactl("list", "short", "modules").stdout.splitlines()]
        (number,) = [m[0] for m in modules if "sink_name=game" in m[2]]
        assert pactl("unload-module", number).returncode == 0
        took_s, ended_with = run.end()
    assert isinstance(ended_with, SourceEnd)
    assert ended_with.reason == "device_lost"
    assert "system" in ended_with.sentence
    assert took_s < 3
    assert not run.samples.any(), "sound of the other device was recorded"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_ends_the_source(server, how):
    with Run() as run:
        run.first()
        os.kill(server.program.pid, how)
        took_s, ended_with = run.end()
    assert isinstance(ended_with, SourceEnd)
    assert ended_with.reason == "device_lost"
    assert took_s < 3


def test_loopbacks_and_microphones_are_not_mistaken_for_each_other(server, servers):
    with pytest.raises(UnavailableError, match="no microphone"), open_device("mic", rate_hz=RATE, channels=1):
        pass
    pactl = servers.pactl
    assert pactl("load-module", "module-null-sink", "sink_name=cable").returncode == 0
    words = ("master=cable.monitor", "source_name=voice", "source_properties=device.description=Voice")
    assert pactl("load-module", "module-remap-source", *words).returncode == 0
    assert pactl("set-default-source", "voice").returncode == 0
    with open_device("mic", rate_hz=RATE, channels=1) as microphone:
        assert microphone.name == "Voice"
    with open_device("system", rate_hz=RATE, channels=2) as speaker:
        assert speaker.name == "Monitor of Null Output"
    with open_device("mic", rate_hz=RATE, channels=1, device="voice") as named:
        assert named.name == "Voice"
    with (
        pytest.raises(BadNameError, match="Voice"),
        open_device("mic", rate_hz=RATE, channels=1, device="trumpet"),
    ):
        pass


def test_without_a_server_it_says_what_is_missing(monkeypatch, tmp_path):
    words = "from rushes.capture.audio.devices import open_device; open_device('system', rate_hz=48000, channels=2)"
    env = {**os.environ, "PULSE_SERVER": f"unix:{tmp_path / 'none'}", "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", words], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "UnavailableError" in done.stderr
    assert "sound server" in done.stderr
    assert "record without sound" in done.stderr
