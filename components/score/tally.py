"""What workers did while scoring, in a small form; the sum is a job's summary."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pydantic import Field

from components.ingest.tally import IngestTally
from components.score.compare import Sums, VersionComparison
from schemas.errors import DataError
from schemas.strict import Strict


class ScoredFile(Strict):
    """A file of scored rows.

    Attributes:
      file: the position of the rows' file among the sources.
      first: the position of its first batch in that file; parts sort by both.
      path: its path.
    """

    file: int
    first: int
    path: str


class ScoreTally(Strict):
    """Counts of some rows.

    Attributes:
      read: counts of all rows, including rejected ones.
      scored: rows that were scored.
      parts: their files.
      compared: sums of two versions' scores; None without a comparison.
    """

    read: IngestTally = Field(default_factory=IngestTally)
    scored: int = 0
    parts: tuple[ScoredFile, ...] = ()
    compared: Sums | None = None

    @classmethod
    def add(cls, tallies: Iterable[ScoreTally]) -> ScoreTally:
        """Return the sum, which depends neither on order nor on grouping."""
        tallies = list(tallies)
        compared = [t.compared for t in tallies if t.compared is not None]
        parts = [part for tally in tallies for part in tally.parts]
        return cls(
            read=IngestTally.add(t.read for t in tallies),
            scored=sum(t.scored for t in tallies),
            parts=tuple(sorted(parts, key=lambda part: (part.file, part.first))),
            compared=Sums.add(compared) if compared else None,
        )


class Scored(Strict):
    """The summary of a scoring job, as in `summary.json`.

    Attributes:
      model: folder of the SavedModel.
      signature: the signature that was used.
      compared_with: folder of the other version, if there was one.
      rows_read: rows of the sources.
      rows_scored: rows in the output.
      rows_rejected: rows in the rejects.
      rejected_by_reason: the same by reason.
      comparison: the difference between the two versions.
      files: the output's files.
      rejects: the rejects' files; empty if no row was rejected.
    """

    model: str
    signature: str
    compared_with: str | None
    rows_read: int
    rows_scored: int
    rows_rejected: int
    rejected_by_reason: dict[str, int]
    comparison: VersionComparison | None
    files: tuple[str, ...]
    rejects: tuple[str, ...]

    def check(self) -> None:
        """Check that every row is accounted for.

        Raises:
          DataError: it is not, which is a bug of this program.
        """
        if self.rows_read != self.rows_scored + self.rows_rejected:
            raise DataError(
                f"rows are unaccounted for: {self.rows_read} read, {self.rows_scored} scored, "
                f"{self.rows_rejected} rejected",
                expected="read = scored + rejected",
                remedy="this is a bug in skewless, not in the data: please report it",
            )

    def lines(self) -> list[str]:
        """Summarize the job in a few lines."""
        lines = [f"{self.rows_read:,} rows read, {self.rows_scored:,} scored"]
        if self.rows_rejected:
            reasons = ", ".join(
                f"{count:,} {name}" for name, count in self.rejected_by_reason.items()
            )
            lines.append(f"{self.rows_rejected:,} rejected ({reasons}): {_place(self.rejects)}")
        if self.comparison is not None:
            lines.append(f"compared with {self.compared_with}: {self.comparison.summary()}")
        return [*lines, f"scores: {_place(self.files)}"]


def _place(paths: Sequence[str]) -> str:
    """Return the path of a single file, or the folder of several."""
    return paths[0] if len(paths) == 1 else f"{len(paths):,} files in {os.path.dirname(paths[0])}"
