"""The full names of the gRPC methods of TensorFlow Serving's services that are answered here."""

from __future__ import annotations

from components.serve import routes

_PREDICTION = "/tensorflow.serving.PredictionService/"
_MODEL = "/tensorflow.serving.ModelService/"

PREDICT = _PREDICTION + "Predict"
CLASSIFY = _PREDICTION + "Classify"
REGRESS = _PREDICTION + "Regress"
MULTI_INFERENCE = _PREDICTION + "MultiInference"
GET_MODEL_METADATA = _PREDICTION + "GetModelMetadata"
GET_MODEL_STATUS = _MODEL + "GetModelStatus"
RELOAD_CONFIG = _MODEL + "HandleReloadConfigRequest"

# What observers call them: the same as REST's where there is such a resource.
METHODS = {
    PREDICT: routes.PREDICT,
    CLASSIFY: routes.CLASSIFY,
    REGRESS: routes.REGRESS,
    MULTI_INFERENCE: "multi_inference",
    GET_MODEL_METADATA: routes.METADATA,
    GET_MODEL_STATUS: routes.STATUS,
    RELOAD_CONFIG: "reload_config",
}
