"""A loaded version: its model, its queue, and how it is loaded and unloaded.

Its memory is freed once all of its requests are answered, and not before.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from components import files
from components.evaluate import published
from components.serve import lists, predict
from components.serve.batcher import Batcher
from components.serve.messages import Arrays
from components.serve.settings import Limits
from components.serve.signature import Signature
from schemas import description

# As `components.export.background` names it, which imports too much for a server that starts.
_BACKGROUND = os.path.join("assets.extra", "background.parquet")

OnBatch = Callable[[int, int, float], None]


class Servable(Protocol):
    """A SavedModel in memory.

    Attributes:
      signatures: by name.
    """

    signatures: Mapping[str, Signature]

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Return a signature's outputs; raises RequestError if the graph refuses the values."""

    def close(self) -> None:
        """Free the memory; the model is not used again."""


class LoadedVersion:
    """A version that is ready for requests; use it from one event loop.

    Attributes:
      name: the model's name.
      version: its number.
      description: its model.json; None if it has none.
      signatures: by name.
      batcher: its queue.
    """

    def __init__(
        self,
        name: str,
        version: int,
        description: bytes | None,
        model: Servable,
        batcher: Batcher,
        background: bytes | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.description = description
        self.signatures = model.signatures
        self.batcher = batcher
        self._model = model
        self._background = background
        self._asked = 0
        self._idle = asyncio.Event()

    def explain(self, document: Mapping[str, Any]) -> bytes:
        """Return the body of the answer to a request to :explain; takes part of a second.

        Raises:
          RequestError: the row does not fit, or the model cannot be explained.
        """
        from components.serve.explanation import explain_request

        return explain_request(self._model, self._background, self.description, document)

    def hold(self) -> None:
        """Keep the version in memory until `release`: a request has begun."""
        self._asked += 1

    def release(self) -> None:
        """Report that a request is done."""
        self._asked -= 1
        if not self._asked:
            self._idle.set()

    async def unload(self) -> None:
        """Wait until all requests are done, then free the memory; it must not get new requests."""
        while self._asked:
            self._idle.clear()
            await self._idle.wait()
        # A request that timed out may still be computed, so the queue's thread ends first.
        await self.batcher.close()
        await asyncio.to_thread(self._model.close)


class Loader:
    """Loads versions in a thread, one at a time.

    Args:
      load: returns the model in a folder; called in the thread.
      limits: the limits of each version's queue.
      on_batch: called after every batch.
    """

    def __init__(
        self, load: Callable[[str], Servable], limits: Limits, on_batch: OnBatch | None
    ) -> None:
        self._load = load
        self._limits = limits
        self._on_batch = on_batch
        self._thread = ThreadPoolExecutor(1, "loader")

    async def load(self, name: str, version: int, path: str) -> LoadedVersion:
        """Load a version and return it.

        Args:
          name: the model's name.
          version: its number.
          path: its folder.

        Raises:
          SkewlessError: it does not load; other exceptions mean the same.
        """
        loop = asyncio.get_running_loop()
        model, text, rows = await loop.run_in_executor(self._thread, self._read, path)
        join = functools.partial(predict.joined, of_lists=lists.inputs_of(model.signatures))
        batcher = Batcher(model.run, self._limits, self._on_batch, join)
        return LoadedVersion(name, version, text, model, batcher, rows)

    def close(self) -> None:
        """Load no more versions."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self, path: str) -> tuple[Servable, bytes | None, bytes | None]:
        """Read a version, its description and its background, so that no request opens a file."""
        with files.at_hand(path) as folder:
            published.check_pushed(folder)
            model = self._load(folder)
            beside = (os.path.join(folder, n) for n in (description.FILE_NAME, _BACKGROUND))
            text, rows = (files.read_bytes(n) if files.is_file(n) else None for n in beside)
            return model, text, rows
