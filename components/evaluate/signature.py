"""One signature of a SavedModel in memory, run by its SignatureDef as a server runs it.

A signature takes arrays by input name and returns arrays by output name. The functions that
`tf.saved_model.load` returns are not used: they cannot take every column's name as an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from components import saved_models
from components.evaluate.published import check_pushed
from components.session_call import session_call
from schemas.errors import ModelError


class LoadedSignature:
    """A signature in memory; may be called by several threads at once.

    Args:
      saved_model: the SavedModel's folder.
      name: of the signature.
      outputs: the outputs to compute; None means all.

    Attributes:
      saved_model: the SavedModel's folder.
      inputs: names of the inputs.
      outputs: names of the outputs that are computed.

    Raises:
      ModelError: the SavedModel does not load, is not the one that was pushed here, or has no such
        signature or output.
    """

    def __init__(self, saved_model: str, name: str, outputs: Iterable[str] | None = None) -> None:
        session, graph = saved_models.load(saved_model, check=check_pushed)
        if name not in graph.signature_def:
            raise ModelError(f"the SavedModel has no signature {name!r}", where=saved_model)
        signature = graph.signature_def[name]
        self.saved_model = saved_model
        self.inputs = tuple(sorted(signature.inputs))
        self.outputs = tuple(sorted(signature.outputs) if outputs is None else outputs)
        for output in self.outputs:
            if output not in signature.outputs:
                raise ModelError(
                    f"the model has no output {output!r}",
                    where=f"{saved_model}: signature {name!r}",
                )
        # The callable is made once: looking up tensors by name costs more than a small batch.
        self._call = session_call(
            session,
            [signature.outputs[output].name for output in self.outputs],
            [signature.inputs[column].name for column in self.inputs],
        )

    def __call__(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs, shape [rows, …] each, for the arrays of `as_raw_columns`."""
        outputs = self._call(*(raw[column] for column in self.inputs))
        return dict(zip(self.outputs, outputs, strict=True))
