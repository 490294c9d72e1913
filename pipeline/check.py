"""`skewless check`: checks a dataset's two files, its table's headers, and its first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from pipeline import answers, completion
from schemas.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from components.sources.protocol import Part, Reader
    from components.sources.rejects import Reject
    from schemas.catalog import Dataset
    from schemas.expectations import Expectation

_ROWS = 20_000  # that are read, in whole blocks
_SAMPLES = 3  # rejected records of a reason that are shown


@dataclass
class _Look:
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


@click.command()
@click.argument("dataset", metavar="DATASET", shell_complete=completion.datasets)
@answers.option
def command(dataset: str, as_json: bool) -> int:
    """Check both files of DATASET, the headers of all its files, and its first rows.

    DATASET is the name of a shipped dataset, or a folder with pipeline.yaml and schema.pbtxt. The
    exit code is 0 if a run accepts as much, 2 if a file of the dataset is wrong, and 3 if too many
    of the first rows are rejected.
    """
    from pipeline import spans
    from pipeline.show import parts_of
    from schemas import catalog

    read = spans.resolved(catalog.load(dataset))
    parts = parts_of(read)
    look = _look(read, parts)
    files = len({part.path for _, part in parts})
    allowed = read.spec.validation.max_rejected_fraction
    accepted = len(look.rejects) <= allowed * look.read
    if as_json:
        answers.show({"accepted": accepted} | _content(read, look, files=files))
        return 0 if accepted else DataError.exit_code
    for line in _lines(read, look, files=files):
        click.echo(line)
    if not accepted:
        raise DataError(
            f"{len(look.rejects):,} of the first {look.read:,} records are rejected",
            where=", ".join(read.source_patterns),
            expected=f"at most {allowed:.1%} (validation.max_rejected_fraction)",
            remedy="correct the types in schema.pbtxt, the source's options, or the table",
        )
    return 0


def _content(read: Dataset, look: _Look, *, files: int) -> dict[str, Any]:
    """Return what was found, as JSON has it."""
    counts = Counter((each.reason.code, each.column) for each in look.rejects)
    return {
        "columns": len(read.columns),
        "files": files,
        "records_read": look.read,
        "rejected": len(look.rejects),
        "rejected_by_reason": [
            {"reason": reason, "column": column, "count": count}
            for (reason, column), count in counts.most_common()
        ],
        "allowed_fraction": read.spec.validation.max_rejected_fraction,
        "dropped_by_rule": dict(look.dropped),
        "missing": dict(look.missing.most_common()),
        "outside_of_domain": dict(look.outside.most_common()),
        "label": dict(look.answers.most_common()),
    }


def _lines(read: Dataset, look: _Look, *, files: int) -> Iterator[str]:
    """Yield the same in words."""
    from pipeline import spans
    from schemas.sources.options import FileOptions

    yield f"both files fit each other: {len(read.columns)} columns"
    held = (
        f"{files} file(s) of the table have"
        if isinstance(read.spec.source, FileOptions)
        else "the table has"
    )
    yield f"{held} these columns"
    if read.spans:
        yield f"a run reads the spans {spans.in_words(read)}"
    yield f"{look.read:,} first records read, {len(look.rejects):,} rejected"
    yield from _reasons(look.rejects)
    for rule, count in look.dropped.items():
        yield f"  {rule} drops {count:,}"
    for rule in read.spec.prepare.in_words_of_all_rows():
        yield f"  in a run, also: {rule}"
    for name, count in look.missing.most_common():
        yield f"  {name}: {count / look.rows:.1%} missing"
    for name, count in look.outside.most_common():
        yield f"  {name}: {count:,} values are outside of the domain in schema.pbtxt"
    shown = ", ".join(f"{value!r} {count:,}" for value, count in look.answers.most_common(5))
    yield f"label {read.spec.label.outcome}: {shown}" + ("" if shown else "no value")


def _look(dataset: Dataset, parts: Sequence[tuple[Reader[Part], Part]]) -> _Look:
    """Read the first rows of the table."""
    import pyarrow.compute as pc

    from components.expressions.patterns import check_patterns
    from components.prepare.rules import KEPT, RowRules
    from schemas.catalog import SPEC_FILE
    from schemas.columns import parse_schema
    from schemas.expectations import expectations_of

    schema = parse_schema(dataset.schema_text, where=str(dataset.folder))
    expected = {each.name: each for each in expectations_of(schema).columns}
    rules = RowRules(dataset.spec.prepare, dataset.columns)
    check_patterns(dataset.derived, where=str(dataset.folder / SPEC_FILE))
    look = _Look(dropped=Counter(dict.fromkeys(rules.names, 0)))
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
    import pyarrow as pa
    import pyarrow.compute as pc

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


def _reasons(rejects: Sequence[Reject]) -> Iterator[str]:
    """Yield lines about rejected records, the most frequent reason first."""
    counts = Counter((reject.reason, reject.column) for reject in rejects)
    for (reason, column), count in counts.most_common():
        own = [each for each in rejects if (each.reason, each.column) == (reason, column)]
        samples = ", ".join(f"line {each.line} {each.value!r}" for each in own[:_SAMPLES])
        of = f" in {column}" if column else ""
        yield f"  {count:,} {reason.code}{of}: {samples}"
