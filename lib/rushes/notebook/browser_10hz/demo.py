"""A play of the bundled demo by script, in a Chromium without a window: what a person would do, recorded as theirs is.

The script looks at the game's telemetry about twenty times a second, turns the mouse towards whoever waits nearest,
walks there, strafes, and holds E or R where it is of use. Its mouse is not locked and stays within the page, so it
never turns around. The page, its recorder and the server are those that a person gets.

Example (a cell of the recipe):
    >>> def cell(run):
    ...     return play_demo(run.path("session"), seconds=48.0, seed=7)
"""

from __future__ import annotations

import importlib.util
import math
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from rushes.capture.browser.serving import Serving
from rushes.capture.settings import BROWSER_FPS, Settings
from rushes.errors import BadDataError, UnavailableError

WINDOW: Final = (960, 540)
"""(width, height) of the page in px."""
FLAGS: Final = (
    *("--no-sandbox", "--no-first-run", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""A browser that draws WebGL without a graphics card and asks nobody for anything."""
_PX: Final = 500.0
"""Pixels a radian of the mouse."""
_START_MS: Final = 60_000
_LOOK_S: Final = 0.05
_MOVES: Final = 4
"""Movements of the mouse between two looks."""
_REACH: Final = 2.3
_FAR: Final = 12.0
"""Units from which on it looks about freely."""
_SLOW: Final = 0.8
_STUCK_S: Final = 0.7


def play_demo(path: Path, *, seconds: float, seed: int) -> Path:
    """Play the demo by script and record it.

    Args:
        path: A new directory for the session.
        seconds: How long is played; the game itself ends after three minutes.
        seed: Of the game and of the hand that plays it.

    Returns:
        The session.

    Raises:
        UnavailableError: Chromium or Playwright is missing.
        BadDataError: No frame was recorded.
    """
    program = chromium()
    settings = Settings(backend="browser", fps=BROWSER_FPS, codec="png", out=str(path))
    with Serving(settings, port=0) as serving, ThreadPoolExecutor(1) as threads:  # notebooks have a loop of their own
        address = serving.address_with(autostart="1", seed=str(seed), environment="earthquake", player="script")
        played: Future[None] = threads.submit(_play, program, address, seconds, seed)
        played.add_done_callback(lambda _: serving.stop())
        results = list(serving.plays(1))
        played.result()
    if not results or not results[0].frames:
        raise BadDataError(
            "a scripted play without a frame", accepts="at least one", fix="look whether the browser can draw WebGL2"
        )
    return path


def chromium() -> str:
    """Find the browser that plays.

    Raises:
        UnavailableError: It, or what drives it, is not installed; the message says what to do.
    """
    if importlib.util.find_spec("playwright") is None:
        raise UnavailableError(
            "scripted = True without Playwright, which drives the browser",
            accepts="a machine with Chromium and Playwright",
            fix='pip install "rushes[browser]", or pass scripted = False for the planted session',
        )
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise UnavailableError(
            "scripted = True without Chromium",
            accepts="a machine with Chromium and Playwright",
            fix="apt-get install chromium, or pass scripted = False for the planted session",
        )
    return found


def _play(program: str, address: str, seconds: float, seed: int) -> None:
    """Open the page, play, and wait until the session is stored."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        page.set_default_timeout(_START_MS)
        page.mouse.move(WINDOW[0] / 2, WINDOW[1] / 2)
        page.goto(address)
        page.wait_for_function("() => window.rescue && rescue.mode === 'playing'")
        hand = _Hand(page, np.random.default_rng([seed, 0xDE40]))
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and page.evaluate("() => rescue.mode") == "playing":
            hand.act()
        hand.rest()
        page.evaluate("() => rescue.stop()")
        browser.close()


class _Hand:
    """The hand of the script."""

    def __init__(self, page: Any, rng: np.random.Generator) -> None:
        self._page, self._rng = page, rng
        self._at = [WINDOW[0] / 2, WINDOW[1] / 2]
        self._down: set[str] = set()
        self._sway = self._sway_s = self._strafe_s = self._back_s = 0.0
        self._strafe = ""
        self._moved_s = time.monotonic()

    def act(self) -> None:
        """Look, and do what follows for a moment."""
        state: dict[str, Any] = self._page.evaluate("() => rescue.state()")
        now_s, rng = time.monotonic(), self._rng
        if now_s > self._sway_s:  # somebody who plays looks about
            self._sway, self._sway_s = float(rng.normal(0, 0.35)), now_s + float(rng.uniform(0.5, 1.8))
        if now_s > self._strafe_s:
            self._strafe = str(rng.choice(["", "", "KeyA", "KeyD"]))
            self._strafe_s = now_s + float(rng.uniform(0.2, 0.9))
        if math.hypot(state["velocity_x"], state["velocity_z"]) > _SLOW or "KeyW" not in self._down:
            self._moved_s = now_s
        elif now_s - self._moved_s > _STUCK_S:  # before a wall: back, and past it at one side
            self._back_s = self._moved_s = now_s + float(rng.uniform(0.4, 0.8))
            self._sway, self._sway_s = float(rng.choice([-1.0, 1.0])), now_s + 2.2
            self._strafe, self._strafe_s = ("KeyA" if self._sway > 0 else "KeyD"), now_s + 2.0
        near = state.get("nearest_victim_distance") or math.inf
        goal = float(state.get("nearest_victim_angle") or 0.0) - math.pi
        about = self._sway * min(1.0, near / _FAR) if near > _REACH else 0.0
        self._turn(math.remainder(goal - state["camera_yaw"], 2 * math.pi) + about)
        wanted = {"KeyE"} if near < _REACH else {"KeyS" if now_s < self._back_s else "KeyW", self._strafe} - {""}
        if min(state["proximity_forward"], near) < _REACH:
            wanted.add("KeyR")
        self._hold(wanted)
        self._page.wait_for_timeout(1000 * _LOOK_S)

    def rest(self) -> None:
        """Let everything go."""
        self._hold(set())

    def _turn(self, turn: float) -> None:
        """Move the mouse a part of the way, within the page."""
        step = max(-0.3, min(0.3, 0.5 * turn))
        left, goal = self._at[0], min(max(self._at[0] - step * _PX, 20.0), WINDOW[0] - 20.0)
        for k in range(1, _MOVES + 1):
            self._at[0] = left + (goal - left) * k / _MOVES
            self._page.mouse.move(round(self._at[0]), round(self._at[1] + self._rng.normal(0, 2)))

    def _hold(self, wanted: set[str]) -> None:
        for key in sorted(self._down - wanted):
            self._page.keyboard.up(key)
        for key in sorted(wanted - self._down):
            self._page.keyboard.down(key)
        self._down = wanted
