"""Transformed Examples → the options of the model with the least loss on eval, by trials."""
