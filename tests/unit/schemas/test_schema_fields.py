"""Every field of the schema proto is accepted by the table, or refused by name."""

from collections.abc import Iterator
from typing import Any

import pytest
from tensorflow_metadata.proto.v0 import schema_pb2

from schemas.schema_fields import ACCEPTED, unused_fields

Field = tuple[str, ...]


def fields(message: Any, path: Field = ()) -> Iterator[Field]:
    """Yield every field of a message type, and the fields of accepted ones."""
    for field in message.fields:
        at = (*path, field.name)
        dotted = ".".join(at)
        yield at
        if any(accepted.startswith(f"{dotted}.") for accepted in ACCEPTED):
            yield from fields(field.message_type, at)


def with_field(path: Field) -> Any:
    """Return a schema with one field set to its default, or to an empty message."""
    schema = schema_pb2.Schema()
    message: Any = schema
    for name in path[:-1]:
        value = getattr(message, name)
        message = value.add() if hasattr(value, "add") else value
    last = message.DESCRIPTOR.fields_by_name[path[-1]]
    value = getattr(message, last.name)
    if hasattr(value, "add"):
        value.add()
    elif last.message_type is not None and hasattr(value, "SetInParent"):
        value.SetInParent()
    elif last.message_type is not None:  # a map
        value["key"].SetInParent()
    elif hasattr(value, "append"):
        value.append("")
    else:
        setattr(message, last.name, value)
    return schema


ALL = list(fields(schema_pb2.Schema.DESCRIPTOR))


def test_the_table_is_of_fields_that_there_are() -> None:
    assert set(ACCEPTED) <= {".".join(path) for path in ALL}


@pytest.mark.parametrize("path", [p for p in ALL if ".".join(p) in ACCEPTED], ids=".".join)
def test_an_accepted_field_is_accepted(path: Field) -> None:
    assert list(unused_fields(with_field(path))) == []


@pytest.mark.parametrize("path", [p for p in ALL if ".".join(p) not in ACCEPTED], ids=".".join)
def test_any_other_field_is_refused_by_name(path: Field) -> None:
    (problem,) = unused_fields(with_field(path))
    assert [name for name, _ in problem.path] == list(path)
    assert path[-1] in problem.what
    assert problem.remedy
