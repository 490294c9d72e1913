"""What `skewless predict` and `skewless stream` share: the model, the row format, the screen.

Wrong paths are reported before anything heavy is imported.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from components import files, lean_imports, progress, stores, tensorflow_runtime
from components.compat import quiet_environment
from components.evaluate.published import SAVED_MODEL, versions
from components.serve import folders
from pipeline import lineage, logs
from pipeline.board import Board
from pipeline.console import IMPORTS, Reporter, Screen, Silent, open_screen
from pipeline.endings import Interrupts, UnexpectedError, interrupted_by, noticing_interrupts
from pipeline.folders import Folders
from pipeline.shortages import shortage
from pipeline.temporary import own_folder
from schemas import catalog, columns, sources
from schemas.columns import Column
from schemas.errors import ConfigError, SkewlessError
from schemas.runners import Runner
from schemas.secrets import RedactingFormatter
from schemas.sources.options import SourceOptions


@dataclass(frozen=True)
class ModelFolder:
    """The models at RUN-OR-FOLDER.

    Attributes:
      versions: folders of the available SavedModels, by version.
      serving: the folder that versions are pushed to; None for a single SavedModel.
      run: the run's folders, if the versions are in a run.
    """

    versions: dict[int, str]
    serving: str | None
    run: Folders | None

    @classmethod
    def of(cls, path: str) -> ModelFolder:
        """Find the models at a path.

        Raises:
          ConfigError: there is no such folder, or no version in it.
        """
        if files.in_store(path):
            return cls._in_store(files.absolute(path))
        base = folders.find(path)
        # RUN/serving, or RUN/serving/3 if one version is named
        serving = Path(base.path) if base.lone is None else Path(base.path).parent
        run = Folders(serving.parent)
        return cls(
            versions=base.versions(),
            serving=base.path if base.lone is None else None,
            run=run if run.metadata.exists() and serving == Path(run.serving) else None,
        )

    @classmethod
    def _in_store(cls, path: str) -> ModelFolder:
        stores.check(path)
        if files.is_file(os.path.join(path, SAVED_MODEL)):
            name = os.path.basename(path)
            return cls({int(name) if name.isdecimal() else 1: path}, serving=None, run=None)
        for serving in (os.path.join(path, "serving"), path):
            if pushed := versions(serving):
                run = Folders.at(os.path.dirname(serving))
                run.fetch()
                return cls(pushed, serving, run if run.metadata.exists() else None)
        raise ConfigError(
            "there is no version to use",
            where=path,
            expected=f"{SAVED_MODEL}, folders named 1, 2, … that have one, or a run's folder",
        )

    def version(self, number: int | None) -> str:
        """Return a version's folder; None means the newest version.

        Raises:
          ConfigError: there is no such version.
        """
        chosen = max(self.versions) if number is None else number
        if chosen not in self.versions:
            raise ConfigError(
                f"there is no version {chosen}",
                where=self.serving,
                expected="one of: " + ", ".join(map(str, sorted(self.versions))),
            )
        return self.versions[chosen]

    @property
    def kept(self) -> list[str]:
        """The run's folders that scores must not be written to, if the versions are in a run."""
        return [] if self.run is None else [self.run.artifacts, self.run.serving]

    def written(self, dataset: str | None) -> SourceOptions | None:
        """Return the format of the files: the dataset's, or the run's; None means the default.

        Args:
          dataset: name or folder of a dataset; None means what the run recorded.

        Raises:
          ConfigError: there is no such dataset, or its pipeline.yaml is wrong.
        """
        if dataset is not None:
            return catalog.read_spec(catalog.find_folder(dataset) / catalog.SPEC_FILE).source
        if self._ingested is None:
            return None
        return sources.loads(str(self._ingested["source"]))

    def columns(self, dataset: str | None) -> tuple[Column, ...]:
        """Return the columns of schema.pbtxt: the dataset's, or the run's; none for a lone model.

        Args:
          dataset: name or folder of a dataset; None means what the run recorded.

        Raises:
          ConfigError: there is no such dataset, or its files are wrong.
        """
        if dataset is not None:
            return catalog.load(dataset).columns
        if self._ingested is None:
            return ()
        return columns.loads(str(self._ingested["columns"]))

    @functools.cached_property
    def _ingested(self) -> Mapping[str, int | float | str] | None:
        """The parameters of the run's ingest when it last succeeded; None if they are unknown."""
        if self.run is None:
            return None
        return lineage.latest_parameters(self.run.metadata, "ingest", "ingest_span")


def runner_of(dataset: str | None) -> Runner:
    """Return the section `runner:` of a dataset's pipeline.yaml; None gives the defaults."""
    if dataset is None:
        return Runner()
    return catalog.read_spec(catalog.find_folder(dataset) / catalog.SPEC_FILE).runner


@contextlib.contextmanager
def on_screen(stage: str, *, quiet: bool = False) -> Iterator[tuple[Screen, Board]]:
    """Show a stage and its imports on the screen, unless quiet; libraries write to a log.

    Yields the screen and the board. The log is one of this process's temporary files, which are
    removed; it is kept after an unexpected failure.

    Raises:
      InterruptedRunError: Ctrl-C was pressed, or SIGTERM sent.
      DataError: a disk is full.
      UnexpectedError: any error other than a `SkewlessError`; names the log.
    """
    quiet_environment()
    with own_folder() as outer, noticing_interrupts() as interrupted:
        handle, log = tempfile.mkstemp(prefix=f"skewless-{stage}-", suffix=".log")
        os.close(handle)
        try:
            with logs.captured(Path(log)) as stream:
                screen: Screen = Silent() if quiet else open_screen(stream)
                with Reporter((IMPORTS, stage), screen) as reporter:
                    yield screen, reporter.board
        except SkewlessError:
            raise
        except (Exception, KeyboardInterrupt) as error:
            if interrupted or isinstance(error, KeyboardInterrupt):
                raise interrupted_by(error, stage, "start it again") from error
            if (lack := shortage(f"{stage} failed", error)) is not None:
                raise lack from error
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


@contextlib.contextmanager
def imports() -> Iterator[None]:
    """Report the imports as a stage; start with TensorFlow and Beam."""
    with progress.stage(IMPORTS):
        tensorflow_runtime.install()
        lean_imports.load(lean_imports.BEAM)
        yield


@contextlib.contextmanager
def until_interrupted() -> Iterator[Interrupts]:
    """Treat SIGTERM and Ctrl-C as the normal end of a stream."""
    with noticing_interrupts() as interrupted:
        try:
            yield interrupted
        except BaseException:
            # A runner that works in this thread turns the interrupt into a RuntimeError.
            if not interrupted:
                raise
