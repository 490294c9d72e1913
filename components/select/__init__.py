"""Examples and statistics → the columns that the model is trained on, and why others are not."""
