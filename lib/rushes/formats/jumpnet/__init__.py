"""JumpNet's files: the recorder's key log with pictures, and the labelled rows that its scripts make."""
