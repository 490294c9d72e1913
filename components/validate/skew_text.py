"""A `Skew` in words: the table of what moved, and what a person has to know beside it."""

from __future__ import annotations

from collections.abc import Iterator

from components.validate import table
from components.validate.moved import MISSING, Moved, Skew

_MEASURES = {
    "L_INFTY": "L-infinity",
    "JENSEN_SHANNON_DIVERGENCE": "Jensen-Shannon",
    "NORMALIZED_ABSOLUTE_DIFFERENCE": "normalized difference",
    MISSING: "missing",
}
_HEADER = ("", "column", "measure", "value", "threshold", "by chance", "missing", "new values")
_WIDTHS = (5, 24, 22, 7, 9, 9, 18, 40)


def lines(skew: Skew) -> Iterator[str]:
    """Yield the result of the comparison as lines for a person."""
    calls = ", ".join(f"{name} {rows:,}" for name, rows in sorted(skew.signatures.items()))
    yield f"{skew.rows:,} rows of requests ({calls}) against {skew.training_rows:,} of training"
    for note in skew.notes:
        yield f"note: {note}"
    yield ""
    # Shares of missing values stand in every line; a line of their own is for those that moved.
    shown = [each for each in skew.columns if each.moved or each.measure != MISSING]
    yield table.render(_HEADER, [_row(each) for each in shown], widths=_WIDTHS)
    if skew.anomalies:
        yield ""
        yield "what schema.pbtxt does not allow in requests (does not change the exit code):"
        rows = [(a.severity, a.column, a.what, a.expected, a.seen) for a in skew.anomalies]
        header = ("severity", "column", "what", "expected", "seen")
        yield table.render(header, rows, widths=(8, 24, 22, 28, 28))
    yield ""
    yield _verdict(skew)


def _row(each: Moved) -> tuple[str, ...]:
    new = ", ".join(f"{v.value!r} {_percent(v.share)}" for v in each.new_values)
    return (
        "MOVED" if each.moved else "",
        each.column,
        _MEASURES.get(each.measure, each.measure),
        f"{each.value:.4f}",
        f"{each.threshold:g}",
        f"{each.chance:.4f}",
        f"{_percent(each.missing_training)} → {_percent(each.missing_requests)}",
        new if each.measure != MISSING else "",
    )


def _verdict(skew: Skew) -> str:
    if not skew.moved:
        return "nothing moved beyond its threshold"
    columns = list(dict.fromkeys(each.column for each in skew.moved))
    return f"{len(columns)} column{'s' * (len(columns) != 1)} moved: {', '.join(columns)}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
