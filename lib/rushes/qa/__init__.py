"""Floor 2: from a session to findings. A check changes nothing and has a stable id."""
