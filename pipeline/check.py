"""`skewless check`: checks a dataset's two files, its table's headers, and its first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipeline import answers, completion
from schemas.errors import DataError

if TYPE_CHECKING:
    from components.sources.rejects import Reject
    from pipeline.first_rows import FirstRows
    from schemas.catalog import Dataset

_SAMPLES = 3  # rejected records of a reason that are shown


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
    from pipeline.first_rows import first_rows
    from pipeline.show import parts_of
    from schemas import catalog

    read = spans.resolved(catalog.load(dataset))
    parts = parts_of(read)
    look = first_rows(read, parts)
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


def _content(read: Dataset, look: FirstRows, *, files: int) -> dict[str, Any]:
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


def _lines(read: Dataset, look: FirstRows, *, files: int) -> Iterator[str]:
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
    if read.spec.source.read_always:
        yield f"  not cached: {read.spec.source.read_always}"
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


def _reasons(rejects: Sequence[Reject]) -> Iterator[str]:
    """Yield lines about rejected records, the most frequent reason first."""
    counts = Counter((reject.reason, reject.column) for reject in rejects)
    for (reason, column), count in counts.most_common():
        own = [each for each in rejects if (each.reason, each.column) == (reason, column)]
        samples = ", ".join(f"line {each.line} {each.value!r}" for each in own[:_SAMPLES])
        of = f" in {column}" if column else ""
        yield f"  {count:,} {reason.code}{of}: {samples}"
