"""The output of scoring: one file or a folder of files, which appears whole or not at all.

A path that ends in a format's name (`scores.csv`) is one file, with `scores.csv.rejects.parquet`
beside it if rows were rejected. Any other path is a folder: `part-…` files in the order of the
rows, `rejects/` and `summary.json`. Input files are never overwritten. In a folder only the files
of an earlier `predict` are replaced, which its `summary.json` lists.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from components import files
from components.ingest.failures import disk_errors
from components.score import replaced
from components.score.formats import FORMATS, Format
from components.score.replaced import REJECTS, SUMMARY
from components.score.sinks import join_files, open_sink
from components.score.tally import Scored, ScoreTally
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

WRITTEN = "the scores"  # the name for errors
_FILE_ENDING = re.compile("[a-z]{2,5}")  # xlsx, csv.gz; not v1.2 or 2026-11-21


@dataclass(frozen=True)
class ScoreOutput:
    """A location for scores.

    Attributes:
      path: the absolute path of the file or folder.
      kind: the format.
      single: whether it is a single file.
      overwrite: whether the output of an earlier job may be replaced.
    """

    path: str
    kind: Format
    single: bool
    overwrite: bool = False

    @classmethod
    def of(
        cls,
        path: str,
        kind: Format | None,
        *,
        overwrite: bool,
        inputs: Sequence[str] = (),
        kept: Sequence[str] = (),
    ) -> ScoreOutput:
        """Return the output that a path and a format name; a link means its target.

        Args:
          path: the path of a file or folder.
          kind: the format; None means the path's ending, and Parquet for a folder.
          overwrite: whether the output of an earlier job may be replaced.
          inputs: the files that are read.
          kept: folders that must not be written to, such as the model's.

        Raises:
          ConfigError: the path's ending is another format or unknown; the output is an input, or
            would replace one; or something exists there that must not be replaced.
        """
        path = files.absolute(path)
        if not files.in_store(path) and os.path.islink(path):
            path = os.path.realpath(path)
        ending = os.path.splitext(path)[1].removeprefix(".")
        of_ending = next((known for known in FORMATS if known == ending), None)
        if of_ending is not None and kind not in (None, of_ending):
            raise ConfigError(
                f"{os.path.basename(path)} should be {kind}",
                where="--output, --format",
                expected=f"an output that ends in .{kind}, or a folder",
            )
        if kind is None and of_ending is None and _FILE_ENDING.fullmatch(ending):
            raise ConfigError(
                f"there is no format .{ending}",
                where="--output",
                expected=f"a file that ends in {', '.join(f'.{known}' for known in FORMATS)}",
                remedy="for a folder of that name, also give --format",
            )
        output = cls(path, kind or of_ending or "parquet", of_ending is not None, overwrite)
        output.check_apart(inputs, kept)
        output.check_free()
        return output

    @property
    def rejects(self) -> str:
        """The file or folder of the rejected rows."""
        if self.single:
            return f"{self.path}.rejects.parquet"
        return os.path.join(self.path, REJECTS)

    def check_apart(self, inputs: Sequence[str], kept: Sequence[str]) -> None:
        """Check that nothing that is read would be overwritten, as `replaced.check_apart` does."""
        replaced.check_apart(self.path, inputs, kept, beside=self.rejects if self.single else None)

    def check_free(self) -> None:
        """Check that only the output of an earlier job would be replaced, and only if allowed.

        Raises:
          ConfigError: something else exists there.
        """
        if self.single:
            replaced.check_file(self.path, self.rejects, overwrite=self.overwrite)
        else:
            replaced.check_folder(self.path, overwrite=self.overwrite)

    @contextlib.contextmanager
    def working_folder(self, options: PipelineOptions | None = None) -> Iterator[str]:
        """Create a folder beside the output, on the same disk, and always remove it."""
        from components import runner

        parent, name = os.path.split(self.path)
        with contextlib.ExitStack() as stack:
            with disk_errors(WRITTEN, self.path):
                prefix = f".{name}.partial-"
                shared = runner.shared_folder(parent, "predict", options, prefix=prefix)
                folder = stack.enter_context(shared)
            yield folder

    def publish(self, tally: ScoreTally, scored: Scored, schema: pa.Schema, folder: str) -> Scored:
        """Move the files of a job from its working folder to the output.

        Returns:
          The summary with the files' final places.

        Raises:
          ConfigError: meanwhile something appeared there that must not be replaced.
        """
        self.check_free()
        parts = [part.path for part in tally.parts]
        if not parts:  # no row was scored: the output has only the columns
            parts = [os.path.join(folder, "empty")]
            open_sink(parts[0], self.kind, schema).close()
        rejects = [path for _, path in tally.read.reject_files]
        if self.single:
            return self._publish_file(parts, rejects, scored, folder)
        return self._publish_folder(parts, rejects, scored, folder)

    def _publish_file(
        self, parts: Sequence[str], rejects: Sequence[str], scored: Scored, folder: str
    ) -> Scored:
        whole = os.path.join(folder, "whole")
        join_files(parts, whole, self.kind)
        if rejects:
            joined = os.path.join(folder, REJECTS)
            join_files(rejects, joined, "parquet")
            files.move(joined, self.rejects)
        else:
            files.remove(self.rejects)  # they belong to the replaced scores
        files.move(whole, self.path)
        return scored.model_copy(
            update={"files": (self.path,), "rejects": (self.rejects,) if rejects else ()}
        )

    def _publish_folder(
        self, parts: Sequence[str], rejects: Sequence[str], scored: Scored, folder: str
    ) -> Scored:
        whole = os.path.join(folder, "whole")
        names = _numbered("part", len(parts), self.kind)
        reject_names = [
            os.path.join(REJECTS, n) for n in _numbered("part", len(rejects), "parquet")
        ]
        for path, name in zip([*parts, *rejects], [*names, *reject_names], strict=True):
            files.move(path, os.path.join(whole, name))
        scored = scored.model_copy(
            update={
                "files": tuple(os.path.join(self.path, name) for name in names),
                "rejects": tuple(os.path.join(self.path, name) for name in reject_names),
            }
        )
        files.write_whole(os.path.join(whole, SUMMARY), scored.model_dump_json(indent=2) + "\n")
        if files.in_store(self.path):
            for name in replaced.written(self.path):
                files.remove(os.path.join(self.path, name))
        elif os.path.lexists(self.path):
            os.replace(self.path, os.path.join(folder, "replaced"))
        files.move(whole, self.path)
        return scored


def _numbered(name: str, count: int, ending: str) -> list[str]:
    return [f"{name}-{i:05d}-of-{count:05d}.{ending}" for i in range(count)]
