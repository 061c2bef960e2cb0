"""The rescue game in a real browser: the same inputs give the same game, and its telemetry is true."""

import io
import math
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rushes
from rushes.capture.browser.serving import Serving
from rushes.capture.settings import Settings
from rushes.store.reader import open_session

pytestmark = pytest.mark.require("browser")

PAGE = Path(rushes.__file__).parent / "capture" / "browser" / "page"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PLAY = """async ([options, script]) => {
  await rescue.start({...options, record: false});
  const states = [rescue.state()];
  for (const [steps, keys, dyaw] of script)
    for (let k = 0; k < steps; k += 1) states.push(rescue.step(1, keys, dyaw));
  const {victims, stations} = rescue.sim.plan;
  return {states, hash: rescue.hash(), victims, stations};
}"""


class Quiet(SimpleHTTPRequestHandler):
    def send_head(self):
        """Serve files alone: the page is without a recorder."""
        if self.path != "/capture.js":
            return super().send_head()
        return self.send_error(404)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def page(chromium):
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=PAGE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 480, "height": 270})
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/?marker=1&seed=3&environment=tsunami&width=480")
        page.wait_for_function("() => window.rescue")
        yield page
        browser.close()
    server.shutdown()
    server.server_close()
    assert faults == []


def test_the_same_inputs_give_the_same_game_and_every_field_follows_from_what_was_done(page):
    to_victim = math.atan2(1.2 + 4.05, 52 - 30.6)  # from the start at (1.2, 52) to the first victim
    script = [
        (1, [], to_victim), (192, ["KeyW"], 0), (20, [], 0), (170, ["KeyE"], 0),
        (1, [], math.pi / 2 - to_victim), (120, ["KeyW"], 0), (1, ["KeyW", "Space"], 0), (20, [], 0),
    ]  # fmt: skip
    seed = {"seed": 7, "environment": "wildfire"}
    played = page.evaluate(PLAY, [seed, script])
    assert page.evaluate(PLAY, [seed, script])["hash"] == played["hash"]
    assert page.evaluate(PLAY, [seed, [(5, ["KeyW"], 0.1)]])["hash"] != played["hash"]
    states = played["states"]
    field = {name: np.array([state[name] for state in states]) for name in states[0] if name not in {"event", "zone"}}
    held = np.cumsum([0] + [bool({"KeyW"} & set(keys)) for steps, keys, _ in script for _ in range(steps)])
    assert np.allclose(field["battery"], 100 - 2 * held / 60)
    assert np.array_equal(field["fuel"], field["battery"])
    assert np.allclose(field["damage"], (100 - field["health"]) / 100)
    for axis in "xyz":
        assert np.allclose(field[f"velocity_{axis}"][1:], 60 * np.diff(field[f"position_{axis}"]), atol=1e-6)
        assert np.allclose(field[f"acceleration_{axis}"][1:], 60 * np.diff(field[f"velocity_{axis}"]), atol=1e-6)
    turns = [0, *(turn for steps, _, turn in script for _ in range(steps))]
    assert np.allclose(field["rotation_y"], np.cumsum(turns))
    for state in states[:: len(states) // 7]:
        waiting = played["victims"][1:] if state["victims_saved"] else played["victims"]
        ways = [(v["x"] - state["position_x"], v["z"] - state["position_z"]) for v in waiting]
        nearest = min(ways, key=lambda way: math.hypot(*way))
        assert state["nearest_victim_distance"] == pytest.approx(math.hypot(*nearest))
        assert state["nearest_victim_angle"] == pytest.approx(math.atan2(*nearest))
        stations = [math.hypot(s["x"] - state["position_x"], s["z"] - state["position_z"]) for s in played["stations"]]
        assert state["fuel_station_distance"] == pytest.approx(min(stations))
    assert field["victims_saved"][[0, 213]].tolist() == [0, 0]
    assert field["victims_saved"][-1] == 1, "E was held for 2.8 s within reach"
    assert field["inspect"].sum() == 170
    assert field["is_jumping"][-1]
    assert not field["is_jumping"][:-21].any()


def test_a_wall_stops_and_hurts(page):
    west = [(1, [], math.pi / 2), (240, ["KeyW"], 0)]  # from the avenue into the tower at its side
    last = page.evaluate(PLAY, [{"seed": 7, "environment": "earthquake"}, west])["states"]
    assert last[-1]["position_x"] == pytest.approx(-10 + 5.5 + 0.42), "the block's middle, half a tower, half a person"
    assert last[-1]["proximity_forward"] == pytest.approx(0.42)
    assert last[-1]["velocity_x"] == 0
    assert last[-1]["health"] < 100
    assert min(state["velocity_x"] for state in last) == pytest.approx(-6.4, abs=0.2)


def test_who_swims_does_not_jump(page):
    states = page.evaluate("""async () => {
      await rescue.start({seed: 7, environment: 'tsunami', record: false});
      rescue.step(1000, ['KeyW']);
      rescue.step(2800);
      return Array.from({length: 200}, () => rescue.step());
    }""")
    above = [state["position_y"] - 0.06 * state["position_z"] for state in states]  # over the slope to the sea
    assert max(above) > 1, "the water carries"
    assert not any(state["is_jumping"] for state in states)


def test_the_log_says_what_was_pressed_and_which_frame_a_picture_shows(page):
    page.mouse.move(100, 100)
    page.evaluate("rescue.start({seed: 3, environment: 'tsunami', record: false})")
    page.evaluate("rescue.free()")
    page.keyboard.down("w")
    page.mouse.move(150, 90)
    page.wait_for_function("() => rescue.log.at(-1)?.keys.includes('KeyW') && rescue.log.at(-1).z < 50")
    shot = Image.open(io.BytesIO(page.screenshot(clip={"x": 0, "y": 0, "width": 480, "height": 270})))
    page.keyboard.up("w")
    log = page.evaluate("rescue.log")
    assert log[-1]["yaw"] == pytest.approx(-0.002 * 50)
    assert log[-1]["pitch"] == pytest.approx(-0.02 + 0.002 * 10)
    assert [row["frame"] for row in log] == list(range(log[0]["frame"], log[0]["frame"] + len(log)))
    assert all(row["drawn"] >= row["t"] for row in log)
    small = np.asarray(shot.convert("L").resize((128, 128), Image.Resampling.BOX))
    bits = [int(small[128 - 20 + 8 * row, 4 + 8 * column] > 127) for row in range(3) for column in range(6)]
    assert bits[0] == 1
    assert sum(bits[1:]) % 2 == 0
    number = int("".join(map(str, bits[1:17])), 2)
    assert number in {row["frame"] for row in log}


SETTLE = """async ([screen_ms, pixels_ms, asked]) => {
  const {Size} = await import('./game/size.js');
  const canvas = {clientWidth: 960, clientHeight: 540, width: 0, height: 0};
  const size = new Size(canvas, asked);
  let [now, drawn] = [0, 0];
  const own = window.requestAnimationFrame;
  window.requestAnimationFrame = (callback) => setTimeout(() => {
    const before = drawn;
    callback(now);
    const work_ms = (drawn - before) * pixels_ms * canvas.width * canvas.height;
    if (drawn > before) now += Math.max(screen_ms, work_ms); // else it is the game's own frame
  });
  await size.settle(() => { drawn += 1; });
  window.requestAnimationFrame = own;
  return [canvas.width, canvas.height, drawn];
}"""


@pytest.mark.parametrize(
    ("pixel_ns", "asked", "px"), [(0, 0, [640, 360]), (24, 0, [480, 270]), (900, 0, [320, 180]), (900, 512, [512, 288])]
)
def test_a_processor_that_draws_gets_as_many_pixels_as_it_draws_five_times_in_a_frame(page, pixel_ns, asked, px):
    """A screen of 60 Hz; 480x270 at 24 ns a pixel, drawn five times, take 15.6 ms, and 560x315 take 21.2 ms."""
    *found, drawn = page.evaluate(SETTLE, [1000 / 60, pixel_ns * 1e-6, asked])
    assert found == px
    assert drawn == 125 * {(640, 360): 1, (480, 270): 3, (320, 180): 4, (512, 288): 0}[tuple(px)]


def test_a_game_that_is_left_in_a_pause_ends_with_its_last_row_and_what_is_told_in_a_pause_is_counted(page, tmp_path):
    with Serving(Settings(backend="browser", fps=10.0, out=str(tmp_path / "take")), port=0) as serving:
        results = []
        thread = threading.Thread(target=lambda: results.extend(serving.plays(1)), daemon=True)
        thread.start()
        mine = page.context.browser.new_page(viewport={"width": 480, "height": 270})
        mine.set_default_timeout(60_000)
        mine.goto(serving.address_with(seed="3", width="480"))
        mine.wait_for_function("() => window.rescue")
        mine.evaluate("rescue.start({seed: 3, environment: 'wildfire', player: 'Ada'})")
        mine.wait_for_function("() => rushesCapture.figures.captured > 3")
        mine.evaluate("rescue.pause(); rushesCapture.telemetry({event: 'told in a pause'})")
        saved = mine.evaluate("rescue.stop()")
        mine.close()
        thread.join(60)
    session = open_session(results[0].path)
    assert saved["frames"] == session.frame_count
    assert [(s.frames > 0, s.end_reason) for s in session.segments] == [(True, "pause"), (True, "stop")]
    told = session.telemetry()
    assert (told["event"].iloc[-1], told["segment"].iloc[-1]) == ("game_end", 1)
    assert told["event"].tolist().count("game_end") == 1
    assert dict(session.ledger["telemetry"].lost) == {"between_segments": 1}
    assert np.asarray(session.frame(session.frame_count - 1)).std() > 10, "the city, and no black picture"


def test_a_recording_that_the_recorder_ended_is_told_at_the_end_of_the_game_and_no_typing_is_in_it(page, tmp_path):
    settings = Settings(backend="browser", fps=10.0, out=str(tmp_path / "take"), max_frames=8)
    with Serving(settings, port=0) as serving:
        threading.Thread(target=lambda: list(serving.plays(1)), daemon=True).start()
        mine = page.context.browser.new_page(viewport={"width": 480, "height": 270})
        mine.set_default_timeout(60_000)
        mine.goto(serving.address_with(seed="3", width="480"))
        mine.wait_for_function("() => window.rescue")
        mine.evaluate("rescue.start({seed: 3, environment: 'wildfire', player: 'Ada'})")
        mine.wait_for_function("() => rushesCapture.figures.captured > 0")
        mine.evaluate("""() => {
          const tree = document.body.appendChild(document.createElement('div')).attachShadow({mode: 'open'});
          const type = (target, code) => target.dispatchEvent(
            new KeyboardEvent('keydown', {code, bubbles: true, composed: true}));
          type(tree.appendChild(document.createElement('input')), 'KeyA');
          type(document.body, 'KeyD');
        }""")
        mine.wait_for_function("() => rushesCapture.state === 'ended'")
        saved = mine.evaluate("rescue.stop()")
        told = mine.inner_text("#session")
        mine.close()
    session = open_session(tmp_path / "take")
    assert [(s.frames, s.end_reason) for s in session.segments] == [(8, "max_frames")]
    assert (saved["name"], saved["frames"]) == ("take", 8)
    assert told == "Recorded 8 frames as take"
    assert session.events()["control"].tolist() == ["KeyD"]


TWICE = """async () => {
  const [own, frame] = [{step: 0}, () => new Promise(requestAnimationFrame)];
  rushesCapture.onframe = () => {
    if (own.step === 2) { own.step = 3; throw new Error('of the page'); }
    if (own.step === 4) { own.step = 5; return {step: 5n}; }
    setTimeout(() => { own.step += 1; });
    return own;
  };
  const told = [];
  for (const wanted of [6, 9]) {
    const never = new Promise((_, fail) => setTimeout(() => fail(new Error('no play began')), 60000));
    await Promise.race([rushesCapture.start(), never]);
    while (own.step < wanted) await frame();
    const row = {word: 'as told'};
    rushesCapture.telemetry(row);
    row.word = 'as it became';
    told.push(await rushesCapture.end());
  }
  return told;
}"""


def test_a_page_may_write_on_into_what_it_told_fail_once_and_begin_the_next_play_as_soon_as_one_is_saved(
    page, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with Serving(Settings(backend="browser", fps=10.0), port=0) as serving:
        results = []
        thread = threading.Thread(target=lambda: results.extend(serving.plays(2)), daemon=True)
        thread.start()
        mine = page.context.browser.new_page(viewport={"width": 480, "height": 270})
        faults = []
        mine.on("pageerror", lambda error: faults.append(str(error)))
        mine.set_default_timeout(60_000)
        mine.goto(serving.address_with(seed="3", width="320"))
        mine.wait_for_function("() => window.rescue")
        told = mine.evaluate(TWICE)
        mine.close()
        thread.join(60)
    assert len(faults) == 2
    sessions = [open_session(result.path) for result in results]
    assert [one["frames"] for one in told] == [session.frame_count for session in sessions]
    steps = [step for session in sessions for step in session.telemetry()["step"].dropna()]
    assert steps[3:] == list(range(5, 2 + len(steps)))
    assert steps[:3] == [0, 1, 3], "in the frames of 2 and 4 the page failed"
    assert all(session.telemetry()["word"].dropna().tolist() == ["as told"] for session in sessions)
