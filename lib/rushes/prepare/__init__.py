"""Floor 2: sessions to samples. Every step takes a set and gives a new one; none touches a session's raw streams."""
