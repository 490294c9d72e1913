"""A complete server: versions, REST, gRPC, metrics, logs and page; starts, reloads and stops.

Both ports are open at once and report that the server is alive; `loaded` waits until it is ready;
`stop` loses no accepted request.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from components import tensorflow_runtime
from components.compat import quiet_imports
from components.serve import descriptors, page
from components.serve.app import App
from components.serve.config import ModelConfig
from components.serve.grpc_listener import GrpcListener
from components.serve.listener import Listener
from components.serve.loaded import Servable
from components.serve.observers import Observation, Observers
from components.serve.service import Service
from components.serve.settings import GRPC_PORT, Address, Settings
from components.serve.versions import Models
from schemas.errors import ConfigError, ModelError, StoreError

_UNREAD = (0, 0, 0)  # the stamp of no file
# For switches between the event loop and the models: Python's 5 ms is as long as a whole request.
_SWITCH_SECONDS = 0.0005

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """The addresses and settings of a server.

    Attributes:
      http: the address of REST.
      grpc: the address of gRPC; None for no gRPC.
      settings: limits on requests.
      config_file: the file of the models, which is read again when it changes; None if they do
        not come from a file.
      poll_seconds: interval of looking for new versions; 0 to look only on request.
      observation: which logs are kept.
    """

    http: Address = field(default_factory=Address)
    grpc: Address | None = field(default_factory=lambda: Address(port=GRPC_PORT))
    settings: Settings = field(default_factory=Settings)
    config_file: str | None = None
    poll_seconds: float = 1.0
    observation: Observation = field(default_factory=Observation)


@dataclass(frozen=True)
class Ports:
    """The TCP ports of a server; `grpc` is None without gRPC."""

    http: int
    grpc: int | None


def load_saved_model(path: str) -> Servable:
    """Load a SavedModel into this process; the first one imports TensorFlow."""
    _import_tensorflow()
    from components.serve.model import SavedModelBundle

    return SavedModelBundle(path)


def _configured(path: str) -> tuple[ModelConfig, ...]:
    from components.serve import config_file  # TensorFlow Serving's messages

    return config_file.read(path)


@functools.cache
def _import_tensorflow() -> None:
    """Import all heavy modules, once; takes seconds."""
    # Google's libraries warn at every start that support for Python 3.10 ends.
    warnings.filterwarnings("ignore", category=FutureWarning, module="google.api_core")
    with quiet_imports():
        tensorflow_runtime.install()
        import components.serve.grpc_app
        import components.serve.model  # noqa: F401

    logging.getLogger("tensorflow").setLevel("ERROR")  # it warns that sessions are deprecated
    # Imported objects stay, so garbage collections, which all requests wait for, skip them.
    gc.collect()
    gc.freeze()
    # A full collection runs once the rest has grown by a quarter of what the last one saw: now
    # none.
    gc.collect()


class Server:
    """Serves models until it is stopped; create and use it in one event loop.

    Args:
      configs: the models.
      options: the addresses and settings.
      load: returns the model in a folder; called in a thread.
    """

    def __init__(
        self,
        configs: Sequence[ModelConfig],
        options: Options,
        load: Callable[[str], Servable] = load_saved_model,
    ) -> None:
        self._observers = Observers(options.observation)
        metrics = self._observers.metrics
        self.models = Models(load, options.settings.queue, metrics.on_batch)
        self._observers.watch(self.models)
        self._configs = configs
        self._options = options
        self._service = Service(self.models, options.settings, self._observers.observers)
        app = App(self._service, metrics.text, page.answer)
        http, *grpc = descriptors.affordable(
            [options.http, *([] if options.grpc is None else [options.grpc])],
            descriptors.raise_limit(),
        )
        self._http = Listener(app, http, self._service.budget)
        self._grpc = GrpcListener(self._service, grpc[0]) if grpc else None
        self._read: tuple[int, int, int] | None = _stamp(options.config_file)
        self._look = asyncio.Event()
        self._looked: asyncio.Future[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> Ports:
        """Listen, begin to load, and return the ports.

        Raises:
          ConfigError: listening fails.
        """
        self._looked = asyncio.get_running_loop().create_future()
        self.models.configure(self._configs)
        http = await self._http.start()
        try:
            ports = Ports(http, None if self._grpc is None else await self._grpc.start())
        except ConfigError:
            await self._http.stop(0)
            raise
        self._watching = asyncio.create_task(self._watch())
        return ports

    async def loaded(self) -> None:
        """Wait until every model is ready.

        Raises:
          ModelError: no version of one of them loads.
        """
        assert self._looked is not None, "start comes first"
        await asyncio.shield(self._looked)
        for name in self.models.configs:
            errors = [s.error for s in self.models.statuses(name).values() if s.error]
            if self.models.default(name) is None:
                raise ModelError(
                    f"no version of model {name!r} loads: {'; '.join(errors) or 'there is none'}"
                )

    def reload(self) -> None:
        """Read the configuration again and look for versions, now."""
        self._read = _UNREAD
        self._look.set()

    async def stop(self) -> None:
        """Answer pending requests, accept no new ones, and free everything."""
        self._service.draining = True
        seconds = self._options.http.drain_seconds
        stopping = [self._http.stop(seconds)]
        if self._grpc is not None:
            stopping.append(self._grpc.stop(seconds))
        await asyncio.gather(*stopping)
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await self.models.close()
        await asyncio.to_thread(self._service.close)
        await asyncio.to_thread(self._observers.close)

    async def _watch(self) -> None:
        """Load the versions, then look for new ones periodically."""
        assert self._looked is not None
        try:
            if self._grpc is not None:
                await asyncio.to_thread(_import_tensorflow)
                from components.serve.grpc_app import GrpcApp

                self._grpc.serve(GrpcApp(self._service))
            await self._update()
            self._looked.set_result(None)
        except Exception as error:  # noqa: BLE001  # whatever it is, `loaded` raises it
            self._looked.set_exception(error)
            return
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._look.wait(), self._options.poll_seconds or None)
            self._look.clear()
            try:
                await self._look_again()
            except StoreError as error:
                _logger.error("looking for versions failed: %s", error.what)
            except Exception:  # a folder that is unreadable now may be readable in a second
                _logger.exception("looking for versions failed")

    async def _look_again(self) -> None:
        path = self._options.config_file
        stamp = _stamp(path)
        if path is not None and stamp != self._read:
            self._read = stamp
            try:
                self.models.configure(await asyncio.to_thread(_configured, path))
                _logger.info("%s was read again", path)
            except ConfigError as error:
                _logger.error("the models stay as they were: %s", error)
        await self._update()

    async def _update(self) -> None:
        """Load and unload versions, and notify clients that watch the health."""
        if self._grpc is not None:
            self._grpc.changed()  # a newly configured model has no version yet
        await self.models.update()
        if self._grpc is not None:
            self._grpc.changed()


async def run(server: Server, ready: Callable[[Ports], None], stop: asyncio.Event) -> None:
    """Serve until SIGTERM, SIGINT or the event stops the server; SIGHUP reloads.

    Args:
      server: not started yet.
      ready: called with the ports once every model is ready.
      stop: set it to stop the server.

    Raises:
      SkewlessError: it cannot listen, or no version of a model loads.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, server.reload)
    ports = await server.start()
    loaded, stopped = asyncio.create_task(server.loaded()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([loaded, stopped], return_when=asyncio.FIRST_COMPLETED)
        if loaded.done():
            loaded.result()
            ready(ports)
            await stopped
    finally:
        loaded.cancel()
        stopped.cancel()
        await server.stop()


def _stamp(path: str | None) -> tuple[int, int, int] | None:
    """Return a value that changes when a file is written or replaced; None without a file."""
    try:
        status = os.stat(path) if path is not None else None
    except OSError:
        status = None
    return None if status is None else (status.st_ino, status.st_size, status.st_mtime_ns)
