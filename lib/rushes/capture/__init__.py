"""Floor 2: from a world or a device to a session."""
