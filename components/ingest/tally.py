"""What workers did, in a small form: tallies of files and shards, whose sum is a run's tally."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import Field

from components.ingest.counts import Counts
from components.sources.rejects import Reject, RejectReason
from schemas.errors import DataError
from schemas.splits.options import SPLITS
from schemas.strict import Strict
from schemas.tasks.options import TaskOptions

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
    """

    records_read: int = 0
    examples: dict[str, int] = Field(default_factory=dict)
    rejected: dict[str, int] = Field(default_factory=dict)
    dropped: dict[str, int] = Field(default_factory=dict)
    samples: dict[str, tuple[Sample, ...]] = Field(default_factory=dict)
    reject_files: tuple[tuple[int, str], ...] = ()

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
        )

    def counts(self) -> Counts:
        """Return the tally in the form of `counts.json`."""
        by_count = sorted(self.rejected.items(), key=lambda item: (-item[1], item[0]))
        return Counts(
            records_read=self.records_read,
            examples={split: self.examples.get(split, 0) for split in SPLITS},
            records_rejected=sum(self.rejected.values()),
            rejected_by_reason=dict(by_count),
            records_dropped=sum(self.dropped.values()),
            dropped_by_rule=dict(sorted(self.dropped.items())),
        )

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

    def check_training(self, where: str) -> None:
        """Check that there are training examples.

        Raises:
          DataError: there were no records, or none became a training example; says why.
        """
        counts = self.counts()
        if not counts.records_read:
            raise DataError(
                "the source has no records", where=where, expected="at least one record"
            )
        if counts.examples["train"]:
            return
        reasons = [
            f"\n  {count} {reason}: " + "; ".join(s.text for s in self.samples[reason])
            for reason, count in counts.rejected_by_reason.items()
        ]
        raise DataError(
            f"no training example is left of {counts.records_read} records: "
            f"{counts.records_rejected} were rejected, {counts.examples['eval']} are eval and "
            f"{counts.examples['test']} test examples{''.join(reasons)}",
            where=where,
            expected="records that fit schema.pbtxt, and splits.key with many different values",
            remedy="correct the source, its options in pipeline.yaml, or the types in schema.pbtxt"
            if reasons
            else "name columns in splits.key that identify the rows",
        )


def _describe(reject: Reject) -> str:
    row = reject.row()
    what = f"{row[2]} = {row[3] or ''!r}" if row[2] else row[3] or repr(row[5])
    return f"{reject.source}:{reject.line} {what[:200]}"
