"""gRPC to the project's own server."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.parity.serving_paths.protocol import (
    MISSING_IS_NAN,
    SERVER,
    ModelAddress,
    ServingPath,
)


class Grpc(ServingPath):
    """PredictionService, called with TensorFlow Serving's own stubs."""

    name = "gRPC"
    cannot_carry = MISSING_IS_NAN
    process = SERVER
    questions = staticmethod(lambda sets: sets.grpc)

    def __init__(self, address: ModelAddress) -> None:
        from components.parity.grpc_client import GrpcClient

        self._client = GrpcClient(address.grpc)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        return self._client.run(signature, feeds)

    def close(self) -> None:
        """Close the channel."""
        self._client.close()
