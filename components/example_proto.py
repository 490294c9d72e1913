"""Reads serialised tf.Examples as strictly as protobuf does.

TensorFlow's own parser reads only the features that a graph needs, and reads bytes that are not a
tf.Example as one without features. This module refuses exactly what `tf.train.Example` cannot
parse, without importing TensorFlow.
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

# TensorFlow's example.proto and feature.proto with one change: the map of features is declared as
# the list of entries that encodes it on the wire, which is parsed twice as fast.
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

# The length of the parsed part shows the same.
warnings.filterwarnings("ignore", "Unexpected end-group tag", RuntimeWarning)

_NO_FEATURES = b"\x0a\x00"  # an empty `features` field, which changes no Example

DTYPES = {"bytes_list": "DT_STRING", "float_list": "DT_FLOAT", "int64_list": "DT_INT64"}


class Values(NamedTuple):
    """A feature's values, and TensorFlow's name of their type; empty if it has no kind."""

    dtype: str
    values: Sequence[Any]


def first_unreadable(serialised: np.ndarray) -> int | None:
    """Return the position of the first value that is not a tf.Example; None if all are."""
    for number, each in enumerate(serialised.tolist()):
        if _parsed(each) is None:
            return number
    return None


def features_of(serialised: bytes) -> dict[str, Values] | None:
    """Return the features of a serialised tf.Example by name; None if it is not one."""
    example = _parsed(serialised)
    if example is None:
        return None
    features = {}
    for entry in example.features.feature:  # the last entry of a name counts
        kind = entry.value.WhichOneof("kind")
        values = getattr(entry.value, kind).value if kind else ()
        features[entry.key] = Values(DTYPES[kind] if kind else "", values)
    return features


def _parsed(serialised: bytes) -> Any:
    """Return an Example; None if the bytes are not one."""
    example = _Example()
    try:
        whole = example.MergeFromString(serialised) == len(serialised)
        if whole and not _is_one_field(serialised):
            # protobuf 3.20 takes a 0, or the end of a group that never began, as the end of the
            # message, and only warns: the rest is not read.
            followed = serialised + _NO_FEATURES
            whole = _Example().MergeFromString(followed) == len(followed)
    except (DecodeError, RuntimeWarning):  # if warnings are errors
        whole = False
    return example if whole else None


def _is_one_field(serialised: bytes) -> bool:
    """Whether the message is only the features field, of less than 16 KiB, as most Examples are."""
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
    pool = descriptor_pool.DescriptorPool()  # a separate pool, so that names do not collide
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    if hasattr(message_factory, "GetMessageClass"):  # since protobuf 4.22; 6 has only this
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


_Example = _message_class("Example")
