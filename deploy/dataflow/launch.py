"""Converts a template's parameters to `skewless stream`, which sends a job; run by the launcher.

A template is a single job, as a stream is. A run is four jobs with training between them, and is
started by `skewless run --runner dataflow`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pipeline import cli

# Parameters of metadata.json that are options of `skewless stream`, by its own names.
OPTIONS = ("subscription", "topic", "dead-letters", "timestamp-attribute", "wait")
# TensorFlow scores on its own threads; more of Beam's threads only cost memory.
THREADS = "--number_of_worker_harness_threads=2"


def command(arguments: Sequence[str]) -> list[str]:
    """Return the `skewless` command for parameters; unknown parameters are Beam's options.

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
