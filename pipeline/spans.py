"""The spans that a run reads of a growing source, and the names of their nodes in the DAG.

Each span has nodes of its own that read and measure it, so that a window that moves on reads only
what is new. The two newest spans are compared.
"""

from __future__ import annotations

import dataclasses

from components import files, stores
from components.sources import spans as sources
from schemas import spans
from schemas.catalog import SPEC_FILE, Dataset, resolve_path
from schemas.errors import ConfigError
from schemas.sources.options import FileOptions
from schemas.spans import NEWEST, Span


def resolved(dataset: Dataset, choice: str | None = None) -> Dataset:
    """Return the dataset with the spans that a run reads; itself if its source has no spans.

    Args:
      dataset: the dataset.
      choice: which spans, such as "last 7"; None means as in pipeline.yaml.

    Raises:
      ConfigError: the choice is not one, or the source has no spans.
      DataError: there are no such spans; says which ones exist.
      StoreError: the store does not answer, or refuses.
    """
    source = dataset.spec.source
    if not isinstance(source, FileOptions) or not source.has_spans:
        if choice is not None:
            raise ConfigError(
                f"there are no spans to choose {choice!r} from",
                where=str(dataset.folder / SPEC_FILE),
                expected="{SPAN}, or {YYYY}, {MM} and {DD}, in source.path",
                remedy="leave out --span and --spans, or write the path with a placeholder",
            )
        return dataset
    (written,) = source.paths
    path = resolve_path(written, dataset.folder)
    if files.in_store(path):
        stores.check(path)
    wanted = source.spans if choice is None else choice
    try:
        dated = spans.is_dated(path)
        parsed = NEWEST if wanted is None else spans.parse_choice(wanted, dated=dated)
    except ValueError as error:
        raise ConfigError(str(error), where="--spans") from error
    found = sources.existing(path)
    return dataclasses.replace(dataset, spans=sources.chosen(found, parsed, path))


def in_words(dataset: Dataset) -> str:
    """Return the spans as a phrase, with those between them that do not exist.

    >>> in_words(two_and_four)  # doctest: +SKIP
    '2 and 4 (3 does not exist)'
    """
    numbers = [span.number for span in dataset.spans]
    dated = spans.is_dated(*dataset.spec.source.paths)
    missing = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    text = spans.in_words(numbers, dated=dated)
    if not missing:
        return text
    do = "does" if len(missing) == 1 else "do"
    return f"{text} ({spans.in_words(missing, dated=dated)} {do} not exist)"


def alone(dataset: Dataset, span: Span) -> Dataset:
    """Return the dataset with one of its spans."""
    return dataclasses.replace(dataset, spans=(span,))


def ingest_node(span: Span) -> str:
    """Return the id of the node that reads a span."""
    return f"ingest_{span.name}"


def statistics_node(span: Span) -> str:
    """Return the id of the node that measures a span."""
    return f"statistics_{span.name}"


def compared(dataset: Dataset) -> dict[str, Span]:
    """Return the spans that are compared, `before` and `newest`; empty if there is only one."""
    if len(dataset.spans) < 2:
        return {}
    before, newest = dataset.spans[-2:]
    return {"before": before, "newest": newest}


def nodes(dataset: Dataset, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of the DAG's nodes in the order they run.

    Args:
      dataset: the dataset, with its spans.
      usual: the nodes of a source without spans, of which the first two need no other.
    """
    if not dataset.spans:
        return usual
    schema, ingest, *rest = usual
    first = sorted([schema, *map(ingest_node, dataset.spans)])
    second = sorted([ingest, *map(statistics_node, dataset.spans)])
    return (*first, *second, *rest)
