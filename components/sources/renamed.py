"""Reads files of any kind whose columns get other names, or are ignored on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from components.sources import protocol
from components.sources.protocol import Block, Needs, Part, Selection
from schemas.errors import DataError, did_you_mean
from schemas.sources.options import FileOptions, SourceOptions

if TYPE_CHECKING:
    import pyarrow as pa


class RenamedReader(protocol.Reader[Part]):
    """Reads the columns by their names in the files, and returns them with the selected names.

    Args:
      options: the source's.
      selection: the columns with their new names.
      opened: opens the reader of the files' kind.
    """

    def __init__(
        self,
        options: FileOptions,
        selection: Selection,
        opened: Callable[[SourceOptions, Selection], protocol.Reader[Any]],
    ) -> None:
        self._options = options
        self._old = {new: old for old, new in options.columns.rename.items()}
        self._columns = (*selection.columns, *selection.keys)
        self._count = len(selection.columns)
        self._reader = opened(_of_files(options, self._old), self._in_files(selection))

    def _in_files(self, selection: Selection) -> Selection:
        """Return the selection with the names in the files."""
        old, needs = self._old, selection.needs
        return Selection(
            columns=tuple(replace(c, name=old.get(c.name, c.name)) for c in selection.columns),
            needs=Needs(
                label=tuple(old.get(name, name) for name in needs.label),
                split=tuple(old.get(name, name) for name in needs.split),
                weight=None if needs.weight is None else old.get(needs.weight, needs.weight),
            ),
            keys=tuple(replace(key, name=old.get(key.name, key.name)) for key in selection.keys),
        )

    def check(self, path: str) -> None:
        """Check that a file has its format."""
        self._reader.check(path)

    def parts(self, path: str) -> list[Part]:
        """Return the parts of a file, without the names that are ignored on purpose.

        Raises:
          DataError: also if there is no column to rename or to ignore, or one of the new name, too.
        """
        parts: list[Part] = self._reader.parts(path)
        for part in parts:
            self._check_names(part)
        ignored = self._options.columns.ignore
        return [replace(p, ignored=tuple(n for n in p.ignored if n not in ignored)) for p in parts]

    def ranges(self, part: Part) -> list[Part]:
        """Divide a part as the files' kind does."""
        return self._reader.ranges(part)

    def key_types(self, part: Part) -> pa.Schema:
        """Return the types of the keys."""
        types = self._reader.key_types(part)
        names = [key.name for key in self._columns[self._count :]]
        for number, name in enumerate(names):
            types = types.set(number, types.field(number).with_name(name))
        return types

    def read(self, part: Part) -> Iterator[Block]:
        """Yield a part's records; columns and rejects have the new names."""
        names = [column.name for column in self._columns]
        new = {old: name for name, old in self._old.items()}
        for block in self._reader.read(part):
            yield replace(
                block,
                columns=block.columns.from_arrays(block.columns.columns, names),
                rejects=tuple(
                    replace(each, column=new.get(each.column or "", each.column))
                    for each in block.rejects
                ),
            )

    def _check_names(self, part: Part) -> None:
        """Check that a file has the columns to rename and to ignore, and none of a new name."""
        columns = self._options.columns
        selected = {self._old.get(column.name, column.name) for column in self._columns}
        names = [*selected, *part.ignored]
        for name in (*columns.rename, *columns.ignore):
            if name not in names and self._is_unknown(name, names):
                key = "rename" if name in columns.rename else "ignore"
                raise DataError(
                    f"the file has no column {name!r}; {did_you_mean(name, names)}",
                    where=part.path,
                    expected=f"the columns of source.columns.{key} in the file",
                    remedy=f"correct source.columns.{key} in pipeline.yaml",
                )
        self._check_new(columns.rename, names, part.path)
        if both := [name for name in columns.ignore if name in selected]:
            raise DataError(
                f"the column {both[0]!r} is ignored, and schema.pbtxt has it",
                where=part.path,
                expected="columns that are read, or ignored",
                remedy="remove it from source.columns.ignore, or from schema.pbtxt",
            )

    def _is_unknown(self, name: str, names: Sequence[str]) -> bool:
        """Return whether no record has a name, as far as the beginning of the file shows."""
        if self._options.has_header:
            return True
        path = name.split(".")[0]  # into an object
        return path not in names and did_you_mean(name, names).startswith("did you mean")

    def _check_new(self, rename: dict[str, str], names: Sequence[str], path: str) -> None:
        free = {*rename, *self._options.columns.ignore}
        for old, new in rename.items():
            if new in names and new not in free:
                raise DataError(
                    f"the file has a column {new!r}, and {old!r} is renamed so",
                    where=path,
                    expected="another name for each column",
                    remedy=f"choose another new name, or list {new!r} in source.columns.ignore",
                )


def _of_files(options: FileOptions, old: dict[str, str]) -> FileOptions:
    """Return options in which texts that mean missing are by the names in the files."""
    if not isinstance(options.null_values, dict):
        return options
    nulls = {old.get(name, name): texts for name, texts in options.null_values.items()}
    return options.model_copy(update={"null_values": nulls})
