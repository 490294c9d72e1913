"""The stages: the DAG, what each stage took, and when it ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.console import IMPORTS
from pipeline.report.record import Record


def card(record: Record) -> dict[str, Any]:
    """Return the stages, with the rank of each in the DAG."""
    stages = record.summary.stages
    known = [stage.name for stage in stages if stage.name != IMPORTS]
    after = {
        name: []
        if name not in record.executions
        else [node for node in record.executions[name].after if node in known and node != name]
        for name in known
    }
    ranks = ranked(known, after)
    return {
        "seconds": record.summary.seconds,
        "stages": [
            {
                **stage.model_dump(exclude={"notes", "rows_per_second"}),
                "rate": stage.rows_per_second,
                "rank": ranks.get(stage.name),
                "after": after.get(stage.name, []),
            }
            for stage in stages
        ],
    }


def ranked(nodes: list[str], after: Mapping[str, list[str]]) -> dict[str, int]:
    """Return the length of the longest way to each node.

    Args:
      nodes: in an order in which each comes after those that it depends on.
      after: the nodes that each depends on.
    """
    ranks: dict[str, int] = {}
    for node in nodes:
        ranks[node] = 1 + max((ranks[each] for each in after[node] if each in ranks), default=-1)
    return ranks
