"""The resources about models: status, metadata and list, as JSON in TensorFlow Serving's format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.serve import json_text
from components.serve.signature import Signature, Tensor
from components.serve.versions import Models, Status


def status(statuses: Mapping[int, Status]) -> bytes:
    """Return the body of GetModelStatus."""
    described = [
        {
            "version": str(version),
            "state": each.state,
            "status": {
                "error_code": "FAILED_PRECONDITION" if each.error else "OK",
                "error_message": each.error,
            },
        }
        for version, each in statuses.items()
    ]
    return json_text.dumps({"model_version_status": described})


def models(served: Models) -> bytes:
    """Return all models with their versions, states and labels."""
    described = []
    for name, config in sorted(served.configs.items()):
        versions = [
            {
                "version": version,
                "state": each.state,
                "labels": sorted(k for k, v in config.labels.items() if v == version),
            }
            for version, each in served.statuses(name).items()
        ]
        described.append({"name": name, "versions": versions, "default": served.default(name)})
    return json_text.dumps({"models": described})


def metadata(name: str, version: int, signatures: Mapping[str, Signature]) -> bytes:
    """Return the body of GetModelMetadata: every signature in protobuf's JSON format."""
    described = {key: _signature(signature) for key, signature in sorted(signatures.items())}
    return json_text.dumps(
        {
            "model_spec": {"name": name, "signature_name": "", "version": str(version)},
            "metadata": {"signature_def": {"signature_def": described}},
        }
    )


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        "inputs": {name: _tensor(tensor) for name, tensor in sorted(signature.inputs.items())},
        "outputs": {name: _tensor(tensor) for name, tensor in sorted(signature.outputs.items())},
        "method_name": signature.method_name,
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    dims = [{"size": str(size), "name": ""} for size in tensor.shape or ()]
    return {
        "dtype": tensor.dtype,
        "tensor_shape": {"dim": dims, "unknown_rank": tensor.shape is None},
        "name": tensor.name,
    }
