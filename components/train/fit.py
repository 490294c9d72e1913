"""Feeds of the train and eval splits → one trained wide & deep model.

Training stops early by the loss on the eval split, which is looked at after each round: an epoch,
or 512 steps of a longer one. The best weights are kept. The same options, feeds and seed give the
same model.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

from components.tasks.protocol import Head
from components.train.checkpoints import CheckpointFile, SaveState, restore
from components.train.inputs import Feed
from components.train.model import build_wide_deep
from components.train.rounds import KeepBest, Rounds
from components.train.sizes import learning_rate, round_steps
from components.train.two_optimizers import TwoOptimizers
from schemas.layout import Layout
from schemas.model import AdamW, Model
from schemas.strict import Strict

# Steps of one TensorFlow call: Python's share of a small step falls from half to almost nothing.
STEPS_PER_EXECUTION = 16
_FIRST_STEP = 0.01  # of the learning rate while it rises


class Fit(Strict):
    """How a model was trained.

    Attributes:
      best_epoch: the round whose weights were kept, from 1.
      loss: the head's loss on the training split, by round.
      eval_loss: the same on the eval split.
      seconds: for all rounds, evaluation included.
      examples_per_second: training examples over `seconds`.
    """

    best_epoch: int
    loss: tuple[float, ...]
    eval_loss: tuple[float, ...]
    seconds: float
    examples_per_second: float


def fit_wide_deep(
    layout: Layout,
    model: Model,
    head: Head,
    train: Feed,
    evaluation: Feed,
    *,
    checkpoint: CheckpointFile | None = None,
) -> tuple[keras.Model, Fit]:
    """Train one model from its initial weights.

    Args:
      layout: the transformed features.
      model: what to train and how.
      head: of the task.
      train: the training rows, in a new order each epoch.
      evaluation: the rows that decide when to stop.
      checkpoint: where the state is kept, and training goes on from if there is one.

    Returns:
      The model that answers with the members' mean, and how it was trained.
    """
    members, served = build_wide_deep(layout, model, head.start, head.link)
    trained = TwoOptimizers(members, served, model.averaging)
    trained.compile(
        optimizer=_adam(model.deep, train.rows),
        wide=keras.optimizers.Ftrl(
            model.wide.learning_rate,
            l1_regularization_strength=model.wide.l1,
            l2_regularization_strength=model.wide.l2,
        ),
        loss=head.loss,
        steps_per_execution=STEPS_PER_EXECUTION,
        jit_compile=False,  # XLA on CPU is slower for batches below 8,192
    )
    steps = round_steps(train.batches)
    rows = train.rows * steps // train.batches  # of a round
    keep, rounds = KeepBest(model.patience), Rounds(rows)
    callbacks: list[keras.callbacks.Callback] = [keep, rounds]
    batches = train.dataset().repeat()
    if checkpoint is not None:
        if restore(checkpoint, trained, keep, rounds):
            batches = _after(train, trained.steps)
        callbacks.append(SaveState(checkpoint, model.checkpoints, keep, rounds))
    trained.fit(
        batches,
        validation_data=evaluation.dataset(),
        steps_per_epoch=steps,
        initial_epoch=len(rounds.loss),
        epochs=0 if keep.is_over else math.ceil(model.max_epochs * train.batches / steps),
        shuffle=False,  # the feed does
        callbacks=callbacks,
        verbose=0,
    )
    seconds = rounds.seconds
    return served, Fit(
        best_epoch=keep.best_round,
        loss=tuple(rounds.loss),
        eval_loss=tuple(rounds.eval_loss),
        seconds=seconds,
        examples_per_second=rows * len(rounds.loss) / seconds,
    )


def _after(train: Feed, steps: int) -> tf.data.Dataset:
    """Return the batches that follow so many steps."""
    epochs, batches = divmod(steps, train.batches)
    train.epoch += epochs
    return train.dataset().repeat().skip(batches)


def _adam(options: AdamW, rows: int) -> keras.optimizers.Optimizer:
    """Return the deep part's optimizer, whose rate depends on the training rows unless given."""
    rate = options.learning_rate or learning_rate(rows)
    if options.warm_up:
        rate = keras.optimizers.schedules.PolynomialDecay(rate * _FIRST_STEP, options.warm_up, rate)
    adam = keras.optimizers.AdamW(rate, weight_decay=options.weight_decay)
    adam.exclude_from_weight_decay(var_names=["bias", "member"])
    return adam
