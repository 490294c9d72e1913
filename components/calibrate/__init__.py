"""A trained model and the eval split → the model with a function that calibrates its logits."""
