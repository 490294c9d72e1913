"""Transformed Examples → Keras wide & deep model."""
