"""The reference for serving: FastAPI and the SavedModel, as one writes it in ten minutes.

`python plain_server.py SAVED_MODEL PORT`; needs fastapi and uvicorn. Every request is one
call of the model.
"""

from __future__ import annotations

import sys
from typing import Any

import tensorflow as tf
import uvicorn  # type: ignore[import-not-found]  # the benchmark installs them beside .venv
from fastapi import FastAPI  # type: ignore[import-not-found]
from pydantic import BaseModel

model = tf.saved_model.load(sys.argv[1])
predict = model.signatures["raw_columns"]
specs = predict.structured_input_signature[1]
app = FastAPI()


class Body(BaseModel):
    """Rows in the format of `skewless serve`."""

    signature_name: str
    instances: list[dict[str, Any]]


@app.post("/v1/models/taxi:predict")
def answer(body: Body) -> dict[str, Any]:
    """Return the outputs of all rows, by name."""
    columns = {
        name: tf.constant([row[name] for row in body.instances], spec.dtype)
        for name, spec in specs.items()
    }
    return {name: value.numpy().tolist() for name, value in predict(**columns).items()}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
