"""Benchmarks: measured as CPU seconds and ratios to a yardstick in the same run, never as single wall times."""
