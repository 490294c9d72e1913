"""What Dataflow's launcher runs: the template's parameters → `skewless stream`, which sends a job.

A template is one job without anything before or after it, which a stream is; a run is four jobs
with training between them, and is started by `skewless run --runner dataflow`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pipeline import cli

# Parameters of metadata.json that are options of `skewless stream`, by its own names.
OPTIONS = ("subscription", "topic", "dead-letters", "timestamp-attribute", "wait")
# Scoring is TensorFlow's own work, on threads of its own; more of Beam's cost memory alone.
THREADS = "--number_of_worker_harness_threads=2"


def command(arguments: Sequence[str]) -> list[str]:
    """Return what `skewless` is asked for parameters; those that it has none for are Beam's.

    >>> command(["--topic=t", "--key=a,b", "--region=r"])[:6]
    ['stream', '/models', '--topic', 't', '--key', 'a']
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--model", default="/models")
    parser.add_argument("--key", default="")
    for option in OPTIONS:
        parser.add_argument(f"--{option.replace('-', '_')}", dest=option)
    given, beam = parser.parse_known_args(arguments)
    values = vars(given)
    words = ["stream", given.model]
    for option in OPTIONS:
        words += [f"--{option}", values[option]] if values[option] else []
    for key in filter(None, given.key.split(",")):
        words += ["--key", key]
    return [*words, "--", "--sdk_location=container", THREADS, *beam]


if __name__ == "__main__":
    sys.exit(cli.main(command(sys.argv[1:])))
