"""A Spark 3 cluster on this machine: a master and a worker of two cores, each a process of its own.

    python -m tests.engines.spark.cluster

builds what is needed, starts it, prints the master's address and stops it at Ctrl-C. Spark's
scripts are not among what is published for Maven; each ends in one Java command, which is here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from pathlib import Path

from tests.engines import artifacts
from tests.engines.processes import Server, free_ports, listens, wait_for

# What Spark's own launcher opens for Java 17, for executors and the job server, too.
JAVA_OPTIONS = " ".join(
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in (
        "java.lang",
        "java.lang.invoke",
        "java.lang.reflect",
        "java.io",
        "java.net",
        "java.nio",
        "java.util",
        "java.util.concurrent",
        "java.util.concurrent.atomic",
        "sun.nio.ch",
        "sun.nio.cs",
        "sun.security.action",
        "sun.util.calendar",
    )
)


class SparkCluster:
    """Brings a cluster up in a folder, which gets its logs; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jar = artifacts.spark_job_server()
        (self._port,) = free_ports(1)
        self.master = f"spark://localhost:{self._port}"
        self._servers: list[Server] = []

    def __enter__(self) -> SparkCluster:
        # executors are started from the jars below SPARK_HOME
        (self._folder / "jars").mkdir(parents=True)
        (self._folder / "jars/spark.jar").symlink_to(self._jar)
        try:
            self._start("master", ["--host", "localhost", "--port", str(self._port)])
            wait_for("starting Spark", lambda: listens(self._port), self._servers, seconds=60)
            own = ["--cores", "2", "--memory", "3g", "--work-dir", str(self._folder / "work")]
            self._start("worker", ["--host", "localhost", *own, self.master])
            log = self._folder / "worker.log"
            wait_for(
                "starting a worker of Spark",
                lambda: "Successfully registered with master" in log.read_text("utf-8"),
                self._servers,
                seconds=60,
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in reversed(self._servers):
            server.stop()

    def _start(self, name: str, arguments: list[str]) -> None:
        env = {
            **os.environ,
            "JDK_JAVA_OPTIONS": JAVA_OPTIONS,
            "SPARK_HOME": str(self._folder),
            "SPARK_SCALA_VERSION": "2.12",
        }
        main = f"org.apache.spark.deploy.{name}.{name.title()}"
        command = ["java", "-Xmx1g", "-cp", str(self._jar), main, "--webui-port", "0", *arguments]
        self._servers.append(Server(command, self._folder / f"{name}.log", env))


def main() -> None:
    """Run a cluster until Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="spark-") as folder:
        cluster = SparkCluster(Path(folder) / "spark")
        with cluster, contextlib.suppress(KeyboardInterrupt):
            print(f"Spark at {cluster.master}, logs in {folder}/spark", flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
