"""Serves pushed SavedModels over HTTP and gRPC, with the API of TensorFlow Serving."""
