"""Reads and writes gRPC messages: model names, examples, results, signatures.

Converts between messages of tensorflow-serving-api and plain data. Imports nothing that needs
TensorFlow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from components.serve import grpc_tensors, predict, routes, tf_examples
from components.serve.failures import UNIMPLEMENTED, RequestError
from components.serve.json_text import excerpt
from components.serve.loaded import LoadedVersion
from components.serve.messages import Arrays
from components.serve.signature import Signature
from schemas.errors import did_you_mean

# The allowed methods in a task of a MultiInferenceRequest.
TASKS = {
    "tensorflow/serving/classify": routes.CLASSIFY,
    "tensorflow/serving/regress": routes.REGRESS,
}


def asked(request: Any) -> tuple[str, int | None, str | None]:
    """Return name, version and label of the model in a request.

    Raises:
      RequestError: it names no model.
    """
    spec = request.model_spec
    if not spec.name:
        raise RequestError("'model_spec' names no model")
    kind = spec.WhichOneof("version_choice")
    version = spec.version.value if kind == "version" else None
    return spec.name, version, spec.version_label if kind == "version_label" else None


def filtered(names: Any, signature: Signature) -> list[str]:
    """Return the outputs that a request selects: those it names, or all.

    Raises:
      RequestError: an output is unknown, or named twice.
    """
    if not names:
        return sorted(signature.outputs)
    if len(set(names)) != len(names):
        raise RequestError("'output_filter' names an output twice")
    for name in names:
        if name not in signature.outputs:
            near = did_you_mean(name, signature.outputs)
            raise RequestError(f"'output_filter' has an unknown output {excerpt(name)}; {near}")
    return list(names)


def examples_of(given: Any, most: int) -> np.ndarray:
    """Return an Input's examples, serialised.

    The context's features come before those of an example, which override them in protobuf.

    Args:
      given: the Input.
      most: the largest number of examples in a request.

    Raises:
      RequestError: there is none, or the examples with their context are too large.
    """
    context = b""
    listed = given.example_list
    if given.WhichOneof("kind") == "example_list_with_context":
        listed = given.example_list_with_context
        context = listed.context.SerializeToString()
    if not listed.examples:
        raise RequestError("'input' is empty; at least one example was expected")
    tf_examples.check_size(len(listed.examples), most, len(context))
    examples = [context + example.SerializeToString() for example in listed.examples]
    array = np.empty(len(examples), object)
    array[:] = examples
    return array


def check_tasks(tasks: list[Any]) -> None:
    """Check that the tasks of a MultiInferenceRequest are compatible.

    Raises:
      RequestError: they are not.
    """
    if not tasks:
        raise RequestError("'tasks' is empty; at least one was expected")
    if len({task.model_spec.name for task in tasks}) != 1:
        raise RequestError("all tasks must name the same model")
    if len({asked(task) for task in tasks}) != 1:
        raise RequestError("all tasks must name the same version")
    names: set[str] = set()
    for task in tasks:
        name = task.model_spec.signature_name or predict.DEFAULT_SIGNATURE
        if name in names:
            raise RequestError(f"signature {excerpt(name)} is named twice")
        names.add(name)
    for task in tasks:
        if task.method_name not in TASKS:
            raise RequestError(
                f"method_name {excerpt(task.method_name)} is not one of {', '.join(TASKS)}",
                UNIMPLEMENTED,
            )


def fill_spec(spec: Any, loaded: LoadedVersion, signature: str) -> None:
    """Write into a response which version and signature answered."""
    spec.name = loaded.name
    spec.version.value = loaded.version
    spec.signature_name = signature


def fill_signature(proto: Any, signature: Signature) -> None:
    """Write a signature into an empty SignatureDef."""
    proto.method_name = signature.method_name
    for infos, tensors in ((proto.inputs, signature.inputs), (proto.outputs, signature.outputs)):
        for name, tensor in tensors.items():
            info = infos[name]
            info.name = tensor.name
            info.dtype = grpc_tensors.number_of(tensor.dtype)
            info.tensor_shape.unknown_rank = tensor.shape is None
            for size in tensor.shape or ():
                info.tensor_shape.dim.add(size=size)


def _fill_classes(result: Any, outputs: Arrays) -> None:
    labels, scores = tf_examples.classes_of(outputs)
    for of_row in zip(labels.tolist(), scores.tolist(), strict=True):
        classes = result.classifications.add().classes
        for label, score in zip(*of_row, strict=True):
            classes.add(label=label, score=score)


def _fill_values(result: Any, outputs: Arrays) -> None:
    for value in tf_examples.values_of(outputs).tolist():
        result.regressions.add(value=value)


# By method: the function that writes a result, and its name in a MultiInferenceResponse.
FILL = {routes.CLASSIFY: _fill_classes, routes.REGRESS: _fill_values}
RESULTS = {routes.CLASSIFY: "classification", routes.REGRESS: "regression"}
