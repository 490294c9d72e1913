"""gRPC requests: correct messages of every method, whose fields and bytes are changed."""

from typing import NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st

from components.serve import grpc_names
from tests.component.serve.fuzz.edits import changes, scrambled

_INTEGERS = [0, 1, -1, 2, 7, 99, 2**31 - 1, -(2**31), 2**32, 2**40, 2**62, 2**63 - 1, -(2**63)]
_FLOATS = [0.0, -1.5, float("nan"), float("inf"), 1e39, 5e-324]
_TEXTS = ["", "x", "tiny", "age", "raw_columns", "\x00", "é日本𝄞", "../../etc/passwd", "n" * 9_000]

_INTEGER_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}


class Asked(NamedTuple):
    """A call: the method's full name, the message as bytes, and the metadata."""

    method: str
    body: bytes
    metadata: tuple[tuple[str, str | bytes], ...] = ()

    def __repr__(self):
        shown = self.body if len(self.body) < 3_000 else self.body[:1_500] + b" ... "
        return f"Asked({self.method!r}, {len(self.body)} bytes: {shown!r}, {self.metadata!r})"


def _fields(message):
    """Yield message and field of everything that is set in a message, and of what could be."""
    for field in message.DESCRIPTOR.fields:
        yield message, field
        if field.label == FieldDescriptor.LABEL_REPEATED:
            values = getattr(message, field.name)
            if _is_map(field):
                for key in sorted(values):
                    if field.message_type.fields_by_name["value"].message_type is not None:
                        yield from _fields(values[key])
            elif field.message_type is not None:
                for value in values:
                    yield from _fields(value)
        elif field.message_type is not None and message.HasField(field.name):
            yield from _fields(getattr(message, field.name))


def _is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def change(message, number):
    """Change a field of a message; the number selects which, and how."""
    places = list(_fields(message))
    number, at = divmod(number, len(places))
    holder, field = places[at]
    if number % 5 == 0:
        holder.ClearField(field.name)
    elif _is_map(field):
        _change_map(getattr(holder, field.name), field, number)
    elif field.label == FieldDescriptor.LABEL_REPEATED:
        _change_list(getattr(holder, field.name), field, number)
    elif field.message_type is not None:
        getattr(holder, field.name).SetInParent()
    else:
        setattr(holder, field.name, _scalar(field, number))


def _change_map(values, field, number):
    key_type, value_type = (field.message_type.fields_by_name[n] for n in ("key", "value"))
    key = _scalar(key_type, number)
    if value_type.message_type is None:
        values[key] = _scalar(value_type, number)
        return
    known = sorted(values)
    if known and number % 2:  # the value of one name under another name
        values[key].CopyFrom(values[known[number % len(known)]])
    elif known:
        del values[known[number % len(known)]]
    else:
        values[key].SetInParent()


def _change_list(values, field, number):
    if field.message_type is not None:
        if values and number % 2:
            values.add().CopyFrom(values[number % len(values)])
        else:
            values.add()
    elif number % 3 == 0 and values:
        del values[number % len(values)]
    elif number % 3 == 1 and values:
        values[number % len(values)] = _scalar(field, number)
    else:
        values.append(_scalar(field, number))


def _scalar(field, number):
    kind = field.cpp_type
    if kind in _INTEGER_BITS:
        low, high = _INTEGER_BITS[kind]
        return min(max(_INTEGERS[number % len(_INTEGERS)], low), high)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return bool(number % 2)
    if kind == FieldDescriptor.CPPTYPE_STRING:
        text = _TEXTS[number % len(_TEXTS)]
        return text.encode() + b"\xff" if field.type == FieldDescriptor.TYPE_BYTES else text
    return _FLOATS[number % len(_FLOATS)]


_metadata = st.lists(
    st.sampled_from(
        [
            ("authorization", "Bearer x"),
            ("authorization", ""),
            ("x-junk-bin", b"\x00\xff" * 50),
            ("x-junk", "y" * 3_000),
            ("content-encoding", "gzip"),
            ("user-agent", "~"),
            ("te", "gzip"),
        ]
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(tuple)
_METHODS = [*grpc_names.METHODS, "/tensorflow.serving.PredictionService/Guess", "/a/b"]


def requests(right):
    """Return a strategy for calls similar to the correct ones, pairs of method and message."""
    edits = st.lists(st.integers(0, 2**24 - 1), min_size=1, max_size=4)

    def edit(pair, edits):
        method, original = pair
        message = type(original)()
        message.CopyFrom(original)
        for number in edits:
            change(message, number)
        return method, message.SerializeToString()

    def damage(pair, changes):
        return pair[0], scrambled(pair[1].SerializeToString(), changes)

    def mixed(method, pair):
        return method, pair[1].SerializeToString()

    whole = st.sampled_from(right)
    calls = (
        st.builds(edit, whole, edits)
        | st.builds(edit, whole, edits)
        | st.builds(damage, whole, changes)
        | st.builds(mixed, st.sampled_from(_METHODS), whole)
        | st.tuples(st.sampled_from(_METHODS), st.binary(max_size=80))
    )
    return st.builds(lambda call, metadata: Asked(call[0], call[1], metadata), calls, _metadata)
