"""REST's `:predict` with "instances": an object a row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.parity.json_forms import json_columns, json_list, json_rows
from components.parity.rest import RestPath, array_of_json


class RestRows(RestPath):
    """`:predict` with "instances"."""

    name = "REST rows"

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        rows = json_rows(json_columns(feeds))
        answer = self.post("predict", signature, "instances", json_list(rows))
        given = answer["predictions"]
        types = self.types(signature)
        if len(types) == 1:
            return {name: array_of_json(given, dtype) for name, dtype in types.items()}
        return {
            name: array_of_json([row[name] for row in given], dtype)
            for name, dtype in types.items()
        }
