"""What the portable training files share: `hdf5`, `npz` and `torch` hold the same arrays, each in its own container."""
