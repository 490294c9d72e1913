"""The public interface of Skewless for notebooks, scripts and Beam pipelines.

    import skewless

    summary = skewless.run("taxi")
    model = skewless.load("runs/taxi")
    scores = model.predict({"fare": [12.5], "company": ["Flash Cab"], ...})

Importing this package imports nothing else; each name is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from skewless.own_packages import foreign_package

if TYPE_CHECKING:
    from components.score.message_sinks import WriteMessageFiles as WriteMessageFiles
    from components.score.message_sinks import WriteToTopic as WriteToTopic
    from components.score.model_handler import RowHandler as RowHandler
    from components.score.model_handler import SavedModelHandler as SavedModelHandler
    from components.score.model_handler import version_pattern as version_pattern
    from components.score.stream import ScoreMessages as ScoreMessages
    from pipeline.summary import Summary as Summary
    from schemas.errors import ConfigError as ConfigError
    from schemas.errors import DataError as DataError
    from schemas.errors import ModelError as ModelError
    from schemas.errors import SkewlessError as SkewlessError
    from schemas.errors import StoreError as StoreError
    from skewless.predictor import Predictor as Predictor
    from skewless.predictor import load as load
    from skewless.running import run as run

_MODULES = {
    "ConfigError": "schemas.errors",
    "DataError": "schemas.errors",
    "ModelError": "schemas.errors",
    "Predictor": "skewless.predictor",
    "RowHandler": "components.score.model_handler",
    "SavedModelHandler": "components.score.model_handler",
    "ScoreMessages": "components.score.stream",
    "SkewlessError": "schemas.errors",
    "StoreError": "schemas.errors",
    "Summary": "pipeline.summary",
    "WriteMessageFiles": "components.score.message_sinks",
    "WriteToTopic": "components.score.message_sinks",
    "load": "skewless.predictor",
    "run": "skewless.running",
    "version_pattern": "components.score.model_handler",
}
__all__ = list(_MODULES)


if not TYPE_CHECKING:  # a type checker would accept every name as one of this package

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used.

        Raises:
          ImportError: Python finds another package where one of Skewless's should be.
        """
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if (problem := foreign_package()) is not None:
            raise ImportError(problem)
        value = getattr(importlib.import_module(_MODULES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted({*globals(), *__all__})
