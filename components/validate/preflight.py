"""Statistics and treatments → what will be of no use or too large, before any time is spent on it.

Each treatment says what it doubts. Embeddings that would not fit in memory stop the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

from components import progress
from schemas.errors import DataError
from schemas.figures import ColumnFigures
from schemas.strict import Strict
from schemas.treatments import BY_NAME
from schemas.treatments.options import LearnedTerms, TreatmentOptions

STAGE = "gate"

# A table in training: itself, its gradient's two moments, and the average over the steps.
_COPIES = 4
_FLOAT = 4  # bytes
_MOST_BYTES = 4 << 30


class PlannedUse(Strict):
    """A use of a treatment.

    Attributes:
      place: of it in pipeline.yaml.
      columns: raw or derived ones.
      options: of the treatment, with its kind.
    """

    place: str
    columns: tuple[str, ...]
    options: dict[str, Any]

    @property
    def treatment(self) -> TreatmentOptions:
        """The options, checked."""
        return BY_NAME[self.options["kind"]].model_validate(self.options)


class FeaturePlan(Strict):
    """What the run is about to do with columns.

    Attributes:
      level: what becomes of trouble: "stop", "warn" or "off".
      uses: of treatments.
      embedding_dim: numbers that an id becomes.
    """

    level: str = "off"
    uses: tuple[PlannedUse, ...] = ()
    embedding_dim: int = 0


def check(statistics: statistics_pb2.DatasetFeatureStatisticsList, plan: FeaturePlan) -> None:
    """Remark on what is doubtful about treatments, and stop where embeddings are too large.

    Args:
      statistics: of the training split.
      plan: what the run is about to do.

    Raises:
      DataError: embeddings need more memory than machines have; names the greatest.
    """
    if plan.level == "off":
        return
    figures = dict(map(_figures_of, statistics.datasets[0].features))
    for use in plan.uses:
        own = [figures.get(name) for name in use.columns]
        known = [each for each in own if each is not None]  # derived columns may have no figures
        if len(known) == len(own):
            for doubt in use.treatment.doubts(known):
                columns = ", ".join(use.columns)
                progress.remark(STAGE, f"{use.place}: {use.options['kind']} of {columns}: {doubt}")
    _check_memory(plan, figures)


def _check_memory(plan: FeaturePlan, figures: Mapping[str, ColumnFigures]) -> None:
    """Stop where the embeddings of all ids are too large, or say so."""
    sizes = dict(_table_sizes(plan, figures))
    total = sum(sizes.values()) * plan.embedding_dim * _FLOAT * _COPIES
    if total <= _MOST_BYTES:
        return
    place, ids = max(sizes.items(), key=lambda item: item[1])
    error = DataError(
        f"embeddings of {sum(sizes.values()):,} ids need about {total / (1 << 30):.1f} GiB in"
        " training",
        where=f"{place}, which has {ids:,} of them",
        expected=f"at most {_MOST_BYTES >> 30} GiB",
        remedy="lower top_k or buckets there, raise min_count, or lower model.embedding_dim;"
        " validation.preflight: warn goes on anyway",
    )
    if plan.level == "stop":
        raise error
    progress.remark(STAGE, f"{error.where}: {error.what}")


def _table_sizes(
    plan: FeaturePlan, figures: Mapping[str, ColumnFigures]
) -> Iterator[tuple[str, int]]:
    """Yield the most ids that each use may have an embedding for."""
    for use in plan.uses:
        options, learned = use.treatment, 0
        if isinstance(options, LearnedTerms):
            own = figures.get(use.columns[0])
            known = options.top_k if own is None or own.distinct is None else own.distinct
            learned = min(options.top_k, known)
        ids = sum(f.size for f in options.outputs(use.columns, learned) if f.role == "embedding")
        yield use.place, ids


def _figures_of(feature: Any) -> tuple[str, ColumnFigures]:
    """Return a column's name and its figures."""
    name = ".".join(feature.path.step)
    kind = feature.WhichOneof("stats") or "string_stats"
    statistics = getattr(feature, kind)
    common = statistics.common_stats
    values = common.tot_num_values or common.num_non_missing
    if kind == "string_stats":
        return name, ColumnFigures(values=values, distinct=statistics.unique)
    quantiles = _quantiles(statistics.histograms)
    return name, ColumnFigures(
        values=values, least=statistics.min, greatest=statistics.max, quantiles=quantiles
    )


def _quantiles(histograms: Sequence[Any]) -> tuple[float, ...]:
    for histogram in histograms:
        if histogram.type == histogram.QUANTILES:
            buckets = histogram.buckets
            return (*(b.low_value for b in buckets), *(b.high_value for b in buckets[-1:]))
    return ()
