"""What a run made of a column → text for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.validate.table import render
from schemas.treatments.options import options_in_words


def lines_of(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of what `pipeline.show_column.content_of` returns."""
    yield f"{content['column']} in the first {content['rows']:,} training rows of {content['run']}"
    for feature in content["features"]:
        options = options_in_words(feature["options"])
        of = ", ".join(feature["columns"])
        yield f"\n{feature['name']}: {feature['treatment']} of {of} ({options})"
        yield from _lines_of_ids(feature) if "ids" in feature else _lines_of_numbers(feature)
    names = [f["name"] for f in content["features"]]
    raw = list(content["samples"][0]["raw"]) if content["samples"] else []
    table = [
        [*(_text(row["raw"][n]) for n in raw), *(_text(row["features"][n]) for n in names)]
        for row in content["samples"]
    ]
    yield "\n" + render([*raw, *names], table, widths=[24] * len([*raw, *names]), indent="")


def _lines_of_numbers(feature: Mapping[str, Any]) -> Iterator[str]:
    yield f"  from {feature['least']:g} to {feature['greatest']:g}, mean {feature['mean']:g}"
    if formula := feature.get("formula"):
        yield f"  = ({formula['of']} - {formula['origin']:g}) / {formula['unit']:g}"


def _lines_of_ids(feature: Mapping[str, Any]) -> Iterator[str]:
    seen = f"  {feature['ids_in_training']:,} of {feature['size']:,} ids occur"
    shares = f"{feature['missing_share']:.2%} missing"
    if "unknown_share" in feature:
        shares += f", {feature['unknown_share']:.2%} not in the vocabulary"
    yield f"{seen}; {shares}"
    for each in feature["ids"]:
        if "from" in each:
            values = f"{_text(each['from'])} to {_text(each['to'])}"
        else:
            shown = [each["value"]] if "value" in each else each.get("values", [])
            values = ", ".join(map(_text, shown))
        yield f"  {each['id']:>6}  {each['rows']:>9,} rows  {values}".rstrip()


def _text(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
