"""Model + transform graph → one SavedModel that answers every kind of request."""
