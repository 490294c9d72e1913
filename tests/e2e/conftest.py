"""A few hundred real taxi trips and a folder of runs that the end-to-end tests share.

Importing TensorFlow, TFX and Beam takes longer than a run with so few rows, so most tests call
`run` in this process. Tests share one folder of runs, so that each computes only what it changes;
no test depends on another one having run before it.
"""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import lean_imports
from components.compat import quiet_environment
from components.parity.proof import Proof
from pipeline.folders import Folders
from pipeline.run import run
from pipeline.summary import FILE_NAME, Summary
from schemas import catalog
from schemas.errors import SkewlessError

quiet_environment()

Changes = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
ROWS = 600
NEWEST = 3  # version that the server has
SOURCE = "package://tfx/examples/chicago_taxi_pipeline/data/simple/data.csv"

# The shipped thresholds are for 15,000 rows; these are for 600.
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
    """The summary of a run, and its error."""

    summary: Summary
    error: SkewlessError | None

    @property
    def done(self) -> list[str]:
        """The nodes that ran."""
        return [s.name for s in self.summary.stages if s.state == "done" and s.name != "imports"]

    @property
    def states(self) -> dict[str, str]:
        return {s.name: s.state for s in self.summary.stages if s.name != "imports"}


def pytest_pycollect_makemodule() -> None:
    """Import the libraries as a run does; a process that only distributes tests does not."""
    lean_imports.load(lean_imports.TENSORFLOW, lean_imports.BEAM, lean_imports.TFX)


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
    """Make a dataset's folder: the taxi one, with changes to pipeline.yaml and schema.pbtxt.

    `spec` has keys of pipeline.yaml and their new values, `schema` old text and new text.
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
    """The folder of the runs that tests share."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def run_dataset(root: Path) -> Callable[..., Outcome]:
    """Run a dataset's folder; an error is part of the outcome."""

    def run_it(folder: Path, output: Path = root, **options: Any) -> Outcome:
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
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for temporary files of the first run."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="session")
def first(
    make_dataset: Callable[..., Path], run_dataset: Callable[..., Outcome], temporary: Path
) -> Outcome:
    """The first run in the shared folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        patch.setenv("TMPDIR", str(temporary))
        outcome = run_dataset(make_dataset())
    assert outcome.error is None
    return outcome


@pytest.fixture
def proof_of_the_first(first: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the first run's proof for other runs, whose tests are about something else."""
    from components.parity import component

    proof = Proof.model_validate(first.summary.parity)

    def prove(*, output: str, **_: Any) -> Proof:
        proof.write(output)
        return proof

    monkeypatch.setattr(component, "prove", prove)


@pytest.fixture(scope="session")
def served() -> Callable[[Path], dict[str, bytes]]:
    """Return every file that a server can see in a serving folder, by path."""

    def files(output: Path) -> dict[str, bytes]:
        serving = Path(Folders.of(output, "taxi").serving)
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


@pytest.fixture(scope="session")
def served_run(first, root, tmp_path_factory):
    """A copy of the first run's folder with versions 1, 2 and 3."""
    run = tmp_path_factory.mktemp("served") / "runs" / "taxi"
    shutil.copytree(root / "taxi", run)
    for path in (run / "serving").iterdir():  # versions that other tests have pushed since
        if path.name.isdigit() and int(path.name) > 1:
            shutil.rmtree(path)
    for version in range(2, NEWEST + 1):
        shutil.copytree(run / "serving/1", run / f"serving/{version}")
    return run


@pytest.fixture(scope="session")
def pushed_server(served_run):
    """The command as the pages start it, at free ports, with its request log beside the run."""
    logs = served_run.parent.parent / "logs"
    serve = [sys.executable, "-m", "pipeline.cli", "serve", "runs/taxi", "--port", "0"]
    process = subprocess.Popen(
        [*serve, "--grpc-port", "0", "--label", f"stable={NEWEST}", "--request-log", str(logs)],
        cwd=served_run.parent.parent,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            printed = "".join(process.stdout.readline() for _ in range(3))
            found = re.search(
                r"http://127\.0\.0\.1:(\d+)/v1.*gRPC at 127\.0\.0\.1:(\d+)", printed, re.S
            )
            assert found, printed
            ask_an_example(int(found[1]), served_run)
            wait_for_log(logs)
            yield printed, {"8501": found[1], "8500": found[2]}
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 0


def ask_an_example(port, run):
    """Send the example of model.json, so that the request log has an entry."""
    described = json.loads((run / f"serving/{NEWEST}/model.json").read_text(encoding="utf-8"))
    missing = {"BYTES": "", "INT": float("nan"), "FLOAT": float("nan")}
    row = {
        column["name"]: missing[column["kind"]] if column["example"] is None else column["example"]
        for column in described["inputs"]
    }
    body = json.dumps({"signature_name": "predict", "instances": [row]}).encode()
    url = f"http://127.0.0.1:{port}/v1/models/taxi:predict"
    with urllib.request.urlopen(url, body, timeout=60) as response:
        assert response.status == 200


def wait_for_log(folder):
    deadline = time.monotonic() + 30
    while not any(path.stat().st_size for path in folder.glob("*.tfrecord*")):
        assert time.monotonic() < deadline, "nothing was logged"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Headless Chromium, of Debian's packages chromium and chromium-driver."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    driver = shutil.which("chromedriver")
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or binary is None:
        pytest.skip("needs chromium and chromedriver on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless=new",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
        "--window-size=1280,1000",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root with it
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield browser
    browser.quit()


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
