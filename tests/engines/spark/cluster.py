"""A Spark 3 cluster on this machine: a master and workers of two cores, in separate processes.

    python -m tests.engines.spark.cluster [--workers N]

builds what is needed, starts it, prints the master's address and stops it at Ctrl-C. Spark's
scripts are not published for Maven; each consists of one Java command, which is here.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from pipeline import runners
from pipeline.runners import Choice
from pipeline.spark import OPENS
from schemas.runners import Runner
from tests.engines import artifacts
from tests.engines.processes import Server, free_ports, wait_for

HERE = Path(__file__).resolve().parent
# Daemons that run for a few minutes with little work: optimizing compilation does not pay off.
JVM = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", *OPENS]
CORES = 2  # of a worker
MEMORY = "2g"  # for executors of a worker


class SparkCluster:
    """Starts a cluster in a folder; a context manager.

    Args:
      folder: gets the logs, including the executors'.
      workers: their number; each has two cores.
    """

    def __init__(self, folder: Path, *, workers: int = 1) -> None:
        self._folder = folder
        self._jar = artifacts.spark_job_server()
        port, page = free_ports(2)
        self.master = f"spark://localhost:{port}"
        self.page = f"http://localhost:{page}"
        self._master: Server | None = None
        self.workers: list[Server] = []
        self._wanted = workers
        self._named = 0

    def __enter__(self) -> SparkCluster:
        # executors are started from the jars below SPARK_HOME
        (self._folder / "jars").mkdir(parents=True)
        (self._folder / "jars/spark.jar").symlink_to(self._jar)
        (self._folder / "conf").mkdir()
        shutil.copy(HERE / "log4j.properties", self._folder / "conf")
        port, page = (url.rpartition(":")[2] for url in (self.master, self.page))
        try:
            self._master = self._start("master", "master.Master", ["--port", port], page)
            wait_for("starting Spark", lambda: bool(self.ask({})), [self._master], seconds=60)
            for _ in range(self._wanted):
                self.add_worker()
            self.wait_for_workers(self._wanted)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in (*self.workers, self._master):
            if server is not None:
                server.stop()

    def choose(self, *settings: str) -> Choice:
        """Choose it for a run, with further settings KEY=VALUE."""
        jar = artifacts.spark_job_server()
        own = [f"master={self.master}", f"page={self.page}", f"job_server_jar={jar}"]
        own += ["conf.spark.driver.host=localhost", "conf.spark.driver.bindAddress=127.0.0.1"]
        return runners.choose(Runner(), "spark", [*own, *settings])

    def add_worker(self) -> None:
        """Start another worker."""
        self._named += 1
        name = f"worker-{self._named}"
        own = ["--cores", str(CORES), "--memory", MEMORY, "--work-dir", str(self._folder / "work")]
        self.workers.append(self._start(name, "worker.Worker", [*own, self.master]))

    def kill_worker(self) -> None:
        """Kill the oldest one with its executors, like a machine failure."""
        self.workers.pop(0).stop(signal.SIGKILL)

    def wait_for_workers(self, count: int) -> None:
        """Return once `count` of them are registered with the master."""
        assert self._master is not None
        wait_for(
            "starting a worker of Spark",
            lambda: self.ask({}).get("aliveworkers") == count,
            [self._master, *self.workers],
            seconds=60,
        )

    def logs(self, app: str) -> list[Path]:
        """Return the logs of all executors of an application."""
        return sorted((self._folder / "work" / app).glob("*/stderr"))

    def ask(self, otherwise: Any = None) -> Any:
        """Return the master's data on its workers and applications; `otherwise` if not available.

        The data is that of its page, as JSON: the log depends on a log4j.properties file.
        """
        try:
            with urllib.request.urlopen(f"{self.page}/json/", timeout=10) as answer:
                return json.load(answer)
        except OSError:
            if otherwise is None:
                raise
            return otherwise

    def _start(self, name: str, main: str, arguments: list[str], page: str = "0") -> Server:
        env = {
            **os.environ,
            "SPARK_HOME": str(self._folder),
            "SPARK_SCALA_VERSION": "2.12",  # normally found by names of folders that do not exist
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_HOSTNAME": "localhost",
        }
        log4j = f"-Dlog4j.configuration=file:{self._folder}/conf/log4j.properties"
        own = ["--host", "localhost", "--webui-port", page, *arguments]
        command = ["java", *JVM, log4j, "-cp", str(self._jar), f"org.apache.spark.deploy.{main}"]
        return Server([*command, *own], self._folder / f"{name}.log", env)


def main() -> None:
    """Run a cluster until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run a Spark cluster until Ctrl-C.")
    parser.add_argument("--workers", type=int, default=1, help="how many [1]")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="spark-") as folder:
        cluster = SparkCluster(Path(folder) / "spark", workers=arguments.workers)
        with cluster, contextlib.suppress(KeyboardInterrupt):
            print(f"Spark at {cluster.master}, logs in {folder}/spark", flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
