"""Object stores on this machine: emulators of gs:// and s3://, as separate processes."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.hosts import listens
from tests.engines.processes import Server, free_ports, wait_for

BUCKET = "bucket"
ROOTS = (f"gs://{BUCKET}", f"s3://{BUCKET}")
# For tests whose subject does not differ between stores.
in_google, in_amazon = (pytest.mark.parametrize("store", [r], indirect=True) for r in ROOTS)
_GOOGLE = str(Path(__file__).with_name("google_store.py"))


class Emulator:
    """A store that can stop and restart; Google's keeps its objects."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        (self._port,) = free_ports(1)
        self.address = f"localhost:{self._port}"
        self._command = [sys.executable, *command, str(self._port)]
        self._log = log
        self._server: Server | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        server = self._server = Server(self._command, self._log)
        wait_for(self._log.stem, lambda: listens(self.address), [server], 60)

    def stop(self) -> None:
        """Stop it: connections are refused, and pending requests are cut off."""
        if self._server is not None:
            self._server.stop(signal.SIGKILL)
            self._server = None


@dataclass(frozen=True)
class Emulators:
    """Both stores."""

    google: Emulator
    amazon: Emulator


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Emulators]:
    """Run both emulators, each with an empty bucket, and direct this process to them."""
    google = [_GOOGLE, "start", "--default-bucket", BUCKET, "--port"]
    both = Emulators(
        Emulator(google, folder / "google.log"),  # keeps objects in a folder beside its log
        Emulator(["-m", "moto.server", "-p"], folder / "amazon.log"),
    )
    with pytest.MonkeyPatch.context() as patch:
        point_to(patch, both.google.address, both.amazon.address)
        try:
            both.google.start()
            both.amazon.start()
            _make_bucket()
            yield both
        finally:
            both.google.stop()
            both.amazon.stop()


def point_to(patch: pytest.MonkeyPatch, google: str, amazon: str) -> None:
    """Direct Google's and Amazon's clients to these addresses, given as HOST:PORT."""
    patch.setenv("STORAGE_EMULATOR_HOST", f"http://{google}")
    patch.setenv("AWS_ENDPOINT_URL", f"http://{amazon}")
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _make_bucket() -> None:
    import boto3

    boto3.client("s3").create_bucket(Bucket=BUCKET)
