"""Turns exceptions of the object stores' libraries into readable errors that begin with the cause.

Exceptions of google-cloud-storage and boto3 become a `StoreError` with a remedy, or a
FileNotFoundError if only the object does not exist.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator

from schemas.errors import StoreError

NO_ANSWER = "the store does not answer"
_LOGIN = {
    "gs://": "log in with `gcloud auth application-default login`, or name a service account's key"
    " in GOOGLE_APPLICATION_CREDENTIALS; it needs permission to list, read, write and delete"
    " objects",
    "s3://": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to an account with"
    " permission to list, read, write and delete objects",
}
_ENDPOINT = {
    "gs://": "check that storage.googleapis.com can be reached, or the address in"
    " STORAGE_EMULATOR_HOST if that is set",
    "s3://": "check that AWS_REGION is the bucket's, or that the address in AWS_ENDPOINT_URL can be"
    " reached if that is set",
}


class ConditionError(StoreError):
    """An object does not have the expected version."""


def bucket_of(path: str) -> str:
    """Return the bucket in a path.

    Raises:
      StoreError: the path has none.
    """
    match = re.match(r"[a-z0-9]+://([^/]+)", path)
    if match is None:
        raise StoreError("the path has no bucket", where=path, expected=f"{path[:5]}BUCKET/…")
    return match[1]


@contextlib.contextmanager
def readable_errors(path: str) -> Iterator[None]:
    """Turn exceptions of google-cloud-storage and boto3 into readable errors."""
    try:
        yield
    except (StoreError, FileNotFoundError):
        raise
    except Exception as error:
        raise explained(path, error) from error


def explained(path: str, error: Exception) -> StoreError | FileNotFoundError:
    """Return a library's exception as an error with the cause and the remedy."""
    if isinstance(error, ImportError):
        return StoreError(
            f"s3:// needs {error.name}, which is not installed",
            where=path,
            remedy="pip install 'skewless[s3]', also on the workers",
        )
    cause = innermost(error)
    message = f"{type(cause).__name__}: {_words(cause)}"
    scheme, status = path[: len("gs://")], _status(cause)
    if status == 404 and "NoSuchBucket" not in message and not _about_bucket(cause):
        return FileNotFoundError(errno.ENOENT, "no such object", path)
    if status == 404:
        return StoreError(
            f"there is no bucket {bucket_of(path)!r}",
            where=path,
            remedy="correct the path, or create the bucket; this project creates none",
        )
    if status in (409, 412):
        return ConditionError(f"another process wrote this object: {message}", where=path)
    if status in (401, 403) or re.search(r"[Cc]redentials", message):
        return StoreError(f"the store refuses: {message}", where=path, remedy=_LOGIN.get(scheme))
    if status is None:
        return StoreError(f"{NO_ANSWER}: {message}", where=path, remedy=_ENDPOINT.get(scheme))
    return StoreError(f"the store failed: {message}", where=path, remedy="try again later")


def innermost(error: BaseException) -> BaseException:
    """Return the exception that a library's exception wraps."""
    inner = getattr(error, "cause", None)  # of google.api_core's RetryError
    if inner is None and error.args:  # of requests' ConnectionError
        inner = getattr(error.args[0], "reason", None)
    return innermost(inner) if isinstance(inner, BaseException) else error


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of a library's exception."""
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return int(code)
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's ClientError
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return getattr(response, "status_code", None)


def _about_bucket(error: BaseException) -> bool:
    """Return whether a 404 of Google's is that of a listing, or says that the bucket is missing."""
    message = _words(error)
    return "bucket does not exist" in message or bool(
        re.search(r"/o\?|/b/[^/]+\?|uploadType=", message)
    )


def _words(error: BaseException) -> str:
    """Return the first line of an exception's message, which Google's keep in an attribute."""
    text = str(getattr(error, "message", None) or error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or ["no message"])[0][:400]
