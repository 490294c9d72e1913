"""What the libraries of object stores raise → what a person can read, the cause first.

Goes in: exceptions of google-cloud-storage and boto3. Comes out: a `StoreError` with a
remedy, or a FileNotFoundError where there is just no such object.
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
    " in GOOGLE_APPLICATION_CREDENTIALS; it needs leave to list, read, write and delete objects",
    "s3://": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to someone with"
    " leave to list, read, write and delete objects",
}
_ENDPOINT = {
    "gs://": "see that storage.googleapis.com can be reached, or the place in STORAGE_EMULATOR_HOST"
    " if that is set",
    "s3://": "see that AWS_REGION is the bucket's, or that the place in AWS_ENDPOINT_URL can be"
    " reached if that is set",
}


class ConditionError(StoreError):
    """An object is not the version that it was to be."""


def bucket_of(path: str) -> str:
    """Return the bucket of a path.

    Raises:
      StoreError: the path names none.
    """
    found = re.match(r"[a-z0-9]+://([^/]+)", path)
    if found is None:
        raise StoreError("the path names no bucket", where=path, expected=f"{path[:5]}BUCKET/…")
    return found[1]


@contextlib.contextmanager
def told(path: str) -> Iterator[None]:
    """Raise what google-cloud-storage and boto3 raise as what a person can read."""
    try:
        yield
    except (StoreError, FileNotFoundError):
        raise
    except Exception as error:
        raise explained(path, error) from error


def explained(path: str, error: Exception) -> StoreError | FileNotFoundError:
    """Return what a store's library said as an error that names the cause and the remedy."""
    if isinstance(error, ImportError):
        return StoreError(
            f"s3:// needs {error.name}, which is not installed",
            where=path,
            remedy="pip install 'skewless[s3]', on the workers, too",
        )
    cause = innermost(error)
    said = f"{type(cause).__name__}: {_words(cause)}"
    scheme, status = path[: len("gs://")], _status(cause)
    if status == 404 and "NoSuchBucket" not in said and not _about_bucket(cause):
        return FileNotFoundError(errno.ENOENT, "no such object", path)
    if status == 404:
        return StoreError(
            f"there is no bucket {bucket_of(path)!r}",
            where=path,
            remedy="correct the path, or make the bucket; this project makes none",
        )
    if status in (409, 412):
        return ConditionError(f"somebody else wrote this object: {said}", where=path)
    if status in (401, 403) or re.search(r"[Cc]redentials", said):
        return StoreError(f"the store refuses: {said}", where=path, remedy=_LOGIN.get(scheme))
    if status is None:
        return StoreError(f"{NO_ANSWER}: {said}", where=path, remedy=_ENDPOINT.get(scheme))
    return StoreError(f"the store failed: {said}", where=path, remedy="try again later")


def innermost(error: BaseException) -> BaseException:
    """Return the exception that a library wraps."""
    inner = getattr(error, "cause", None)  # of google.api_core's RetryError
    if inner is None and error.args:  # of requests' ConnectionError
        inner = getattr(error.args[0], "reason", None)
    return innermost(inner) if isinstance(inner, BaseException) else error


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that a library's exception holds."""
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return int(code)
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's ClientError
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return getattr(response, "status_code", None)


def _about_bucket(error: BaseException) -> bool:
    """Return whether a 404 of Google's is that of a listing, or says that it is the bucket's."""
    said = _words(error)
    return "bucket does not exist" in said or bool(re.search(r"/o\?|/b/[^/]+\?|uploadType=", said))


def _words(error: BaseException) -> str:
    """Return the first line that an exception says; Google's keep their text apart."""
    text = str(getattr(error, "message", None) or error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or ["no message"])[0][:400]
