"""Checks what a run needs in Google Cloud, and builds the options of its Dataflow jobs.

`check` needs no Beam and takes about a second. It reports a missing bucket or permission before
anything starts; otherwise a job would fail minutes later.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline import packages
from pipeline.hosts import is_here
from schemas.errors import ConfigError
from schemas.runners import Dataflow

TIMEOUT = 20.0  # seconds
STORAGE = "https://storage.googleapis.com"
SERVICE = "https://dataflow.googleapis.com"
_WHERE = "runner.dataflow"
_REQUIRED = ("project", "region", "temp_location")


def check(section: Dataflow, beam: Sequence[str] = (), paths: Sequence[str] = ()) -> None:
    """Check what a job needs: keys, the workers' package, paths, credentials, bucket, service.

    Args:
      section: the Dataflow section of the configuration.
      beam: options that are passed on to Beam; `--dataflow_endpoint` and `--no_auth` count here.
      paths: what the workers read and write.

    Raises:
      ConfigError: something is missing or refused; has Google's own words and a remedy.
    """
    absent = [key for key in _REQUIRED if getattr(section, key) is None]
    if absent:
        raise ConfigError(
            f"{_WHERE} lacks {', '.join(absent)}",
            remedy=" ".join(f"--set {key}=…" for key in absent) + ", or the same in pipeline.yaml",
        )
    if section.image is None:
        _setup_file(section)
    elif section.setup_file is not None:
        raise ConfigError(
            "the workers get this project twice: by image and by setup_file",
            where=f"{_WHERE}.setup_file",
            remedy="give one of the two; with an image, nothing is installed at a worker's start",
        )
    _check_paths(paths, _endpoint(beam))
    session = _session(no_auth="--no_auth" in beam)
    _check_bucket(section, session)
    _check_service(section, session, _endpoint(beam))


@contextlib.contextmanager
def staged(section: Dataflow) -> Iterator[list[str]]:
    """Yield Beam's options for the jobs of a run, after `check` has passed.

    Without an image, this project's package is built here, once for all jobs of the run, in a
    temporary folder that exists until the block ends.
    """
    with tempfile.TemporaryDirectory(prefix="skewless-package-") as folder:
        own = arguments(section)
        if section.image is None:
            package = packages.build(_setup_file(section), Path(folder))
            pins = Path(folder, "requirements.txt")
            pins.write_text("\n".join(packages.pins("skewless")) + "\n", encoding="utf-8")
            own += [
                f"--extra_package={package}",
                f"--requirements_file={pins}",
                # the workers fetch them themselves; otherwise Beam sends 2 GB with every job
                "--requirements_cache=skip",
                # what an earlier job or run has sent is copied within the bucket
                "--enable_artifact_caching",
            ]
        yield own


def arguments(section: Dataflow) -> list[str]:
    """Return a section as Beam's options."""
    given = {
        "runner": "DataflowRunner",
        "project": section.project,
        "region": section.region,
        "temp_location": section.temp_location,
        "sdk_container_image": section.image,
        "sdk_location": "container" if section.image else None,
        "service_account_email": section.service_account,
        "machine_type": section.machine_type,
        "max_num_workers": section.max_workers,
        "number_of_worker_harness_threads": section.threads,
        "disk_size_gb": section.disk_gb,
    }
    return [f"--{key}={value}" for key, value in given.items() if value is not None]


def job_name(name: str) -> str:
    """Return a name in the form that Dataflow accepts: lower case letters, digits and hyphens."""
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in name.lower())


def _check_paths(paths: Sequence[str], endpoint: str) -> None:
    """Check that workers on Google's machines can reach the files."""
    local = [path for path in paths if not path.startswith("gs://")]
    if local and not is_here(endpoint):
        raise ConfigError(
            f"Dataflow's workers cannot see {local[0]!r}, which is on this machine",
            where="the data, or the folder for the results",
            expected="paths in gs://",
            remedy="copy the data to a bucket (gcloud storage cp), and give an --output there",
        )


def _setup_file(section: Dataflow) -> Path:
    """Return the setup.py from which the workers' package is built."""
    path = Path(section.setup_file) if section.setup_file else packages.own_setup_file()
    if path.is_file():
        return path.resolve()
    if section.setup_file is None:
        raise ConfigError(
            "the workers have no way to this project: it was not started from its checkout, from"
            " which a package could be built",
            where=_WHERE,
            remedy="--set image=… with this project in it (docs/images.md), or --set setup_file=…",
        )
    raise ConfigError(f"there is no {section.setup_file!r}", where=f"{_WHERE}.setup_file")


def _endpoint(beam: Sequence[str]) -> str:
    named = [word.partition("=")[2] for word in beam if word.startswith("--dataflow_endpoint=")]
    return (named[-1] if named else SERVICE).rstrip("/")


def _session(*, no_auth: bool) -> Any:
    """Return an authenticated session of `requests`."""
    import google.auth
    import google.auth.credentials
    import google.auth.exceptions
    from google.auth.transport.requests import AuthorizedSession

    if no_auth:
        return AuthorizedSession(google.auth.credentials.AnonymousCredentials())
    try:
        credentials, _ = google.auth.default(
            scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigError(
            f"there are no credentials for Google Cloud: {str(error).splitlines()[0]}",
            where=_WHERE,
            remedy="gcloud auth application-default login, or name a service account's key file in"
            " GOOGLE_APPLICATION_CREDENTIALS",
        ) from error
    return AuthorizedSession(credentials)


def _check_bucket(section: Dataflow, session: Any) -> None:
    """Check access to the bucket: Beam looks at it before every file that it sends."""
    assert section.temp_location is not None  # checked by check()
    bucket = section.temp_location.removeprefix("gs://").partition("/")[0]
    where = f"{_WHERE}.temp_location"
    base = os.environ.get("STORAGE_EMULATOR_HOST", STORAGE).rstrip("/")
    status, reason = _ask(session, f"{base}/storage/v1/b/{bucket}", where, "Cloud Storage")
    if status == 404:
        raise ConfigError(
            f"there is no bucket {bucket!r}",
            where=where,
            remedy=f"gcloud storage buckets create gs://{bucket} --project={section.project}"
            f" --location={section.region}",
        )
    if status != 200:
        raise ConfigError(
            f"the bucket {bucket!r} is refused: {reason}",
            where=where,
            remedy="let the account that starts the run see the bucket (storage.buckets.get, as in"
            " roles/storage.legacyBucketReader) and write to it (roles/storage.objectUser)",
        )


def _check_service(section: Dataflow, session: Any, endpoint: str) -> None:
    """Check that jobs of the project may be listed, and thereby that the service is enabled."""
    url = f"{endpoint}/v1b3/projects/{section.project}/locations/{section.region}/jobs?pageSize=1"
    where = f"{_WHERE}.project and .region; {endpoint}"
    status, reason = _ask(session, url, where, "Dataflow")
    if status != 200:
        raise ConfigError(
            f"Dataflow refuses {section.project!r} in {section.region!r}: {reason}",
            where=where,
            remedy=f"gcloud services enable dataflow.googleapis.com --project={section.project};"
            " who starts jobs needs roles/dataflow.developer, and roles/iam.serviceAccountUser of"
            " the workers' account",
        )


def _ask(session: Any, url: str, where: str, who: str) -> tuple[int, str]:
    """Return the status of a response, and its error message."""
    import google.auth.exceptions

    try:
        answer = session.get(url, timeout=TIMEOUT)
    except google.auth.exceptions.GoogleAuthError as error:
        raise ConfigError(
            f"Google Cloud does not accept the credentials: {error.args[0]}",
            where=where,
            remedy="gcloud auth application-default login",
        ) from error
    except OSError as error:  # includes the errors of requests
        cause = str(error).rpartition(": ")[2].rstrip("'\")")  # the rest is about Python objects
        raise ConfigError(
            f"{who} cannot be reached: {cause}",
            where=where,
            expected="an answer to this machine",
            remedy="check that this machine reaches Google Cloud: network, proxy, firewall",
        ) from error
    try:
        return answer.status_code, str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.status_code, f"{answer.status_code} {answer.reason}"
