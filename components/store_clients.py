"""The two object stores behind the same few operations, through their providers' own clients.

Goes in: buckets and names of objects. What fails in passing is tried again by the clients' own
retries, or by google.api_core's where boto3 counts attempts instead of seconds
(docs/decisions/0011-own-clients-for-stores.md). Errors are left as the libraries raise them.
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
_PART = 16 << 20  # bytes of an object that are sent at a time


@dataclass(frozen=True)
class Found:
    """An object as its store lists it.

    Attributes:
      name: within its bucket.
      size: in bytes.
      changed: when it was written, in seconds since 1970 by the store's clock.
      content: what tells its content from others: the MD5 where Google keeps one, else the
        generation, and Amazon's ETag.
    """

    name: str
    size: int
    changed: float
    content: str


@dataclass(frozen=True)
class Version:
    """What an object holds at a time.

    Attributes:
      data: the bytes.
      tag: what the store tells this version from others by.
      changed: when it was written, in seconds since 1970 by the store's clock.
    """

    data: bytes
    tag: str
    changed: float


def client(scheme: str, seconds: float) -> Client:
    """Return the store of a scheme, whose operations may fail for so many seconds."""
    _import_quietly()
    names = ("AWS_", "GOOGLE_", "STORAGE_")
    environment = tuple(sorted(v for v in os.environ.items() if v[0].startswith(names)))
    if scheme == "gs://":
        return _Google(_google(os.getpid(), environment), seconds)
    return _Amazon(_amazon(os.getpid(), environment), seconds)


@functools.cache
def _import_quietly() -> None:
    """Import what Google's and Amazon's both need, without Google's words on Python's age."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import google.cloud.storage  # noqa: F401


# A client is made anew after a fork, which connections do not survive, and for other settings.
@functools.lru_cache(maxsize=1)
def _google(process: int, environment: tuple[tuple[str, str], ...]) -> Any:
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud import storage

    logging.getLogger("google.auth").setLevel(logging.ERROR)  # the same in more words
    try:
        return storage.Client(project=None)
    except DefaultCredentialsError:
        if "GOOGLE_APPLICATION_CREDENTIALS" in os.environ:
            raise
        return storage.Client.create_anonymous_client()  # a public bucket wants none


@functools.lru_cache(maxsize=1)
def _amazon(process: int, environment: tuple[tuple[str, str], ...]) -> Any:
    import boto3
    from botocore.config import Config

    # Amazon's own three attempts, with seconds to connect and not a minute
    mode = os.environ.get("AWS_DEFAULTS_MODE", "standard")
    return boto3.session.Session().client("s3", config=Config(defaults_mode=mode))


class _Google:
    """What can be done in `gs://`; the operations of `s3://` are called the same.

    `check` asks once, and does not wait for long. What is `sent` appears when it is whole. Of what
    is `fetched`, `end` is the first byte that is not wanted. An object is `written_if` it is still
    the version of this tag, or still not there if that is None.
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

    def found(self, bucket: str, name: str) -> Found:
        blob = self._blob(bucket, name)
        blob.reload(**self._again)
        return self._found(blob)

    def listed(self, bucket: str, prefix: str) -> Iterator[Found]:
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
        while True:  # a large one takes several calls
            token, _, _ = self._blob(to_bucket, to).rewrite(source, token=token, **self._again)
            if token is None:
                return

    def removed(self, bucket: str, name: str) -> None:
        self._blob(bucket, name).delete(**self._again)

    def version(self, bucket: str, name: str) -> Version:
        blob = self._blob(bucket, name)
        blob.reload(**self._again)  # the tag first: what is written since does not pass for this
        tag, changed = str(blob.generation), blob.updated.timestamp()
        return Version(blob.download_as_bytes(**self._again), tag, changed)

    def written_if(self, bucket: str, name: str, data: bytes, tag: str | None) -> str:
        blob = self._blob(bucket, name)
        blob.upload_from_string(data, if_generation_match=int(tag or 0), **self._again)
        return str(blob.generation)

    @staticmethod
    def _found(blob: Any) -> Found:
        content = blob.md5_hash or f"generation {blob.generation}"
        return Found(blob.name, blob.size, blob.updated.timestamp(), content)


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

    def found(self, bucket: str, name: str) -> Found:
        return self._found({"Key": name, **self._ask("head_object", Bucket=bucket, Key=name)})

    def listed(self, bucket: str, prefix: str) -> Iterator[Found]:
        page: dict[str, Any] = {"NextContinuationToken": None}
        while "NextContinuationToken" in page:
            token = page["NextContinuationToken"]
            more = {"ContinuationToken": token} if token else {}
            page = self._ask("list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            yield from map(self._found, page.get("Contents", ()))

    def _get(self, **arguments: str) -> tuple[Any, bytes]:
        def get() -> tuple[Any, bytes]:
            found = self._client.get_object(**arguments)
            return found, found["Body"].read()

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
        found, data = self._get(Bucket=bucket, Key=name)
        return Version(data, found["ETag"], found["LastModified"].timestamp())

    def written_if(self, bucket: str, name: str, data: bytes, tag: str | None) -> str:
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        return str(self._ask("put_object", Bucket=bucket, Key=name, Body=data, **condition)["ETag"])

    @staticmethod
    def _found(listed: Any) -> Found:
        size = listed["Size"] if "Size" in listed else listed["ContentLength"]
        return Found(listed["Key"], size, listed["LastModified"].timestamp(), listed["ETag"])


Client: TypeAlias = _Google | _Amazon


def _is_passing(error: Exception) -> bool:
    """Return whether what boto3 raises may not come again."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return bool(status == 429 or status >= 500)
    passing = exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError
    return isinstance(error, passing)
