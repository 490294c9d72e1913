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
      dropped: rows that do not become examples, by the rule that drops them.
      repeated: examples that are there because a sample repeats rows.
      sampled: how many training rows each class had before a sample and has after it.
      samples: the first rejected records of each reason.
      reject_files: files of rejects, each with its source's position among the files.
      dropped_files: files of dropped rows, each with its position: of a part, or of a shard.
      shards: what is in each shard.
    """

    records_read: int = 0
    examples: dict[str, int] = Field(default_factory=dict)
    rejected: dict[str, int] = Field(default_factory=dict)
    dropped: dict[str, int] = Field(default_factory=dict)
    repeated: int = 0
    sampled: dict[str, tuple[int, int]] = Field(default_factory=dict)
    samples: dict[str, tuple[Sample, ...]] = Field(default_factory=dict)
    reject_files: tuple[tuple[int, str], ...] = ()
    dropped_files: tuple[tuple[int, str], ...] = ()
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
        before: Counter[str] = Counter()
        after: Counter[str] = Counter()
        samples: dict[str, list[Sample]] = {}
        for tally in tallies:
            examples.update(tally.examples)
            rejected.update(tally.rejected)
            dropped.update(tally.dropped)
            before.update({name: rows[0] for name, rows in tally.sampled.items()})
            after.update({name: rows[1] for name, rows in tally.sampled.items()})
            for reason, some in tally.samples.items():
                samples.setdefault(reason, []).extend(some)
        return cls(
            records_read=sum(t.records_read for t in tallies),
            examples=examples,
            rejected=rejected,
            dropped=dropped,
            repeated=sum(t.repeated for t in tallies),
            sampled={name: (before[name], after[name]) for name in sorted(before)},
            samples={
                reason: tuple(sorted(some, key=lambda s: (s.file, s.line))[:_SAMPLES])
                for reason, some in samples.items()
            },
            reject_files=tuple(sorted(f for t in tallies for f in t.reject_files)),
            dropped_files=tuple(sorted(f for t in tallies for f in t.dropped_files)),
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
            repeated=self.repeated,
            sampled=self.sampled,
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
            "\n  " + ": ".join(filter(None, [f"{count} {reason}", self._shown(reason)]))
            for reason, count in counts.rejected_by_reason.items()
        ]
        reasons += [
            f"\n  {count:,} dropped by {rule}" for rule, count in counts.dropped_by_rule.items()
        ]
        left = ", ".join(_rows_of(split, counts) for split in SPLITS)
        raise DataError(
            f"no {empty[0]} is left of {counts.records_read:,} records: "
            f"{counts.records_rejected:,} rejected, {counts.records_dropped:,} dropped, {left}"
            + "".join(reasons),
            where=where,
            expected="rows in each of train, eval and test, and in each fold",
            remedy=_remedy(counts) + if_empty,
        )

    def _shown(self, reason: str) -> str:
        return "; ".join(sample.text for sample in self.samples.get(reason, ()))


def _remedy(counts: Counts) -> str:
    """Return what to do about records that did not become examples, before what else to do."""
    rules = [rule for rule in counts.dropped_by_rule if rule.startswith("prepare.")]
    if rules:
        most = max(rules, key=lambda rule: counts.dropped_by_rule[rule])
        return f"change {most}, which drops the most rows, or "
    return "correct the rejected records, or " if counts.rejected_by_reason else ""


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
