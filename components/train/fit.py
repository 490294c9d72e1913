"""Feeds of the train and eval splits → one trained wide & deep model.

Training stops early by the loss on the eval split, which is looked at after each round: an epoch,
or 512 steps of a longer one. The best weights are kept. The same options, feeds and seed give the
same model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from components.tasks.protocol import Head
from components.train.checkpoints import CheckpointFile, SaveState, restore
from components.train.devices import DeviceUse
from components.train.event_files import EventFiles
from components.train.history import Round
from components.train.inputs import Feed
from components.train.layers import Dropout
from components.train.losses import penalty_of, training_loss
from components.train.model import build_wide_deep
from components.train.rounds import Judgement, KeepBest, Rounds
from components.train.schedules import Plateau, ReduceOnPlateau, rate_of
from components.train.sizes import round_steps
from components.train.two_optimizers import TwoOptimizers
from components.train.workers import Workers
from schemas.layout import Layout
from schemas.model import Model
from schemas.strict import Strict

# Steps of one TensorFlow call: Python's share of a small step falls from half to almost nothing.
STEPS_PER_EXECUTION = 16


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
    judge: Callable[[keras.Model], Judgement] | None = None,
    checkpoint: CheckpointFile | None = None,
    events: str | None = None,
    workers: Workers | None = None,
) -> tuple[keras.Model, Fit, tuple[Round, ...]]:
    """Train one model from its initial weights.

    Args:
      layout: the transformed features.
      model: what to train and how.
      head: of the task.
      train: the training rows, in a new order each epoch.
      evaluation: the rows that decide when to stop.
      judge: measures the model after each round beside its eval loss.
      checkpoint: where the state is kept, and training goes on from if there is one.
      events: the folder for TensorBoard; None for none.
      workers: the processes that train the same model, each with its feeds; None of a single one.

    Returns:
      The model that answers with the members' mean, how it was trained, and the rounds.
    """
    steps = round_steps(train.batches)
    most = math.ceil(model.max_epochs * train.batches / steps)  # rounds
    rate = rate_of(model.deep, train.rows, most * steps)
    trained = _compiled(layout, model, head, rate, workers)
    rows = train.rows * steps // train.batches  # of a round
    keep = KeepBest(model.patience, judge, float if workers is None else workers.of_chief)
    rounds = Rounds(rows, train.batches, keep)
    callbacks: list[keras.callbacks.Callback] = [keep, rounds]
    if isinstance(rate, Plateau):
        callbacks.append(ReduceOnPlateau(rate, keep))
    if events is not None:
        callbacks.append(EventFiles(events, rounds))
    batches = train.dataset().repeat()
    if checkpoint is not None:
        if restore(checkpoint, trained, keep, rounds):
            batches = _after(train, trained.steps)
        if workers is None or workers.is_chief:
            callbacks.append(SaveState(checkpoint, model.checkpoints, keep, rounds))
    trained.fit(
        batches,
        validation_data=evaluation.dataset(),
        # as many as whole calls of TensorFlow take, also where a call takes one step
        steps_per_epoch=math.ceil(steps / STEPS_PER_EXECUTION) * STEPS_PER_EXECUTION,
        initial_epoch=len(rounds.records),
        epochs=0 if keep.is_over else most,
        shuffle=False,  # the feed does
        callbacks=callbacks,
        verbose=0,
    )
    seconds, records = rounds.seconds, tuple(rounds.records)
    fit = Fit(
        best_epoch=keep.best_round,
        loss=tuple(each.loss for each in records),
        eval_loss=tuple(each.eval_loss for each in records),
        seconds=seconds,
        examples_per_second=rows * len(records) / seconds,
    )
    return trained.served, fit, records


def _after(train: Feed, steps: int) -> tf.data.Dataset:
    """Return the batches that follow so many steps."""
    epochs, batches = divmod(steps, train.batches)
    train.epoch += epochs
    return train.dataset().repeat().skip(batches)


def _compiled(
    layout: Layout, model: Model, head: Head, rate: Any, workers: Workers | None
) -> TwoOptimizers:
    gpus = len(tf.config.list_physical_devices("GPU"))
    use = DeviceUse.of(gpus, 1 if workers is None else workers.count)
    tf.config.experimental.enable_tensor_float_32_execution(use.short_products)
    members, served = build_wide_deep(layout, model, head.start, head.link)
    for layer in members.layers:
        if workers is not None and isinstance(layer, Dropout):
            layer.worker = workers.index
    trained = TwoOptimizers(members, served, model.averaging, model.clip_norm, workers)
    adam = keras.optimizers.AdamW(rate, weight_decay=model.deep.weight_decay)
    adam.exclude_from_weight_decay(var_names=["bias", "member", "gamma", "beta"])
    trained.compile(
        optimizer=adam,
        wide=keras.optimizers.Ftrl(
            model.wide.learning_rate,
            l1_regularization_strength=model.wide.l1,
            l2_regularization_strength=model.wide.l2,
        ),
        loss=head.loss,
        training_loss=training_loss(head, model.loss),
        penalty=penalty_of(model.deep),
        # Keras's loop over several steps does not work around operations of several processes.
        steps_per_execution=STEPS_PER_EXECUTION if workers is None else 1,
        jit_compile=use.xla,
    )
    return trained
