"""One pass over the pictures of a recording: a small row for each frame, which all checks share."""
