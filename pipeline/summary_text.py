"""The text of a summary: what the user reads at the end of a run.

Turns a `Summary` into lines, each with its style on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from components.progress import LEFT_OUT
from pipeline.measures_text import tables
from pipeline.summary import Summary, task_of
from schemas.tasks.options import figure_text

LABEL_WIDTH = 14
_CLASSES = 4  # whose shares are shown
_SPANS = 7  # newest spans
_PARITY_HEAD = ("serving path", "rows", "values", "differing", "largest")

GOOD, BAD, WEAK = "green", "bold red", "dim"


class Line(NamedTuple):
    """A line of text and its style in rich's notation."""

    text: str
    style: str = ""


def lines(summary: Summary) -> Iterator[Line]:
    """Yield the lines of a summary."""
    yield Line("")
    yield from _data(summary)
    for drawn in tables(summary):
        head, *body = drawn.splitlines()
        yield from (Line(""), Line(head, "bold"), *map(Line, body))
    if summary.evaluation is not None:
        yield from _metrics(summary.evaluation)
        yield from _slices(summary.evaluation)
        yield _blessing(summary.evaluation)
    if summary.parity is not None:
        yield from _parity(summary.parity)
    yield from _model(summary)
    if summary.data_page is not None:
        yield _labelled("data page", summary.data_page)
    if summary.report is not None:
        yield _labelled("report", summary.report)
    yield _labelled("log", summary.log, WEAK)
    yield _labelled("time", f"{summary.seconds:.1f} s")


def _data(summary: Summary) -> Iterator[Line]:
    if summary.counts is not None:
        counts = summary.counts
        splits = ", ".join(f"{rows:,} {split}" for split, rows in counts["examples"].items())
        read, rejected = counts["records_read"], counts["records_rejected"]
        dropped = counts.get("records_dropped", 0)
        left_out = f", {dropped:,} dropped" if dropped else ""
        if repeated := counts.get("repeated", 0):
            left_out += f", {repeated:,} repeated"
        yield _labelled("data", f"{read:,} rows read: {splits}; {rejected:,} rejected{left_out}")
        yield from _spans(counts.get("read_by_span", {}))
        for reason, count in _by_count(counts["rejected_by_reason"]):
            yield _labelled("", f"rejected {count:,}: {reason}")
        for rule, count in _by_count(counts.get("dropped_by_rule", {})):
            yield _labelled("", f"dropped {count:,}: {rule}")
        if rejected:
            yield _labelled("", f"see {summary.rejects}", WEAK)
        yield from _splits(counts.get("splits", {}))
    if summary.findings:
        yield _labelled("anomalies", _anomalies(summary))
    if summary.selection is not None:
        yield from _selection(summary.selection)
    for column, left_out in _left_out_of_vocabularies(summary):
        yield _labelled("vocabulary", f"{column}: {left_out}", BAD)


def _selection(selection: Mapping[str, Any]) -> Iterator[Line]:
    """Yield how many columns are kept, and a line for each dropped one."""
    dropped, judged = selection["dropped"], len(selection["columns"])
    yield _labelled("selection", f"{judged - len(dropped):,} of {judged:,} columns kept")
    for column, reason in dropped.items():
        yield _labelled("", f"dropped {column}: {reason}")


def _splits(splits: Mapping[str, Any]) -> Iterator[Line]:
    """Yield a line for each split: its rows, its label, its first and last time."""
    if not splits:  # of an earlier run
        return
    classes = list(splits["train"].get("label", {}).get("classes", {}))[:_CLASSES]
    figures = {split: _figures(facts, classes) for split, facts in splits.items()}
    heads = ["split", *(head for head, _ in figures["train"])]
    rows = [[split, *(text for _, text in own)] for split, own in figures.items()]
    yield Line("")
    head, *body = _columns([heads, *rows])
    yield Line(head, "bold")
    yield from map(Line, body)


def _figures(facts: Mapping[str, Any], classes: Sequence[str]) -> list[tuple[str, str]]:
    """Return the figures of a split, each with its head."""
    label, times = facts.get("label", {}), facts.get("time", [])
    figures = [("rows", f"{facts['rows']:,}")]
    figures += [(name, f"{label['classes'].get(name, 0.0):.2%}") for name in classes]
    if "positive" in label:
        figures.append(("label 1", f"{label['positive']:.2%}"))
    if "mean" in label:
        figures.append(("label mean", f"{label['mean']:.6g}"))
    return figures + [(head, str(time)) for head, time in zip(("from", "to"), times, strict=False)]


def _spans(read: Mapping[str, int]) -> Iterator[Line]:
    """Yield a line for each of the newest spans, and one for all before."""
    spans = list(read.items())
    if earlier := spans[:-_SPANS]:
        rows = sum(count for _, count in earlier)
        yield _labelled("", f"spans {earlier[0][0]} to {earlier[-1][0]}: {rows:,} rows read")
    for span, count in spans[-_SPANS:]:
        yield _labelled("", f"span {span}: {count:,} rows read")


def _left_out_of_vocabularies(summary: Summary) -> Iterator[tuple[str, str]]:
    for stage in summary.stages:
        if stage.name == "transform":
            for name, note in stage.notes.items():
                if name.startswith(LEFT_OUT):
                    yield name.removeprefix(LEFT_OUT), str(note)


def _anomalies(summary: Summary) -> str:
    counts: dict[str, int] = {}
    for finding in summary.findings:
        counts[finding["severity"]] = counts.get(finding["severity"], 0) + 1
    text = ", ".join(f"{count} of severity {severity!r}" for severity, count in _by_count(counts))
    return f"{text}, let through by --allow-anomalies" if summary.anomalies_allowed else text


def _metrics(evaluation: Mapping[str, Any]) -> Iterator[Line]:
    models = {"this model": evaluation["overall"]}
    last = evaluation["last_blessed"]
    if last is not None and last["metrics"] is not None:
        models["last blessed"] = last["metrics"]
    if evaluation.get("uncalibrated") is not None:
        models["not calibrated"] = evaluation["uncalibrated"]["metrics"]
    task = task_of(evaluation)
    for baseline in reversed(task.BASELINES):
        models[baseline.name.replace("_", " ")] = evaluation["baselines"][baseline.name]
    shown = task.shown(evaluation.get("objective", task.OBJECTIVE), evaluation["overall"])
    names = [metric.name for metric in shown if metric.better is not None]
    rows = [[model, *(figure_text(m[name]) for name in names)] for model, m in models.items()]
    examples = evaluation["overall"]["examples"]
    yield Line("")
    weight = evaluation.get("weight")
    weighted = f" weighted by {weight}" if weight else ""
    head, *body = _columns([[f"test, {examples:,} rows{weighted}", *names], *rows])
    yield Line(head, "bold")
    yield from map(Line, body)
    if evaluation.get("coverage") is not None:
        yield _labelled("coverage", f"{evaluation['coverage']:.1%} of labels in intervals or sets")
    if last is not None and last["note"]:
        yield _labelled("last blessed", f"not compared: {last['note']}", WEAK)


def _slices(evaluation: Mapping[str, Any]) -> Iterator[Line]:
    worst = evaluation["worst_slices"]
    if not worst:
        return
    names = task_of(evaluation).SLICED
    rows = [
        [
            f"{s['column']} = {s['value']}",
            f"{s['metrics']['examples']:,}",
            *(figure_text(s["metrics"][metric]) for metric in names),
        ]
        for s in worst
    ]
    yield Line("")
    head, *body = _columns([["worst slices", "rows", *names], *rows])
    yield Line(head, "bold")
    yield from map(Line, body)
    yield Line("")


def _blessing(evaluation: Mapping[str, Any]) -> Line:
    if evaluation["blessed"]:
        return _labelled("blessing", "blessed", GOOD)
    return _labelled("blessing", "not blessed: reasons below", BAD)


def _parity(parity: Mapping[str, Any]) -> Iterator[Line]:
    """Yield a line for each serving path, failed ones first."""
    by_split = ", ".join(f"{n:,} {split}" for split, n in parity["real_by_split"].items() if n)
    rows = f"{parity['real_rows']:,} real rows ({by_split or 'none'})"
    rows += f" and {parity['adversarial_rows']:,} adversarial ones"
    paths = sorted(
        parity["serving_paths"], key=lambda path: not (path["failed"] or path["differing"])
    )
    cells = [
        [
            path["name"],
            f"{path['rows']:,}",
            f"{path['values']:,}",
            f"{path['differing']:,}",
            "-" if path["largest"] is None else f"{path['largest']:.1e}",
            f"{path['failed']:,}" if path["failed"] else "",
        ]
        for path in paths
    ]
    yield Line("")
    head, *body = _columns(
        [[*_PARITY_HEAD, "no answer" if any(c[-1] for c in cells) else ""], *cells]
    )
    yield Line(head, "bold")
    for path, text in zip(paths, body, strict=True):
        yield Line(text, BAD if path["failed"] or path["differing"] else "")
    yield Line("")
    if parity["proven"]:
        proven = f"proven on {rows}, {len(paths)} serving path{'s' if len(paths) > 1 else ''}"
        yield _labelled("parity", proven, GOOD)
    else:
        yield _labelled("parity", f"not proven on {rows}: differences below", BAD)


def _model(summary: Summary) -> Iterator[Line]:
    if summary.status == "partial":
        yield _labelled("ended", f"after {summary.stages[-1].name}, as chosen: nothing is pushed")
    if summary.version is None:
        return
    state = "pushed as" if summary.status == "pushed" else "already served as"
    yield _labelled("model", f"{state} version {summary.version}: {summary.model}", GOOD)
    if summary.serve is not None:
        yield _labelled("serve it", summary.serve)


def _labelled(label: str, text: str, style: str = "") -> Line:
    return Line(f"{label:<{LABEL_WIDTH}} {text}", style)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align cells: the first column to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _by_count(counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
