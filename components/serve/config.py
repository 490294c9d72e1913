"""Which models, versions and labels are served.

A `ModelConfig` for each model comes from command-line options, or from TensorFlow Serving's
ModelServerConfig as text (`config_file`) or message. Nothing heavy is imported, so errors are
reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.serve import folders
from components.serve.folders import Base
from schemas.errors import ConfigError

_LATEST = re.compile(r"latest(?::([0-9]{1,9}))?")
_NUMBERS = re.compile(r"[0-9]{1,18}(,[0-9]{1,18})*")
_LABEL = re.compile(r"([^=]+)=([0-9]{1,18})")
_PLATFORM = "tensorflow"


@dataclass(frozen=True)
class Policy:
    """Which of the available versions are served.

    Attributes:
      latest: how many of the newest versions; None means all.
      specific: only these versions, if any are named.
    """

    latest: int | None = 1
    specific: frozenset[int] = frozenset()

    @property
    def most(self) -> int | None:
        """The largest number of served versions; None if there is no limit."""
        return None if self.specific else self.latest

    def candidates(self, available: Collection[int]) -> list[int]:
        """Return the versions that may be served, the first choices first."""
        allowed = self.specific & set(available) if self.specific else available
        return sorted(allowed, reverse=True)

    def chosen(self, available: Collection[int]) -> list[int]:
        """Return the versions that are served if all of them load."""
        return self.candidates(available)[: self.most]


@dataclass(frozen=True)
class ModelConfig:
    """How one model is served.

    Attributes:
      name: its name in paths.
      base: the location of its versions.
      policy: which versions are served.
      labels: other names of versions.
    """

    name: str
    base: Base
    policy: Policy = Policy()
    labels: Mapping[str, int] = field(default_factory=dict)


def policy_of(text: str) -> Policy:
    """Parse the value of `--versions`: `latest:2`, `latest`, `all` or `1,3`.

    >>> policy_of("latest:2").latest, sorted(policy_of("3,1").specific)
    (2, [1, 3])

    Raises:
      ConfigError: it is none of these.
    """
    if text == "all":
        return Policy(latest=None)
    if (match := _LATEST.fullmatch(text)) and int(match[1] or 1) > 0:
        return Policy(latest=int(match[1] or 1))
    if _NUMBERS.fullmatch(text):
        return Policy(specific=frozenset(map(int, text.split(","))))
    raise ConfigError(
        f"there is no version policy {text!r}", expected="latest:N with N above 0, all, or 1,3"
    )


def labels_of(texts: Collection[str]) -> dict[str, int]:
    """Parse the values of `--label`, such as stable=3.

    Raises:
      ConfigError: one is not NAME=VERSION, or a name is given twice.
    """
    labels: dict[str, int] = {}
    for text in texts:
        match = _LABEL.fullmatch(text)
        if match is None:
            raise ConfigError(f"{text!r} is not a label", expected="a name and a version: stable=3")
        if match[1] in labels:
            raise ConfigError(f"label {match[1]!r} is given twice", expected="one version a label")
        folders.check_name(match[1], "a label")
        labels[match[1]] = int(match[2])
    return labels


def check(config: ModelConfig) -> None:
    """Check that the versions of a configuration exist.

    Raises:
      ConfigError: the policy chooses no version, or a version or label does not exist.
    """
    available = config.base.versions()
    known = ", ".join(map(str, sorted(available))) or "(none)"
    missing = sorted(config.policy.specific - available.keys())
    if missing:
        raise ConfigError(
            f"there is no version {missing[0]}",
            where=config.base.path,
            expected=f"one of: {known}",
        )
    chosen = config.policy.chosen(available)
    for label, version in config.labels.items():
        if version not in chosen:
            raise ConfigError(
                f"label {label!r} points to version {version}, which is not served",
                where=config.base.path,
                expected=f"one of: {', '.join(map(str, sorted(chosen)))}",
                remedy="also serve it: --versions all, or by its number",
            )


def listed(message: Any, where: str) -> list[Any]:
    """Return the configurations in a ModelServerConfig, one for each model.

    Raises:
      ConfigError: there are none, or a model has two.
    """
    configs = list(message.model_config_list.config)
    if not configs:
        raise ConfigError("no model is configured", where=where, expected="a model_config_list")
    names: set[str] = set()
    for config in configs:
        folders.check_name(config.name)
        if config.name in names:
            raise ConfigError(f"model {config.name!r} is configured twice", where=where)
        names.add(config.name)
        if config.model_platform not in ("", _PLATFORM):
            raise ConfigError(
                f"model {config.name!r} has the platform {config.model_platform!r}",
                where=where,
                expected=_PLATFORM,
            )
    return configs


def changed(message: Any, current: ModelConfig) -> ModelConfig:
    """Return a model's configuration with the policy and labels of a message.

    Raises:
      ConfigError: it names versions that do not exist.
    """
    config = of_message(message, current.base)
    check(config)
    return config


def of_message(message: Any, base: Base) -> ModelConfig:
    """Return the configuration of a model in a ModelServerConfig, whose versions are in `base`."""
    labels = dict(message.version_labels)
    for label in labels:
        folders.check_name(label, "a label")
    return ModelConfig(message.name, base, _policy(message), labels)


def _policy(message: Any) -> Policy:
    policy = message.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return Policy(latest=None)
    if kind == "specific":
        if not policy.specific.versions:
            raise ConfigError(
                f"the policy of model {message.name!r} is specific versions, but it names none"
            )
        return Policy(specific=frozenset(policy.specific.versions))
    # As in TensorFlow Serving, no policy, or no number in it, means the newest version.
    return Policy(latest=policy.latest.num_versions or 1)
