"""The further nodes of a source with spans: each span is read and measured by nodes of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tfx.types.channel_utils import union

from components.ingest.component import ingest_span, join_spans
from components.validate.component import join_statistics, measure_span
from pipeline import spans
from schemas.catalog import Dataset


def ingest(
    dataset: Dataset,
    parameters: Mapping[str, str],
    settings: str,
    fingerprints: Sequence[str],
    whole: str,
    code: Mapping[str, str],
) -> dict[str, Any]:
    """Build a node for each span, and `ingest`, which joins their examples; by their ids.

    Args:
      dataset: the dataset, with its spans.
      parameters: those that all of the nodes share.
      settings: of the files of examples.
      fingerprints: of each span's files.
      whole: the fingerprint of all of them.
      code: the digest of each node's code, by function.
    """
    # with another choice of spans, each of them is still the same
    source = dataset.spec.source.model_dump_json(exclude={"spans"})
    read = {
        (node := spans.ingest_node(span)): ingest_span(
            source=source,
            span=json.dumps(asdict(span)),
            fingerprint=fingerprint,
            settings=settings,
            node=node,
            code=code["ingest_span"],
            **parameters,
        ).with_id(node)
        for span, fingerprint in zip(dataset.spans, fingerprints, strict=True)
    }
    joined = join_spans(
        spans=union([each.outputs["examples"] for each in read.values()]),
        source=source,
        fingerprint=whole,
        code=code["join_spans"],
        **parameters,
    ).with_id("ingest")
    return {**read, "ingest": joined}


def statistics(
    dataset: Dataset,
    read: Mapping[str, Any],
    schema: Any,
    label: str,
    code: Mapping[str, str],
) -> dict[str, Any]:
    """Build a node for each span, and `statistics`, which merges what they found; by their ids.

    Args:
      dataset: the dataset, with its spans.
      read: the nodes of `ingest`.
      schema: the channel of the schema.
      label: the parameter of `join_statistics`.
      code: the digest of each node's code, by function.
    """
    measured = {
        (node := spans.statistics_node(span)): measure_span(
            examples=read[spans.ingest_node(span)].outputs["examples"],
            schema=schema,
            node=node,
            name=span.name,
            code=code["measure_span"],
        ).with_id(node)
        for span in dataset.spans
    }
    joined = join_statistics(
        spans=union([each.outputs["statistics"] for each in measured.values()]),
        examples=read["ingest"].outputs["examples"],
        schema=schema,
        label=label,
        code=code["join_statistics"],
    ).with_id("statistics")
    return {**measured, "statistics": joined}


def compared(dataset: Dataset, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statistics of the two newest spans, by the parameter of `validate` for each."""
    return {
        name: measured[spans.statistics_node(span)].outputs["statistics"]
        for name, span in spans.compared(dataset).items()
    }
