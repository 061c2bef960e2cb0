"""Whether labelled rows leak from one split to another."""
