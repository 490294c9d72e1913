"""The preprocessing function TFT analyzes, and the layout of its outputs.

Both are made from the same declarations of pipeline.yaml, so they cannot disagree.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from components.tasks import protocol as tasks_protocol
from components.transform.treatments.protocol import Target, Use, optional, work_of
from schemas import tasks
from schemas.columns import Column, refuse_list
from schemas.derived import DerivedColumn, needed, of_plain, raw_names
from schemas.errors import ConfigError
from schemas.layout import FOLD_INPUT, WEIGHT_INPUT, Layout, TransformedFeature
from schemas.missing import Missing, indicators
from schemas.tasks.options import TaskOptions
from schemas.treatments import BY_NAME, Combination

if TYPE_CHECKING:
    import tensorflow as tf


# Imported by its name, so that only a pipeline with derived columns depends on their code.
DERIVED_COLUMNS = f"{__package__}.derived_columns"
FILLED_COLUMNS = f"{__package__}.filled_columns"  # likewise, of `missing`

_SECTIONS = "features, crosses, combinations, missing"  # that use treatments
_COMBINE = "mean"  # of a list's embeddings, unless the options say otherwise


@dataclass(frozen=True)
class Preprocessing:
    """The part of pipeline.yaml that the transform graph is made from.

    Attributes:
      uses: of treatments, in model order.
      label: what the label is made from.
      derived: the derived columns that uses need, each after those that it uses.
      missing: what fills missing values, by column.
      dropped: the columns that the selection left out, each with its reason.
    """

    uses: tuple[Use, ...]
    label: TaskOptions
    derived: tuple[DerivedColumn, ...] = ()
    missing: Mapping[str, Missing] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def loads(cls, text: str) -> Preprocessing:
        """Read `features`, `crosses`, `combinations`, `missing`, `label` of pipeline.yaml, as JSON.

        `derived` has the derived columns, as `schemas.derived.plain` writes them, and `code` the
        text of features.py.
        """
        sections = json.loads(text)
        single = [
            _use(each["kind"], each, feature["column"])
            for feature in sections["features"]
            for each in feature["treatments"]
        ]
        crosses = [_use("cross", each) for each in sections["crosses"]]
        combinations = [_use(each["kind"], each) for each in sections.get("combinations", ())]
        missing = {
            name: Missing.model_validate(each) for name, each in sections.get("missing", {}).items()
        }
        flags = [_use("missing", options) for options in indicators(missing).values()]
        code = sections.get("code", {}).get("text", "")
        uses = tuple(_with_code(use, code) for use in (*single, *crosses, *combinations, *flags))
        derived = of_plain(sections.get("derived", ()))
        return cls(
            uses,
            tasks.loads(json.dumps(sections["label"])),
            needed(derived, _used(uses, missing)),
            missing,
        )

    def without(self, dropped: Mapping[str, str]) -> Preprocessing:
        """Return it without the treatments, and the fillings, that take a column of `dropped`."""
        uses = tuple(use for use in self.uses if set(use.columns).isdisjoint(dropped))
        missing = {name: each for name, each in self.missing.items() if name not in dropped}
        derived = needed(self.derived, _used(uses, missing))
        return replace(self, uses=uses, derived=derived, missing=missing, dropped=dropped)

    def with_options(self, changed: Mapping[tuple[tuple[str, ...], Any], Any]) -> Preprocessing:
        """Return it with other options for uses, by their columns and options."""
        uses = (
            replace(use, options=changed.get((use.columns, use.options), use.options))
            for use in self.uses
        )
        return replace(self, uses=tuple(uses))

    @property
    def learns_label(self) -> bool:
        """Whether a treatment does; the graph then has `TRAINING_INPUTS`."""
        return any(use.options.takes_label for use in self.uses)

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that go into the graph, each once, sorted by name."""
        used = raw_names(self.derived, _used(self.uses, self.missing))
        return tuple(sorted({*self.label.columns, *used}))

    def of(self, columns: Iterable[Column]) -> Preprocessing:
        """Return it with uses that know which of the raw columns have lists.

        Raises:
          ConfigError: a treatment does not take lists.
        """
        lists = {column.name: column for column in columns if column.is_list}
        uses = []
        for use in self.uses:
            for name in lists.keys() & set(use.columns):
                if not use.options.accepts_lists:
                    refuse_list(use.kind, lists[name], f"pipeline.yaml: {_SECTIONS}")
                use = replace(use, is_list=use.options.lists_give_lists)
            uses.append(use)
        return replace(self, uses=tuple(uses))

    def by_kind(self) -> dict[str, list[Use]]:
        """Return the uses of each treatment."""
        uses: dict[str, list[Use]] = {}
        for use in self.uses:
            uses.setdefault(use.kind, []).append(use)
        return uses


def _use(kind: str, written: dict[str, Any], column: str | None = None) -> Use:
    """Return the use of a treatment on a column of `features`, or on those that it names itself."""
    options = BY_NAME[kind].model_validate(written)
    if isinstance(options, Combination):
        return Use(kind, options.columns, options)
    assert column is not None
    return Use(kind, (column, *options.others), options)


def _used(uses: Iterable[Use], missing: Mapping[str, Missing]) -> list[str]:
    """Return the columns of uses, and those whose groups fill them."""
    columns = [name for use in uses for name in use.columns]
    return [*columns, *(each.by for each in missing.values() if each.by is not None)]


def _with_code(use: Use, code: str) -> Use:
    return replace(use, options=use.options.with_code(code)) if use.kind == "own" else use


def raw_columns(preprocessing: Preprocessing, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns that go into the graph, sorted by name."""
    by_name = {c.name: c for c in columns}
    return tuple(by_name[name] for name in preprocessing.columns)


def make_layout(preprocessing: Preprocessing, graph: str | None = None) -> Layout:
    """Return the transformed features in model order.

    Args:
      preprocessing: what each column becomes.
      graph: TFT's output folder; None before the analysis, when sizes are not known.

    Raises:
      ConfigError: two features would have the same name.
    """
    learned: dict[Use, int] = {}
    for kind, uses in preprocessing.by_kind().items():
        learn = optional(kind, "learn") if graph is not None else None
        learned |= zip(uses, learn(graph, uses) if learn else [0] * len(uses), strict=True)
    features: list[TransformedFeature] = []
    for use in preprocessing.uses:
        outputs = use.options.outputs(use.columns, learned[use])
        features += _of_lists(outputs, use.options) if use.is_list else outputs
    label = preprocessing.label
    learn = tasks_protocol.optional(label.task, "learn") if graph is not None else None
    layout = Layout(
        features=tuple(features),
        label=label.name,
        label_type=label.LABEL_TYPE.name,
        derived=_origins(preprocessing),
        dropped=dict(preprocessing.dropped),
        label_learned=learn(graph, label) if learn else {},
    )
    _refuse_equal_names(layout.outputs)
    return layout


def _origins(preprocessing: Preprocessing) -> dict[str, tuple[str, ...]]:
    """Return the raw columns of derived columns, and of those that groups fill."""
    derived = preprocessing.derived
    groups = {name: (each.by,) for name, each in preprocessing.missing.items() if each.by}
    made = dict.fromkeys([*(each.name for each in derived), *groups])
    return {name: raw_names(derived, [name, *groups.get(name, ())]) for name in made}


def _of_lists(outputs: Iterable[TransformedFeature], options: Any) -> Iterator[TransformedFeature]:
    """Yield the outputs of lists; those of ids have lists, too."""
    for feature in outputs:
        is_list = feature.role != "dense"
        combine = (options.combine or _COMBINE) if is_list else ""
        yield feature.model_copy(update={"combine": combine})


def _refuse_equal_names(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"two transformed features have the name {name!r}",
                where=f"pipeline.yaml: {_SECTIONS}, label",
                remedy="rename the column or the label, or drop one of the treatments",
            )


def make_preprocessing_fn(
    preprocessing: Preprocessing,
) -> Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]:
    """Return TFT's `preprocessing_fn`: raw columns [rows] in, named tensors [rows] out.

    Both are ragged [rows, None] where the column has lists.
    """

    def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        if preprocessing.derived:
            module = importlib.import_module(DERIVED_COLUMNS)
            inputs = module.with_derived(inputs, preprocessing.derived)
        options = preprocessing.label
        label = tasks_protocol.work_of(options.task).label(inputs, options)
        target = []
        if preprocessing.learns_label:
            target = [Target(options, label, inputs[WEIGHT_INPUT], inputs[FOLD_INPUT])]
        filled = inputs
        if preprocessing.missing:
            module = importlib.import_module(FILLED_COLUMNS)
            filled = module.with_filled(inputs, preprocessing.missing)
        outputs: dict[str, tf.Tensor] = {}
        for kind, uses in preprocessing.by_kind().items():
            options_of = BY_NAME[kind]
            taken = filled if options_of.fills_missing else inputs
            given = target if any(use.options.takes_label for use in uses) else ()
            outputs.update(work_of(kind).apply(taken, uses, *given))
        return {**outputs, options.name: label}

    return preprocessing_fn
