"""Checks that pipeline.yaml and schema.pbtxt fit: columns exist, have the right type, and differ.

An error names the place, before any data is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from schemas.columns import Column, find, refuse_list, require_type
from schemas.derived import DerivedColumn, raw_names
from schemas.errors import ConfigError
from schemas.layout import TRAINING_INPUTS
from schemas.model_agreement import check_model
from schemas.prepare_agreement import check_prepare
from schemas.sources.options import FileOptions
from schemas.spec import DeclaredUse, Spec
from schemas.treatments import BY_NAME
from schemas.treatments.options import TreatmentOptions
from schemas.types import FLOAT, INT

_OF_LISTS = "of lists, " + ", ".join(k for k, kind in BY_NAME.items() if kind.accepts_lists)
_LIST_OPTIONS = ("combine", "first", "last", "weights")

# Ingest and the transform stage add columns of their own to the dataset's.
RESERVED = (*TRAINING_INPUTS, "skewless_origin")


def check(
    spec: Spec,
    columns: tuple[Column, ...],
    derived: tuple[DerivedColumn, ...],
    *,
    where: str,
    place: Callable[[tuple[str | int, ...]], str],
) -> None:
    """Check pipeline.yaml against the columns of schema.pbtxt.

    Args:
      spec: pipeline.yaml.
      columns: the columns of examples.
      derived: the derived columns of pipeline.yaml.
      where: the path of pipeline.yaml.
      place: returns that path, the line and the name of a key; takes the keys that lead to it.

    Raises:
      ConfigError: a column does not exist, has the wrong type, or reveals the outcome; two
        transformed features have the same name; the label can never be 1; the split looks at all
        rows of a source with spans.
    """
    of_source = tuple(column for column in columns if not column.is_derived)
    _check_nulls(spec, of_source, where)
    _check_renamed(spec, of_source, where)
    _check_spans(spec, where)
    _check_features(spec, (*columns, *(each.column for each in derived)), place)
    _check_missing(spec, (*columns, *(each.column for each in derived)), place)
    _check_out_of_fold(spec, where)
    served = raw_names(derived, spec.feature_columns)
    _check_served(served, columns, where)
    section = f"{where}: splits"
    if spec.splits.reads_names and not isinstance(spec.source, FileOptions):
        raise ConfigError(
            f"a source of {spec.source.format} has no files whose names could decide the split",
            where=f"{section}.by",
            expected="a split by columns of the table, such as hash or time",
        )
    own = tuple(find(columns, name, where=section) for name in spec.splits.columns)
    for column in own:
        refuse_list("splits", column, section)
    spec.splits.check(own, where=section)
    for name in spec.evaluation.slices:
        column = find(columns, name, where=f"{where}: evaluation.slices")
        refuse_list("evaluation.slices", column, f"{where}: evaluation.slices")
    _check_label(spec, columns, served, where)
    _check_derived_label(spec, columns, derived, where)
    _check_weight(spec, columns, where)
    _check_names(spec, columns, where)
    check_prepare(spec.prepare, columns, spec.label, where=where)
    check_model(spec, derived, where=where)
    _check_unhelpful(spec, columns, where)
    _check_calibration(spec, where)
    _check_coverage(spec, where)
    if spec.model.per_fold and spec.splits.folds is None:
        raise ConfigError(
            "a model for each fold needs folds, and splits.folds is not given",
            where=f"{where}: model.per_fold",
            remedy="set splits.folds, such as 5",
        )


def _check_unhelpful(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    for name in spec.selection.unhelpful:
        find(columns, name, where=f"{where}: selection.unhelpful")
        if name in spec.model.monotone:
            raise ConfigError(
                f"the column {name!r} is dropped, but model.monotone names it",
                where=f"{where}: selection.unhelpful",
                remedy="remove it from one of both",
            )


def _check_calibration(spec: Spec, where: str) -> None:
    """Check that the method is one of what the model answers: probabilities, or a quantile."""
    method, label = spec.calibration.method, spec.label
    if method != "none" and method not in label.CALIBRATIONS:
        raise ConfigError(
            f"the method {method!r} does not calibrate {label.task}",
            where=f"{where}: calibration.method",
            expected=f"one of {', '.join(('none', *label.CALIBRATIONS))}",
        )
    if spec.calibration.rows == "out_of_fold" and not spec.model.per_fold:
        raise ConfigError(
            "out-of-fold answers are those of a model for each fold, and there is one model",
            where=f"{where}: calibration.rows",
            remedy="set splits.folds and model.per_fold, or drop `rows`",
        )
    if method == "quantile" and getattr(label, "quantile", None) is None:
        raise ConfigError(
            "the method 'quantile' calibrates a quantile, and label.quantile is not given",
            where=f"{where}: calibration.method",
            remedy="set label.quantile, or remove `calibration`",
        )


def _check_coverage(spec: Spec, where: str) -> None:
    """Check that answers can have intervals: those of a mean."""
    label = spec.label
    if getattr(label, "interval", None) is not None and spec.export.covered_share is None:
        raise ConfigError(
            "label.interval has no effect without a share of rows that intervals are to cover",
            where=f"{where}: label.interval",
            remedy="set export.coverage, such as 0.9, or remove `interval`",
        )
    if spec.export.covered_share is not None and (
        getattr(label, "poisson", False) or getattr(label, "quantile", None) is not None
    ):
        raise ConfigError(
            "intervals are around a mean, and label.quantile or label.poisson predicts another one",
            where=f"{where}: export.coverage",
            remedy="remove `export.coverage`, or the option of the label",
        )


def _check_nulls(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    """Check that texts that mean missing in a column can be in it."""
    section = f"{where}: source.null_values"
    for name in spec.source.columns_with_nulls:
        column = find(columns, name, where=section)
        if spec.source.has_types and not column.type.is_requested_as_text:
            raise ConfigError(
                f"null_values of {name!r} have no effect: {spec.source.format} has its values as"
                " numbers, and null_values are texts",
                where=section,
                expected=f"columns of text, or {name!r} declared BYTES in schema.pbtxt",
                remedy="remove them, and write missing values as null",
            )


def _check_renamed(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    """Check that schema.pbtxt has the new names of columns of files, not the old ones."""
    rename = spec.source.columns.rename if isinstance(spec.source, FileOptions) else {}
    for column in columns:
        if column.name in rename and column.name not in rename.values():
            raise ConfigError(
                f"the column {column.name!r} of schema.pbtxt is renamed {rename[column.name]!r}",
                where=f"{where}: source.columns.rename",
                expected="the new names of columns in schema.pbtxt",
                remedy="rename the column in schema.pbtxt, or remove it from rename",
            )


def _check_spans(spec: Spec, where: str) -> None:
    """Check that what becomes of a row of a span does not depend on the rows of other spans."""
    has_spans = isinstance(spec.source, FileOptions) and spec.source.has_spans
    if has_spans and spec.splits.looks_ahead:
        raise ConfigError(
            f"the splits ({spec.splits.in_words()}) depend on all rows, but a source with spans is"
            " read one span at a time",
            where=f"{where}: splits",
            expected="a split that each row decides by itself",
            remedy="split by time with eval_from and test_from, without folds, or by hash or group",
        )
    if has_spans and (rules := list(spec.prepare.in_words_of_all_rows())):
        raise ConfigError(
            f"prepare depends on all rows ({rules[0]}), but a source with spans is read one span at"
            " a time",
            where=f"{where}: prepare",
            expected="rules that each row decides by itself: where and required",
            remedy="drop such rows before they are delivered, or name them by a condition in where",
        )


def _check_features(
    spec: Spec, columns: tuple[Column, ...], place: Callable[[tuple[str | int, ...]], str]
) -> None:
    by_name = {column.name: column for column in columns}
    for use in spec.uses:
        _check_use(use, spec, by_name, place)


def _check_use(
    use: DeclaredUse,
    spec: Spec,
    columns: Mapping[str, Column],
    place: Callable[[tuple[str | int, ...]], str],
) -> None:
    options, user = use.options, "a cross" if use.options.kind == "cross" else use.options.kind
    try:
        for position, name in enumerate(use.columns):
            column = columns[name] if name in columns else find(columns.values(), name, where="")
            require_type(user, column, options.accepted(position), "")
            _check_list(user, options, column, "")
            if position == 0:
                options.check(column, where="")
        options.check_label(spec.label, where="")
    except ConfigError as error:
        raise error.at(place(use.keys)) from None


def _check_missing(
    spec: Spec, columns: tuple[Column, ...], place: Callable[[tuple[str | int, ...]], str]
) -> None:
    """Check that the columns of `missing:` can be filled, and that treatments take them."""
    taken = {n for use in spec.uses if use.options.fills_missing for n in use.columns}
    for name, filling in spec.missing.items():
        section = place(("missing", name))
        filling.check(find(columns, name, where=section), where=section)
        if filling.by is not None:
            filling.check_group(find(columns, filling.by, where=section), where=section)
        if name not in taken:
            raise ConfigError(
                f"{name!r} is filled, but no treatment takes it",
                where=section,
                expected="columns of features, crosses or combinations",
                remedy="give the column a treatment, or remove the line",
            )


def _check_out_of_fold(spec: Spec, where: str) -> None:
    """Check that copies of a training row share a fold where treatments learn from the label."""
    learning = [use.options.kind for use in spec.uses if use.options.learns_label]
    sample = spec.prepare.sample
    if learning and spec.splits.folds is None and sample is not None and sample.share:
        raise ConfigError(
            f"{learning[0]} would give a repeated row the label of its copies in other folds",
            where=f"{where}: prepare.sample.share",
            expected="splits.folds, which gives all copies of a row one fold",
            remedy="add folds: 5 to splits",
        )


def _check_served(names: tuple[str, ...], columns: tuple[Column, ...], where: str) -> None:
    """Check that requests carry the raw columns of features."""
    for name in names:
        if not find(columns, name, where=where).serving:
            raise ConfigError(
                f"the feature {name!r} is not known when serving",
                where=f"{where}: features, crosses, derive",
                expected="columns of the SERVING environment: others leak the answer",
                remedy="drop the feature, or its not_in_environment in schema.pbtxt",
            )


def _check_list(user: str, treatment: TreatmentOptions, column: Column, where: str) -> None:
    """Check that a treatment of a list takes lists, and that its options have an effect."""
    if not treatment.accepts_lists:
        refuse_list(user, column, where, accepted=_OF_LISTS)
    elif not column.is_list:
        for option in _LIST_OPTIONS:
            if getattr(treatment, option, None) is not None:
                raise ConfigError(
                    f"{treatment.kind} of {column.name!r} has `{option}`, which has no effect:"
                    " the column has one value a row",
                    where=where,
                    expected=f"{option} only for a list of values a row",
                    remedy=f"remove {option}, or write value_count {{ max: … }} for the column in"
                    " schema.pbtxt",
                )


def _check_label(
    spec: Spec, columns: tuple[Column, ...], served: tuple[str, ...], where: str
) -> None:
    section = f"{where}: label"
    own = tuple(find(columns, name, where=section) for name in spec.label.columns)
    for column in own:
        refuse_list("label", column, section)
    spec.label.check(own, spec.source, where=section)
    spec.label.check_thresholds(spec.evaluation.thresholds, where=where)
    if spec.label.outcome in served:
        raise ConfigError(
            f"the feature {spec.label.outcome!r} is what the label is made from",
            where=f"{where}: features, crosses, derive",
            expected="columns that do not contain the answer",
            remedy="drop the feature",
        )


def _check_derived_label(
    spec: Spec, columns: tuple[Column, ...], derived: tuple[DerivedColumn, ...], where: str
) -> None:
    """Check that requests do not have all that the answer is computed from."""
    outcome, serving = spec.label.outcome, {each.name for each in columns if each.serving}
    raw = raw_names(derived, [outcome])
    if outcome in spec.derive and serving.issuperset(raw):
        raise ConfigError(
            f"the label {outcome!r} is computed from {', '.join(raw)}, which requests have",
            where=f"{where}: derive.{outcome}",
            expected="an answer from at least one column that is known only afterwards",
            remedy='add not_in_environment: "SERVING" to that column in schema.pbtxt',
        )


def _check_weight(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    if spec.label.weight is None:
        return
    section = f"{where}: label.weight"
    column = find(columns, spec.label.weight, where=section)
    require_type("label.weight", column, (INT, FLOAT), section)
    refuse_list("label.weight", column, section)
    if column.serving:
        raise ConfigError(
            f"the weight {column.name!r} is known when serving, where nothing needs it",
            where=section,
            expected="a column of the TRAINING environment alone",
            remedy='add not_in_environment: "SERVING" to it in schema.pbtxt',
        )
    if column.name in spec.label.columns:
        raise ConfigError(
            f"the weight {column.name!r} is what the label is made from",
            where=section,
            expected="a column that says how much a row counts, whatever its label",
            remedy="name another column, or drop label.weight",
        )


def _check_names(spec: Spec, columns: tuple[Column, ...], where: str) -> None:
    for name in (*(column.name for column in columns), *spec.derive, spec.label.name):
        if name in RESERVED:
            raise ConfigError(
                f"the name {name!r} is taken by a column that the run adds",
                where=where,
                remedy="rename the column or the label",
            )
    weight = () if spec.label.weight is None else (spec.label.weight,)
    names = Counter((*spec.transformed_names, spec.label.name, *weight))
    for name, count in names.items():
        if count > 1:
            raise ConfigError(
                f"two transformed features have the name {name!r}",
                where=f"{where}: features, crosses, label",
                expected="names that differ: COLUMN_z_score and COLUMN_missing, COLUMN_bucket,"
                " COLUMN_id, A_x_B, the label's, and the weight's",
                remedy="rename the column or the label, or drop one of the treatments",
            )
