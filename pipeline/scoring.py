"""What `skewless predict` and `skewless stream` share: model, form of the rows, screen.

What is wrong with a path is said before anything heavy is imported.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import files, lean_imports, progress, stores
from components.compat import quiet_environment
from components.evaluate.published import SAVED_MODEL, versions
from components.serve import folders
from pipeline import lineage, logs
from pipeline.board import Board
from pipeline.console import IMPORTS, Reporter, Screen, open_screen
from pipeline.endings import UnexpectedError, interrupted_by, noticing_interrupts
from pipeline.folders import Folders
from pipeline.shortages import shortage
from pipeline.temporary import own_folder
from schemas import catalog, columns, sources
from schemas.columns import Column
from schemas.errors import ConfigError, SkewlessError
from schemas.runners import Runner
from schemas.secrets import RedactingFormatter
from schemas.sources.options import Options


@dataclass(frozen=True)
class Source:
    """What RUN-OR-FOLDER stands for.

    Attributes:
      versions: folders of the SavedModels that are there, by version.
      serving: the folder that versions are pushed to; None for a lone SavedModel.
      run: the run's folders, if the versions lie in a run.
    """

    versions: dict[int, str]
    serving: str | None
    run: Folders | None

    @classmethod
    def of(cls, path: str) -> Source:
        """Look at a path.

        Raises:
          ConfigError: no such folder, or no version in it.
        """
        if files.in_store(path):
            return cls._in_store(files.absolute(path))
        base = folders.find(path)
        # RUN/serving, or RUN/serving/3 where one version is named
        serving = Path(base.path) if base.lone is None else Path(base.path).parent
        run = Folders(serving.parent)
        return cls(
            versions=base.versions(),
            serving=base.path if base.lone is None else None,
            run=run if run.metadata.exists() and serving == Path(run.serving) else None,
        )

    @classmethod
    def _in_store(cls, path: str) -> Source:
        stores.check(path)
        if files.is_file(os.path.join(path, SAVED_MODEL)):
            name = os.path.basename(path)
            return cls({int(name) if name.isdecimal() else 1: path}, serving=None, run=None)
        for serving in (os.path.join(path, "serving"), path):
            if found := versions(serving):
                run = Folders.at(os.path.dirname(serving))
                run.fetch()
                return cls(found, serving, run if run.metadata.exists() else None)
        raise ConfigError(
            "there is no version to ask",
            where=path,
            expected=f"{SAVED_MODEL}, folders named 1, 2, … that hold one, or a run's folder",
        )

    def version(self, number: int | None) -> str:
        """Return a version's folder, the newest one's for None.

        Raises:
          ConfigError: there is no such version.
        """
        wanted = max(self.versions) if number is None else number
        if wanted not in self.versions:
            raise ConfigError(
                f"there is no version {wanted}",
                where=self.serving,
                expected="one of: " + ", ".join(map(str, sorted(self.versions))),
            )
        return self.versions[wanted]

    @property
    def kept(self) -> list[str]:
        """The run's folders that scores may not be written to, if the versions lie in a run."""
        return [] if self.run is None else [self.run.artifacts, self.run.serving]

    def written(self, dataset: str | None) -> Options | None:
        """Return how files are written: as the dataset says, as the run's were; None is plainly.

        Args:
          dataset: name or folder of a dataset; None takes what the run recorded.

        Raises:
          ConfigError: no such dataset, or its pipeline.yaml is wrong.
        """
        if dataset is not None:
            return catalog.read_spec(catalog.find_folder(dataset) / catalog.SPEC_FILE).source
        if self._ingested is None:
            return None
        return sources.loads(str(self._ingested["source"]))

    def columns(self, dataset: str | None) -> tuple[Column, ...]:
        """Return the columns of schema.pbtxt: the dataset's, or the run's; none for a lone model.

        Args:
          dataset: name or folder of a dataset; None takes what the run recorded.

        Raises:
          ConfigError: no such dataset, or its files are wrong.
        """
        if dataset is not None:
            return catalog.load(dataset).columns
        if self._ingested is None:
            return ()
        return columns.loads(str(self._ingested["columns"]))

    @functools.cached_property
    def _ingested(self) -> Mapping[str, int | float | str] | None:
        """What the run's ingest was given when it last went through; None if that is not known."""
        return lineage.latest_parameters(self.run.metadata, "ingest") if self.run else None


def runner_of(dataset: str | None) -> Runner:
    """Return the section `runner:` of a dataset's pipeline.yaml; None has the defaults."""
    if dataset is None:
        return Runner()
    return catalog.read_spec(catalog.find_folder(dataset) / catalog.SPEC_FILE).runner


@contextlib.contextmanager
def told(stage: str) -> Iterator[tuple[Screen, Board]]:
    """Show a stage at work on the screen, with the imports before it; libraries' words go to a log.

    Gives the screen, and what is known of the stage. The log lies among this process's temporary
    files, which are removed; it is kept where something unexpected failed.

    Raises:
      InterruptedRunError: Ctrl-C was pressed, or SIGTERM sent.
      DataError: a disk is full.
      UnexpectedError: something failed that is no `SkewlessError`; names the log.
    """
    quiet_environment()
    with own_folder() as outer, noticing_interrupts() as interrupted:
        handle, log = tempfile.mkstemp(prefix=f"skewless-{stage}-", suffix=".log")
        os.close(handle)
        try:
            with logs.captured(Path(log)) as stream:
                screen = open_screen(stream)
                with Reporter((IMPORTS, stage), screen) as reporter:
                    yield screen, reporter.board
        except SkewlessError:
            raise
        except (Exception, KeyboardInterrupt) as error:
            if interrupted or isinstance(error, KeyboardInterrupt):
                raise interrupted_by(error, stage, "start it again") from error
            if (found := shortage(f"{stage} failed", error)) is not None:
                raise found from error
            raise _unexpected(error, stage, shutil.move(log, outer)) from error


def _unexpected(error: Exception, stage: str, log: str) -> UnexpectedError:
    with open(log, "a", encoding="utf-8") as file:
        logger = logging.Logger("skewless")
        handler = logging.StreamHandler(file)
        handler.setFormatter(RedactingFormatter())
        logger.addHandler(handler)
        logger.error("%s failed", stage, exc_info=error)
    lines = [line for line in str(error).splitlines() if line.strip()] or ["no message"]
    return UnexpectedError(
        f"{stage} failed: {type(error).__name__}: {lines[-1]}",
        where=log,
        remedy="read the traceback there",
    )


def beam_options(arguments: Sequence[str], **settings: Any) -> Any:
    """Return Beam's options from the command line, as PipelineOptions."""
    from apache_beam.options.pipeline_options import PipelineOptions

    return PipelineOptions(list(arguments), **settings)


@contextlib.contextmanager
def imports() -> Iterator[None]:
    """Report imports like a stage, and begin with TensorFlow and Beam."""
    with progress.stage(IMPORTS):
        lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, without=lean_imports.KERAS)
        yield


@contextlib.contextmanager
def until_interrupted() -> Iterator[None]:
    """Take SIGTERM and Ctrl-C as the end of a stream, which is how most end."""
    with noticing_interrupts() as interrupted:
        try:
            yield
        except BaseException:
            # A runner that works in this thread makes a RuntimeError of the interrupt.
            if not interrupted:
                raise
