"""Transformed Examples → trained wide & deep model, and the linear baseline.

Both, and figures about the training, are files of the output folder. The seed is fixed, so that
the result is repeatable. One row group of data is in memory at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from components import files, progress
from components.examples import count_rows, iter_batches
from components.tasks.correction import correct, measured_corrections, shares_kept
from components.tasks.learned import TRAINING_FILE
from components.tasks.protocol import Head, work_of
from components.train.checkpoints import CheckpointFile
from components.train.event_files import FOLDER as EVENTS
from components.train.fit import STEPS_PER_EXECUTION, Fit, fit_wide_deep
from components.train.folds import FILE_NAME as OUT_OF_FOLD_FILE
from components.train.folds import FoldRows, mean_of, predict
from components.train.history import FitHistory, History
from components.train.inputs import Feed, labels
from components.train.judge import Judge
from components.train.model import BASELINE_FILE, MODEL_FILE, build_baseline
from components.train.sizes import batch_rows
from components.train.weights import Weighting, weighting
from components.train.workers import Workers, rounded_up, share_of
from schemas import layout as layouts
from schemas.errors import DataError
from schemas.layout import Layout
from schemas.model import OWN_LOSS, Model
from schemas.signatures import RAW_COLUMNS, SCORES
from schemas.splits.options import FOLD
from schemas.tasks.options import TaskOptions

_EVAL_BATCH = 8192
_BASELINE_LEARNING_RATE = 0.01
_BASELINE_EPOCHS = 20


class Training(Fit):
    """What was trained, as written to training.json.

    Attributes:
      train_examples: rows of the training split.
      eval_examples: rows that decided when to stop.
      labels: what the task's head measured on the training labels, by name.
      folds: how the model of each fold was trained, the first of them as above; none without.
    """

    train_examples: int
    eval_examples: int
    labels: dict[str, Any]
    folds: tuple[Fit, ...] = ()


def train(
    *,
    examples: str,
    graph: str,
    task: TaskOptions,
    model: Model,
    output: str,
    sampled: Mapping[str, tuple[int, int]] = MappingProxyType({}),
    checkpoint: CheckpointFile | None = None,
    workers: Workers | None = None,
) -> Training:
    """Train the model and its baseline.

    Args:
      examples: folder of transformed examples.
      graph: the transform graph's folder, for its layout.
      task: what is predicted.
      model: what to train and how.
      output: folder that gets the Keras graphs, the layout, training.json, history.json and the
        files for TensorBoard.
      sampled: how many training rows of each class there were before a sample, and after it.
      checkpoint: where the state is kept while training, and training goes on from if it was
        killed.
      workers: the processes that call this at the same time, to train the same model together;
        what those except the chief write is not complete.

    Returns:
      What was trained.

    Raises:
      DataError: a split has no rows, its weights are all 0, or nothing can be learned from its
        labels.
    """
    layout = Layout.model_validate_json(files.read_bytes(os.path.join(graph, layouts.FILE_NAME)))
    _require_eval(examples)
    head = work_of(task.task).head(
        labels(examples, "train", layout, task.weight), task, layout.label_learned, where=examples
    )
    if head.remark:
        progress.remark("train", head.remark)
    classes = task.class_names(layout.label_learned)
    weights = {
        "train": weighting(examples, "train", layout, task, head),
        "eval": weighting(examples, "eval", layout, task, as_sampled(head, sampled, classes)),
    }
    feeds = _Feeds(examples, layout, model, weights, workers)
    baseline = build_baseline(layout, head.start)
    if workers is None:
        _fit_baseline(baseline, feeds, head)
    else:
        whole = _Feeds(examples, layout, model, weights)
        if workers.is_chief:
            _fit_baseline(baseline, whole, head)
        feeds.train.epoch = int(workers.of_chief(whole.train.epoch))  # as of a single process
    learned = layout.label_learned | dict(head.labels) | measured_corrections(sampled, classes)
    judge = None
    stop_by = None if model.stop_by == OWN_LOSS else model.stop_by
    if stop_by or model.watch:
        known = {**layout.label_learned, **head.labels}
        rows = _judged(examples, layout, task, head)
        judge = Judge(task, known, rows, stop_by=stop_by, watch=model.watch)
    fitting = _Fitting(layout, model, head, feeds, judge, checkpoint, output, workers)
    if model.per_fold:
        served, fits = fitting.by_fold(partial(_scores, task=task, learned=learned))
    else:
        served, fitted = fitting.of(feeds.train)
        fits = (fitted,)
    History(stop_by=model.stop_by, folds=tuple(each.history for each in fits)).write(output)
    served.save(os.path.join(output, MODEL_FILE))
    baseline.save(os.path.join(output, BASELINE_FILE))
    files.copy_file(os.path.join(graph, layouts.FILE_NAME), os.path.join(output, layouts.FILE_NAME))
    training = Training(
        train_examples=feeds.train.rows,
        eval_examples=feeds.eval.rows,
        labels=dict(head.labels) | measured_corrections(sampled, classes),
        **fits[0].fit.model_dump(),
        folds=tuple(each.fit for each in fits) if model.per_fold else (),
    )
    files.write_whole(os.path.join(output, TRAINING_FILE), training.model_dump_json(indent=1))
    return training


def as_sampled(head: Head, sampled: Mapping[str, tuple[int, int]], classes: Sequence[str]) -> Head:
    """Return the head for the eval split, whose classes then count as in the sampled one.

    Otherwise, a model of the sampled rows would look worse on eval the better it knows them.
    """
    if not sampled:
        return head
    shares = shares_kept(sampled, classes)
    own = head.class_weights or (1.0,) * len(classes)
    return replace(head, class_weights=tuple(w * s for w, s in zip(own, shares, strict=True)))


@dataclass(frozen=True)
class _Fitted:
    """How one model was trained, in short and by round."""

    fit: Fit
    history: FitHistory


@dataclass(frozen=True)
class _Fitting:
    """What all models of a training share."""

    layout: Layout
    model: Model
    head: Head
    feeds: _Feeds
    judge: Judge | None
    checkpoint: CheckpointFile | None
    output: str
    workers: Workers | None

    def of(self, feed: Feed, fold: int | None = None) -> tuple[keras.Model, _Fitted]:
        """Fit a model to the rows of a feed; that of a fold has a seed of its own."""
        model, checkpoint = self.model, self.checkpoint
        events = os.path.join(self.output, EVENTS)
        if fold is not None:
            events = os.path.join(events, f"fold_{fold}")
            model = model.model_copy(update={"seed": (model.seed + fold) % (1 << 32)})
            checkpoint = None if checkpoint is None else checkpoint.of_fold(fold)
        served, fit, rounds = fit_wide_deep(
            self.layout,
            model,
            self.head,
            feed,
            self.feeds.eval,
            judge=self.judge,
            checkpoint=checkpoint,
            events=events,
            workers=self.workers,
        )
        return served, _Fitted(fit, FitHistory(fold=fold, kept=fit.best_epoch, rounds=rounds))

    def by_fold(
        self, scores: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[keras.Model, tuple[_Fitted, ...]]:
        """Fit a model to the other rows of each fold; write what each answers for its fold."""
        models, fits, predicted = [], [], []
        for fold in range(self.feeds.folds()):
            progress.remark("train", f"fold {fold}")
            served, fit = self.of(self.feeds.without(fold), fold)
            models.append(served)
            fits.append(fit)
            rows = FoldRows(fold, inside=True)
            predicted.append(predict(served, self.feeds.examples, self.layout, rows, scores))
        together = pa.concat_tables(predicted).sort_by("row")
        with files.whole(os.path.join(self.output, OUT_OF_FOLD_FILE)) as path:
            pq.write_table(together, path)
        return mean_of(models, self.layout, self.head.link), tuple(fits)


def _scores(logits: np.ndarray, *, task: TaskOptions, learned: Mapping[str, Any]) -> np.ndarray:
    """Return the scores that the served graph would give."""
    answers = work_of(task.task).answers(task, type(task).EXPORT(task=task.task), learned)
    corrected = correct(tf.constant(logits), learned)
    return np.asarray(answers[RAW_COLUMNS](corrected)[SCORES])


class _Feeds:
    """The training split in a new order each epoch, and the eval split in the order on disk."""

    def __init__(
        self,
        examples: str,
        layout: Layout,
        model: Model,
        weights: Mapping[str, Weighting | None],
        workers: Workers | None = None,
    ) -> None:
        self.examples = examples
        self._layout, self._model, self._weights = layout, model, weights["train"]
        size = model.batch_size or batch_rows(count_rows(examples, "train"))
        self.batch_size = rounded_up(size, workers)
        self._share = share_of(workers)
        self.train = Feed(
            examples,
            "train",
            layout,
            batch_size=self.batch_size,
            seed=model.seed,
            weights=weights["train"],
            share=self._share,
        )
        # Only the loss of the eval split is needed: the largest batches are the fastest.
        self.eval = Feed(
            examples,
            "eval",
            layout,
            batch_size=rounded_up(max(size, _EVAL_BATCH), workers),
            weights=weights["eval"],
            share=self._share,
        )
        for feed in (self.train, self.eval):
            if not feed.rows:
                raise DataError(
                    f"a split has fewer rows than the {self._share[1]} processes that train",
                    where=examples,
                    remedy="give more rows, or train with fewer processes",
                )

    def without(self, fold: int) -> Feed:
        """Return the training rows of all other folds."""
        rows = FoldRows(fold, inside=False)
        return Feed(
            self.examples,
            "train",
            self._layout,
            batch_size=self.batch_size,
            seed=self._model.seed + fold,
            weights=self._weights,
            only=rows,
            share=self._share,
        )

    def folds(self) -> int:
        """Return how many folds the training rows have."""
        batches = iter_batches(self.examples, "train", [FOLD])
        return 1 + max(int(batch.column(0).to_numpy().max(initial=-1)) for batch in batches)


def _judged(examples: str, layout: Layout, task: TaskOptions, head: Head) -> Feed:
    """Return the eval split as evaluation weighs it: by the rows' own weights alone."""
    weights = weighting(examples, "eval", layout, task, replace(head, class_weights=None))
    return Feed(examples, "eval", layout, batch_size=_EVAL_BATCH, weights=weights)


def _require_eval(examples: str) -> None:
    if not count_rows(examples, "eval"):
        raise DataError(
            "the eval split has no rows, so training would not know when to stop",
            where=examples,
            remedy="give more rows, or a larger `splits.eval`",
        )


def _fit_baseline(baseline: keras.Model, feeds: _Feeds, head: Head) -> None:
    baseline.compile(
        optimizer=keras.optimizers.Adam(_BASELINE_LEARNING_RATE),
        loss=head.loss,
        steps_per_execution=STEPS_PER_EXECUTION,
        jit_compile=False,
    )
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    baseline.fit(
        feeds.train.dataset(),
        validation_data=feeds.eval.dataset(),
        epochs=_BASELINE_EPOCHS,
        shuffle=False,  # the feed does
        callbacks=[stop],
        verbose=0,
    )
