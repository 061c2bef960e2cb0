"""Floor 3: sessions and samples to and from foreign files, one file a format."""
