"""The configuration of a run, as it keeps it: configuration.json in the run's folder.

It has the values in force, with defaults and options of the command line, so that two runs can be
compared although the dataset's files have changed since.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from components import files
from schemas.catalog import Dataset
from schemas.strict import Strict

FILE_NAME = "configuration.json"


class SettingChange(Strict):
    """A key whose value differs; None is a key that is not there.

    Attributes:
      key: its place in pipeline.yaml, such as "model.epochs".
      before: the value in the first configuration.
      after: the value in the other one.
    """

    key: str
    before: Any
    after: Any


class Configuration(Strict):
    """The content of configuration.json.

    Attributes:
      format: the version of the file's layout.
      spec: pipeline.yaml, with all defaults.
      schema_text: schema.pbtxt.
      code: features.py; "" if it is not used.
    """

    format: Literal[1] = 1
    spec: dict[str, Any]
    schema_text: str
    code: str

    @classmethod
    def of(cls, dataset: Dataset) -> Configuration:
        """Return the configuration of a dataset."""
        spec = dataset.spec.model_dump(mode="json")
        return cls(spec=spec, schema_text=dataset.schema_text, code=dataset.code)

    def write(self, folder: str) -> None:
        """Write configuration.json into a run's folder, atomically."""
        files.write_whole(os.path.join(folder, FILE_NAME), self.model_dump_json(indent=1) + "\n")

    @classmethod
    def read(cls, folder: str) -> Configuration | None:
        """Return what a run kept; None if it kept nothing that can be read."""
        path = os.path.join(folder, FILE_NAME)
        try:
            return cls.model_validate_json(files.read_bytes(path))
        except (FileNotFoundError, ValidationError):
            return None


def differences(before: Configuration, after: Configuration) -> list[SettingChange]:
    """Return the keys of pipeline.yaml whose values differ."""
    old, new = dict(_leaves(before.spec, "")), dict(_leaves(after.spec, ""))
    return [
        SettingChange(key=key, before=old.get(key), after=new.get(key))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    ]


def changed_lines(before: str, after: str) -> list[str]:
    r"""Return the lines of a text that differ, each with `-` or `+` before it.

    >>> changed_lines("a\nb\n", "a\nc\n")
    ['-b', '+c']
    """
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def _leaves(values: Mapping[str, Any], within: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", value
