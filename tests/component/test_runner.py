"""A stage's pipeline runs on the chosen runner, reports its rows, and fails with one line."""

import io
import logging
import multiprocessing
import os
from concurrent import futures
from multiprocessing import forkserver

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
)
from apache_beam.portability.api import beam_fn_api_pb2, endpoints_pb2

from components import progress, runner, sealed, small_graph, worker_pool
from components.engine_errors import EngineError
from pipeline import engines, runners
from schemas.runners import Runner

pytestmark = pytest.mark.component

# A job service within this process: jobs are sent to it as to any engine.
EMBEDDED = ["--runner=PortableRunner", "--job_endpoint=embed"]
EMBEDDED_WORKERS = ["--environment_type=beam:env:embedded_python:v1"]


@pytest.fixture
def reported():
    """The rows that were reported during the test, by stage."""
    events = []

    class Handler(logging.Handler):
        def emit(self, record):
            events.append((record.event.stage, record.event.kind, record.event.rows))

    handler = Handler()
    progress.LOGGER.addHandler(handler)
    level = progress.LOGGER.level
    progress.LOGGER.setLevel(logging.INFO)
    yield events
    progress.LOGGER.removeHandler(handler)
    progress.LOGGER.setLevel(level)


def external(port):
    """Beam's options for workers of a pool."""
    return ["--environment_type=EXTERNAL", f"--environment_config=localhost:{port}"]


def count(element):
    beam.metrics.Metrics.counter("stage", "rows").inc()
    return element


def fail(element):
    raise KeyError(f"no such thing as {element}")


def test_without_a_choice_it_is_this_process(tmp_path):
    with runner.opened("stage") as pipeline:
        _ = pipeline | beam.Create([1]) | beam.Map(lambda _: (tmp_path / str(os.getpid())).touch())
    assert [path.name for path in tmp_path.iterdir()] == [str(os.getpid())]


def test_options_that_name_a_runner_go_before_the_choice():
    given = PipelineOptions(["--runner=FnApiRunner", "--job_name=mine"])
    with runner.running_on(EMBEDDED), runner.opened("stage", given) as pipeline:
        _ = pipeline | beam.Create([1])
        assert pipeline.options.view_as(GoogleCloudOptions).job_name == "mine"


def test_an_engines_job_is_named_and_its_rows_are_reported(reported):
    arguments = [*EMBEDDED, *EMBEDDED_WORKERS, "--job_name=taxi"]
    with runner.running_on(arguments), runner.opened("stage") as pipeline:
        _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(count)
        assert pipeline.options.view_as(GoogleCloudOptions).job_name == "taxi-stage"
    assert reported == [("stage", "rows", 3)]


def test_a_job_on_prism_may_take_more_than_five_minutes():
    on = runners.choose(Runner(), "prism", ["job_endpoint=localhost:1"])
    with (
        pytest.raises(LookupError) as seen,
        engines.running(on, "taxi"),
        runner.opened("stage") as pipeline,
    ):
        raise LookupError(pipeline.options.view_as(PortableOptions).job_server_timeout)
    assert seen.value.args[0] > 24 * 3600


def test_what_a_job_fails_with_is_one_line():
    with (
        pytest.raises(EngineError, match=r"^stage failed on the engine: KeyError: .no such thing"),
        runner.running_on([*EMBEDDED, *EMBEDDED_WORKERS]),
        runner.opened("stage") as pipeline,
    ):
        _ = pipeline | beam.Create([1]) | beam.Map(fail)


def test_a_job_server_that_hangs_up_is_reported_in_one_line(monkeypatch):
    def hang_up(*_):
        with grpc.insecure_channel("localhost:1") as nobody:
            nobody.unary_unary("/job")(b"")

    monkeypatch.setattr(small_graph.SmallGraphRunner, "run_portable_pipeline", hang_up)
    with (
        pytest.raises(EngineError, match=r"^stage cannot be sent to the engine: failed to connect"),
        runner.running_on([*EMBEDDED, *EMBEDDED_WORKERS]),
        runner.opened("stage") as pipeline,
    ):
        _ = pipeline | beam.Create([1])


def test_what_fails_before_there_is_a_job_is_not_the_engines():
    with (
        pytest.raises(RuntimeError, match=r"^no such graph$"),
        runner.running_on([*EMBEDDED, *EMBEDDED_WORKERS]),
        runner.opened("stage"),
    ):
        raise RuntimeError("no such graph")


@pytest.fixture(scope="module")
def own_forkserver():
    """A fork server that has loaded what these pools need; a process has only one.

    `json.tool` stands for TensorFlow: nothing else imports it.
    """
    loaded = ["components.worker_pool", "apache_beam.runners.worker.sdk_worker", "json.tool"]
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_pool, "LOADED", loaded)
        yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("own_forkserver")
def test_a_pool_runs_workers_in_processes_that_have_everything_loaded(tmp_path):
    def report(_):
        import sys

        (tmp_path / f"{os.getpid()}-{'json.tool' in sys.modules}").touch()

    with (
        worker_pool.serving("localhost", 0) as port,
        runner.running_on([*EMBEDDED, *external(port)]),
        runner.opened("stage") as pipeline,
    ):
        _ = pipeline | beam.Create([1]) | beam.Map(report)
    (name,) = (path.name for path in tmp_path.iterdir())
    process, _, known = name.partition("-")
    assert int(process) != os.getpid()
    assert known == "True"
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)  # it has ended


@pytest.mark.usefixtures("own_forkserver")
def test_workers_of_other_versions_refuse_the_job(monkeypatch):
    monkeypatch.setattr(sealed, "INSTALLED", {"apache-beam": "1.0.0"})
    with (
        worker_pool.serving("localhost", 0) as port,
        pytest.raises(EngineError, match=r"versions are not the command's \(apache-beam is"),
        runner.running_on([*EMBEDDED, *external(port)]),
        runner.opened("stage") as pipeline,
    ):
        _ = pipeline | beam.Create([1])


@pytest.mark.usefixtures("own_forkserver")
def test_a_worker_that_dies_at_its_start_is_an_error_and_not_waited_for():
    pool = worker_pool.WorkerPool()
    nobody = endpoints_pb2.ApiServiceDescriptor(url="localhost:1")
    asked = beam_fn_api_pb2.StartWorkerRequest(worker_id="1", control_endpoint=nobody)
    with futures.ThreadPoolExecutor() as threads:
        answer = threads.submit(pool.StartWorker, asked, None)
        while not (started := multiprocessing.active_children()):
            assert not answer.done()
        started[0].kill()
        assert "no worker can be started: it ended with -9" in answer.result(60).error


class Worker:
    """A process that lives until it is ended, or ends by itself."""

    pid = 1

    def __init__(self):
        self.alive, self.ended = True, False

    def is_alive(self):
        return self.alive

    def terminate(self):
        self.alive, self.ended = False, True

    def join(self, timeout=None):
        assert not self.alive


def test_no_engine_ends_the_worker_of_another_that_has_the_same_id(monkeypatch):
    a, b, c = workers = [Worker() for _ in range(3)]
    waiting = iter(workers)
    pool = worker_pool.WorkerPool()
    monkeypatch.setattr(pool, "_start", lambda *_: next(waiting))
    start = beam_fn_api_pb2.StartWorkerRequest(worker_id="1-1")
    stop = beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1")
    pool.StartWorker(start, None)
    pool.StartWorker(start, None)
    pool.StopWorker(stop, None)  # either of them
    assert a.alive
    assert b.alive
    pool.StartWorker(start, None)
    b.alive = False  # its engine has closed the connection
    pool.StopWorker(stop, None)
    assert c.alive
    pool.StopWorker(stop, None)  # the only one left
    assert [worker.ended for worker in workers] == [False, False, True]
    pool.StopWorker(stop, None)  # none
    pool.close()
    assert a.ended


def test_a_full_disk_under_a_workers_log_fails_nothing():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

        def flush(self):
            raise OSError(28, "No space left on device")

    log = worker_pool.Lossy(Full())
    print("a traceback", file=log)
    log.flush()


@pytest.mark.usefixtures("own_forkserver")
def test_a_port_that_is_taken_is_reported():
    with (
        worker_pool.serving("localhost", 0) as port,
        pytest.raises(OSError, match=f"localhost:{port} cannot be listened on"),
        worker_pool.serving("localhost", port),
    ):
        pass
