"""One version in memory: its model, the queue before it, and the end of both.

Goes in: a model that is loaded. Promised: its memory is given back once all that it was asked is
answered, and not before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from components.serve.batcher import Batcher
from components.serve.messages import Arrays
from components.serve.signature import Signature


class Model(Protocol):
    """A SavedModel in memory.

    Attributes:
      signatures: by name.
    """

    signatures: Mapping[str, Signature]

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Return a signature's outputs; RequestError where the graph refuses the values."""

    def close(self) -> None:
        """Let go of the memory; it is not asked again."""


class Loaded:
    """A version that answers; use it from one event loop.

    Attributes:
      name: of its model.
      version: its number.
      description: its model.json; None where it has none.
      signatures: by name.
      batcher: the queue before it.
    """

    def __init__(
        self, name: str, version: int, description: bytes | None, model: Model, batcher: Batcher
    ) -> None:
        self.name = name
        self.version = version
        self.description = description
        self.signatures = model.signatures
        self.batcher = batcher
        self._model = model
        self._asked = 0
        self._idle = asyncio.Event()

    def hold(self) -> None:
        """Keep the version in memory until `release`: a request has begun."""
        self._asked += 1

    def release(self) -> None:
        """Tell that a request is done."""
        self._asked -= 1
        if not self._asked:
            self._idle.set()

    async def unload(self) -> None:
        """Wait until all requests are done, then free the memory; nobody may find it any more."""
        while self._asked:
            self._idle.clear()
            await self._idle.wait()
        # A request whose time was over may still be computed, so the queue's thread ends first.
        await self.batcher.close()
        await asyncio.to_thread(self._model.close)
