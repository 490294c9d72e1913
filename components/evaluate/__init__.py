"""Judges an exported model on the test split: metrics, slices, baselines, and the blessing."""
