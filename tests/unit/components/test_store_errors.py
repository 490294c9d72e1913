import pytest

from components import store_errors
from schemas.errors import StoreError


class RefusedError(Exception):
    """Like Google's exceptions: an HTTP status and a message."""

    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class GivenUpError(Exception):
    """Like the exception in which Google's retries wrap the last error."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("Timeout of 60s exceeded")
        self.cause = cause


@pytest.mark.parametrize(
    ("path", "error", "what", "remedy"),
    [
        (
            "gs://b/a",
            RefusedError(404, "GET http://x/storage/v1/b/b/o?prefix=a"),
            "no bucket 'b'",
            "path",
        ),
        (
            "s3://b/a",
            RefusedError(404, "An error occurred (NoSuchBucket)"),
            "no bucket 'b'",
            "path",
        ),
        (
            "gs://b/a",
            RefusedError(401, "Anonymous caller"),
            "refuses: RefusedError: Anonymous",
            "gcloud",
        ),
        (
            "s3://b/a",
            RefusedError(None, "Unable to locate credentials"),
            "refuses",
            "AWS_ACCESS_KEY_ID",
        ),
        ("gs://b/a", ConnectionError("refused\nmore"), "does not answer", "storage.googleapis.com"),
        ("s3://b/a", TimeoutError("late"), "does not answer: TimeoutError: late", "AWS_REGION"),
        ("gs://b/a", RefusedError(503, "busy"), "the store failed: RefusedError: busy", "again"),
    ],
)
def test_a_stores_error_begins_with_the_cause(path, error, what, remedy):
    for said in (error, GivenUpError(error)):
        readable = store_errors.explained(path, said)
        assert isinstance(readable, StoreError)
        assert what in readable.what
        assert "\n" not in readable.what
        assert readable.where == path
        assert remedy in (readable.remedy or "")


def test_an_object_that_is_not_there_is_a_file_that_is_not_there():
    said = RefusedError(
        404, "GET http://x/download/storage/v1/b/b/o/name?alt=media: no such object"
    )
    readable = store_errors.explained("gs://b/name", said)
    assert isinstance(readable, FileNotFoundError)
    assert readable.filename == "gs://b/name"


@pytest.mark.parametrize("path", ["gs://", "s3:///a"])
def test_a_path_without_a_bucket_is_refused(path):
    with pytest.raises(StoreError, match="has no bucket"):
        store_errors.bucket_of(path)
