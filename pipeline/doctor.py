"""`skewless doctor`: shows what is in use on this machine, and whether it fits.

Reads the system and the metadata of installed packages; imports nothing heavy. `--deep` also loads
the libraries, in a separate process, to find what shows only then.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from pipeline import answers

GIB = 1 << 30
LIBRARIES = (
    "tensorflow",
    "keras",
    "tfx",
    "tensorflow-transform",
    "tensorflow-data-validation",
    "tfx-bsl",
    "ml-metadata",
    "apache-beam",
    "pyarrow",
    "numpy",
    "protobuf",
)
# What --deep loads: everything that a run loads.
MODULES = (
    "tensorflow",
    "keras",
    "apache_beam",
    "tensorflow_data_validation",
    "tensorflow_transform",
    "tfx.orchestration.local.local_dag_runner",
)


@dataclass(frozen=True)
class Line:
    """A dependency line: the Python versions and the glibc that its wheels are built for."""

    name: str
    pythons: tuple[tuple[int, int], ...]
    glibc: tuple[int, int]


LINES = (
    Line("current", ((3, 12), (3, 13)), (2, 39)),
    Line("compatible", ((3, 10),), (2, 17)),
)


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
      what: its name.
      found: what is in use.
      expected: what would fit; empty if there is no requirement.
      verdict: "ok"; "warn", it works for small data; "bad", a run will fail.
      remedy: what to do unless it is ok.
    """

    what: str
    found: str
    expected: str = ""
    verdict: Literal["ok", "warn", "bad"] = "ok"
    remedy: str = ""


@click.command()
@click.option("--deep", is_flag=True, help="Also load the libraries, in a separate process.")
@click.option(
    "--output",
    default="runs",
    show_default=True,
    metavar="ROOT",
    help="The folder for runs, whose disk is checked.",
)
@answers.option
@click.pass_context
def command(ctx: click.Context, deep: bool, output: str, as_json: bool) -> None:
    """Show which versions, memory and disk are in use and whether each fits."""
    checks = [*check_all(Path(output)), *(check_loading() if deep else ())]
    if as_json:
        answers.show([asdict(check) for check in checks])
    else:
        for line in table(checks):
            click.echo(line)
        for check in checks:
            if check.verdict != "ok":
                click.echo(f"{check.verdict}: {check.what}: {check.remedy}")
    ctx.exit(1 if any(check.verdict == "bad" for check in checks) else 0)


def check_all(output: Path) -> Iterator[Check]:
    """Check the interpreter, the system, the libraries, and free memory and disk."""
    version = sys.version_info[:2]
    line = line_for(version)
    yield check_line(version, line)
    yield check_glibc(platform.libc_ver(), line)
    yield check_processor(_processor_flags(), os.cpu_count() or 1)
    ranges = required_ranges()
    for name in LIBRARIES:
        yield check_library(name, _installed(name), ranges.get(name, ""))
    yield check_memory(_memory_limit())
    yield check_disk(_existing(output), shutil.disk_usage(_existing(output)).free)


def line_for(version: tuple[int, int]) -> Line | None:
    """Return the dependency line of a Python version, or None."""
    return next((line for line in LINES if version in line.pythons), None)


def check_line(version: tuple[int, int], line: Line | None) -> Check:
    """Check that a dependency line supports this Python."""
    found = ".".join(map(str, version))
    if line is None:
        pythons = sorted(p for line in LINES for p in line.pythons)
        expected = ", ".join(".".join(map(str, p)) for p in pythons)
        return Check("python", found, expected, "bad", f"make the environment with {expected}")
    return Check("python", f"{found}, the {line.name} line")


def check_glibc(libc: tuple[str, str], line: Line | None) -> Check:
    """Check that the system's C library can load the line's wheels."""
    found = " ".join(filter(None, libc)) or "unknown"
    least = (line or LINES[-1]).glibc
    expected = f"glibc >= {least[0]}.{least[1]}"
    if libc[0] != "glibc":
        return Check(
            "libc", found, expected, "bad", "use a distribution with glibc, such as Debian"
        )
    if tuple(map(int, libc[1].split(".")[:2])) < least:
        remedy = "use Python 3.10 here (the compatible line), or a newer distribution"
        return Check("libc", found, expected, "bad", remedy)
    return Check("libc", found, expected)


def check_processor(flags: frozenset[str] | None, cores: int) -> Check:
    """Check that the processor has the instructions that TensorFlow's wheels use."""
    found = f"{platform.machine()}, {cores} cores"
    if platform.machine() == "x86_64" and flags is not None and "avx" not in flags:
        remedy = "TensorFlow's wheels need AVX: use another machine"
        return Check("processor", found, "AVX", "bad", remedy)
    return Check("processor", found)


def required_ranges() -> dict[str, str]:
    """Return the version range of each library: our own requirement, otherwise that of tfx."""
    ranges: dict[str, str] = {}
    for distribution in ("tfx", "skewless"):
        ranges |= _ranges_of(distribution)
    return ranges


def _ranges_of(distribution: str) -> dict[str, str]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    try:
        texts = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    requirements = [Requirement(text) for text in texts]
    return {
        canonicalize_name(r.name): str(r.specifier)
        for r in requirements
        if r.marker is None or r.marker.evaluate({"extra": ""})
    }


def check_library(name: str, version: str | None, expected: str) -> Check:
    """Check an installed version against its range; `version` None means it is not installed."""
    from packaging.specifiers import SpecifierSet

    remedy = "rebuild the environment: `make bootstrap`, or `pip install .`"
    if version is None:
        return Check(name, "not installed", expected, "bad", remedy)
    if not SpecifierSet(expected).contains(version, prereleases=True):
        return Check(name, version, expected, "bad", remedy)
    return Check(name, version, expected)


def check_memory(available: int) -> Check:
    """Check the free memory, in bytes."""
    found, expected = f"{available / GIB:.1f} GiB free", ">= 4 GiB"
    if available < 2 * GIB:
        return Check("memory", found, expected, "bad", "TensorFlow and Beam need 2 GiB: free some")
    if available < 4 * GIB:
        return Check("memory", found, expected, "warn", "enough for some 100,000 rows")
    return Check("memory", found, expected)


def check_disk(folder: Path, free: int) -> Check:
    """Check the free space, in bytes, on the disk of `folder`."""
    found, expected = f"{free / GIB:.1f} GiB free at {folder}", ">= 5 GiB"
    remedy = "free some, or keep runs elsewhere with --output"
    if free < GIB:
        return Check("disk", found, expected, "bad", remedy)
    if free < 5 * GIB:
        return Check("disk", found, expected, "warn", remedy)
    return Check("disk", found, expected)


def check_loading() -> Iterator[Check]:
    """Load each library in a fresh process, so that a crash does not end this one."""
    click.echo("loading the libraries…", err=True)
    code = "\n".join(
        [
            "import time",
            "from components.compat import quiet_environment",
            "quiet_environment()",
            *(
                f"t = time.monotonic(); import {m}; print({m!r}, time.monotonic() - t, flush=True)"
                for m in MODULES
            ),
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    seconds: Mapping[str, str] = dict(
        line.split(" ", 1) for line in done.stdout.splitlines() if line.count(" ") == 1
    )
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    for module in MODULES:
        if module not in seconds:
            yield Check(f"import {module}", last, "", "bad", "rebuild the environment")
            return
        yield Check(f"import {module}", f"{float(seconds[module]):.1f} s")


def table(checks: list[Check]) -> list[str]:
    """Return the checks as aligned lines."""
    rows = [(c.verdict, c.what, c.found, c.expected) for c in checks]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return ["  ".join([*map(str.ljust, row, widths), row[3]]).rstrip() for row in rows]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor_flags() -> frozenset[str] | None:
    """Return the processor's flags as Linux reports them; None on other systems."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return None
    lines = [line for line in text.splitlines() if line.startswith("flags")]
    return frozenset(lines[0].split()) if lines else None


def _memory_limit() -> int:
    """Return the bytes that this process may still allocate: of the machine or its container."""
    import psutil

    available: int = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return available
    return available if limit == "max" else min(available, int(limit) - used)


def _existing(folder: Path) -> Path:
    """Return the folder or its nearest existing parent."""
    folder = folder.resolve()
    return next(path for path in (folder, *folder.parents) if path.exists())
