"""The options of a split that is given as files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from schemas.splits.options import SplitOptions

_Patterns = tuple[str, ...]


class FileSplit(SplitOptions):
    """A split by the names of the table's files, such as `train.csv` and `test.csv`.

    A file belongs to test if its name matches a pattern of `test`, to eval if it matches one of
    `eval`, and to train otherwise. Without `eval`, `eval_share` of the rows of train are eval, by a
    hash of their `key`.
    """

    by: Literal["file"] = "file"
    test: Annotated[_Patterns, Field(min_length=1)]
    eval: _Patterns = ()
    eval_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    key: tuple[str, ...] = ()

    @pydantic.field_validator("test", "eval", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @pydantic.model_validator(mode="after")
    def _either(self) -> FileSplit:
        if bool(self.eval) == bool(self.key):
            raise ValueError("give eval, the files of eval, or key, which takes eval from train")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The key."""
        return self.key

    @property
    def reads_names(self) -> bool:
        """They decide."""
        return True

    @property
    def shares(self) -> tuple[float, float, float]:
        """Nothing is known about them: each may have all rows."""
        return 1.0, 1.0, 1.0

    def in_words(self) -> str:
        """Return which files are test and eval."""
        rest = ", ".join(self.eval) or f"{self.eval_share:.0%} of the other rows"
        return f"by file: {', '.join(self.test)} is test, {rest} is eval"
