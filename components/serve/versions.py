"""The versions in memory: loads and unloads them, and finds the one for a request.

The configuration is a `ModelConfig` for each model. A new version is loaded in a thread while the
old one answers, and replaces it between two requests. A version is unloaded after its requests are
answered. A version that does not load, or differs from what was pushed, is reported and tried again
when its folder changes; meanwhile the next older version answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.serve import folders
from components.serve.config import ModelConfig
from components.serve.failures import (
    FAILED_PRECONDITION,
    NOT_FOUND,
    UNAVAILABLE,
    RequestError,
)
from components.serve.folders import Stamp
from components.serve.json_text import excerpt
from components.serve.loaded import LoadedVersion, Loader, OnBatch, Servable
from components.serve.settings import Limits
from schemas.errors import SkewlessError, StoreError

# The states of TensorFlow Serving's ModelVersionStatus, by their numbers in the proto.
START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"

_logger = logging.getLogger(__name__)


@dataclass
class Status:
    """The state of a version.

    Attributes:
      state: one of the constants above.
      error: why it does not load; empty if nothing is wrong.
      stamp: the stamp of the folder that did not load.
    """

    state: str
    error: str = ""
    stamp: Stamp | None = None


@dataclass
class _Served:
    """A model: its configuration and its versions; `default` is the newest of these.

    `settled` is whether all configured versions have been loaded, or tried, once.
    """

    config: ModelConfig
    loaded: dict[int, LoadedVersion] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    default: LoadedVersion | None = None
    settled: bool = False

    @property
    def ready(self) -> bool:
        """Whether it is ready, also under its labels, unless their versions do not load."""
        labelled = self.config.labels.values()
        return self.default is not None and (
            self.settled or all(version in self.loaded for version in labelled)
        )

    def choose_default(self) -> None:
        """Make the newest version the default."""
        self.default = self.loaded[max(self.loaded)] if self.loaded else None


class Models:
    """All served models; use it from one event loop.

    Args:
      load: returns the model in a folder; called in a thread.
      limits: the limits of each version's queue.
      on_batch: called after every batch.
    """

    def __init__(
        self, load: Callable[[str], Servable], limits: Limits, on_batch: OnBatch | None = None
    ) -> None:
        self._loader = Loader(load, limits, on_batch)
        self._models: dict[str, _Served] = {}
        self._changing = asyncio.Lock()
        self._unloading: set[asyncio.Task[None]] = set()

    @property
    def configs(self) -> dict[str, ModelConfig]:
        """The configuration of each model, by name."""
        return {name: model.config for name, model in self._models.items()}

    @property
    def loaded(self) -> list[LoadedVersion]:
        """All versions that are ready."""
        return [version for model in self._models.values() for version in model.loaded.values()]

    @property
    def ready(self) -> bool:
        """Whether every model is ready, also under the labels from its start.

        A later label, or one whose version does not load, does not take a running server out of
        service.
        """
        return bool(self._models) and all(model.ready for model in self._models.values())

    def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Serve these models and no others, from the next `update` on."""
        old, self._models = self._models, {}
        for config in configs:
            model = old.pop(config.name, None)
            if model is not None and model.config.base == config.base:
                model.config = config
            else:
                if model is not None:
                    self._let_go(model, model.loaded)
                model = _Served(config)
            self._models[config.name] = model
        for model in old.values():
            self._let_go(model, model.loaded)

    async def reconfigure(self, configs: Sequence[ModelConfig]) -> None:
        """Change the policies and labels of served models: all of them, or none.

        The chosen versions are loaded first, and get no requests until all of them are loaded.

        Raises:
          RequestError: a chosen version does not exist or does not load.
        """
        async with self._changing:
            models = {config.name: self._model(config.name) for config in configs}
            staged: list[tuple[_Served, LoadedVersion]] = []
            try:
                for config in configs:
                    staged += await self._stage(models[config.name], config)
                if any(self._models.get(name) is not model for name, model in models.items()):
                    raise RequestError("the models have just been replaced", UNAVAILABLE)
            except BaseException:
                for _, loaded in staged:
                    self._unload_later(loaded.unload())
                raise
            for model, loaded in staged:
                self._adopt(model, loaded)
            for config in configs:
                models[config.name].config = config
            for model in models.values():
                await self._update(model)

    async def _stage(
        self, model: _Served, config: ModelConfig
    ) -> list[tuple[_Served, LoadedVersion]]:
        """Load the missing versions of a configuration: all of them, or none."""
        staged: list[tuple[_Served, LoadedVersion]] = []
        try:
            available = await asyncio.to_thread(config.base.versions)
            for version in config.policy.chosen(available):
                if version not in model.loaded:
                    loaded = await self._loader.load(config.name, version, available[version])
                    staged.append((model, loaded))
        except Exception as error:
            for _, loaded in staged:
                self._unload_later(loaded.unload())
            what = error.what if isinstance(error, SkewlessError) else repr(error)
            _logger.exception("model %r is not reconfigured", config.name)
            raise RequestError(
                f"a version of model {config.name!r} does not load: {what}; nothing is changed",
                code=FAILED_PRECONDITION,
            ) from None
        return staged

    async def update(self) -> None:
        """Check the folders; load missing versions, and unload those that are not needed."""
        async with self._changing:
            for model in list(self._models.values()):
                await self._update(model)

    def find(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> LoadedVersion:
        """Return the version for a request.

        Args:
          name: the model's name.
          version: the version's number; None means the default.
          label: the version's label.

        Raises:
          RequestError: there is no such version, or it is not ready.
        """
        model = self._models.get(name) or self._model(name)
        if label is not None:
            version = self._labelled(model, label)
        loaded = model.default if version is None else model.loaded.get(version)
        if loaded is None:
            raise _not_loaded(model, version)
        return loaded

    def statuses(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> dict[int, Status]:
        """Return the states of a model's versions, newest first.

        Raises:
          RequestError: there is no such model or version.
        """
        model = self._model(name)
        if label is not None:
            version = self._labelled(model, label)
        if version is None:
            return dict(sorted(model.statuses.items(), reverse=True))
        if version not in model.statuses:
            raise _no_version(model, version)
        return {version: model.statuses[version]}

    def default(self, name: str) -> int | None:
        """Return the version for requests without a version."""
        default = self._model(name).default
        return None if default is None else default.version

    async def close(self) -> None:
        """Unload everything after all requests are answered."""
        self._loader.close()
        self.configure(())
        await asyncio.gather(*self._unloading)

    async def _update(self, model: _Served) -> None:
        available = await asyncio.to_thread(model.config.base.versions)
        policy = model.config.policy
        for version in policy.chosen(available):
            model.statuses.setdefault(version, Status(START))
        answering: set[int] = set()
        for version in policy.candidates(available):
            # A version that does not load is replaced by the next older one.
            if len(answering) != policy.most and await self._there(
                model, version, available[version]
            ):
                answering.add(version)
        # The last one is kept, even if its folder disappears or its successors fail.
        keep = answering or {max(model.loaded, default=0)}
        self._let_go(model, model.loaded.keys() - keep)
        for version in model.statuses.keys() - available.keys() - model.loaded.keys():
            if model.statuses[version].state == END:
                del model.statuses[version]
        model.settled = True

    async def _there(self, model: _Served, version: int, path: str) -> bool:
        """Load a version unless it is loaded; return whether it is loaded now."""
        if version in model.loaded:
            return True
        stamp = await asyncio.to_thread(folders.stamp, path)
        before = model.statuses.get(version)
        if before is not None and before.error and before.stamp == stamp:
            return False  # the same folder did not load before
        model.statuses[version] = Status(LOADING)
        name = model.config.name
        try:
            loaded = await self._loader.load(name, version, path)
        except SkewlessError as error:
            # a store may answer the next time, although nothing changed there
            lasting = None if isinstance(error, StoreError) else stamp
            model.statuses[version] = Status(END, error.what, lasting)
            _logger.error("version %d of model %r does not load: %s", version, name, error)
            return False
        except Exception as error:
            model.statuses[version] = Status(END, repr(error), stamp)
            _logger.exception("version %d of model %r does not load", version, name)
            return False
        if self._models.get(name) is not model:  # it was removed meanwhile
            self._unload_later(loaded.unload())
            return False
        self._adopt(model, loaded)
        return True

    def _adopt(self, model: _Served, loaded: LoadedVersion) -> None:
        """Let a loaded version answer requests."""
        model.loaded[loaded.version] = loaded
        model.statuses[loaded.version] = Status(AVAILABLE)
        model.choose_default()
        _logger.info("version %d of model %r answers", loaded.version, loaded.name)

    def _let_go(self, model: _Served, versions: Collection[int]) -> None:
        for version in list(versions):
            loaded = model.loaded.pop(version)
            model.statuses[version] = Status(UNLOADING)
            self._unload_later(self._unload(model, loaded))
        model.choose_default()

    def _unload_later(self, unloading: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(unloading)
        self._unloading.add(task)
        task.add_done_callback(self._unloading.discard)

    async def _unload(self, model: _Served, loaded: LoadedVersion) -> None:
        await loaded.unload()
        if loaded.version not in model.loaded:  # or it was loaded again meanwhile
            model.statuses[loaded.version] = Status(END)
        _logger.info("version %d of model %r is unloaded", loaded.version, loaded.name)

    def _model(self, name: str) -> _Served:
        if name not in self._models:
            known = ", ".join(map(repr, sorted(self._models))) or "none"
            raise RequestError(f"there is no model {excerpt(name)}; served: {known}", NOT_FOUND)
        return self._models[name]

    def _labelled(self, model: _Served, label: str) -> int:
        if label not in model.config.labels:
            known = ", ".join(map(repr, sorted(model.config.labels))) or "none"
            raise RequestError(
                f"unrecognized servable version label: {excerpt(label)}; the labels are: {known}"
            )
        return model.config.labels[label]


def _not_loaded(model: _Served, version: int | None) -> RequestError:
    number = max(model.statuses, default=None) if version is None else version
    status = None if number is None else model.statuses.get(number)
    what = f"model {model.config.name!r}"
    if status is not None and status.error:
        reason = f"version {number} of {what} does not load: {status.error}"
        return RequestError(reason, UNAVAILABLE)
    if version is None:
        return RequestError(f"{what} is still being loaded", UNAVAILABLE)
    if status is not None and status.state in (START, LOADING):
        return RequestError(f"version {version} of {what} is still being loaded", UNAVAILABLE)
    return _no_version(model, version)


def _no_version(model: _Served, version: int) -> RequestError:
    served = ", ".join(map(str, sorted(model.loaded))) or "none"
    message = f"model {model.config.name!r} has no version {version}; served: {served}"
    return RequestError(message, NOT_FOUND)
