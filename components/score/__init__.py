"""Batch and streaming inference over the SavedModel, with Beam."""
