"""Floor 5: what notebooks and recipes share: parameters, run folders, verdicts."""
