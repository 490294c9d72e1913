"""SDK workers for an engine's machine, forked from a process that has loaded everything.

An engine requests a worker for every job, and again within a job whenever it had none for a moment.
A fresh Python takes seconds to load TensorFlow, TFX and Beam; a fork takes none. This implements
the protocol of Beam's worker pools (environment EXTERNAL).
"""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TextIO

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from components.sources.protocol import module_of
from schemas.sources import FORMATS

LOG = logging.getLogger(__name__)
# What workers run; loading these modules loads all libraries that they need.
LOADED = [
    "components.quiet",
    "components.sealed",  # records the versions of what is loaded from here on
    "apache_beam.runners.worker.sdk_worker",
    "components.ingest.ingest",
    *map(module_of, FORMATS),
    "components.validate.statistics",
    "tensorflow_data_validation",
    "components.transform.transform",
    "tensorflow_transform.beam",
    "components.evaluate.scoring",
    "components.score.batch",
]
STATE_CACHE_BYTES = 100 << 20  # Beam's default for workers in containers
STOPPING = 10.0  # seconds until a worker is killed
_OPTIONS = [
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.so_reuseport", 0),  # otherwise two pools on one port each get half of the requests
]


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts and stops workers on requests of engines.

    Each engine process numbers its workers itself, so several workers may have the same id here.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(LOADED)
        self._workers: dict[str, list[BaseProcess]] = {}  # not stopped yet, by their ids
        self._left: list[BaseProcess] = []  # not ended when one of the same id was stopped
        self._lock = threading.Lock()

    def StartWorker(  # noqa: N802 - gRPC's name
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: object
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Start a worker for a job."""
        try:
            worker = self._start(request.control_endpoint.url, request.worker_id)
        except OSError as error:
            LOG.error("no worker can be started: %s", error)
            return beam_fn_api_pb2.StartWorkerResponse(error=f"no worker can be started: {error}")
        LOG.info("worker %s started as process %d", request.worker_id, worker.pid)
        with self._lock:
            self._workers.setdefault(request.worker_id, []).append(worker)
        return beam_fn_api_pb2.StartWorkerResponse()

    def _start(self, control: str, worker_id: str) -> BaseProcess:
        """Return a worker that has reached the engine, which would wait forever for a dead one."""
        ready, its_ready = self._context.Pipe(duplex=False)
        worker = self._context.Process(target=_work, args=(control, worker_id, its_ready))
        worker.daemon = True
        worker.start()
        its_ready.close()  # so that the pipe closes when the worker dies
        try:
            ready.recv()
        except EOFError as error:
            worker.join(STOPPING)
            raise ChildProcessError(f"it ended with {worker.exitcode} at its start") from error
        finally:
            ready.close()
        return worker

    def StopWorker(  # noqa: N802 - gRPC's name
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: object
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """End a worker that a job does not need any more.

        If several have the id, it may be any of them: none is ended, as each ends by itself when
        its engine closes the connection.
        """
        with self._lock:
            named = self._workers.pop(request.worker_id, [])
            if len(named) > 1:
                named.sort(key=lambda each: each.is_alive())  # it may have ended already
                self._left = [each for each in (*self._left, named[0]) if each.is_alive()]
                self._workers[request.worker_id] = named[1:]
        if len(named) == 1:
            _end(named[0])
            LOG.info("worker %s stopped", request.worker_id)
        return beam_fn_api_pb2.StopWorkerResponse()

    def warm(self) -> None:
        """Load everything, so that the first worker starts as fast as the others."""
        first = self._context.Process(target=_nothing)
        first.start()
        first.join()

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers = [*self._left, *itertools.chain.from_iterable(self._workers.values())]
            self._workers, self._left = {}, []
        for worker in workers:
            _end(worker)


@contextlib.contextmanager
def serving(host: str, port: int) -> Iterator[int]:
    """Serve a pool until the block ends; yield the port, which is a free one if 0 is given.

    Raises:
      OSError: the port is taken.
    """
    pool = WorkerPool()
    pool.warm()
    server = grpc.server(futures.ThreadPoolExecutor(), options=_OPTIONS)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(f"{host}:{port} cannot be listened on: {error}") from error
    server.start()
    try:
        yield bound
    finally:
        server.stop(0).wait()
        pool.close()


def _nothing() -> None:
    """Do nothing: this starts the process from which workers are forked."""


def _work(control: str, worker_id: str, ready: Connection) -> None:
    """Run a worker until the engine closes the connection; notify `ready` once it is reached."""
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    sys.stderr = Lossy(sys.stderr)
    logging.getLogger().setLevel(logging.WARNING)
    try:
        harness = SdkHarness(control, worker_id=worker_id, state_cache_size=STATE_CACHE_BYTES)
        ready.send(True)
        harness.run()
    except grpc.RpcError as error:
        LOG.info("worker %s: the engine closed the connection: %s", worker_id, error)
    finally:
        os._exit(0)  # its threads may still wait for an engine that has ended


class Lossy(io.TextIOBase):
    """A stream that drops what a full disk has no room for.

    Beam prints the failure of a step before it reports it to the engine, which would wait forever
    if printing failed, too.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write as much as possible."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush as much as possible."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def _end(worker: BaseProcess) -> None:
    worker.terminate()
    worker.join(STOPPING)
    if worker.is_alive():
        worker.kill()
        worker.join()
