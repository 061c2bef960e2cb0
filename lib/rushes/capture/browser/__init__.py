"""Browser games, recorded at the source: a page sends its canvas, its player's hands and what it tells of itself."""
