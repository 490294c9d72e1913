"""Chooses the runner of a command's Beam pipelines from pipeline.yaml and flags.

This needs no Beam and takes milliseconds, so errors are reported at once. `pipeline/engines.py`
prepares the chosen runner.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pydantic
import yaml

from schemas.errors import ConfigError
from schemas.runners import Runner, RunnerName
from schemas.strict import Strict, plain

# Beam options that our keys replace, so that the checked value is the one in use.
OURS = {
    "flink_master": "master",
    "flink_version": "version",
    "flink_job_server_jar": "job_server_jar",
    "spark_master_url": "master",
    "spark_job_server_jar": "job_server_jar",
    "prism_location": "binary",
    "parallelism": "parallelism",
    "job_endpoint": "job_endpoint",
    "environment_type": "workers",
    "environment_config": "workers",
    "project": "project",
    "region": "region",
    "temp_location": "temp_location",
    "sdk_container_image": "image",
    "sdk_location": "image",
    "setup_file": "setup_file",
    "service_account_email": "service_account",
    "machine_type": "machine_type",
    "worker_machine_type": "machine_type",
    "max_num_workers": "max_workers",
    "number_of_worker_harness_threads": "threads",
    "disk_size_gb": "disk_gb",
}


@dataclass(frozen=True)
class Choice:
    """A runner and its settings.

    Attributes:
      name: the runner's name.
      section: its section in pipeline.yaml, with the values of `--set`.
      beam: options that are passed on to Beam unchanged.
    """

    name: RunnerName
    section: Strict
    beam: tuple[str, ...] = ()


def choose(
    given: Runner,
    name: RunnerName | None = None,
    settings: Sequence[str] = (),
    beam: Sequence[str] = (),
) -> Choice:
    """Return the runner that the command line and pipeline.yaml name.

    Args:
      given: the section `runner:` of pipeline.yaml.
      name: the value of `--runner`.
      settings: KEY=VALUE of `--set`; VALUE is YAML, KEY may be dotted.
      beam: the options after `--`.

    Raises:
      ConfigError: an unknown key, an invalid value, or a setting that is given twice.
    """
    chosen: RunnerName = name or given.use
    where = f"runner.{chosen}"
    for option in (word.removeprefix("--").partition("=")[0] for word in beam):
        if option == "runner" and (name or settings):
            raise ConfigError("the runner is named twice", where="--runner, and after --")
        if option in OURS and chosen != "direct":
            raise ConfigError(
                f"Beam's option --{option} is set by the key {OURS[option]!r}",
                where="behind --",
                remedy=f"use --set {OURS[option]}=…, or {where}.{OURS[option]} in pipeline.yaml",
            )
    section: Strict = getattr(given, chosen)
    values = section.model_dump()
    for setting in settings:
        _put(values, setting)
    try:
        return Choice(chosen, type(section).model_validate(values), tuple(beam))
    except pydantic.ValidationError as error:
        raise ConfigError(_problems(error, where), where=f"--set, {where}") from error


def _put(values: dict[str, Any], setting: str) -> None:
    """Set KEY=VALUE in nested mappings; replaces a value of another kind."""
    key, equals, text = setting.partition("=")
    if not equals or not key:
        shown = re.split(r"[:\s]", setting)[0]  # the rest may be a secret
        raise ConfigError(
            f"--set takes KEY=VALUE, got {shown!r}", expected="such as --set parallelism=2"
        )
    *path, last = names = key.split(".")
    for part, following in zip(path, names[1:], strict=True):
        inner = values.get(part)
        kept = isinstance(inner, dict) and (following in inner or "kind" not in inner)
        values[part] = values = dict(inner or {}) if kept else {}
    try:
        values[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        # The value may be a secret that lacks quotes.
        raise ConfigError("the value is not YAML", where=f"--set {key}") from error


def _problems(error: pydantic.ValidationError, where: str) -> str:
    return "\n".join(
        f"{'.'.join([where, *map(str, problem['loc'])])}: {plain(problem)}"
        for problem in error.errors()
    )
