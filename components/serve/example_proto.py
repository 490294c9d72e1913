"""Serialised tf.Examples, read as strictly as protobuf reads them.

TensorFlow's own parser reads only the features that a graph asks for, and takes bytes that are not
a tf.Example at all for one without features. Promised: no TensorFlow is imported; what
is refused here is what `tf.train.Example` cannot read either.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_FLOAT, _INT64, _STRING, _MESSAGE, _BYTES = 2, 3, 9, 11, 12  # types of FieldDescriptorProto
_ONE, _MANY = 1, 3  # its labels

# TensorFlow's example.proto and feature.proto, but for one thing: the map of features is the list
# of entries that stands for it on the wire, which is read twice as fast.
_MESSAGES: dict[str, Sequence[tuple[str, int, int, str]]] = {
    "BytesList": [("value", _BYTES, _MANY, "")],
    "FloatList": [("value", _FLOAT, _MANY, "")],
    "Int64List": [("value", _INT64, _MANY, "")],
    "Feature": [
        ("bytes_list", _MESSAGE, _ONE, "BytesList"),
        ("float_list", _MESSAGE, _ONE, "FloatList"),
        ("int64_list", _MESSAGE, _ONE, "Int64List"),
    ],
    "Entry": [("key", _STRING, _ONE, ""), ("value", _MESSAGE, _ONE, "Feature")],
    "Features": [("feature", _MESSAGE, _MANY, "Entry")],
    "Example": [("features", _MESSAGE, _ONE, "Features")],
}
_PACKAGE = "skewless.example"

# It is known from how much was read.
warnings.filterwarnings("ignore", "Unexpected end-group tag", RuntimeWarning)

_NO_FEATURES = b"\x0a\x00"  # a field of its own, which changes no Example

DTYPES = {"bytes_list": "DT_STRING", "float_list": "DT_FLOAT", "int64_list": "DT_INT64"}


class Values(NamedTuple):
    """A feature's values, and TensorFlow's name of their type; empty where it has no kind."""

    dtype: str
    values: Sequence[Any]


def first_unreadable(serialised: np.ndarray) -> int | None:
    """Return the position of the first that is not a tf.Example; None if all are."""
    for number, each in enumerate(serialised.tolist()):
        if _parsed(each) is None:
            return number
    return None


def features_of(serialised: bytes) -> dict[str, Values] | None:
    """Return the features of a serialised tf.Example by name; None if it is not one."""
    example = _parsed(serialised)
    if example is None:
        return None
    found = {}
    for entry in example.features.feature:  # the last of a name is the one that counts
        kind = entry.value.WhichOneof("kind")
        values = getattr(entry.value, kind).value if kind else ()
        found[entry.key] = Values(DTYPES[kind] if kind else "", values)
    return found


def _parsed(serialised: bytes) -> Any:
    """Return an Example; None if the bytes are not one."""
    example = _Example()
    try:
        whole = example.MergeFromString(serialised) == len(serialised)
        if whole and not _is_one_field(serialised):
            # protobuf 3.20 takes a 0, or the end of a group that never began, for the message's
            # end, and says so by a warning alone: what follows is not read.
            followed = serialised + _NO_FEATURES
            whole = _Example().MergeFromString(followed) == len(followed)
    except (DecodeError, RuntimeWarning):  # where warnings are errors
        whole = False
    return example if whole else None


def _is_one_field(serialised: bytes) -> bool:
    """Whether the features, of less than 16 KiB, are all there is: as nearly every Example is."""
    size = len(serialised)
    if size < 3 or serialised[0] != _NO_FEATURES[0]:
        return not size
    if serialised[1] < 0x80:
        return size == 2 + serialised[1]
    return serialised[2] < 0x80 and size == 3 + (serialised[1] & 0x7F | serialised[2] << 7)


def _message_class(name: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3"
    )
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for number, (field_name, kind, label, of) in enumerate(fields, 1):
            field = message.field.add(name=field_name, number=number, type=kind, label=label)
            if of:
                field.type_name = f".{_PACKAGE}.{of}"
            if message_name == "Feature":
                field.oneof_index = 0
        if message_name == "Feature":
            message.oneof_decl.add(name="kind")
    pool = descriptor_pool.DescriptorPool()  # of its own, so that no name is in the way
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    if hasattr(message_factory, "GetMessageClass"):  # since protobuf 4.22; the other is gone in 6
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


_Example = _message_class("Example")
