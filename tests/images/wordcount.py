"""Counts words on a pool of workers, and reports where: runs in the pipeline's container.

Takes the pool's address, a package for the workers to install, and the folder to write to.
"""

import json
import sys

import apache_beam as beam
from apache_beam.io import WriteToText
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import ExternalEnvironment

LINES = ("a rose is a rose", "is a rose")


def place(_: int) -> str:
    """Return the user and the environment of this worker, as JSON."""
    import importlib
    import os
    import sys

    import components.examples

    return json.dumps(
        {
            "user": os.getuid(),
            "prefix": sys.prefix,
            "ours": components.examples.__file__,
            "apache": os.listdir("/opt/apache"),
            "staged": importlib.import_module("staged").__file__,
        }
    )


def main(pool: str, package: str, folder: str) -> None:
    """Run the pipeline."""
    options = PipelineOptions(
        [
            "--environment_type=EXTERNAL",
            f"--environment_config={pool}",
            f"--extra_package={package}",
        ]
    )
    environment = ExternalEnvironment.from_options(options.view_as(PortableOptions))
    with beam.Pipeline(FnApiRunner(environment), options) as p:
        counted = (
            p
            | beam.Create(LINES)
            | beam.FlatMap(str.split)
            | beam.combiners.Count.PerElement()
            | beam.MapTuple("{} {}".format)
        )
        placed = p | "CreateOne" >> beam.Create([1]) | beam.Map(place)
        counted | WriteToText(f"{folder}/counts", num_shards=1, shard_name_template="")
        placed | "WritePlace" >> WriteToText(
            f"{folder}/place", num_shards=1, shard_name_template=""
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
