"""The graph of an export: transform graph and models, joined behind every signature.

The class takes a transform graph on disk and Keras models. It returns a `tf.Module` and its
signatures, ready for `tf.saved_model.save`. Every signature runs the same transform graph and the
same model; nothing here scales, fills or looks up a feature.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from components.export import signatures as names
from components.export.inline import inline
from components.export.inputs import complete, parse, raw_columns
from components.export.warnings import Warnings
from components.tasks.calibration import calibrator_of, served_logits
from components.tasks.correction import correct
from components.tasks.learned import CONFORMAL
from components.tasks.protocol import optional, work_of
from components.tasks.uncertainty import spread_of
from components.train.inputs import pack
from components.train.members import members_of
from components.train.model import logits_shape
from schemas.columns import Column
from schemas.layout import Layout
from schemas.tasks.options import ExportOptions, TaskOptions
from schemas.types import TYPES

if TYPE_CHECKING:
    import keras

    Tensors = Mapping[str, tf.Tensor]


class ServingGraph:
    """The parts that the signatures are composed of.

    Args:
      transform_graph: TFT's output folder.
      model: the model that is served: packed transformed features in, logits [rows, units] out.
      baseline: the model it is compared with, of the same inputs and output.
      layout: the transformed features in model order.
      serving: the raw columns a request contains.
      evaluation: those and the label's own.
      label: what is predicted.
      answers: the options of what the task's signatures answer.
      learned: what transform, train and calibrate have learned about the label.
      warnings: what PREDICT warns about; None for no warnings.
    """

    def __init__(
        self,
        *,
        transform_graph: str,
        model: keras.Model,
        baseline: keras.Model,
        layout: Layout,
        serving: tuple[Column, ...],
        evaluation: tuple[Column, ...],
        label: TaskOptions,
        answers: ExportOptions,
        learned: Mapping[str, Any],
        warnings: Warnings | None,
    ) -> None:
        loaded = tf.saved_model.load(os.path.join(transform_graph, "transform_fn"))
        self._transform_fn = loaded.transform_fn
        del loaded.transform_fn, loaded.signatures  # not to be saved: its ops are in ours
        self._transform_graph = loaded
        self._models = (model, baseline)
        self._layout = layout
        self._serving = serving
        self._evaluation = evaluation
        self._answers = work_of(label.task).answers(label, answers, learned)
        self._warnings = warnings
        self._served = served_logits(learned)
        self._members = members_of(model) if answers.spread else None
        self._covered = optional(label.task, "covered") if CONFORMAL in learned else None
        self._model_logits = _logits_of(model, layout, self._served)
        corrected = partial(correct, learned=learned)
        self._uncalibrated_logits = (
            None if calibrator_of(learned) is None else _logits_of(model, layout, corrected)
        )
        self._baseline_logits = _logits_of(baseline, layout, corrected)

    def module(self) -> tf.Module:
        """Return what a SavedModel has to contain so that its signatures run.

        It contains the weights of the models and not the models themselves: a SavedModel that
        tracks a Keras 3 model loads in Python, but its variables have names that the C++ loader
        (TensorFlow Serving, Java, Go) does not find.
        """
        module = tf.Module()
        module.transform_graph = self._transform_graph  # its tables and vocabulary files
        module.weights = [weight.value for model in self._models for weight in model.weights]
        return module

    def signatures(self) -> dict[str, Any]:
        """Return the concrete function of every signature.

        Inputs that are columns have the names of `signatures.argument_names`: the caller renames
        them to the columns' own in the SignatureDef.
        """
        return {
            names.SERVING_DEFAULT: _of_examples(self._score_examples, names.EXAMPLES),
            names.TRANSFORM_FEATURES: _of_examples(self._features_of_examples, names.EXAMPLES),
            names.RAW_COLUMNS: _of_columns(self._score_columns, self._serving),
            names.PREDICT: _of_columns(self._predict, self._serving),
            names.EVALUATION: _of_columns(self._evaluate_columns, self._evaluation),
        } | {
            name: _of_examples(partial(self._answer_examples, name), names.EXAMPLE_INPUTS[name])
            for name in names.METHOD_NAMES
            if name in self._answers
        }

    def _score_examples(self, examples: tf.Tensor) -> Tensors:
        return self._answer_examples(names.RAW_COLUMNS, examples)

    def _answer_examples(self, signature: str, examples: tf.Tensor) -> Tensors:
        logits = self._model_logits(self._features_of_examples(examples))
        return self._answers[signature](logits)

    def _score_columns(self, columns: Tensors) -> Tensors:
        dense = complete(columns, self._serving)
        features = self._transform(raw_columns(dense, self._serving))
        return self._score(self._model_logits(features))

    def _predict(self, columns: Tensors) -> Tensors:
        dense = complete(columns, self._serving)
        features = self._transform(raw_columns(dense, self._serving))
        answer = dict(self._answers[names.PREDICT](self._model_logits(features)))
        if self._members is not None:
            members = self._members(pack(features, self._layout), training=False)
            answer[names.SPREAD] = spread_of(members, self._served, self._score)
        if self._warnings is not None:
            answer |= self._warnings.of_rows(dense.values, features)
        return answer

    def _evaluate_columns(self, columns: Tensors) -> Tensors:
        dense = complete(columns, self._evaluation)
        columns = raw_columns(dense, self._evaluation)
        outputs = self._transform(columns, self._layout.label)
        answers = {
            **self._score(self._model_logits(outputs)),
            names.BASELINE_SCORES: self._score(self._baseline_logits(outputs))[names.SCORES],
            names.LABEL: outputs[self._layout.label],
        }
        if self._uncalibrated_logits is not None:
            uncalibrated = self._score(self._uncalibrated_logits(outputs))
            answers[names.UNCALIBRATED_SCORES] = uncalibrated[names.SCORES]
        if self._covered is not None:
            predicted = self._answers[names.PREDICT](self._model_logits(outputs))
            inside = self._covered(predicted, outputs[self._layout.label])
            answers[names.COVERED] = tf.cast(inside, tf.int64)
        return answers

    def _score(self, logits: tf.Tensor) -> Tensors:
        return self._answers[names.RAW_COLUMNS](logits)

    def _features_of_examples(self, examples: tf.Tensor) -> Tensors:
        return self._transform(parse(examples, self._serving))

    def _transform(self, columns: Tensors, *also: str) -> Tensors:
        """Run the transform graph; `also` names outputs to return besides the features.

        A list becomes a row [width], with `PADDING` of the signatures after its values.
        """
        outputs = [*(f.name for f in self._layout.features), *also]
        transformed = inline(self._transform_fn, columns, outputs)
        lists = {f.name: transformed[f.name].to_tensor(names.PADDING) for f in self._layout.ragged}
        return {**transformed, **lists}


def _logits_of(
    model: keras.Model, layout: Layout, then: Callable[[tf.Tensor], tf.Tensor]
) -> Callable[[Tensors], tf.Tensor]:
    """Return transformed features → logits, which `then` corrects."""
    shape = logits_shape(model)
    return lambda features: then(tf.reshape(model(pack(features, layout), training=False), shape))


def _of_examples(function: Callable[[tf.Tensor], Tensors], argument: str) -> Any:
    spec = tf.TensorSpec([None], tf.string, name=argument)
    return tf.function(function, input_signature=[spec], autograph=False).get_concrete_function()


def _of_columns(function: Callable[[Tensors], Tensors], columns: tuple[Column, ...]) -> Any:
    def call(**arguments: tf.Tensor) -> Tensors:
        return function({c.name: arguments[a] for c, a in _arguments(columns)})

    specs = {
        argument: tf.TensorSpec(
            [None, None] if c.is_list else [None], TYPES[c.kind].request, name=argument
        )
        for c, argument in _arguments(columns)
    }
    return tf.function(call, autograph=False).get_concrete_function(**specs)


def _arguments(columns: tuple[Column, ...]) -> list[tuple[Column, str]]:
    arguments = names.argument_names(c.name for c in columns)
    return [(c, arguments[c.name]) for c in columns]
