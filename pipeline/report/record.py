"""What a run left behind, as the cards of its report read it; imports nothing heavy.

Reading is lazy: a card reads the artifacts that it shows. An artifact that was removed since, or
that the run did not reach, is None.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from components import files
from components.evaluate.report import Report
from pipeline import lineage
from pipeline.configuration import Configuration
from pipeline.data import record_of
from pipeline.folders import Folders
from pipeline.lineage import Execution
from pipeline.recorded_runs import RecordedRun
from pipeline.summary import Summary
from schemas.errors import DataError
from schemas.layout import FILE_NAME as LAYOUT
from schemas.layout import Layout

T = TypeVar("T")

FINISHED = ("COMPLETE", "CACHED")


@dataclass(frozen=True)
class Record:
    """A run to report on.

    Attributes:
      folders: those of its pipeline.
      summary: its summary.
      executions: what each node did, by node.
      configuration: its configuration; None if it was not kept.
    """

    folders: Folders
    summary: Summary
    executions: Mapping[str, Execution]
    configuration: Configuration | None

    @classmethod
    def of(cls, run: RecordedRun, summary: Summary) -> Record:
        """Return the record of a run that has ended.

        Raises:
          ConfigError: the record of the pipeline's runs is damaged.
        """
        folders = Folders.at(run.pipeline_folder)
        with record_of(folders) as metadata:
            known = lineage.read_run(metadata, run.run_id) if metadata.exists() else {}
        return cls(folders, summary, known, Configuration.read(run.folder))

    @property
    def run(self) -> RecordedRun:
        """The run as lists of runs have it."""
        own = os.path.join(self.folders.place, "runs", self.summary.run_id)
        name = os.path.basename(self.folders.place)
        return RecordedRun(name, self.summary.run_id, own, self.summary.status, self.summary)

    @property
    def spec(self) -> Mapping[str, Any]:
        """The configuration in force; empty if it was not kept."""
        return {} if self.configuration is None else self.configuration.spec

    def uri(self, node: str, channel: str) -> str | None:
        """Return the folder of an artifact of a node that finished."""
        execution = self.executions.get(node)
        if execution is None or execution.state not in FINISHED:
            return None
        artifact = execution.outputs.get(channel)
        return None if artifact is None else artifact.uri

    def read(self, node: str, channel: str, reader: Callable[[str], T]) -> T | None:
        """Return what a function reads from the folder of an artifact, if it is there."""
        uri = self.uri(node, channel)
        if uri is None:
            return None
        try:
            return reader(uri)
        except (FileNotFoundError, DataError):  # removed since, or of an earlier version
            return None

    def json(self, node: str, channel: str, name: str) -> Any:
        """Return the content of a JSON file in an artifact, if it is there."""
        return self.read(
            node, channel, lambda uri: json.loads(files.read_bytes(os.path.join(uri, name)))
        )

    @property
    def report(self) -> Report | None:
        """The whole of metrics.json."""
        return self.read("evaluate", "evaluation", Report.read)

    @property
    def layout(self) -> Layout | None:
        """The transformed features."""

        def read(uri: str) -> Layout:
            return Layout.model_validate_json(files.read_bytes(os.path.join(uri, LAYOUT)))

        return self.read("transform", "transform_graph", read)
