"""Reads which models are served from a file, a ModelServerConfig of TensorFlow Serving as text.

Of what is heavy, only its messages are imported, so errors are reported at once.
"""

from __future__ import annotations

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from components.serve import folders
from components.serve.config import ModelConfig, check, listed, of_message
from schemas.errors import ConfigError


def read(path: str) -> tuple[ModelConfig, ...]:
    """Read the models from a file: a ModelServerConfig in protobuf's text format.

    Raises:
      ConfigError: it cannot be read, is not such a message, or names versions that do not exist.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        message = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration cannot be read: {error}", where=path) from None
    except text_format.ParseError as error:
        raise ConfigError(
            f"this is not a ModelServerConfig: {error}",
            where=path,
            expected='model_config_list { config { name: "taxi" base_path: "/models/taxi" } }',
        ) from None
    configs = tuple(
        of_message(each, folders.find(each.base_path)) for each in listed(message, path)
    )
    for config in configs:
        check(config)
    return configs
