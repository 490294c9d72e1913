"""Statistics and treatments → what will be of no use or too large, before any time is spent on it.

Each treatment says what it doubts. Embeddings that would not fit in memory stop the run, or have
fewer ids.
"""

from __future__ import annotations

from collections.abc import Mapping

from tensorflow_metadata.proto.v0 import statistics_pb2

from components import progress
from components.validate.caps import BYTES, MOST_BYTES, FeaturePlan, caps, figures_of, ids_of
from schemas.errors import DataError
from schemas.figures import ColumnFigures

STAGE = "gate"


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
    figures = figures_of(statistics)
    for use in plan.uses:
        own = [figures.get(name) for name in use.columns]
        known = [each for each in own if each is not None]  # derived columns may have no figures
        if len(known) == len(own):
            for doubt in use.treatment.doubts(known):
                columns = ", ".join(use.columns)
                progress.remark(STAGE, f"{use.place}: {use.options['kind']} of {columns}: {doubt}")
    _check_memory(plan, figures)


def _check_memory(plan: FeaturePlan, figures: Mapping[str, ColumnFigures]) -> None:
    """Stop where the embeddings of all ids are too large, cap them, or say so."""
    lowered = caps(plan, figures) if plan.level == "cap" else []
    for cap in lowered:
        progress.remark(STAGE, f"{cap.use.place}: {cap.in_words}")
    after = {id(cap.use): cap.after_use for cap in lowered}
    uses = [after.get(id(use), use) for use in plan.uses]
    ids = [ids_of(use, figures) for use in uses]
    numbers = [plan.numbers_of(own) for own in ids]
    total = sum(numbers) * BYTES
    if total <= MOST_BYTES:
        return
    greatest = numbers.index(max(numbers))
    all_ids = sum(sum(own.values()) for own in ids)
    error = DataError(
        f"embeddings of {all_ids:,} ids need about {total / (1 << 30):.1f} GiB in training",
        where=f"{uses[greatest].place}, which has {sum(ids[greatest].values()):,} of them",
        expected=f"at most {MOST_BYTES >> 30} GiB",
        remedy="lower top_k or buckets there, raise min_count, or lower model.embedding_dim;"
        " validation.preflight: cap lowers what is largest, and warn goes on anyway",
    )
    if plan.level != "warn":
        raise error
    progress.remark(STAGE, f"{error.where}: {error.what}")
