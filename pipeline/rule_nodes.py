"""What the node validate receives for the rules of pipeline.yaml."""

from __future__ import annotations

from components import files
from pipeline import published
from pipeline.folders import Folders
from schemas import columns
from schemas.catalog import SPEC_FILE, Dataset
from schemas.rules import ParsedRule, parse_rules

_PLACE = "validation.rules.{}"


def check(dataset: Dataset) -> None:
    """Check that DuckDB can compute the rules, such as that patterns are regular expressions.

    Raises:
      ConfigError: it cannot compute one.
    """
    for rule in _parsed(dataset):
        if not rule.figures:
            from components.expressions.rows import RowExpressions  # which imports pyarrow

            place = _PLACE.format(rule.name)
            computed = RowExpressions({place: rule.expression}, dataset.columns)
            computed.check(where=f"{dataset.folder / SPEC_FILE}: {place}")


def parameters(dataset: Dataset, folders: Folders, fingerprint: str) -> dict[str, str]:
    """Return the node's parameters; none where there are no rules, so that columns do not count.

    Args:
      dataset: with the rules.
      folders: the pipeline's folders.
      fingerprint: of the present source.
    """
    if not dataset.spec.validation.rules:
        return {}
    compared = any(rule.uses_previous for rule in _parsed(dataset))
    return {
        "rules": dataset.spec.validation.model_dump_json(include={"rules"}),
        "columns": columns.dumps(dataset.columns),
        "previous": _previous_statistics(folders, fingerprint) if compared else "",
    }


def _parsed(dataset: Dataset) -> tuple[ParsedRule, ...]:
    return parse_rules(dataset.spec.validation.rules, dataset.columns, place=_PLACE.format)


def _previous_statistics(folders: Folders, fingerprint: str) -> str:
    """Return the statistics of the newest other data whose model was served; "" if none are there.

    A run of the same source again has the same previous data, so it uses the same results.
    """
    for executions in published.pushes(folders):
        ingested, measured = executions["ingest"].outputs, executions["statistics"].outputs
        folder = measured["statistics"].uri
        is_other = ingested["examples"].properties.get("input_fingerprint") != fingerprint
        if is_other and files.exists(folder):
            return folder
    return ""
