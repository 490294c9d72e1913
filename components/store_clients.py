"""The same few operations for both object stores, with their providers' clients.

Temporary failures are retried by the clients, or by google.api_core because boto3 counts attempts
instead of seconds (docs/decisions/0011-own-clients-for-stores.md). Errors are raised as the
libraries raise them.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, TypeAlias

_LONGEST_PAUSE = 5.0  # seconds between two attempts
_PART = 16 << 20  # bytes of an object that are sent at once


@dataclass(frozen=True)
class StoredObject:
    """An object in a store's listing.

    Attributes:
      name: its name in the bucket.
      size: its size in bytes.
      changed: the time of the last change, in seconds since 1970 by the store's clock.
      content: identifies the content: Google's MD5 if there is one, otherwise the generation; or
        Amazon's ETag.
    """

    name: str
    size: int
    changed: float
    content: str


@dataclass(frozen=True)
class Version:
    """A version of an object.

    Attributes:
      data: its bytes.
      tag: the store's identifier for this version.
      changed: the time of the change, in seconds since 1970 by the store's clock.
    """

    data: bytes
    tag: str
    changed: float


def client(scheme: str, seconds: float) -> Client:
    """Return the client for a scheme, whose operations are retried for so many seconds."""
    _import_quietly()
    names = ("AWS_", "GOOGLE_", "STORAGE_")
    environment = tuple(sorted(v for v in os.environ.items() if v[0].startswith(names)))
    if scheme == "gs://":
        return _Google(_google(os.getpid(), environment), seconds)
    return _Amazon(_amazon(os.getpid(), environment), seconds)


@functools.cache
def _import_quietly() -> None:
    """Import what Google's and Amazon's clients need, without Google's warning about Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import google.cloud.storage  # noqa: F401


# A new client is created after a fork, which connections do not survive, and for other settings.
@functools.lru_cache(maxsize=1)
def _google(process: int, environment: tuple[tuple[str, str], ...]) -> Any:
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud import storage

    logging.getLogger("google.auth").setLevel(logging.ERROR)  # it repeats the error in detail
    try:
        return storage.Client(project=None)
    except DefaultCredentialsError:
        if "GOOGLE_APPLICATION_CREDENTIALS" in os.environ:
            raise
        return storage.Client.create_anonymous_client()  # public buckets need no credentials


@functools.lru_cache(maxsize=1)
def _amazon(process: int, environment: tuple[tuple[str, str], ...]) -> Any:
    import boto3
    from botocore.config import Config

    # Amazon's default of three attempts, but with seconds to connect rather than a minute
    mode = os.environ.get("AWS_DEFAULTS_MODE", "standard")
    return boto3.session.Session().client("s3", config=Config(defaults_mode=mode))


class _Google:
    """Operations for `gs://`; those for `s3://` have the same names.

    `check` sends one request, with a short timeout. `sent` objects appear atomically. The `end` of
    `fetched` is exclusive. `written_if` writes an object if it still has the version of this tag,
    or still does not exist if the tag is None.
    """

    def __init__(self, made: Any, seconds: float) -> None:
        from google.cloud.storage.retry import DEFAULT_RETRY

        self._client = made
        retry = DEFAULT_RETRY.with_timeout(seconds).with_delay(maximum=_LONGEST_PAUSE)
        self._again = {"retry": retry}

    def _blob(self, bucket: str, name: str) -> Any:
        return self._client.bucket(bucket).blob(name)

    def check(self, bucket: str) -> None:
        next(iter(self._client.list_blobs(bucket, max_results=1, timeout=10, retry=None)), None)

    def found(self, bucket: str, name: str) -> StoredObject:
        blob = self._blob(bucket, name)
        blob.reload(**self._again)
        return self._found(blob)

    def listed(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        return map(self._found, self._client.list_blobs(bucket, prefix=prefix, **self._again))

    def fetched(self, bucket: str, name: str, start: int, end: int) -> bytes:
        blob = self._blob(bucket, name)
        return bytes(blob.download_as_bytes(start=start, end=end - 1, **self._again))

    def sent(self, bucket: str, name: str, file: IO[bytes]) -> None:
        self._client.bucket(bucket).blob(name, chunk_size=_PART).upload_from_file(
            file, **self._again
        )

    def copied(self, bucket: str, name: str, to_bucket: str, to: str) -> None:
        source, token = self._blob(bucket, name), None
        while True:  # a large object takes several calls
            token, _, _ = self._blob(to_bucket, to).rewrite(source, token=token, **self._again)
            if token is None:
                return

    def removed(self, bucket: str, name: str) -> None:
        self._blob(bucket, name).delete(**self._again)

    def version(self, bucket: str, name: str) -> Version:
        blob = self._blob(bucket, name)
        blob.reload(**self._again)  # the tag first, so that it never belongs to older data
        tag, changed = str(blob.generation), blob.updated.timestamp()
        return Version(blob.download_as_bytes(**self._again), tag, changed)

    def written_if(self, bucket: str, name: str, data: bytes, tag: str | None) -> str:
        blob = self._blob(bucket, name)
        blob.upload_from_string(data, if_generation_match=int(tag or 0), **self._again)
        return str(blob.generation)

    @staticmethod
    def _found(blob: Any) -> StoredObject:
        content = blob.md5_hash or f"generation {blob.generation}"
        return StoredObject(blob.name, blob.size, blob.updated.timestamp(), content)


class _Amazon:
    def __init__(self, made: Any, seconds: float) -> None:
        from google.api_core.retry import Retry

        self._client = made
        self._again = Retry(_is_passing, maximum=_LONGEST_PAUSE, timeout=seconds)

    def _ask(self, operation: str, **arguments: Any) -> Any:
        return self._again(getattr(self._client, operation))(**arguments)

    def check(self, bucket: str) -> None:
        import boto3
        from botocore.config import Config

        once = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=10)
        made = boto3.session.Session().client("s3", config=once)
        made.list_objects_v2(Bucket=bucket, MaxKeys=1)

    def found(self, bucket: str, name: str) -> StoredObject:
        return self._found({"Key": name, **self._ask("head_object", Bucket=bucket, Key=name)})

    def listed(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        page: dict[str, Any] = {"NextContinuationToken": None}
        while "NextContinuationToken" in page:
            token = page["NextContinuationToken"]
            more = {"ContinuationToken": token} if token else {}
            page = self._ask("list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            yield from map(self._found, page.get("Contents", ()))

    def _get(self, **arguments: str) -> tuple[Any, bytes]:
        def get() -> tuple[Any, bytes]:
            response = self._client.get_object(**arguments)
            return response, response["Body"].read()

        return self._again(get)()

    def fetched(self, bucket: str, name: str, start: int, end: int) -> bytes:
        return self._get(Bucket=bucket, Key=name, Range=f"bytes={start}-{end - 1}")[1]

    def sent(self, bucket: str, name: str, file: IO[bytes]) -> None:
        at = {"Bucket": bucket, "Key": name}
        data = file.read(_PART)
        if len(data) < _PART:
            self._ask("put_object", **at, Body=data)
            return
        at["UploadId"] = self._ask("create_multipart_upload", **at)["UploadId"]
        try:
            parts: list[dict[str, Any]] = []
            while data:
                number = len(parts) + 1
                done = self._ask("upload_part", **at, PartNumber=number, Body=data)
                parts.append({"PartNumber": number, "ETag": done["ETag"]})
                data = file.read(_PART)
            self._ask("complete_multipart_upload", **at, MultipartUpload={"Parts": parts})
        except BaseException:
            with contextlib.suppress(Exception):  # the store may be what has failed
                self._client.abort_multipart_upload(**at)
            raise

    def copied(self, bucket: str, name: str, to_bucket: str, to: str) -> None:
        self._ask("copy", CopySource={"Bucket": bucket, "Key": name}, Bucket=to_bucket, Key=to)

    def removed(self, bucket: str, name: str) -> None:
        self._ask("delete_object", Bucket=bucket, Key=name)

    def version(self, bucket: str, name: str) -> Version:
        response, data = self._get(Bucket=bucket, Key=name)
        return Version(data, response["ETag"], response["LastModified"].timestamp())

    def written_if(self, bucket: str, name: str, data: bytes, tag: str | None) -> str:
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        return str(self._ask("put_object", Bucket=bucket, Key=name, Body=data, **condition)["ETag"])

    @staticmethod
    def _found(listed: Any) -> StoredObject:
        size = listed["Size"] if "Size" in listed else listed["ContentLength"]
        return StoredObject(listed["Key"], size, listed["LastModified"].timestamp(), listed["ETag"])


Client: TypeAlias = _Google | _Amazon


def _is_passing(error: Exception) -> bool:
    """Return whether an exception of boto3 is temporary."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return bool(status == 429 or status >= 500)
    passing = exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError
    return isinstance(error, passing)
