"""Faults that are put into sessions, and sessions without one: what `benchmarks/checks.py` judges the rules by."""
