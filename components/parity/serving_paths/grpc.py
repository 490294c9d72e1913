"""gRPC to the project's own server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from components.parity.serving_paths.protocol import (
    MISSING_IS_NAN,
    SERVER,
    ModelAddress,
    ServingPath,
)

if TYPE_CHECKING:
    from components.parity.question_sets import QuestionSets
    from components.parity.questions import Question


class Grpc(ServingPath):
    """PredictionService, asked with TensorFlow Serving's own stubs."""

    name = "gRPC"
    cannot_carry = MISSING_IS_NAN
    process = SERVER

    @staticmethod
    def questions(sets: QuestionSets) -> Sequence[Question]:
        """Return those that go over a wire."""
        return sets.grpc

    def __init__(self, address: ModelAddress) -> None:
        from components.parity.grpc_client import GrpcClient

        self._client = GrpcClient(address.grpc)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        return self._client.run(signature, feeds)

    def close(self) -> None:
        """Close the channel."""
        self._client.close()
