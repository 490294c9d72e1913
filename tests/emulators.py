"""Object stores on this machine: emulators of gs:// and s3:// as processes of their own."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.hosts import listens
from tests.engines.processes import Server, free_ports, wait_for

BUCKET = "bucket"
ROOTS = (f"gs://{BUCKET}", f"s3://{BUCKET}")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[None]:
    """Run both emulators, each with an empty bucket, and point this process to them."""
    google, amazon = (f"localhost:{port}" for port in free_ports(2))
    servers = [
        Server(
            [
                *(sys.executable, "-m", "gcp_storage_emulator", "start", "--in-memory"),
                *("--port", google.partition(":")[2], "--default-bucket", BUCKET),
            ],
            folder / "google.log",
        ),
        Server(
            [sys.executable, "-m", "moto.server", "-p", amazon.partition(":")[2]],
            folder / "amazon.log",
        ),
    ]
    with pytest.MonkeyPatch.context() as patch:
        point_to(patch, google, amazon)
        try:
            wait_for("the emulators", lambda: listens(google) and listens(amazon), servers, 60)
            _make_bucket()
            yield
        finally:
            for server in servers:
                server.stop()


def point_to(patch: pytest.MonkeyPatch, google: str, amazon: str) -> None:
    """Have Google's and Amazon's clients ask these places, given as HOST:PORT."""
    patch.setenv("STORAGE_EMULATOR_HOST", f"http://{google}")
    patch.setenv("AWS_ENDPOINT_URL", f"http://{amazon}")
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _make_bucket() -> None:
    import boto3

    boto3.client("s3").create_bucket(Bucket=BUCKET)
