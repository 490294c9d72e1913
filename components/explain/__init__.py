"""Explains a model: what it depends on, as a whole and for a row."""
