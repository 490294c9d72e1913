"""Derived columns as stages need them: names, types, and trees that are not read here.

`schemas.derive` makes them from the section `derive:` of pipeline.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from schemas.columns import Column
from schemas.types import TIME, TYPES


@dataclass(frozen=True)
class DerivedColumn:
    """A column that an expression computes inside the transform graph.

    Attributes:
      name: of the column.
      kind: the name of its type in `schemas.types`.
      inputs: the columns that its expression uses, raw ones and derived ones.
      text: its expression, as pipeline.yaml has it.
      tree: what it computes, as `schemas.expressions.tree_json` writes it.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    text: str
    tree: str

    @property
    def column(self) -> Column:
        """The column as treatments take it."""
        form = ("UNIX_MICROSECONDS",) if TYPES[self.kind] is TIME else ()
        return Column(self.name, self.kind, serving=True, form=form)

    @property
    def stored(self) -> Column:
        """The column as examples have it where ingest computes it; no request carries it."""
        return replace(self.column, serving=False, inputs=self.inputs, tree=self.tree)


def needed(derived: Sequence[DerivedColumn], names: Iterable[str]) -> tuple[DerivedColumn, ...]:
    """Return the derived columns that are among names, and those they are made from, in order.

    Args:
      derived: all of them; each uses those before it alone.
      names: of any columns.
    """
    wanted = set(names)
    found = []
    for each in reversed(derived):
        if each.name in wanted:
            found.append(each)
            wanted |= set(each.inputs)
    return tuple(reversed(found))


def raw_names(derived: Sequence[DerivedColumn], names: Iterable[str]) -> tuple[str, ...]:
    """Return the raw columns that columns are made from, each once, in order.

    A raw column is made from itself.

    >>> one = DerivedColumn("d", "FLOAT", ("a", "b"), "a + b", "")
    >>> raw_names([one], ["b", "d", "c"])
    ('b', 'a', 'c')
    """
    sources: dict[str, tuple[str, ...]] = {}
    for each in derived:
        found = [raw for name in each.inputs for raw in sources.get(name, (name,))]
        sources[each.name] = tuple(dict.fromkeys(found))
    return tuple(dict.fromkeys(raw for name in names for raw in sources.get(name, (name,))))


def plain(derived: Iterable[DerivedColumn]) -> list[dict[str, Any]]:
    """Return derived columns as JSON has them."""
    return [asdict(each) for each in derived]


def of_plain(values: Iterable[dict[str, Any]]) -> tuple[DerivedColumn, ...]:
    """Return what `plain` was made from."""
    return tuple(DerivedColumn(**{**each, "inputs": tuple(each["inputs"])}) for each in values)
