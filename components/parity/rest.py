"""REST over a real connection: arrays → requests of JSON → the arrays that the answers hold.

Goes in: a server's port. Promised: what a signature is asked is what TensorFlow Serving's clients
would write, floats by their shortest digits; answers get the types that the server's own metadata
tells.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.export import signatures as names
from components.parity.json_forms import json_examples, json_values
from components.parity.processes import NoAnswerError, shortened
from components.parity.server import MODEL, REQUEST_SECONDS, GoneError

_PATH = f"/v1/models/{MODEL}"
_DTYPES = {"DT_FLOAT": np.float32, "DT_INT64": np.int64, "DT_STRING": np.object_}
_OK = 200


class RestClient:
    """One connection to a server.

    Args:
      port: of REST on this machine.
    """

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
        self._types: dict[str, dict[str, type]] | None = None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def post(self, method: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a request of :predict, :classify or :regress.

        Raises:
          NoAnswerError: it is an error.
          GoneError: there is none.
        """
        return self._ask("POST", f"{_PATH}:{method}", json.dumps(document).encode())

    def types(self, signature: str) -> dict[str, type]:
        """Return numpy's type of each output of a signature, as the server's metadata tells."""
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
            raise NoAnswerError(f"{verb} {path}: the answer is no JSON ({error}): {text}") from None
        return answer


class RestRows:
    """`:predict` with "instances": an object a row."""

    def __init__(self, client: RestClient) -> None:
        self._client = client

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        columns = [json_values(values) for values in feeds.values()]
        rows = [dict(zip(feeds, row, strict=True)) for row in zip(*columns, strict=True)]
        answer = self._client.post("predict", {"signature_name": signature, "instances": rows})
        given = answer["predictions"]
        types = self._client.types(signature)
        return {
            name: _array([row[name] if len(types) > 1 else row for row in given], dtype)
            for name, dtype in types.items()
        }


class RestColumns:
    """`:predict` with "inputs": a list a column."""

    def __init__(self, client: RestClient) -> None:
        self._client = client

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        inputs = {name: json_values(values) for name, values in feeds.items()}
        answer = self._client.post("predict", {"signature_name": signature, "inputs": inputs})
        given = answer["outputs"]
        types = self._client.types(signature)
        return {
            name: _array(given[name] if len(types) > 1 else given, dtype)
            for name, dtype in types.items()
        }


class RestExamples:
    """`:classify` and `:regress`: an object a row, without the features that are missing."""

    def __init__(self, client: RestClient) -> None:
        self._client = client

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        method = names.METHOD_NAMES[signature].rpartition("/")[2]
        examples = json_examples(feeds)
        answer = self._client.post(method, {"signature_name": signature, "examples": examples})
        results = answer["results"]
        if signature == names.REGRESSION:
            return {names.OUTPUTS: np.array(results, np.float32)}
        return {
            names.CLASSES: _array([[label for label, _ in row] for row in results], np.object_),
            names.SCORES: _array([[score for _, score in row] for row in results], np.float32),
        }


def _array(values: Sequence[Any], dtype: type) -> np.ndarray:
    if dtype is not np.object_:
        return np.array(values, np.float64 if dtype is np.float32 else dtype).astype(dtype)
    texts = np.array(values, np.object_)
    flat = [value.encode() for value in texts.reshape(-1)]
    encoded = np.empty(len(flat), object)
    encoded[:] = flat
    return encoded.reshape(texts.shape)
