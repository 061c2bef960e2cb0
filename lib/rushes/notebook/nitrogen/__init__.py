"""The NitroGen recipe: its forms, written, loaded as a trainer does, and held against the events."""
