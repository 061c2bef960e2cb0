"""GameOn: its database, its videos and its sound, read and written."""
