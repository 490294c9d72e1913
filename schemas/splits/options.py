"""Options of all kinds of splits: the columns that decide, and the shares."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from schemas.columns import Column, require_type
from schemas.strict import Strict
from schemas.types import INT, TIME, TIME_TEXT

# The splits of every dataset, in the order of their numbers.
SPLITS = ("train", "eval", "test")
# The column of examples, int64, that has the fold of each training row; there only with folds.
FOLD = "skewless_fold"


class SplitOptions(Strict):
    """How rows are assigned to splits; `by` names the kind, which adds its own options.

    With `folds`, each training row also has a fold, from 0 to `folds` - 1.
    """

    by: str
    folds: Annotated[int, Field(ge=2, le=100)] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that determine a row's split and its fold, and those to be checked."""
        raise NotImplementedError

    @property
    def unlike_features(self) -> tuple[str, ...]:
        """Those of `columns` that say which row it is, or when; not a key of several columns."""
        key: tuple[str, ...] = getattr(self, "key", ())
        return tuple(name for name in self.columns if len(key) == 1 or name not in key)

    @property
    def needed(self) -> tuple[str, ...]:
        """Those that must not be missing."""
        return ()

    @property
    def reads_names(self) -> bool:
        """Whether the names of files decide."""
        return False

    @property
    def looks_ahead(self) -> bool:
        """Whether a row's split depends on all other rows."""
        return False

    @property
    def shares(self) -> tuple[float, float, float]:
        """The approximate share of rows for each split, in the order of `SPLITS`."""
        raise NotImplementedError

    @property
    def time_column(self) -> str | None:
        """The column with the rows' times, of which each split reports the range; None without."""
        return None

    @property
    def ordered(self) -> bool:
        """Whether train has to end before eval begins, and eval before test."""
        return False

    @property
    def apart(self) -> tuple[str, ...]:
        """The key of which no value may be in two splits, where the kind does not ensure it."""
        return ()

    @property
    def if_empty(self) -> str:
        """What to do if a split, or a fold, has no rows."""
        return "name columns in splits.key with more different values, or add rows"

    def check(self, columns: tuple[Column, ...], *, where: str) -> None:
        """Check that columns can decide.

        Args:
          columns: of schema.pbtxt, in the order of `self.columns`.
          where: the section, for the error.

        Raises:
          ConfigError: a column has another type, or an option does not fit its type.
        """

    def in_words(self) -> str:
        """Return how rows are split, as a phrase."""
        raise NotImplementedError


class SharedSplit(SplitOptions):
    """A split by shares of the rows."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.70
    eval: Annotated[float, Field(gt=0, lt=1)] = 0.15
    test: Annotated[float, Field(gt=0, lt=1)] = 0.15

    @property
    def shares(self) -> tuple[float, float, float]:
        """The share of rows for each split."""
        return self.train, self.eval, self.test

    @pydantic.model_validator(mode="after")
    def _sum(self) -> SharedSplit:
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"train + eval + test must be 1, got {sum(self.shares):g}")
        return self

    @property
    def shares_in_words(self) -> str:
        """The shares as text.

        >>> SharedSplit(by="hash").shares_in_words
        '70%, 15%, 15%'
        """
        return ", ".join(f"{share:.0%}" for share in self.shares)


class KeyApart(SplitOptions):
    """A split that does not look at a key, and so may have one key in two splits.

    If there is a `key`, a value of it that is in two splits stops the run, unless `shared_keys`
    allows it.
    """

    key: tuple[str, ...] = ()
    shared_keys: Literal["stop", "allow"] = "stop"

    @property
    def apart(self) -> tuple[str, ...]:
        """The key, unless its values may be in two splits."""
        return self.key if self.shared_keys == "stop" else ()


class GivenSplit(KeyApart):
    """A split that the table brings with it; `time` says that it has to be in the order of time."""

    time: str | None = None

    @property
    def time_column(self) -> str | None:
        """The column with the times of the rows."""
        return self.time

    @property
    def ordered(self) -> bool:
        """Whether there are times."""
        return self.time is not None

    @property
    def checked(self) -> tuple[str, ...]:
        """The columns of the key and of the times."""
        return (*self.key, *([] if self.time is None else [self.time]))

    def check(self, columns: tuple[Column, ...], *, where: str) -> None:
        """Check the type of the times."""
        for column in columns:
            if column.name == self.time:
                require_type("splits.time", column, (INT, TIME, TIME_TEXT), where)

    @pydantic.model_validator(mode="after")
    def _folds_by_key(self) -> GivenSplit:
        if self.folds is not None and not self.key:
            raise ValueError("folds needs key: a hash of it decides the fold of a row")
        return self
