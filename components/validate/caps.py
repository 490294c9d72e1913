"""What embeddings need in training, and options under which they fit.

Where the tables are too large together, the largest get as many ids as the others leave room for:
all that are cut have the same number. The transformation computes the same caps from the same
statistics, so no file goes from one stage to the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tensorflow_metadata.proto.v0 import statistics_pb2

from schemas.figures import ColumnFigures
from schemas.strict import Strict
from schemas.treatments import BY_NAME
from schemas.treatments.options import LearnedTerms, TreatmentOptions

# A table in training: itself, its gradient's two moments, and the average over the steps.
_COPIES = 4
BYTES = 4 * _COPIES  # of a number in training, a float32
MOST_BYTES = 4 << 30
_ROLES = ("embedding", "wide")
# What bounds the ids of a treatment, whichever it has.
_SIZES = ("hash_buckets", "buckets", "top_k")
_FEWEST = 2


class PlannedUse(Strict):
    """A use of a treatment.

    Attributes:
      place: of it in pipeline.yaml.
      columns: raw or derived ones.
      options: of the treatment, with its kind.
    """

    place: str = ""
    columns: tuple[str, ...]
    options: dict[str, Any]

    @property
    def treatment(self) -> TreatmentOptions:
        """The options, checked."""
        return BY_NAME[self.options["kind"]].model_validate(self.options)


class FeaturePlan(Strict):
    """What the run is about to do with columns.

    Attributes:
      level: what becomes of trouble: "stop", "warn", "cap" or "off".
      uses: of treatments.
      embedding_dim: numbers that an id becomes.
    """

    level: str = "off"
    uses: tuple[PlannedUse, ...] = ()
    embedding_dim: int = 0

    def numbers_of(self, ids: Mapping[str, int]) -> int:
        """Return how many numbers a model learns for so many ids of each role."""
        return ids.get("embedding", 0) * self.embedding_dim + ids.get("wide", 0)


class Cap(NamedTuple):
    """An option of a use that is lowered.

    Attributes:
      use: as pipeline.yaml has it.
      option: its name.
      before: its value there.
      after: the lower one.
    """

    use: PlannedUse
    option: str
    before: int
    after: int

    @property
    def after_use(self) -> PlannedUse:
        """The use with the lower value."""
        options = {**self.use.options, self.option: self.after}
        return self.use.model_copy(update={"options": options})

    @property
    def in_words(self) -> str:
        """What is lowered, and what to write."""
        columns = ", ".join(self.use.columns)
        return (
            f"{self.use.options['kind']} of {columns}: {self.option} is capped at {self.after:,}"
            f" instead of {self.before:,}, so that embeddings fit in {MOST_BYTES >> 30} GiB; write"
            f" {self.option}: {self.after} there to keep it"
        )


def figures_of(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, ColumnFigures]:
    """Return the figures of each column of a split's statistics."""
    return dict(map(_figures_of, statistics.datasets[0].features))


def ids_of(use: PlannedUse, figures: Mapping[str, ColumnFigures]) -> dict[str, int]:
    """Return the most ids that a use may have, by the role of features of ids."""
    options, learned = use.treatment, 0
    if isinstance(options, LearnedTerms):
        own = figures.get(use.columns[0])
        known = options.top_k if own is None or own.distinct is None else own.distinct
        learned = len(options.given) or min(options.top_k, known)
    ids = dict.fromkeys(_ROLES, 0)
    for feature in options.outputs(use.columns, learned):
        if feature.role in ids:
            ids[feature.role] += feature.size
    return ids


def caps(plan: FeaturePlan, figures: Mapping[str, ColumnFigures]) -> list[Cap]:
    """Return the options that are lowered so that all embeddings fit; none if they do."""
    sizes = [plan.numbers_of(ids_of(use, figures)) for use in plan.uses]
    if sum(sizes) * BYTES <= MOST_BYTES:
        return []
    options = [_size_of(use) for use in plan.uses]
    cut = list(itertools.compress(sizes, options))
    most = _share(cut, MOST_BYTES // BYTES - (sum(sizes) - sum(cut)))
    return [
        Cap(use, option[0], option[1], after)
        for use, size, option in zip(plan.uses, sizes, options, strict=True)
        if option and size > most
        for after in [_lowered(use, plan, most)]
        if after < option[1]
    ]


def _lowered(use: PlannedUse, plan: FeaturePlan, most: int) -> int:
    """Return the value of a use's option with which it has at most so many numbers."""
    treatment = use.treatment
    tables = [f for f in treatment.outputs(use.columns, 0) if f.role in _ROLES]
    of_an_id = sum(plan.numbers_of({table.role: 1}) for table in tables)
    # An id of missing values and the buckets of unknown ones come on top.
    others = getattr(treatment, "oov_buckets", 0) + 1
    return max(_FEWEST, most // max(of_an_id, 1) - others)


def _size_of(use: PlannedUse) -> tuple[str, int] | None:
    """Return the option that bounds a use's ids, with its value; None where there is none."""
    treatment = use.treatment
    if not any(f.role in _ROLES for f in treatment.outputs(use.columns, 0)):
        return None
    if isinstance(treatment, LearnedTerms) and treatment.given:
        return None
    for name in _SIZES:
        value = getattr(treatment, name, None)
        if isinstance(value, int):
            return name, value
    return None


def _share(sizes: Sequence[int], room: int) -> int:
    """Return the number that sizes are cut to so that their sum is at most `room`.

    >>> _share([10, 500, 900], 1_000), _share([10, 20], 1_000), _share([600, 900], 1_000)
    (495, 20, 500)
    """
    ordered = sorted(sizes)
    for place, size in enumerate(ordered):
        even = max(room, 0) // (len(ordered) - place)
        if size > even:
            return even
        room -= size
    return max(ordered, default=0)


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
