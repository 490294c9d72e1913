"""Writes a draft as the two files of a dataset, with the reason for each decision as a comment."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence

from components.profile.choices import ColumnChoice
from components.profile.draft import Draft
from components.profile.types import quoted
from schemas import sources
from schemas.sources.csv import Csv
from schemas.sources.options import FileOptions
from schemas.validation import Validation

_PLAIN = re.compile(r"[A-Za-z_][\w.-]*( [\w.-]+)*")
_YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_GUESSED = ("cp1252", "iso8859-1")  # encodings in which nearly all bytes are letters
# Rows of a class in the test split, below which metrics are mostly chance; and rows without the
# most frequent label, from which on a useful model surely beats the best constant.
_FEW_TESTED, _ENOUGH_TESTED = 5, 30
# What a useful model surely reaches, of R² above what a constant has.
_LEAST_AUC, _LEAST_R2 = 0.6, 0.01


def schema_text(draft: Draft) -> str:
    """Return schema.pbtxt."""
    lines = [
        "# What each column is. Written by `skewless init`; docs/own-data.md explains each field.",
        'default_environment: "TRAINING"',
        'default_environment: "SERVING"',
    ]
    for choice in draft.choices:
        if choice.name in draft.written:
            lines += _feature(choice, serving=bool(choice.treatments))
    label = draft.label
    is_global = label.domain and label.domain[0].startswith("string_domain")
    lines += [
        "feature {",
        f"  name: {quoted(label.typed.column.name)}",
        f"  type: {label.typed.kind}",
        "  presence { min_count: 1 }",
        '  not_in_environment: "SERVING"  # the answer: requests do not have it',
        *(f"  {line}" for line in (() if is_global else label.domain)),
        *([f"  domain: {quoted(label.typed.column.name)}"] if is_global else []),
        "}",
        *(label.domain if is_global else ()),
    ]
    return "\n".join(lines) + "\n"


def _feature(choice: ColumnChoice, *, serving: bool) -> Iterator[str]:
    column = choice.typed
    yield "feature {"
    yield f"  name: {quoted(choice.name)}"
    yield f"  type: {column.kind}"
    if choice.missing == 0:
        yield "  presence { min_fraction: 0.95 min_count: 1 }  # no value was missing"
    for line in column.domain:
        yield f"  {line}"
    if not serving:
        yield '  not_in_environment: "SERVING"  # it only identifies rows'
    yield "}"


def pipeline_text(draft: Draft, name: str, paths: Sequence[str]) -> str:
    """Return pipeline.yaml.

    Args:
      draft: what to write.
      name: the pipeline's.
      paths: of the table's files, from the folder of pipeline.yaml; not used for a database.
    """
    looked = f"{draft.table.rows:,} rows" + ("" if draft.table.whole else ", the first ones,")
    sections = [
        f"# Written by `skewless init` from {looked} of {len(draft.table.columns)} columns.",
        "# docs/own-data.md explains each key.",
        f"name: {name}",
        "",
        *_source(draft, paths),
        "",
        *_splits(draft),
        "",
        *_label(draft),
        "",
        "features:",
        *_features(draft),
        "",
        *_evaluation(draft),
        *_validation(draft),
        *_export(draft),
    ]
    return "\n".join(sections) + "\n"


def line_of(pipeline: str, column: str) -> int:
    """Return the number of the line of pipeline.yaml about a column; 0 if there is none."""
    key = re.escape(_scalar(column))
    for number, line in enumerate(pipeline.splitlines(), start=1):
        if re.match(rf"  (# |column: |name: )?{key}(:|$)", line):
            return number
    return 0


def source_doubts(draft: Draft) -> list[tuple[str, str]]:
    """Return what a person should look at in the source: its keys, each with a text."""
    source, doubts = draft.table.source, []
    if isinstance(source, Csv) and source.encoding in _GUESSED:
        doubts.append(("encoding", "the text is not UTF-8; see whether special letters are right"))
    if isinstance(source, Csv) and source.names:
        doubts.append(("names", "the first line has values like a row, so these are made up"))
    doubts += [
        ("path", f"several columns are named {name!r}, so they are left out: rename them")
        for name in draft.table.repeated
    ]
    if source.read_always:
        doubts.append(("url", source.read_always))
    doubts += [
        ("path", f"{name!r} is left out: it has a type, such as a union, that no column can have")
        for name in draft.table.unread
    ]
    return doubts


def _source(draft: Draft, paths: Sequence[str]) -> Iterator[str]:
    source = draft.table.source
    yield "source:"
    if source.format != sources.FORMATS[0]:  # the default
        yield f"  format: {source.format}"
    if isinstance(source, FileOptions):
        yield f"  path: {_scalar(paths[0]) if len(paths) == 1 else _listed(list(paths))}"
    for key, value in source.model_dump(exclude_defaults=True).items():
        if key not in ("format", "path", "null_values"):
            yield f"  {key}: {json.dumps(value, ensure_ascii=False)}"
    yield from _nulls(draft)


def _nulls(draft: Draft) -> Iterator[str]:
    """Write the texts that mean missing: as a list where all columns have the same ones."""
    nulls = {name: draft.nulls.get(name, ()) for name in draft.written}
    if not any(nulls.values()):
        return
    if len(set(nulls.values())) == 1:
        yield f"  null_values: {_listed(nulls[draft.written[0]])}  # they mean: missing"
        return
    yield "  null_values:  # they mean: missing"
    for name, texts in nulls.items():
        if texts:
            yield f"    {_scalar(name)}: {_listed(texts)}"


def _splits(draft: Draft) -> Iterator[str]:
    split = draft.split
    yield "splits:"
    yield f"  by: {split.by}  # {split.reason}"
    if split.by == "time":
        yield f"  column: {_scalar(split.columns[0])}"
        return
    if split.by == "stratified":
        yield f"  strata: {_listed([split.strata])}"
    if split.test:
        yield f"  test: {_scalar(split.test)}"
    if split.eval:
        yield f"  eval: {_scalar(split.eval)}"
    if split.columns:
        yield f"  key: {_listed(split.columns)}"
        if split.by == "file" and split.may_repeat:
            yield "  shared_keys: allow  # equal rows of several files may be different ones"


def _label(draft: Draft) -> Iterator[str]:
    label = draft.label
    yield f"label:  # {label.summary}"
    if label.spellings:
        column = _scalar(label.typed.column.name)
        yield f"  name: {column}"
        yield f"  equals: {{column: {column}, values: {_listed(label.spellings)}}}"
        return
    yield f"  column: {_scalar(label.typed.column.name)}"
    for key, value in label.options.items():
        shown = _listed(value) if isinstance(value, list | tuple) else _value(value)
        yield f"  {key}: {shown}"


def _features(draft: Draft) -> Iterator[str]:
    for choice in draft.choices:
        missing = f", {choice.missing:.1%} missing" if choice.missing else ""
        key = _scalar(choice.name)
        if choice.treatments:
            yield f"  {key}: [{', '.join(choice.treatments)}]  # {choice.reason}{missing}"
        else:
            yield f"  # {_comment(key)}: left out: {_comment(choice.reason)}"


def _evaluation(draft: Draft) -> Iterator[str]:
    yield "evaluation:"
    yield "  thresholds:"
    counts = draft.test_counts
    rest = sum(counts[1:])
    if rest < _ENOUGH_TESTED:
        few = f"about {sum(counts):.0f} rows, {rest:.0f} of them without the most frequent label"
        yield f"    # The test split has {few}:"
        yield "    # too few to compare models."
        yield "    beats_baseline: false"
    elif draft.label.constant_r2:
        yield "    beats_baseline: false  # the mean, which a model of logarithms does not predict"
    else:
        yield "    beats_baseline: constant  # true: better than the linear model, too"
    if draft.label.task == "regression":
        if rest >= _ENOUGH_TESTED:
            none = draft.label.constant_r2
            yield f"    r2: {{min: {none + _LEAST_R2:.3f}}}  # the best constant has {none:.3f}"
    elif min(counts) >= _FEW_TESTED:
        yield f"    {_skill(draft.label.task, counts)}"
    elif draft.label.task == "binary":
        yield "    auc: {}"


def _skill(task: str, counts: Sequence[float]) -> str:
    """Return a bound of the AUC of a model that knows something about the label.

    It is two standard errors of one without any skill above 0.5 (Hanley and McNeil, 1982); of a
    mean over classes, as if they were independent.
    """
    rows = sum(counts)
    squares = [(rows + 1) / (12 * count * (rows - count)) for count in counts]
    name, error = "auc", math.sqrt(squares[0])
    if task == "multiclass":
        name, error = "macro_auc", math.sqrt(sum(squares)) / len(squares)
    bound = math.floor(1000 * min(0.5 + 2 * error, _LEAST_AUC)) / 1000
    return f"{name}: {{min: {bound!r}}}  # a model without any skill has 0.5 ± {error:.2g}"


def _validation(draft: Draft) -> Iterator[str]:
    # Half as many again: other rows than those that were looked at may have more of them.
    bound = math.ceil(150 * draft.rejected) / 100
    if bound > Validation().max_rejected_fraction:
        yield ""
        yield "validation:"
        why = f"{draft.rejected:.1%} of the rows have no label, or a value that is not a number"
        yield f"  max_rejected_fraction: {min(bound, 1.0)!r}  # {why}"


def _export(draft: Draft) -> Iterator[str]:
    label = draft.label
    if label.spellings:
        texts = label.typed.column.top(2)
        classes = [next(t for t in texts if t != label.spellings[0]), label.spellings[0]]
        yield ""
        yield "export:"
        yield f"  classes: {_listed(classes)}"


def _listed(values: object) -> str:
    assert isinstance(values, list | tuple)
    return f"[{', '.join(map(_scalar, map(str, values)))}]"


def _value(value: object) -> str:
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    """Return a text as YAML reads it back: plain where possible."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
