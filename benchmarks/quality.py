"""The quality of the taxi model over several seeds, compared with a logistic model and trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from benchmarks import ours
from benchmarks.boosting import SCIKIT_LEARN, boosted_trees
from components.tasks.protocol import Metrics
from schemas import catalog
from schemas.strict import Strict

SEEDS = (42, 43, 44)
MAX_UNDER_TREES = 0.005  # AUC


class Quality(Strict):
    """Metrics on the test split of the trips that the tfx package ships.

    Attributes:
      seeds: the model's seed of each run.
      model: the wide & deep model, by seed.
      logistic: the logistic regression on the same transformed features, by seed.
      trees: gradient-boosted trees on the same raw columns, by library.
    """

    seeds: tuple[int, ...]
    model: tuple[Metrics, ...]
    logistic: tuple[Metrics, ...]
    trees: dict[str, Metrics]

    @property
    def auc(self) -> float:
        """The model's mean AUC."""
        return _mean(self.model, "auc")

    @property
    def over_logistic(self) -> float:
        """The model's mean AUC minus the logistic model's."""
        return self.auc - _mean(self.logistic, "auc")

    @property
    def under_trees(self) -> float:
        """The AUC of scikit-learn's trees, which are always there, minus the model's mean AUC."""
        return _mean([self.trees[SCIKIT_LEARN]], "auc") - self.auc


def measured(work: Path, *, say: Callable[[str], None]) -> Quality:
    """Run the pipeline once for each seed, and the trees on the same examples.

    Only the seed differs, so the runs share the stages before training.

    Args:
      work: an empty folder for the datasets and the output.
      say: receives each seed's figures.
    """
    models, baselines = [], []
    for seed in SEEDS:
        dataset = ours.write_dataset(work / f"seed-{seed}", {"model": {"seed": seed}})
        run = ours.run(dataset, work / "output")
        assert run.summary.evaluation is not None  # the DAG finished
        models.append(run.summary.evaluation["overall"])
        baselines.append(run.summary.evaluation["baselines"]["logistic"])
        say(f"seed {seed}: AUC {models[-1]['auc']:.4f}, log-loss {models[-1]['log_loss']:.4f}")
    trees = boosted_trees(run.artifact("ingest", "examples"), catalog.load(str(dataset)))
    return Quality(seeds=SEEDS, model=tuple(models), logistic=tuple(baselines), trees=trees)


def spread(values: Sequence[float]) -> str:
    """Return mean, least and greatest.

    >>> spread([0.94, 0.96])
    '0.9500 (0.9400 to 0.9600)'
    """
    return f"{fmean(values):.4f} ({min(values):.4f} to {max(values):.4f})"


def _mean(metrics: Sequence[Metrics], name: str) -> float:
    return fmean(values_of(metrics, name))


def values_of(metrics: Sequence[Metrics], name: str) -> list[float]:
    """Return one metric of each."""
    return [float(m[name] or 0) for m in metrics]
