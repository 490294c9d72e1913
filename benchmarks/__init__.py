"""Benchmarks of speed, memory and model quality, compared with stock TFX and boosted trees."""
