"""An objective and a file of trials → further trials in the file, and the best of all.

Trials are proposed by TPE (Bergstra et al. 2011) and ended early where their loss is above the
median of earlier ones at the same round. The file is SQLite: a search that was killed goes on, and
several processes may search at the same time. A trial that fails, or whose loss is not a number, is
kept with the reason, and is never the best one.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.pool import NullPool

from components.tune.objective import AfterRound
from components.tune.space import suggest
from schemas.model import Model

_MODEL, _REASON = "model", "reason"  # what a trial keeps beside its value
_HEARTBEAT = 60  # seconds, after which a trial of a killed process counts as failed
_FIRST = 5  # trials that are never ended early

Ended = Callable[[FrozenTrial], None]


def open_study(path: str, name: str, seed: int) -> optuna.Study:
    """Open a search, or begin it.

    Args:
      path: the file of trials.
      name: of the search, which says what all of its trials have in common.
      seed: of the proposals; a search that goes on proposes others than it has.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{path}",
            # A connection is closed when a statement has ended, so none is left to close at last.
            engine_kwargs={"connect_args": {"timeout": 60}, "poolclass": NullPool},
            heartbeat_interval=_HEARTBEAT,
        )
    study = optuna.create_study(
        study_name=name, storage=storage, direction="minimize", load_if_exists=True
    )
    begun = len(study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=seed + begun)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=_FIRST, n_warmup_steps=2)
    return study


def search(
    study: optuna.Study,
    objective: Callable[[Model, AfterRound], float],
    base: Model,
    rows: int,
    *,
    seconds: float,
    trials: int | None,
    ended: Ended,
) -> None:
    """Run trials until the time is over or there are enough; the last one is finished.

    The first trial of a search has the options of pipeline.yaml, so that the best is never worse.

    Args:
      study: from `open_study`.
      objective: returns the loss of a model.
      base: the model of pipeline.yaml.
      rows: of the training split.
      seconds: the time.
      trials: how many at most; None for as many as the time allows.
      ended: receives each trial when it ends.
    """

    def run(trial: optuna.Trial) -> float:
        try:
            model = base if trial.number == 0 else suggest(trial, base, rows)
            trial.set_user_attr(_MODEL, model.model_dump_json())
            return objective(model, lambda step, loss: _report(trial, step, loss))
        except optuna.TrialPruned:
            raise
        except Exception as error:
            trial.set_user_attr(_REASON, str(error))
            raise

    study.optimize(
        run,
        n_trials=trials,
        timeout=seconds,
        catch=(Exception,),
        callbacks=[lambda _, trial: ended(trial)],
    )


def _report(trial: optuna.Trial, step: int, loss: float) -> None:
    trial.report(loss, step)
    if trial.number and trial.should_prune():
        raise optuna.TrialPruned


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that ended with a loss, the best one first."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    valid = [trial for trial in done if trial.value is not None and math.isfinite(trial.value)]
    return sorted(valid, key=lambda trial: (trial.value, trial.number))


def model_of(trial: FrozenTrial) -> Model:
    """Return the options that a trial had."""
    return Model.model_validate_json(trial.user_attrs[_MODEL])


def reason_of(trial: FrozenTrial) -> str:
    """Return why a trial failed."""
    return str(trial.user_attrs.get(_REASON, "its process was killed"))


def importances(study: optuna.Study) -> dict[str, float]:
    """Return each option's share in the differences of the loss, the greatest first.

    By PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255); none of fewer than ten trials.
    """
    chosen = [trial for trial in finished(study) if trial.params]
    if len(chosen) < 2 * _FIRST:
        return {}
    copy = optuna.create_study(direction="minimize")
    copy.add_trials(chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return optuna.importance.get_param_importances(copy, evaluator=evaluator)
