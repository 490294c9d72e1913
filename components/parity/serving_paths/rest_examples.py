"""REST's `:classify` and `:regress`: an object a row, without the features that are missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.export import signatures as names
from components.parity.json_forms import json_examples, json_list
from components.parity.rest import RestPath, array_of_json


class RestExamples(RestPath):
    """`:classify` and `:regress`, each with its own signature."""

    name = "REST classify, regress"
    cannot_carry = "nothing; a missing value is left out"
    questions = staticmethod(lambda sets: sets.examples)

    def run(self, signature: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of one request."""
        method = names.METHOD_NAMES[signature].rpartition("/")[2]
        answer = self.post(method, signature, "examples", json_list(json_examples(feeds)))
        results = answer["results"]
        if signature == names.REGRESSION:
            return {names.OUTPUTS: np.array(results, np.float32)}
        labels = [[label for label, _ in row] for row in results]
        scores = [[score for _, score in row] for row in results]
        return {
            names.CLASSES: array_of_json(labels, np.object_),
            names.SCORES: array_of_json(scores, np.float32),
        }
