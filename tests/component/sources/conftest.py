"""A PostgreSQL server for the tests of its tables."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_BINARIES = "/usr/lib/postgresql"


@pytest.fixture(scope="session")
def postgresql():
    """The URL of an empty database on a server of Debian's package postgresql."""
    found = sorted(Path(_BINARIES).glob("*/bin/initdb"))
    if not found:
        pytest.skip(f"needs PostgreSQL, which is not in {_BINARIES}")
    # its server refuses to run as root, and a socket's path has at most 107 characters
    folder = tempfile.mkdtemp(prefix="pg-", dir=tempfile.gettempdir())
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)

    def run(program, *arguments):
        subprocess.run(
            [found[-1].with_name(program), "--pgdata", f"{folder}/data", *arguments],
            check=True, user=user, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )  # fmt: skip

    try:
        run("initdb", "--auth=trust", "--username=ann", "--encoding=UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "start", "--wait", "--options", options, "--log", f"{folder}/log")
        try:
            yield f"postgresql://ann@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder)
