"""Floor 1: the session directory, and the files that other rooms write atomically through it."""
