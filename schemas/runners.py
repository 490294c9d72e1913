"""The section `runner:` of pipeline.yaml: where the stages that read and write rows run.

A section a runner, with defaults that fit a cluster on this machine; `use` names the one that is
taken unless the command line names another. Which Beam options they become is in pipeline/runners.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas.strict import Strict, one_of, written_as

RunnerName = Literal["direct", "flink", "spark", "prism", "dataflow"]
Page = Annotated[
    str,
    written_as(
        r"https?://[^\s/@]+/?",
        "http://HOST:PORT, such as http://localhost:8081, without a user and password",
    ),
]
HostPort = Annotated[str, written_as(r"[^\s:/]+:\d{1,5}", "HOST:PORT, such as localhost:50000")]


class Loopback(Strict):
    """SDK workers in the process of the command itself: the engine and it share a machine."""

    kind: Literal["loopback"] = "loopback"


class Pool(Strict):
    """SDK workers that a pool at `address` starts, as `skewless workers` does; seen by the engine.

    One pool beside each of the engine's machines is reached as localhost by all of them.
    """

    kind: Literal["pool"] = "pool"
    address: HostPort = "localhost:50000"


class Process(Strict):
    """SDK workers that the engine starts by a `command` on its machines: Beam's `boot`."""

    kind: Literal["process"] = "process"
    command: Annotated[str, Field(min_length=1)]
    environment: dict[str, str] = Field(default_factory=dict)


class Docker(Strict):
    """SDK workers in containers of an `image` that has this project and its libraries in it."""

    kind: Literal["docker"] = "docker"
    image: Annotated[str, Field(min_length=1)]


Workers = Annotated[Loopback | Pool | Process | Docker, Field(discriminator="kind")]
_WORKERS = {w.model_fields["kind"].default: w for w in (Loopback, Pool, Process, Docker)}


class Direct(Strict):
    """This process; nothing is to be set."""


class _Portable(Strict):
    """What engines that are reached by Beam's job server have in common.

    Attributes:
      workers: where our code runs.
      job_endpoint: a job server that is there already; one is started for the run otherwise.
    """

    workers: Workers = Loopback()
    job_endpoint: HostPort | None = None

    @pydantic.field_validator("workers", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """Read `loopback`, `pool: {address: …}` and the long form alike."""
        return one_of(value, _WORKERS, what="kind of workers")


class Flink(_Portable):
    """A Flink cluster.

    Attributes:
      master: the job manager's REST API.
      version: the cluster's, two figures.
      job_server_jar: Beam's job server for it, a path or URL; the one of Beam's own version is
        fetched unless given.
      parallelism: task slots to use; all that the cluster has unless given.
      restarts: whether the cluster has to start a job anew when a machine is lost.
    """

    master: Page = "http://localhost:8081"
    version: Literal["1.17", "1.18", "1.19", "1.20"] = "1.20"
    job_server_jar: str | None = None
    parallelism: Annotated[int, Field(ge=1)] | None = None
    restarts: bool = True

    @pydantic.field_validator("version", mode="before")
    @classmethod
    def _unquoted(cls, value: Any) -> Any:
        """Read YAML's numbers as versions: 1.20 comes as 1.2."""
        return {1.2: "1.20"}.get(value, str(value)) if isinstance(value, float) else value


def _flat(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values as Spark writes them."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", text) for inner, text in _flat(value))
        else:
            yield key, str(value).lower() if isinstance(value, bool) else str(value)


SparkMaster = Annotated[
    str,
    written_as(r"local(\[(\d+|\*)\])?|spark://[^\s/]+:\d+", "spark://HOST:PORT or local[CORES]"),
]
SparkKey = Annotated[str, written_as(r"spark\.\S+", "a key of Spark's, such as spark.cores.max")]


class Spark(_Portable):
    """A Spark 3 cluster, or Spark within the job server for a master of `local[…]`.

    Attributes:
      master: as Spark writes it.
      page: the master's page, which is asked what its workers have; looked for at port 8080 of the
        master's host unless given.
      job_server_jar: Beam's job server for it, as for Flink.
      conf: Spark's own settings of a job, such as spark.executor.memory.
    """

    master: SparkMaster = "local[*]"
    page: Page | None = None
    job_server_jar: str | None = None
    conf: dict[SparkKey, str] = Field(default={})

    @pydantic.field_validator("conf", mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        """Read `{spark.cores.max: 2}` and, as `--set` gives it, `{spark: {cores: …}}` alike."""
        return dict(_flat(value)) if isinstance(value, dict) else value

    @pydantic.model_validator(mode="after")
    def _conf_has_a_job_server(self) -> Spark:
        if self.conf and self.job_endpoint:
            raise ValueError(
                "conf is for the job server that is started for a run; start the one at"
                " job_endpoint with it"
            )
        return self


class Prism(_Portable):
    """Beam's own local runner.

    Attributes:
      binary: where it is; looked for on the PATH unless given.
    """

    binary: str | None = None

    @pydantic.field_validator("workers")
    @classmethod
    def _no_process(cls, workers: Workers) -> Workers:
        """Refuse what Prism up to 2.77 waits for without end: it puts a worker's id in quotes."""
        if isinstance(workers, Process):
            raise ValueError(
                "Prism cannot start workers as processes: boot does not know the name that it is"
                " given; use loopback, pool or docker"
            )
        return workers


Project = Annotated[
    str, written_as(r"[a-z][-a-z0-9:.]+[a-z0-9]", "a project's id, such as our-project-1234")
]
Region = Annotated[str, written_as(r"[a-z]+-[a-z]+\d+", "a region, such as europe-west1")]
Folder = Annotated[str, written_as(r"gs://[^/\s]+/\S+", "a folder, such as gs://BUCKET/temp")]


class Dataflow(Strict):
    """Google Cloud Dataflow; `project`, `region` and `temp_location` are required to run there.

    The defaults are cost-minded; docs/dataflow.md has their reasons.

    Attributes:
      image: of the workers, with this project in it.
      setup_file: of this project, whose package the workers install where there is no image; the
        checkout's own unless given.
      threads: that one worker process works on bundles with; there is a process for each vCPU.
      disk_gb: of each worker.
    """

    project: Project | None = None
    region: Region | None = None
    temp_location: Folder | None = None
    image: str | None = None
    setup_file: str | None = None
    service_account: str | None = None
    machine_type: str = "n2-standard-4"
    max_workers: Annotated[int, Field(ge=1)] = 10
    threads: Annotated[int, Field(ge=1)] = 2
    disk_gb: Annotated[int, Field(ge=20)] = 30


class Runner(Strict):
    """Where the stages run, and what each runner is told."""

    use: RunnerName = "direct"
    direct: Direct = Direct()
    flink: Flink = Flink()
    spark: Spark = Spark()
    prism: Prism = Prism()
    dataflow: Dataflow = Dataflow()
