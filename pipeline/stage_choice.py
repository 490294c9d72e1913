"""Which stages of a run are executed: options of the command line, checked against the DAG's nodes.

Stages before the first one to execute again use their cache, as in every run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class StageChoice:
    """The stages of a run.

    Attributes:
      again_from: the first stage that is executed again, as are all after it; None uses the cache.
      until: the last stage of the run; None is the last one of the DAG.
    """

    again_from: str | None = None
    until: str | None = None

    @classmethod
    def of(cls, *, from_stage: str | None, until: str | None, only: str | None) -> StageChoice:
        """Return the choice that options of the command line make.

        Raises:
          ConfigError: `--only` is given together with another one.
        """
        if only is None:
            return cls(from_stage, until)
        if from_stage is not None or until is not None:
            raise ConfigError(
                "--only is given with --from or --until",
                expected="--only STAGE, which is --from STAGE --until STAGE",
                remedy="leave one out",
            )
        return cls(only, only)

    def check(self, nodes: Sequence[str]) -> None:
        """Check the choice against the DAG's nodes, in the order they run.

        Raises:
          ConfigError: there is no such stage, or the last one comes before the first one.
        """
        for option, stage in (("--from", self.again_from), ("--until", self.until)):
            if stage is not None and stage not in nodes:
                raise ConfigError(
                    f"there is no stage {stage!r}; {did_you_mean(stage, nodes)}",
                    where=option,
                    expected=f"one of {', '.join(nodes)}",
                )
        if self.again_from not in (None, *self.of_run(nodes)):
            raise ConfigError(
                f"--until {self.until} comes before --from {self.again_from}",
                expected=f"the order {', '.join(nodes)}",
                remedy="exchange the stages, or leave one out",
            )

    def of_run(self, nodes: Sequence[str]) -> tuple[str, ...]:
        """Return the nodes of the run, of those in the order they run."""
        return tuple(nodes if self.until is None else nodes[: nodes.index(self.until) + 1])

    def again(self, nodes: Sequence[str]) -> tuple[str, ...]:
        """Return the nodes of the run whose cache is not used."""
        chosen = self.of_run(nodes)
        return () if self.again_from is None else chosen[chosen.index(self.again_from) :]


WHOLE = StageChoice()
