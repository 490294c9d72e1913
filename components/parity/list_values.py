"""The lists to try in a column of lists, made from single values to try and from real lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.columns import Column

_NEAR = 3  # real lists that others are made from


def adversarial_lists(column: Column, seen: Sequence[Any], single: Sequence[Any]) -> list[Any]:
    """Return the lists to try: empty, of one value, repeated, longest, reordered, cut short.

    Args:
      column: the column.
      seen: some of its real lists; None where missing.
      single: values to try by themselves.
    """
    empty = column.type.request_empty
    stand_ins = (column.type.missing, empty, str(empty).encode())
    # NaN is the stand-in of FLOAT, and not equal to itself.
    values = [value for value in single if value == value and value not in stand_ins]
    real = [each for each in seen if each][:_NEAR]
    found = [[], *_of_values(values, column.most)]
    for each in real:
        found += _near(each, values, column.most)
    return list({repr(each): each for each in found}.values())


def _of_values(values: Sequence[Any], most: int) -> Iterator[list[Any]]:
    for value in values:
        yield [value]
    if values:
        yield [values[0]] * most
        yield [values[n % len(values)] for n in range(most)]
        yield [values[0], values[0]]
        yield [values[0], values[-1]]


def _near(real: list[Any], values: Sequence[Any], most: int) -> Iterator[list[Any]]:
    """Yield lists that a mistake could make of a real one."""
    yield from (real[::-1], real[:1], real[:-1], real[1:], real[1:] + real[:1], sorted(real))
    yield (real + real)[:most]
    yield [value for value in real for _ in range(2)][:most]
    yield (real * most)[:most]
    yield list(dict.fromkeys(real))
    for value in values[:2]:
        yield [value, *real][:most]
        yield [*real[: most - 1], value]
