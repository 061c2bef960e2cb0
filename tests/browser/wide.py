"""A planted environment of 640x480 RGB pixels and 60 frames a second; each picture carries its number."""

from typing import ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from rushes.worlds.scenery import Scenery


class Wide(gymnasium.Env):
    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 60}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.action_space = spaces.Discrete(3)
        self.observation_space = spaces.Box(0, 255, (480, 640, 3), np.uint8)
        self._scenery, self._number = Scenery((480, 640)), 0

    def get_action_meanings(self):
        return ["NOOP", "LEFT", "RIGHT"]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._number = 0
        return self.render(), {}

    def step(self, action):
        self._number += 1
        return self.render(), float(action == 2), False, False, {}

    def render(self):
        return self._scenery.picture(self._number)


gymnasium.register("Wide-v0", entry_point=Wide)
