"""Servers of PostgreSQL and MariaDB for the tests of their tables."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
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


@pytest.fixture(scope="session")
def mysql():
    """The URL of an empty database on a server of Debian's package mariadb-server."""
    server, install = shutil.which("mariadbd", path="/usr/sbin"), shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip("needs MariaDB: apt-get install mariadb-server")
    folder = tempfile.mkdtemp(prefix="mariadb-", dir=tempfile.gettempdir())
    user = "mysql" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    common = ["--no-defaults", f"--datadir={folder}/data", *([f"--user={user}"] if user else [])]
    quiet = subprocess.DEVNULL
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    subprocess.run(
        [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet,
    )  # fmt: skip
    running = subprocess.Popen(
        [server, *common, f"--socket={folder}/socket", f"--pid-file={folder}/pid",
         "--bind-address=127.0.0.1", f"--port={port}", "--innodb-flush-log-at-trx-commit=0"],
        cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet,
    )  # fmt: skip
    try:
        execute = _MySqlStatements(port)
        deadline = time.monotonic() + 60
        while not execute.works("CREATE DATABASE d"):
            assert running.poll() is None, "MariaDB has ended"
            assert time.monotonic() < deadline, "MariaDB does not start"
            time.sleep(0.1)
        yield f"mysql://root@127.0.0.1:{port}/d", execute
    finally:
        running.kill()
        running.wait()
        shutil.rmtree(folder)


class _MySqlStatements:
    """Executes statements by the server's own client."""

    def __init__(self, port: int) -> None:
        self._command = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{port}", "-uroot"]

    def works(self, statement: str) -> bool:
        """Return whether a statement succeeds."""
        command = [*self._command, "-e", statement]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def __call__(self, statements: str) -> None:
        """Execute statements in the database `d`."""
        subprocess.run([*self._command, "d", "-e", statements], check=True)
