"""Runs a staged graph in the processes of one machine: GRAPH in, its counters out as JSON.

Run by a Python that has Beam; it uses nothing of this project.
"""

import json
import sys

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

HARNESS = f"{sys.executable} -m apache_beam.runners.worker.sdk_worker_main"


def main(graph: str, counters: str) -> None:
    """Run the graph in a file, with workers of this Python instead of containers."""
    with open(graph, "rb") as file:
        pipeline = beam_runner_api_pb2.Pipeline.FromString(file.read())
    for environment in pipeline.components.environments.values():
        environment.urn = "beam:env:harness_subprocess_python:v1"
        environment.payload = HARNESS.encode()
    result = FnApiRunner().run_via_runner_api(pipeline, PipelineOptions([]))
    result.wait_until_finish()
    found = result.metrics().query()["counters"]
    with open(counters, "w", encoding="utf-8") as file:
        json.dump([[c.key.metric.namespace, c.key.metric.name, c.committed] for c in found], file)


if __name__ == "__main__":
    main(*sys.argv[1:])
