"""What stages receive of pipeline.yaml about columns: plans of the gate and `select`, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from schemas import columns as schema_columns
from schemas.catalog import Dataset


def of_treatments(dataset: Dataset, *, places: bool = True) -> str:
    """Return what the run is about to make of columns, as `components.validate.caps` reads it."""
    spec = dataset.spec
    uses = [
        {
            "place": dataset.place_of(use.keys) if places else "",
            "columns": use.columns,
            "options": use.options.model_dump(mode="json"),
        }
        for use in spec.uses
    ]
    plan = {"level": spec.validation.preflight, "uses": uses}
    return json.dumps(plan | {"embedding_dim": spec.model.embedding_dim})


def of_selection(dataset: Dataset) -> str:
    """Return what columns are selected from, as a `SelectionPlan` of `components.select`."""
    spec = dataset.spec
    schema = schema_columns.parse_schema(dataset.schema_text, where=str(dataset.folder))
    selection = spec.selection.model_dump(mode="json", exclude_unset=True)
    if spec.selection.unhelpful:
        selection["unhelpful"] = _with_derived(spec.selection.unhelpful, dataset)
    plan = {
        "selection": selection,
        "uses": [use.columns for use in spec.uses],
        "protected": [*spec.splits.columns, *spec.model.monotone],
        "categories": [f.name for f in schema.feature if f.int_domain.is_categorical],
        "place": dataset.place_of(("selection",)),
    }
    return json.dumps(plan)


def _with_derived(costs: Mapping[str, float | None], dataset: Dataset) -> dict[str, float | None]:
    """Return the costs of columns, and of the derived columns that are made from them."""
    costs = dict(costs)
    for each in dataset.derived:  # each uses those before it alone
        found = [costs[name] for name in each.inputs if name in costs]
        if found:
            costs.setdefault(each.name, found[0])
    return costs
