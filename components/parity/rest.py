"""REST over a real connection: a request of JSON → its answer.

The client takes a server's port. Requests are as TensorFlow Serving's clients write them, with the
shortest digits of floats; answers get the types in the server's own metadata.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from components.parity.processes import NoAnswerError, shortened
from components.parity.server import MODEL, REQUEST_SECONDS, GoneError
from components.parity.serving_paths.protocol import (
    MISSING_IS_NAN,
    SERVER,
    ModelAddress,
    ServingPath,
)

_PATH = f"/v1/models/{MODEL}"
_DTYPES = {"DT_FLOAT": np.float32, "DT_INT64": np.int64, "DT_STRING": np.object_}
_OK = 200


class RestPath(ServingPath):
    """A serving path over one connection to the server's REST port."""

    cannot_carry = MISSING_IS_NAN
    process = SERVER
    questions = staticmethod(lambda sets: sets.by_predict)

    def __init__(self, address: ModelAddress) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", address.http, timeout=REQUEST_SECONDS
        )
        self._types: dict[str, dict[str, type]] | None = None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def post(self, method: str, signature: str, name: str, content: bytes) -> dict[str, Any]:
        """Return the answer to a request.

        Args:
          method: "predict", "classify" or "regress".
          signature: its name.
          name: the field of the rows.
          content: the rows as JSON.

        Raises:
          NoAnswerError: the answer is an error.
          GoneError: there is no answer.
        """
        fields = (json.dumps(signature).encode(), name.encode(), content)
        body = b'{"signature_name": %b, "%b": %b}' % fields
        return self._ask("POST", f"{_PATH}:{method}", body)

    def types(self, signature: str) -> dict[str, type]:
        """Return numpy's type of each output of a signature, from the server's metadata."""
        if self._types is None:
            metadata = self._ask("GET", f"{_PATH}/metadata", None)["metadata"]
            self._types = {
                name: {k: _DTYPES[v["dtype"]] for k, v in each["outputs"].items()}
                for name, each in metadata["signature_def"]["signature_def"].items()
            }
        if signature not in self._types:
            raise NoAnswerError(f"the server's metadata has no signature {signature!r}")
        return self._types[signature]

    def _ask(self, verb: str, path: str, body: bytes | None) -> dict[str, Any]:
        try:
            self._connection.request(verb, path, body)
            response = self._connection.getresponse()
            status, content = response.status, response.read()
        except TimeoutError:
            raise GoneError(f"no answer within {REQUEST_SECONDS:g} s: {verb} {path}") from None
        except (OSError, http.client.HTTPException) as error:
            raise GoneError(f"no answer: {type(error).__name__}: {error}") from error
        text = shortened(content.decode(errors="replace"))
        if status != _OK:
            raise NoAnswerError(f"{verb} {path}: status {status}: {text}")
        try:
            answer: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise NoAnswerError(
                f"{verb} {path}: the answer is not JSON ({error}): {text}"
            ) from None
        return answer


def array_of_json(values: Sequence[Any], dtype: type) -> np.ndarray:
    """Return an output's values from JSON as an array of the output's type."""
    if dtype is not np.object_:
        return np.array(values, np.float64 if dtype is np.float32 else dtype).astype(dtype)
    texts = np.array(values, np.object_)
    flat = [value.encode() for value in texts.reshape(-1)]
    encoded = np.empty(len(flat), object)
    encoded[:] = flat
    return encoded.reshape(texts.shape)
