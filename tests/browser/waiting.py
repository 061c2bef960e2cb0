"""Waiting for what a page does."""

import time


def until(found, seconds=60.0, explained=None):
    """Wait for what `found` gives, as long as a busy machine may take; `explained` says what there was instead."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, explained() if explained else f"{found} did not come true"
        time.sleep(0.03)
    return value
