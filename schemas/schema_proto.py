"""TensorFlow Metadata's messages, for `schemas.columns`, which starts without them."""

from __future__ import annotations

from google.protobuf import text_format as text_format
from tensorflow_metadata.proto.v0 import schema_pb2 as schema_pb2
