"""A trained model → the same model with the logits of each member instead of their mean."""

from __future__ import annotations

import keras

from components.train.deep_layers import MemberMean


def members_of(model: keras.Model) -> keras.Model:
    """Return the model whose logits are float32 [rows, members, units].

    Of a model for each fold, these are the members. A model without a deep part has a single one.
    """
    last = model.layers[-1]
    if isinstance(last, MemberMean):
        return keras.Model(model.inputs, last.input)
    return keras.Model(model.inputs, keras.ops.expand_dims(model.output, 1))
