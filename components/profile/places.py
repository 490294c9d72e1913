"""Pairs of columns that are latitudes and longitudes, by their names and ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from components.profile.choices import ColumnChoice
from schemas.types import FLOAT

# What names of latitudes contain, and those of their longitudes instead.
_NAMES = (("latitude", "longitude"), ("lat", "lon"), ("lat", "lng"), ("lat", "long"))


def with_places(choices: tuple[ColumnChoice, ...]) -> tuple[ColumnChoice, ...]:
    """Suggest treatments of places for each pair, at its latitude."""
    longitudes = dict(_pairs(choices))
    return tuple(
        replace(choice, doubt="; ".join(filter(None, (choice.doubt, _suggestion(other)))))
        if (other := longitudes.get(choice.name))
        else choice
        for choice in choices
    )


def _pairs(choices: Sequence[ColumnChoice]) -> Iterator[tuple[str, str]]:
    """Yield the names of latitudes and longitudes."""
    longitudes = {c.name.casefold(): c.name for c in choices if _is_within(c, 180)}
    for choice in choices:
        if _is_within(choice, 90):
            name = choice.name.casefold()
            others = [name.replace(*each) for each in _NAMES if each[0] in name]
            found = [longitudes[other] for other in others if other in longitudes]
            yield from ((choice.name, other) for other in found[:1])


def _is_within(choice: ColumnChoice, degrees: float) -> bool:
    if not choice.treatments or choice.typed.kind != FLOAT.name:
        return False
    return not np.any(np.abs(choice.typed.column.numbers) > degrees)


def _suggestion(longitude: str) -> str:
    return f"with {longitude!r} it is a place: try geohash and haversine under combinations"
