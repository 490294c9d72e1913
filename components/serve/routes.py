"""Which resource a path names, and what the resources about a model say.

Goes in: a method and a path. Comes out: a `Route`. Names and versions in it are compared with what
is served, and never reach the file system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.serve import json_text
from components.serve.failures import NOT_FOUND, RequestError
from components.serve.signature import Signature, Tensor

PREDICT, CLASSIFY, REGRESS = "predict", "classify", "regress"
STATUS, METADATA = "status", "metadata"
HEALTHY, READY = "healthz", "readyz"

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_ASK = re.compile(_MODEL + r":(?P<what>predict|classify|regress)", re.IGNORECASE)
_ABOUT = re.compile(_MODEL + r"(?:/(?P<what>metadata))?", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """What a request is about.

    Attributes:
      what: one of the constants above.
      name: of the model; empty for the server's own health.
      version: of the model; None for the one that is served.
    """

    what: str
    name: str = ""
    version: int | None = None


def route(method: str, path: str) -> Route:
    """Find what a request is about.

    Raises:
      RequestError: nothing is there.
    """
    if path in (f"/{HEALTHY}", f"/{READY}") and method == "GET":
        return Route(path[1:])
    if not path.lower().startswith("/v1/"):
        raise RequestError(f"there is nothing at {json_text.excerpt(path)}", NOT_FOUND)
    pattern = {"POST": _ASK, "GET": _ABOUT}.get(method)
    match = pattern.fullmatch(path) if pattern else None
    if match is None:
        raise RequestError(
            f"malformed request: {method} {json_text.excerpt(path)}; expected POST"
            " /v1/models/NAME[/versions/N]:(predict|classify|regress)"
            " or GET /v1/models/NAME[/versions/N][/metadata]"
        )
    if match["label"]:
        raise RequestError(f"unrecognized servable version label: {match['label']!r}")
    version = match["version"]
    if version is not None and len(version) > 18:  # more than an int64 holds
        raise RequestError(f"failed to convert version {json_text.excerpt(version)} to a number")
    what = match["what"] or STATUS
    return Route(what.lower(), match["name"], None if version is None else int(version))


def status(version: int, *, ready: bool) -> bytes:
    """Return the body of GetModelStatus for the one version that is served."""
    of_version = {
        "version": str(version),
        "state": "AVAILABLE" if ready else "LOADING",
        "status": {"error_code": "OK", "error_message": ""},
    }
    return json_text.dumps({"model_version_status": [of_version]})


def metadata(name: str, version: int, signatures: Mapping[str, Signature]) -> bytes:
    """Return the body of GetModelMetadata: every signature, as protobuf writes it in JSON."""
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
