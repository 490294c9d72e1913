"""What workers did, in a small form: tallies of files and shards, whose sum is a run's tally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import Field

from components.ingest.counts import Counts
from components.ingest.split_facts import Measure, ShardFacts
from components.sources.rejects import Reject, RejectReason
from schemas.errors import DataError
from schemas.splits.options import SPLITS
from schemas.strict import Strict
from schemas.tasks.options import TaskOptions

_IN_WORDS = {"train": "training example", "eval": "eval example", "test": "test example"}
_SAMPLES = 2  # rejected records of each reason that an error shows


class Sample(Strict):
    """The position of a rejected record, for an error's text; samples sort in this order."""

    file: int
    line: int
    text: str


class IngestTally(Strict):
    """Counts of the records of some files, or of the rows of some shards.

    Attributes:
      records_read: records read.
      examples: examples written, by split.
      rejected: records rejected, by reason.
      dropped: rows that are in no split, by the rule that drops them.
      samples: the first rejected records of each reason.
      reject_files: files of rejects, each with its source's position among the files.
      shards: what is in each shard.
    """

    records_read: int = 0
    examples: dict[str, int] = Field(default_factory=dict)
    rejected: dict[str, int] = Field(default_factory=dict)
    dropped: dict[str, int] = Field(default_factory=dict)
    samples: dict[str, tuple[Sample, ...]] = Field(default_factory=dict)
    reject_files: tuple[tuple[int, str], ...] = ()
    shards: tuple[ShardFacts, ...] = ()

    @classmethod
    def of_rejects(cls, rejects: Sequence[Reject], *, file: int) -> IngestTally:
        """Return the tally of rejected records of one file, in the file's order."""
        samples: dict[str, tuple[Sample, ...]] = {}
        for reject in rejects:
            seen = samples.get(reject.reason.code, ())
            if len(seen) < _SAMPLES:
                sample = Sample(file=file, line=reject.line, text=_describe(reject))
                samples[reject.reason.code] = (*seen, sample)
        return cls(rejected=Counter(r.reason.code for r in rejects), samples=samples)

    @classmethod
    def add(cls, tallies: Iterable[IngestTally]) -> IngestTally:
        """Return the sum, which depends neither on order nor on grouping."""
        tallies = list(tallies)
        examples: Counter[str] = Counter()
        rejected: Counter[str] = Counter()
        dropped: Counter[str] = Counter()
        samples: dict[str, list[Sample]] = {}
        for tally in tallies:
            examples.update(tally.examples)
            rejected.update(tally.rejected)
            dropped.update(tally.dropped)
            for reason, some in tally.samples.items():
                samples.setdefault(reason, []).extend(some)
        return cls(
            records_read=sum(t.records_read for t in tallies),
            examples=examples,
            rejected=rejected,
            dropped=dropped,
            samples={
                reason: tuple(sorted(some, key=lambda s: (s.file, s.line))[:_SAMPLES])
                for reason, some in samples.items()
            },
            reject_files=tuple(sorted(f for t in tallies for f in t.reject_files)),
            shards=tuple(sorted((s for t in tallies for s in t.shards), key=lambda s: s.shard)),
        )

    def counts(self, measure: Measure | None = None) -> Counts:
        """Return the tally as in `counts.json`; what is in each split if there is a measure."""
        by_count = sorted(self.rejected.items(), key=lambda item: (-item[1], item[0]))
        return Counts(
            records_read=self.records_read,
            examples={split: self.examples.get(split, 0) for split in SPLITS},
            records_rejected=sum(self.rejected.values()),
            rejected_by_reason=dict(by_count),
            records_dropped=sum(self.dropped.values()),
            dropped_by_rule=dict(sorted(self.dropped.items())),
            splits={}
            if measure is None
            else {split: measure.facts(self.shards_of(split)) for split in SPLITS},
        )

    def shards_of(self, split: str) -> list[ShardFacts]:
        """Return what is in each shard of a split."""
        return [shard for shard in self.shards if shard.split == split]

    def refuse_missing_labels(self, label: TaskOptions, where: str) -> None:
        """Refuse rows without a label, if `label.missing` says so.

        Raises:
          DataError: there are such rows; shows the first ones.
        """
        reason = RejectReason.MISSING_LABEL.code
        rows = self.rejected.get(reason, 0)
        if label.missing != "stop" or not rows:
            return
        first = "; ".join(sample.text for sample in self.samples[reason])
        raise DataError(
            f"{rows:,} record{'s have' if rows > 1 else ' has'} no label {label.name!r}: {first}"
            + ("; …" if rows > len(self.samples[reason]) else ""),
            where=where,
            expected=f"a value of {' and of '.join(map(repr, label.columns))} in every row, as"
            " label.missing is stop",
            remedy="correct the rows, or set label.missing: reject to leave such rows out",
        )

    def check_splits(self, counts: Counts, *, where: str, if_empty: str) -> None:
        """Check that each split has rows, and each fold.

        Args:
          counts: this tally's, with what is in each split.
          where: the source, for the error.
          if_empty: what to do about a split or a fold without rows.

        Raises:
          DataError: there were no records, or none became an example of a split; says why.
        """
        if not counts.records_read:
            raise DataError(
                "the source has no records", where=where, expected="at least one record"
            )
        empty = [_IN_WORDS[split] for split in SPLITS if not counts.examples[split]]
        if not empty and 0 in (folds := _folds_of(counts)):
            empty = [f"training example of fold {folds.index(0)} of {len(folds)}"]
        if not empty:
            return
        reasons = [
            f"\n  {count} {reason}: " + "; ".join(s.text for s in self.samples[reason])
            for reason, count in counts.rejected_by_reason.items()
        ]
        left = ", ".join(_rows_of(split, counts) for split in SPLITS)
        raise DataError(
            f"no {empty[0]} is left of {counts.records_read:,} records: "
            f"{counts.records_rejected:,} rejected, {counts.records_dropped:,} dropped, {left}"
            + "".join(reasons),
            where=where,
            expected="rows in each of train, eval and test, and in each fold",
            remedy=("correct the rejected records, or " if reasons else "") + if_empty,
        )


def _folds_of(counts: Counts) -> tuple[int, ...]:
    facts = counts.splits.get("train")
    return () if facts is None else facts.folds or ()


def _rows_of(split: str, counts: Counts) -> str:
    """Return how many rows a split has, with the times that they are from."""
    facts = counts.splits.get(split)
    times = "" if facts is None or facts.time is None else " from {} to {}".format(*facts.time)
    return f"{counts.examples[split]:,} {split}{times}"


def _describe(reject: Reject) -> str:
    row = reject.row()
    what = f"{row[2]} = {row[3] or ''!r}" if row[2] else row[3] or repr(row[5])
    return f"{reject.source}:{reject.line} {what[:200]}"
