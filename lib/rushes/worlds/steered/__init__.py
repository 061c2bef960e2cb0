"""Games without hardware in which the offset between inputs and pictures is known, and planted."""
