"""Fields of structs as columns, whose names lead to them with dots between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

_DEEPEST = 8  # structs within structs, whose fields are columns


def columns_of(schema: pa.Schema) -> pa.Schema:
    """Return the columns, and all fields inside of structs.

    A field is left out if a column has the same name, or another field of its struct.

    >>> place = pa.struct([("lat", pa.float64())])
    >>> columns_of(pa.schema([("place", place)])).names
    ['place', 'place.lat']
    """
    names = schema.names
    structs = [f for f in schema if names.count(f.name) == 1 and "." not in f.name]
    inner = (each for struct in structs for each in _inside(struct, 1))
    return pa.schema([*schema, *(each for each in inner if each.name not in names)])


def outer_of(schema: pa.Schema, names: Iterable[str]) -> list[str]:
    """Return the columns that columns of these names are in, each once."""
    return list(dict.fromkeys(_place(schema, name)[0] for name in names))


def taken(batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
    """Return the columns of these names; one inside of a struct that is missing is missing."""
    arrays = []
    for name in names:
        first, *inner = _place(batch.schema, name)
        array = batch.column(batch.schema.get_field_index(first))
        for each in inner:
            array = array.flatten()[array.type.get_field_index(each)]
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, list(names))


def is_struct(field: pa.Field) -> bool:
    """Return whether a column has fields, which are columns themselves."""
    return pa.types.is_struct(field.type) and field.type.num_fields > 0


def _place(schema: pa.Schema, name: str) -> list[str]:
    """Return the name of a column, or those that lead to a field of a struct."""
    return [name] if name in schema.names else name.split(".")


def _inside(field: pa.Field, depth: int) -> Iterator[pa.Field]:
    if not is_struct(field) or depth > _DEEPEST:
        return
    for each in field.type:
        # a dot in its name would be read as a way into another struct
        if field.type.get_field_index(each.name) >= 0 and each.name and "." not in each.name:
            named = each.with_name(f"{field.name}.{each.name}")
            yield named
            yield from _inside(named, depth + 1)
