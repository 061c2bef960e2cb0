"""The notebook that trains: planted lessons, the guide's three nets, scores beside chance."""
