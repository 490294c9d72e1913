"""Makes CSV files with any number of the taxi trips that the tfx package ships.

A file is made once and kept. Equal numbers give equal files, and a file begins with the same rows
as any longer one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pc

from benchmarks.places import CACHE
from components.examples import ARROW_TYPES
from schemas.catalog import Dataset, load
from schemas.types import FLOAT

_SEED = 20240607
_VERSION = 2  # is increased when the same number of rows gives another file
_TYPES = {**ARROW_TYPES, FLOAT.name: pa.float64()}
_QUARTER_HOUR = 900  # seconds: the city rounds times to these

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def taxi_csv(rows: int) -> Path:
    """Return a CSV file of that many taxi trips, with a header line.

    The trips are shuffled and repeated as often as necessary. The first time each is as the package
    ships it; repetitions are `varied`.

    Args:
      rows: how many trips, at least 1.
    """
    path = CACHE / f"taxi-{rows}-v{_VERSION}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        _write(partial, rows)
        os.replace(partial, path)
    return path


def _write(path: Path, rows: int) -> None:
    with open(path, "wb") as file:
        for index, table in enumerate(_passes(load("taxi"))):
            if index == 0:
                file.write(f"{','.join(table.column_names)}\n".encode())
            table = table.slice(0, rows)
            file.write(bare_lines(table))
            rows -= table.num_rows
            if not rows:
                return


def bare_lines(table: pa.Table) -> bytes:
    """Return rows as lines of CSV without any quotes, like the package's own file.

    Arrow's writer puts quotes around every text.

    Raises:
      ValueError: a value would need quotes.
    """
    cells = [compute.fill_null(column.cast(pa.string()), "") for column in table.columns]
    for name, column in zip(table.column_names, cells, strict=True):
        if compute.any(compute.match_substring_regex(column, '[",\\r\\n]')).as_py():
            raise ValueError(f"a value of {name!r} would need quotes")
    lines = compute.binary_join_element_wise(*cells, ",")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()


def _passes(dataset: Dataset) -> Iterator[pa.Table]:
    """Yield all trips in a new order, again and again; varied from the second time on."""
    trips = pc.read_csv(
        dataset.source_patterns[0],
        convert_options=pc.ConvertOptions(
            column_types={c.name: _TYPES[c.kind] for c in dataset.columns},
            null_values=[""],
            strings_can_be_null=True,
        ),
    ).combine_chunks()
    index = 0
    while True:
        rng = np.random.default_rng((_SEED, index))
        table = trips.take(pa.array(rng.permutation(trips.num_rows)))
        yield varied(table, rng) if index else table
        index += 1


def varied(trips: pa.Table, rng: np.random.Generator) -> pa.Table:
    """Return other trips that resemble these; missing values stay missing.

    Times, places and durations change a little. Fare and tips are those of another trip with the
    same kind of payment and a similar fare: otherwise a model could memorize the tip of each trip,
    because the test split has the same trips.
    """
    paid = trips.take(pa.array(_alike(trips, rng)))
    for name in ("fare", "tips"):
        trips = _replaced(trips, name, paid.column(name))
    for name, change in _CHANGES.items():
        trips = _replaced(trips, name, _changed(trips.column(name), change, rng))
    return trips


def _alike(trips: pa.Table, rng: np.random.Generator) -> np.ndarray:
    """Return, for each row, another row with the same kind of payment and a similar fare."""
    payment = trips.column("payment_type").combine_chunks().dictionary_encode().indices.to_numpy()
    about = trips.column("fare").to_numpy() * (1 + 0.1 * rng.standard_normal(trips.num_rows))
    order = np.lexsort((about, payment))
    other = np.empty_like(order)
    other[order] = np.roll(order, 1)
    return other


def _scaled(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change values by about one per cent, in hundredths."""
    return np.round(values * (1 + 0.01 * rng.standard_normal(len(values))), 2)


def _scaled_seconds(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.maximum(0, np.rint(_scaled(values, rng)))


def _moved(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change values by some ten metres, in degrees."""
    return np.round(values + 1e-4 * rng.standard_normal(len(values)), 9)


def _shifted(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift times by up to an hour."""
    return values + _QUARTER_HOUR * rng.integers(-4, 5, len(values))


_CHANGES: dict[str, Change] = {
    "trip_miles": _scaled,
    "trip_seconds": _scaled_seconds,
    "trip_start_timestamp": _shifted,
    "pickup_latitude": _moved,
    "pickup_longitude": _moved,
    "dropoff_latitude": _moved,
    "dropoff_longitude": _moved,
}


def _changed(column: pa.ChunkedArray, change: Change, rng: np.random.Generator) -> pa.Array:
    """Change a column of numbers in its own type, so that integers stay integers."""
    values = column.fill_null(0).to_numpy()
    changed = change(values, rng).astype(values.dtype)
    return pa.array(changed, mask=column.is_null().to_numpy())


def _replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)
