"""Whether something is to be heard, and keeps time."""
