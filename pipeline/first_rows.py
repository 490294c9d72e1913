"""What the first rows of a table have, for `skewless check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from components.expressions.patterns import check_patterns
from components.prepare.rules import KEPT, RowRules
from components.sources.protocol import Part, Reader
from components.sources.rejects import Reject
from schemas.catalog import SPEC_FILE, Dataset
from schemas.columns import parse_schema
from schemas.expectations import Expectation, expectations_of

_ROWS = 20_000  # that are read, in whole blocks


@dataclass
class FirstRows:
    """What the first rows of a table have.

    Attributes:
      read: how many records were read.
      rejects: those that are not rows.
      missing: rows without a value, by column.
      outside: values outside of their domain in schema.pbtxt, by column.
      answers: the values of the label's column, with their counts.
      dropped: rows that rules about single rows drop, by rule.
    """

    read: int = 0
    rejects: list[Reject] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """How many records are rows."""
        return self.read - len(self.rejects)


def first_rows(dataset: Dataset, parts: Sequence[tuple[Reader[Part], Part]]) -> FirstRows:
    """Read the first rows of the table."""
    schema = parse_schema(dataset.schema_text, where=str(dataset.folder))
    expected = {each.name: each for each in expectations_of(schema).columns}
    rules = RowRules(dataset.spec.prepare, dataset.columns)
    check_patterns(dataset.derived, where=str(dataset.folder / SPEC_FILE))
    look = FirstRows(dropped=Counter(dict.fromkeys(rules.names, 0)))
    for reader, part in parts:
        for block in reader.read(part):
            look.read += block.read
            look.rejects += block.rejects
            verdicts = rules.verdicts(block.columns)
            look.dropped.update(rules.names[i] for i in verdicts[verdicts != KEPT].tolist())
            for name, array in zip(block.columns.schema.names, block.columns, strict=True):
                if array.null_count:
                    look.missing[name] += array.null_count
                if outside := _outside(array, expected[name]):
                    look.outside[name] += outside
                if name == dataset.spec.label.outcome:
                    counted = pc.value_counts(array.drop_null()).to_pylist()
                    look.answers.update({str(c["values"]): c["counts"] for c in counted})
            if look.read >= _ROWS:
                return look
    return look


def _outside(array: pa.Array, expected: Expectation) -> int:
    """Return how many values are outside of a column's domain."""
    values = array.drop_null()
    if pa.types.is_list(values.type):
        values = values.flatten()
    within = []
    if expected.values is not None and pa.types.is_string(values.type):
        within.append(pc.is_in(values, value_set=pa.array(expected.values, pa.string())))
    if expected.minimum is not None:
        within.append(pc.greater_equal(values, expected.minimum))
    if expected.maximum is not None:
        within.append(pc.less_equal(values, expected.maximum))
    return sum(pc.sum(pc.invert(each)).as_py() or 0 for each in within)
