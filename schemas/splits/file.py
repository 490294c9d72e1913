"""The options of a split that is given as files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas.splits.options import GivenSplit

_Patterns = tuple[str, ...]


class FileSplit(GivenSplit):
    """A split by the names of the table's files, such as `train.csv` and `test.csv`.

    A file belongs to test if its name matches a pattern of `test`, to eval if it matches one of
    `eval`, and to train otherwise. Without `eval`, `eval_share` of the rows of train are eval, by a
    hash of their `key`.
    """

    by: Literal["file"] = "file"
    test: Annotated[_Patterns, Field(min_length=1)]
    eval: _Patterns = ()
    eval_share: Annotated[float, Field(gt=0, lt=1)] = 0.15

    @pydantic.field_validator("test", "eval", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @pydantic.model_validator(mode="after")
    def _either(self) -> FileSplit:
        if not self.eval and not self.key:
            raise ValueError("give eval, the files of eval, or key, which takes eval from train")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The key and the times."""
        return tuple(dict.fromkeys(self.checked))

    @property
    def needed(self) -> tuple[str, ...]:
        """The times."""
        return () if self.time is None else (self.time,)

    @property
    def reads_names(self) -> bool:
        """They decide."""
        return True

    @property
    def shares(self) -> tuple[float, float, float]:
        """Nothing is known about them: each may have all rows."""
        return 1.0, 1.0, 1.0

    @property
    def if_empty(self) -> str:
        """What to do if a split has no rows."""
        return "correct the patterns in splits.test and splits.eval, or add rows to the files"

    def in_words(self) -> str:
        """Return which files are test and eval."""
        rest = ", ".join(self.eval) or f"{self.eval_share:.0%} of the other rows"
        return f"by file: {', '.join(self.test)} is test, {rest} is eval"
