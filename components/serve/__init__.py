"""A pushed SavedModel → answers over HTTP, as TensorFlow Serving's REST API gives them."""
