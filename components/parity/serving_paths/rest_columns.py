"""REST's `:predict` with "inputs": a list a column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.parity.json_forms import json_columns, json_list, json_rows
from components.parity.rest import RestPath, array_of_json


class RestColumns(RestPath):
    """`:predict` with "inputs"."""

    name = "REST columns"

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        columns = json_columns(feeds)
        (inputs,) = json_rows({name: [json_list(values)] for name, values in columns.items()})
        answer = self.post("predict", signature, "inputs", inputs)
        given = answer["outputs"]
        types = self.types(signature)
        return {
            name: array_of_json(given[name] if len(types) > 1 else given, dtype)
            for name, dtype in types.items()
        }
