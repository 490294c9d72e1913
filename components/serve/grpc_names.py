"""The full names of the supported gRPC methods: TensorFlow Serving's, and health checks."""

from __future__ import annotations

from components.serve import routes

SERVICES = ("tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")

_PREDICTION, _MODEL = (f"/{name}/" for name in SERVICES)
_HEALTH = "/grpc.health.v1.Health/"

PREDICT = _PREDICTION + "Predict"
CLASSIFY = _PREDICTION + "Classify"
REGRESS = _PREDICTION + "Regress"
MULTI_INFERENCE = _PREDICTION + "MultiInference"
GET_MODEL_METADATA = _PREDICTION + "GetModelMetadata"
GET_MODEL_STATUS = _MODEL + "GetModelStatus"
RELOAD_CONFIG = _MODEL + "HandleReloadConfigRequest"
CHECK = _HEALTH + "Check"
WATCH = _HEALTH + "Watch"

# Their names for observers: the same as in REST if there is such a resource.
METHODS = {
    PREDICT: routes.PREDICT,
    CLASSIFY: routes.CLASSIFY,
    REGRESS: routes.REGRESS,
    MULTI_INFERENCE: "multi_inference",
    GET_MODEL_METADATA: routes.METADATA,
    GET_MODEL_STATUS: routes.STATUS,
    RELOAD_CONFIG: "reload_config",
    CHECK: routes.READY,
}
