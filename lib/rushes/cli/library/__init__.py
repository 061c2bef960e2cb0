"""The commands `rushes library ...`: one file a step, each on one folder of sessions."""
