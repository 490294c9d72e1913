"""The public interface of Skewless for notebooks, scripts and Beam pipelines.

    import skewless

    run = skewless.run("taxi")
    run.metrics["log_loss"]
    model = skewless.load(run)
    scores = model.predict(frame)

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
    from pipeline.comparison import RunComparison as RunComparison
    from pipeline.summary import Summary as Summary
    from schemas.catalog import Dataset as Dataset
    from schemas.errors import ConfigError as ConfigError
    from schemas.errors import DataError as DataError
    from schemas.errors import ModelError as ModelError
    from schemas.errors import SkewlessError as SkewlessError
    from schemas.errors import StoreError as StoreError
    from skewless.recorded import Run as Run
    from skewless.recorded import compare as compare
    from skewless.recorded import runs as runs
    from skewless.running import init as init
    from skewless.running import run as run
    from skewless.scoring import Model as Model
    from skewless.scoring import load as load

_MODULES = {
    "ConfigError": "schemas.errors",
    "DataError": "schemas.errors",
    "Dataset": "schemas.catalog",
    "Model": "skewless.scoring",
    "ModelError": "schemas.errors",
    "RowHandler": "components.score.model_handler",
    "Run": "skewless.recorded",
    "RunComparison": "pipeline.comparison",
    "SavedModelHandler": "components.score.model_handler",
    "ScoreMessages": "components.score.stream",
    "SkewlessError": "schemas.errors",
    "StoreError": "schemas.errors",
    "Summary": "pipeline.summary",
    "WriteMessageFiles": "components.score.message_sinks",
    "WriteToTopic": "components.score.message_sinks",
    "compare": "skewless.recorded",
    "init": "skewless.running",
    "load": "skewless.scoring",
    "run": "skewless.running",
    "runs": "skewless.recorded",
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
