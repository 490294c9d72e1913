"""A few hundred real taxi trips and a folder of runs that the end-to-end tests share.

Importing TensorFlow, TFX and Beam costs more than a run of so few rows: most tests call `run` in
this process. Tests share one folder of runs, so that each pays only for what it changes; none
depends on another's having run before it.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis  # noqa: F401  # pytest's last words import it: too late after a run's gc.freeze()
import pytest
import yaml

from components.compat import quiet_environment
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.summary import FILE_NAME, Summary
from schemas import catalog
from schemas.errors import SkewlessError

quiet_environment()

Changes = dict[str, Any]

ROWS = 600
SOURCE = "package://tfx/examples/chicago_taxi_pipeline/data/simple/data.csv"

# The shipped files ask for what 15,000 rows give; these are what 600 do.
SMALL_SPEC: Changes = {
    "evaluation": {
        "thresholds": {
            "auc": {"min": 0.6, "max_loss": None},
            "log_loss": {"max": 1.0, "max_loss": None},
            "calibration_error": {"max": 0.5},
            "beats_baseline": False,
        }
    },
    "model": {"max_epochs": 4, "seed": 42},
}
SMALL_SCHEMA = {"min_fraction: 0.99": "min_fraction: 0.9"}


@dataclass(frozen=True)
class Outcome:
    """What a run came to, and what it ended with."""

    summary: Summary
    error: SkewlessError | None

    @property
    def done(self) -> list[str]:
        """The nodes that ran."""
        return [s.name for s in self.summary.stages if s.state == "done" and s.name != "imports"]

    @property
    def states(self) -> dict[str, str]:
        return {s.name: s.state for s in self.summary.stages if s.name != "imports"}


@pytest.fixture(scope="session")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every 25th taxi trip."""
    shipped = Path(catalog.resolve_path(SOURCE, Path()))
    if not shipped.is_file():
        pytest.skip("the tfx package has no taxi data here")
    path = tmp_path_factory.mktemp("data") / "trips.csv"
    with open(shipped, encoding="utf-8") as file:
        header = next(file)
        path.write_text(header + "".join(itertools.islice(file, 0, ROWS * 25, 25)), "utf-8")
    return path


@pytest.fixture(scope="session")
def make_dataset(csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a dataset's folder: the taxi one, with pipeline.yaml and schema.pbtxt changed.

    `spec` holds keys of pipeline.yaml and their new values, `schema` old text and new.
    """

    def make(
        spec: Changes | None = None, schema: dict[str, str] | None = None, source: Path = csv
    ) -> Path:
        folder, taxi = tmp_path_factory.mktemp("dataset"), catalog.find_folder("taxi")
        values = yaml.safe_load((taxi / "pipeline.yaml").read_text(encoding="utf-8"))
        for changes in ({"source": {"path": str(source)}}, SMALL_SPEC, spec or {}):
            values = merged(values, changes)
        (folder / "pipeline.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
        text = (taxi / "schema.pbtxt").read_text(encoding="utf-8")
        for old, new in {**SMALL_SCHEMA, **(schema or {})}.items():
            assert old in text, f"schema.pbtxt has no {old!r}"
            text = text.replace(old, new)
        (folder / "schema.pbtxt").write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests that share what was run keep their runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def run_dataset(root: Path) -> Callable[..., Outcome]:
    """Run a dataset's folder; an error is part of the outcome."""

    def run_it(folder: Path, output: Path = root, **options: bool) -> Outcome:
        before = set(run_folders(output))
        error = None
        try:
            run(catalog.load(str(folder)), output=str(output), **options)
        except SkewlessError as raised:
            error = raised
        (own,) = set(run_folders(output)) - before
        return Outcome(read_summary(own), error)

    return run_it


@pytest.fixture(scope="session")
def first(make_dataset: Callable[..., Path], run_dataset: Callable[..., Outcome]) -> Outcome:
    """The first run in the shared folder."""
    outcome = run_dataset(make_dataset())
    assert outcome.error is None
    return outcome


@pytest.fixture(scope="session")
def served() -> Callable[[Path], dict[str, bytes]]:
    """Return every file that a server sees in a serving folder, by path."""

    def files(output: Path) -> dict[str, bytes]:
        serving = Folders.of(output, "taxi").serving
        return {
            str(path.relative_to(serving)): path.read_bytes()
            for path in serving.glob("[0-9]*/**/*")
            if path.is_file()
        }

    return files


@pytest.fixture(scope="session")
def last_summary() -> Callable[[Path], Summary]:
    """Return the newest summary below an output folder."""
    return lambda output: read_summary(run_folders(output)[-1])


def merged(values: Changes, changes: Changes) -> Changes:
    """Return values with changes in them, mapping by mapping."""
    return values | {
        key: merged(values.get(key, {}), new) if isinstance(new, dict) else new
        for key, new in changes.items()
    }


def run_folders(output: Path) -> list[Path]:
    return sorted(Folders.of(output, "taxi").runs.glob("*"))


def read_summary(run_folder: Path) -> Summary:
    return Summary.model_validate_json((run_folder / FILE_NAME).read_text(encoding="utf-8"))
