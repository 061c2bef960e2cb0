"""What several benchmarks measure by."""
