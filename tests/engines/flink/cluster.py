"""A Flink cluster on this machine: a job manager and task managers, each a separate process.

    python -m tests.engines.flink.cluster [--task-managers N]

fetches Flink if necessary, starts it, prints the address of the job manager and stops it at Ctrl-C.
Flink's scripts are not in the package with its jars, so this module does their work: Flink's own
BashJavaUtils turns the memory settings into flags of the JVM, and Java 17 gets its open packages.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from pipeline import runners
from pipeline.runners import Choice
from schemas.runners import Runner
from tests.engines import artifacts
from tests.engines.processes import Server, free_ports, wait_for

HERE = Path(__file__).resolve().parent
# What Flink's own config.yaml opens for Java 17 (env.java.opts.all).
OPENS = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in (
        "java.lang",
        "java.net",
        "java.io",
        "java.nio",
        "sun.nio.ch",
        "java.lang.reflect",
        "java.text",
        "java.time",
        "java.util",
        "java.util.concurrent",
        "java.util.concurrent.atomic",
        "java.util.concurrent.locks",
    )
]
QUICK = "-XX:TieredStopAtLevel=1"  # no slower, optimizing compiler for a cluster of minutes
SLOTS = 2  # of a task manager, as in config.yaml
RESULT = "BASH_JAVA_UTILS_EXEC_RESULT:"


class FlinkCluster:
    """Starts a cluster in a folder; a context manager.

    Args:
      folder: gets the configuration and the logs.
      task_managers: their number; each has two slots.
      settings: lines of Flink's configuration that replace those of config.yaml.
    """

    def __init__(
        self, folder: Path, *, task_managers: int = 1, settings: dict[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._libraries = artifacts.flink_libraries()
        rest, rpc = free_ports(2)
        self.master = f"http://localhost:{rest}"
        self._configure(
            {**(settings or {}), "rest.port": str(rest), "jobmanager.rpc.port": str(rpc)}
        )
        self._job_manager: Server | None = None
        self.task_managers: list[Server] = []
        self._wanted = task_managers

    def __enter__(self) -> FlinkCluster:
        try:
            self._job_manager = self._start(
                "jobmanager",
                "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
                "GET_JM_RESOURCE_PARAMS",
                ["--executionMode", "cluster"],
            )
            for _ in range(self._wanted):
                self.add_task_manager()
            self.wait_for_task_managers(self._wanted)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in (*self.task_managers, self._job_manager):
            if server is not None:
                server.stop()

    def choose(self, *settings: str) -> Choice:
        """Choose it for a run, with further settings KEY=VALUE."""
        jar = artifacts.flink_job_server()
        own = [f"master={self.master}", "version=1.19", f"job_server_jar={jar}"]
        return runners.choose(Runner(), "flink", [*own, *settings])

    def add_task_manager(self) -> Server:
        """Start another task manager."""
        server = self._start(
            f"taskmanager-{len(self.task_managers)}",
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            "GET_TM_RESOURCE_PARAMS",
            [],
        )
        self.task_managers.append(server)
        return server

    def kill_task_manager(self) -> None:
        """Kill the oldest one without notice, like a machine failure, including its workers."""
        self.task_managers.pop(0).stop(signal.SIGKILL)

    def wait_for_task_managers(self, count: int) -> None:
        """Return once `count` of them are registered with the job manager."""
        assert self._job_manager is not None
        wait_for(
            "starting Flink",
            # a task manager is registered a moment before its slots are
            lambda: self.ask("/overview", {}).get("slots-total") == SLOTS * count,
            [self._job_manager, *self.task_managers],
            seconds=180,
        )

    def ask(self, path: str, otherwise: Any = None) -> Any:
        """Return a response of the job manager's REST API; `otherwise` if there is none yet."""
        try:
            with urllib.request.urlopen(self.master + path, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            if otherwise is None:
                raise
            return otherwise

    def _configure(self, settings: dict[str, str]) -> None:
        (self._folder / "conf").mkdir(parents=True)
        shutil.copy(HERE / "log4j.properties", self._folder / "conf")
        # Flat keys, which Flink accepts beside nested ones.
        lines = (HERE / "config.yaml").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.partition(":")[0] not in settings]
        kept += [f"{key}: {value}" for key, value in settings.items()]
        kept += [f"io.tmp.dirs: {self._folder}"]
        (self._folder / "conf/config.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")

    def _start(self, name: str, main: str, memory: str, arguments: list[str]) -> Server:
        conf = ["--configDir", str(self._folder / "conf")]
        flags, dynamic = self._memory(memory, conf)
        log4j = f"-Dlog4j.configurationFile=file:{self._folder}/conf/log4j.properties"
        command = [
            "java",
            *flags,
            QUICK,
            *OPENS,
            log4j,
            "-cp",
            self._classpath(),
            main,
            *conf,
            *arguments,
        ]
        # SDK workers that a task manager starts run in this environment.
        env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return Server([*command, *dynamic], self._folder / f"{name}.log", env)

    def _memory(self, which: str, conf: list[str]) -> tuple[list[str], list[str]]:
        """Return the JVM's flags and Flink's dynamic parameters for the configured memory."""
        utils = "org.apache.flink.runtime.util.bash.BashJavaUtils"
        told = subprocess.run(
            ["java", "-cp", self._classpath(), utils, which, *conf],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        flags, dynamic = (
            line.removeprefix(RESULT) for line in told.splitlines() if line.startswith(RESULT)
        )
        return flags.split(), dynamic.split()

    def _classpath(self) -> str:
        jars = [*self._libraries.glob("lib/flink-dist-*.jar"), *self._libraries.glob("lib/log4j-*")]
        jars = [*self._libraries.glob("bin/*.jar"), *sorted(jars), artifacts.flink_job_server()]
        return ":".join(map(str, jars))


def main() -> None:
    """Run a cluster until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run a Flink cluster until Ctrl-C.")
    parser.add_argument("--task-managers", type=int, default=1, help="how many [1]")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="flink-") as folder:
        cluster = FlinkCluster(
            Path(folder) / "flink",
            task_managers=arguments.task_managers,
            settings=dict(arguments.set),
        )
        with cluster, contextlib.suppress(KeyboardInterrupt):
            print(f"Flink at {cluster.master}, logs in {folder}/flink", flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
