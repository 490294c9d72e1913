"""The gRPC API: serialised requests of TensorFlow Serving's services → serialised responses.

Input from any client: errors in it are `RequestError`s. The rules and the queue are those of REST.
Imports TensorFlow, as the messages of its own Python package do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from components.serve import config, grpc_messages, grpc_tensors, predict, tf_examples
from components.serve.failures import (
    FAILED_PRECONDITION,
    FORBIDDEN,
    RequestError,
)
from components.serve.grpc_names import (
    CLASSIFY,
    GET_MODEL_METADATA,
    GET_MODEL_STATUS,
    MULTI_INFERENCE,
    PREDICT,
    REGRESS,
    RELOAD_CONFIG,
)
from components.serve.input_names import NamesError, check_names
from components.serve.json_text import excerpt
from components.serve.loaded import LoadedVersion
from components.serve.messages import Arrays, Exchange
from components.serve.service import Service
from components.serve.signature import Signature
from schemas.errors import ConfigError

_SIGNATURE_DEF = "signature_def"
_STATES = get_model_status_pb2.ModelVersionStatus.State

_logger = logging.getLogger(__name__)


class GrpcApp:
    """Answers gRPC requests; use it from one event loop.

    Args:
      service: runs the models.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._methods: dict[str, tuple[Any, Callable[..., Awaitable[Any]]]] = {
            PREDICT: (predict_pb2.PredictRequest, self._predict),
            CLASSIFY: (classification_pb2.ClassificationRequest, self._classify),
            REGRESS: (regression_pb2.RegressionRequest, self._regress),
            MULTI_INFERENCE: (inference_pb2.MultiInferenceRequest, self._multi_inference),
            GET_MODEL_METADATA: (get_model_metadata_pb2.GetModelMetadataRequest, self._metadata),
            GET_MODEL_STATUS: (get_model_status_pb2.GetModelStatusRequest, self._status),
            RELOAD_CONFIG: (model_management_pb2.ReloadConfigRequest, self._reload),
        }

    async def answer(self, method: str, body: bytes, exchange: Exchange, seconds: float) -> bytes:
        """Answer a request.

        Args:
          method: its full name, one of `grpc_names`.
          body: the serialised request.
          exchange: the record of the request.
          seconds: the client's timeout.

        Raises:
          RequestError: the request is refused.
        """
        message, respond = self._methods[method]
        request = message()
        try:
            whole = request.MergeFromString(body) == len(body)
        except DecodeError:
            whole = False
        if not whole:
            raise RequestError(f"the request is not a {message.DESCRIPTOR.full_name}")
        response = await respond(request, exchange, min(seconds, self._service.settings.seconds))
        serialised: bytes = response.SerializeToString()
        return serialised

    async def _predict(self, request: Any, exchange: Exchange, seconds: float) -> Any:
        loaded = self._find(request, exchange)
        name = request.model_spec.signature_name or predict.DEFAULT_SIGNATURE
        signature = self._service.signature(exchange, loaded, name)
        selected = grpc_messages.filtered(request.output_filter, signature)
        try:
            inputs, rows = self._inputs(request.inputs, signature)
        except NamesError as error:
            named = bool(request.model_spec.signature_name)
            raise error.of(name, named, loaded.signatures) from None
        outputs = await self._service.ask(exchange, loaded, inputs, rows, seconds)
        response = predict_pb2.PredictResponse()
        grpc_messages.fill_spec(response.model_spec, loaded, name)
        for output in selected:
            grpc_tensors.fill_proto(response.outputs[output], outputs[output])
        return response

    async def _classify(self, request: Any, exchange: Exchange, seconds: float) -> Any:
        response = classification_pb2.ClassificationResponse()
        await self._ask_examples(request, exchange, seconds, response)
        return response

    async def _regress(self, request: Any, exchange: Exchange, seconds: float) -> Any:
        response = regression_pb2.RegressionResponse()
        await self._ask_examples(request, exchange, seconds, response)
        return response

    async def _ask_examples(
        self, request: Any, exchange: Exchange, seconds: float, response: Any
    ) -> None:
        loaded = self._find(request, exchange)
        name = request.model_spec.signature_name or predict.DEFAULT_SIGNATURE
        outputs = await self._of_examples(
            exchange.method, name, loaded, self._examples(request), exchange, seconds
        )
        grpc_messages.fill_spec(response.model_spec, loaded, name)
        grpc_messages.FILL[exchange.method](response.result, outputs)

    async def _of_examples(
        self,
        method: str,
        name: str,
        loaded: LoadedVersion,
        examples: np.ndarray,
        exchange: Exchange,
        seconds: float,
    ) -> Arrays:
        signature = self._service.signature(exchange, loaded, name)
        tf_examples.check_method(method, name, loaded.signatures)
        (column,) = signature.inputs
        rows = len(examples) if signature.batched else None
        return await self._service.ask(
            exchange, loaded, {column: examples}, rows, seconds, tf_examples.EXAMPLES
        )

    async def _multi_inference(self, request: Any, exchange: Exchange, seconds: float) -> Any:
        """Run several signatures on the same examples, one after the other."""
        tasks = list(request.tasks)
        grpc_messages.check_tasks(tasks)
        loaded = self._find(tasks[0], exchange)
        examples = self._examples(request)
        response = inference_pb2.MultiInferenceResponse()
        loaded.hold()  # between two of the signatures, too
        try:
            for task in tasks:
                method = grpc_messages.TASKS[task.method_name]
                name = task.model_spec.signature_name or predict.DEFAULT_SIGNATURE
                outputs = await self._of_examples(method, name, loaded, examples, exchange, seconds)
                result = response.results.add()
                grpc_messages.fill_spec(result.model_spec, loaded, name)
                grpc_messages.FILL[method](
                    getattr(result, f"{grpc_messages.RESULTS[method]}_result"), outputs
                )
        finally:
            loaded.release()
        return response

    async def _metadata(self, request: Any, exchange: Exchange, seconds: float) -> Any:
        if not request.metadata_field:
            raise RequestError("'metadata_field' is empty; 'signature_def' was expected")
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise RequestError(
                    f"metadata field {excerpt(field)} is not supported; 'signature_def' is"
                )
        loaded = self._find(request, exchange)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in loaded.signatures.items():
            grpc_messages.fill_signature(signatures.signature_def[name], signature)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        grpc_messages.fill_spec(response.model_spec, loaded, "")
        response.metadata[_SIGNATURE_DEF].Pack(signatures)
        return response

    async def _status(self, request: Any, exchange: Exchange, seconds: float) -> Any:
        statuses = self._service.models.statuses(*grpc_messages.asked(request))
        exchange.model = request.model_spec.name
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, status in statuses.items():
            described = response.model_version_status.add(
                version=version, state=_STATES.Value(status.state)
            )
            if status.error:
                described.status.error_code = FAILED_PRECONDITION
                described.status.error_message = status.error
        return response

    async def _reload(self, request: Any, exchange: Exchange, seconds: float) -> Any:
        """Change the policies and labels of served models; applies all of the request, or nothing.

        No path of a request is opened: the only valid path is the one that is served already.
        """
        models = self._service.models
        try:
            named = config.listed(request.config, "the request")
            changed = []
            for message in named:
                models.statuses(message.name)  # NOT_FOUND if there is no such model
                current = models.configs[message.name]
                _check_base(message, current)
                # Looking for versions takes long in a store.
                changed.append(await asyncio.to_thread(config.changed, message, current))
        except ConfigError as error:
            message = f"{error.what}; expected {error.expected}" if error.expected else error.what
            raise RequestError(message, code=FAILED_PRECONDITION) from None
        # A client that disconnects meanwhile does not leave it half done.
        await asyncio.shield(asyncio.ensure_future(models.reconfigure(changed)))
        _logger.info("reconfigured by %s: %s", exchange.peer, ", ".join(c.name for c in changed))
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response

    def _find(self, request: Any, exchange: Exchange) -> LoadedVersion:
        return self._service.find(exchange, *grpc_messages.asked(request))

    def _examples(self, request: Any) -> np.ndarray:
        return grpc_messages.examples_of(request.input, self._service.settings.max_rows)

    def _inputs(
        self, given: Mapping[str, Any], signature: Signature
    ) -> tuple[dict[str, np.ndarray], int | None]:
        settings = self._service.settings
        left_out = signature.left_out if settings.optional_columns else {}
        check_names(given, signature, left_out, "'inputs'")
        arrays = {
            name: grpc_tensors.array_of(given[name], tensor, f"input {name!r}", settings.max_rows)
            for name, tensor in signature.inputs.items()
            if name in given
        }
        inputs = predict.completed(arrays, signature, left_out)
        predict.check_examples(inputs, signature)
        return inputs, predict.count_rows(inputs, signature)


def _check_base(message: Any, current: config.ModelConfig) -> None:
    if message.base_path not in ("", current.base.path):
        raise RequestError(
            f"model {current.name!r} is served from the folder given to the server; a request"
            " cannot change its base_path: leave it out, or change the server's --config file",
            FORBIDDEN,
        )
