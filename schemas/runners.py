"""The section `runner:` of pipeline.yaml: where the stages that read and write rows run.

Each runner has a section, with defaults for a cluster on this machine; `use` names the runner
unless the command line does. pipeline/runners.py converts sections to Beam options.
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
    """SDK workers in the process of the command itself, on the same machine as the engine."""

    kind: Literal["loopback"] = "loopback"


class Pool(Strict):
    """SDK workers from a pool, such as `skewless workers`; `address` is as the engine sees it.

    With a pool on each of the engine's machines, all of them use localhost.
    """

    kind: Literal["pool"] = "pool"
    address: HostPort = "localhost:50000"


class Process(Strict):
    """SDK workers that the engine starts with a `command` on its machines: Beam's `boot`."""

    kind: Literal["process"] = "process"
    command: Annotated[str, Field(min_length=1)]
    environment: dict[str, str] = Field(default_factory=dict)


class Docker(Strict):
    """SDK workers in containers of an `image` with this project and its libraries."""

    kind: Literal["docker"] = "docker"
    image: Annotated[str, Field(min_length=1)]


Workers = Annotated[Loopback | Pool | Process | Docker, Field(discriminator="kind")]
_WORKERS = {w.model_fields["kind"].default: w for w in (Loopback, Pool, Process, Docker)}


class Direct(Strict):
    """This process; it has no options."""


class _Portable(Strict):
    """Common options of engines with a Beam job server.

    Attributes:
      workers: where our code runs.
      job_endpoint: an existing job server; otherwise one is started for the run.
    """

    workers: Workers = Loopback()
    job_endpoint: HostPort | None = None

    @pydantic.field_validator("workers", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """Accept `loopback`, `pool: {address: …}` and the long form."""
        return one_of(value, _WORKERS, what="kind of workers")


class Flink(_Portable):
    """A Flink cluster.

    Attributes:
      master: the job manager's REST API.
      version: the cluster's major and minor version.
      job_server_jar: the path or URL of Beam's job server for it; by default, the one of the
        installed Beam is fetched.
      parallelism: the number of task slots to use; by default, all of the cluster's.
      restarts: whether the cluster must restart a job after the loss of a machine.
    """

    master: Page = "http://localhost:8081"
    version: Literal["1.17", "1.18", "1.19", "1.20"] = "1.20"
    job_server_jar: str | None = None
    parallelism: Annotated[int, Field(ge=1)] | None = None
    restarts: bool = True

    @pydantic.field_validator("version", mode="before")
    @classmethod
    def _unquoted(cls, value: Any) -> Any:
        """Accept YAML's numbers as versions: 1.20 arrives as 1.2."""
        return {1.2: "1.20"}.get(value, str(value)) if isinstance(value, float) else value


def _flat(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield dotted keys with their values in Spark's notation."""
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
      master: in Spark's notation.
      page: the master's page, which shows the workers' resources; by default, at port 8080 of the
        master's host.
      job_server_jar: Beam's job server for it, as for Flink.
      conf: Spark's settings for a job, such as spark.executor.memory.
    """

    master: SparkMaster = "local[*]"
    page: Page | None = None
    job_server_jar: str | None = None
    conf: dict[SparkKey, str] = Field(default={})

    @pydantic.field_validator("conf", mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        """Accept `{spark.cores.max: 2}` and the form of `--set`, `{spark: {cores: …}}`."""
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
      binary: its path; by default, it is searched on the PATH.
    """

    binary: str | None = None

    @pydantic.field_validator("workers")
    @classmethod
    def _no_process(cls, workers: Workers) -> Workers:
        """Refuse workers for which Prism up to 2.77 waits forever: it quotes a worker's id."""
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
    """Google Cloud Dataflow; running there requires `project`, `region` and `temp_location`.

    The defaults keep costs low; docs/dataflow.md has the reasons.

    Attributes:
      image: the workers' image, which has this project.
      setup_file: this project's setup.py, from which workers install a package if there is no
        image; by default, the checkout's.
      threads: threads of a worker process; there is a process for each vCPU.
      disk_gb: the disk size of each worker.
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
    """The runner of the stages, and the options of each runner."""

    use: RunnerName = "direct"
    direct: Direct = Direct()
    flink: Flink = Flink()
    spark: Spark = Spark()
    prism: Prism = Prism()
    dataflow: Dataflow = Dataflow()
