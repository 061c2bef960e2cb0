"""A planted rescue in a ruined city, as a page at 10 Hz would have recorded it; no browser is needed."""
