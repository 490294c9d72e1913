"""Which objects a pattern matches, and which failures of boto3 are retried."""

import pytest

from components import store_clients, stores
from components.store_clients import StoredObject

NAMES = ("a/1.csv", "a/b/2.csv", "a/[x].csv", "a/^.csv", "a/folder/", "ab", "b\\c")


class Objects:
    """A store that only lists objects."""

    def found(self, bucket, name):
        if name not in NAMES:
            raise FileNotFoundError(name)
        return StoredObject(name, 1, 2.5, "tag")

    def listed(self, bucket, prefix):
        return (self.found(bucket, name) for name in NAMES if name.startswith(prefix))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a/*", ["a/1.csv", "a/[x].csv", "a/^.csv"]),
        ("a/**", ["a/1.csv", "a/b/2.csv", "a/[x].csv", "a/^.csv"]),
        ("*.csv", []),
        ("a?", ["ab"]),
        ("a?1.csv", []),
        ("a/[x].csv", ["a/[x].csv"]),  # an existing name is taken literally
        ("a/[0-9].csv", ["a/1.csv"]),
        ("a/[!0-9].csv", ["a/^.csv"]),
        ("a/[[]*", ["a/[x].csv"]),
        ("a/[x", []),
        ("b[\\x]c", ["b\\c"]),
        ("a.", []),
        ("none", []),
    ],
)
def test_what_a_pattern_names(monkeypatch, pattern, names):
    monkeypatch.setattr(store_clients, "client", lambda scheme, seconds: Objects())
    found = stores.matched(f"gs://bucket/{pattern}")
    assert found == [(f"gs://bucket/{name}", 1, 2_500_000_000) for name in names]


@pytest.mark.parametrize(
    ("status", "again"), [(400, False), (404, False), (412, False), (429, True), (503, True)]
)
def test_a_busy_store_is_asked_again(status, again):
    exceptions = pytest.importorskip("botocore.exceptions")
    error = exceptions.ClientError({"ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")
    assert store_clients._is_passing(error) is again


def test_missing_answers_are_retried_and_refusals_are_not():
    exceptions = pytest.importorskip("botocore.exceptions")
    assert store_clients._is_passing(exceptions.EndpointConnectionError(endpoint_url="x"))
    assert store_clients._is_passing(exceptions.ReadTimeoutError(endpoint_url="x"))
    assert not store_clients._is_passing(exceptions.NoCredentialsError())
