"""Publishes a blessed, proven model as the next version in the serving folder, atomically."""
