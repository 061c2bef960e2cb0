"""Whether pictures show a game as it should look."""
