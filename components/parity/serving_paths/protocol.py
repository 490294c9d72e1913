"""The interface of every serving path: a request of arrays → the arrays of its answer.

To add one, see docs/architecture.md. A path's file is imported by the process that asks it and by
the one that compares, so it imports heavy libraries only when an instance is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from components.parity.question_sets import QuestionSets
    from components.parity.questions import Question

SERVER = "server"
MISSING_IS_NAN = "nothing; a missing value is NaN or an empty text"


@dataclass(frozen=True)
class ModelAddress:
    """The location of the model.

    Attributes:
      saved_model: the export's folder.
      http: the port of a server over it, for REST; 0 for paths that need none.
      grpc: the server's port for gRPC.
    """

    saved_model: str
    http: int = 0
    grpc: int = 0


class ServingPath(ABC):
    """A way to ask a model; an instance has loaded it, or is connected to its server.

    Attributes:
      name: in the report.
      cannot_carry: in words, the values that requests cannot contain.
      process: where it runs. `SERVER` is this process, as a client of one server; any other name is
        a fresh process, which the paths of that name share. They are asked one after the other.
      forked: whether this process is forked from one that has imported TensorFlow's runtime,
        and nothing else.
    """

    name: ClassVar[str]
    cannot_carry: ClassVar[str]
    process: ClassVar[str]
    forked: ClassVar[bool] = False

    @staticmethod
    @abstractmethod
    def questions(sets: QuestionSets) -> Sequence[Question]:
        """Return the path's questions."""

    @abstractmethod
    def __init__(self, address: ModelAddress) -> None:
        """Load the model, or connect to its server."""

    @abstractmethod
    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request; any exception is reported as its answer."""

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Close what is open."""
