"""Finds a dataset's folder, shipped ones by name and a user's by path, and reads it whole.

Goes in: a name or a path. Comes out: a `Dataset` whose pipeline.yaml and schema.pbtxt are known to
fit each other; nothing heavier than PyYAML, pydantic and protobuf is imported.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic
import yaml

from schemas.columns import Column, columns_of, find, parse_schema
from schemas.errors import ConfigError, did_you_mean
from schemas.spec import Spec
from schemas.strict import UNKNOWN_KEY, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPPED = Path(__file__).resolve().parent
SPEC_FILE = "pipeline.yaml"
SCHEMA_FILE = "schema.pbtxt"


@dataclass(frozen=True)
class Dataset:
    """A dataset's folder, read and checked.

    Attributes:
      folder: where pipeline.yaml and schema.pbtxt lie.
      spec: pipeline.yaml.
      schema_text: schema.pbtxt as written, for the stages that validate.
      columns: schema.pbtxt as columns.
    """

    folder: Path
    spec: Spec
    schema_text: str
    columns: tuple[Column, ...]

    @property
    def source_path(self) -> str:
        """The source's path or glob with `package://` and relative paths resolved."""
        return resolve_path(self.spec.source.path, self.folder)


def load(name_or_path: str) -> Dataset:
    """Read a dataset by its shipped name or its folder.

    Raises:
      ConfigError: no such dataset, or its files are wrong; names file, line, key and remedy.
    """
    folder = find_folder(name_or_path)
    spec = read_spec(folder / SPEC_FILE)
    schema_text = _read_text(folder / SCHEMA_FILE)
    where = str(folder / SCHEMA_FILE)
    columns = columns_of(parse_schema(schema_text, where=where), where=where)
    _check(spec, columns, where=str(folder / SPEC_FILE))
    return Dataset(folder, spec, schema_text, columns)


def find_folder(name_or_path: str) -> Path:
    """Return the folder of a shipped dataset or of the path given.

    Raises:
      ConfigError: neither exists; names the nearest shipped dataset.
    """
    shipped = {p.parent.name: p.parent for p in SHIPPED.glob(f"*/{SPEC_FILE}")}
    if name_or_path in shipped:
        return shipped[name_or_path]
    folder = Path(name_or_path)
    if os.path.isdir(folder):  # unlike Path's, it says no to names that no folder can have
        if (folder / SPEC_FILE).is_file():
            return folder.resolve()
        raise ConfigError(
            f"{name_or_path!r} has no {SPEC_FILE}",
            where=str(folder),
            expected=f"a folder with {SPEC_FILE} and {SCHEMA_FILE}",
        )
    raise ConfigError(
        f"there is no dataset {name_or_path!r}; {did_you_mean(name_or_path, shipped)}",
        expected=f"a shipped dataset's name, or a folder with {SPEC_FILE} and {SCHEMA_FILE}",
    )


def read_spec(path: Path) -> Spec:
    """Parse a pipeline.yaml.

    Raises:
      ConfigError: not YAML, a key given twice, an unknown key, a value out of range.
    """
    text = _read_text(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicate_keys(node, path)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _yaml_error(error, path) from error
    except RecursionError as error:
        raise ConfigError(
            f"{path.name} nests too deeply or holds itself", where=str(path)
        ) from error
    except (AttributeError, ValueError) as error:
        # PyYAML lets these through for what looks like a date or a number and is none: 2001-99-99
        raise ConfigError(f"{path.name} holds no such value: {error}", where=str(path)) from error
    if not isinstance(value, dict):
        raise ConfigError(f"{path.name} holds no keys", where=str(path))
    try:
        return Spec.model_validate(value)
    except pydantic.ValidationError as error:
        raise _config_error(error, node, path) from error


def resolve_path(path: str, folder: Path) -> str:
    """Resolve `package://NAME/FILE`, and relative paths against `folder`.

    Raises:
      ConfigError: the package is not installed.
    """
    if path.startswith("package://"):
        package, _, rest = path.removeprefix("package://").partition("/")
        try:
            found = importlib.util.find_spec(package)  # a top-level name: nothing is imported
        except (ImportError, ValueError):  # a.b without a; no name at all
            found = None
        if found is None or not found.submodule_search_locations:
            raise ConfigError(
                f"the package {package!r} that ships the data is not installed",
                where=path,
                remedy=f"pip install {package}",
            )
        return str(Path(next(iter(found.submodule_search_locations))) / rest)
    if "://" in path:
        return path
    return str(folder / path)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path.name} is missing",
            where=str(path.parent),
            expected=f"a folder with {SPEC_FILE} and {SCHEMA_FILE}",
            remedy=f"start from a copy of {SHIPPED / 'taxi' / path.name}",
        ) from error
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8: {error}", where=str(path)) from error


def _refuse_duplicate_keys(node: Any, path: Path) -> None:
    """PyYAML keeps the last of two equal keys and says nothing."""
    for mapping in _mappings(node):
        seen: dict[str, int] = {}
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # no key that Python can hold: safe_load says so
            line = key.start_mark.line + 1
            if key.value in seen:
                raise ConfigError(
                    f"the key {key.value!r} is given twice, in line {seen[key.value]} too",
                    where=f"{path}:{line}",
                )
            seen[key.value] = line


def _mappings(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def _config_error(error: pydantic.ValidationError, node: Any, path: Path) -> ConfigError:
    """One ConfigError that lists every problem with its line."""
    problems = []
    for problem in error.errors():
        keys = tuple(problem["loc"])
        name = ".".join(str(k) for k in keys) or "(top)"
        if problem["type"] == UNKNOWN_KEY:
            keys += (problem["ctx"]["key"],)
        problems.append(f"{path.name}:{_line(node, keys)}: {name}: {plain(problem)}")
    return ConfigError("\n".join(problems), where=str(path), remedy="correct the lines named above")


def _yaml_error(error: yaml.YAMLError, path: Path) -> ConfigError:
    """What PyYAML says, with the place as `where`."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    context = getattr(error, "context", None)
    place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    return ConfigError(
        f"{path.name} is no YAML: {problem}" + (f" ({context})" if context else ""),
        where=f"{path}{place}",
        expected="keys with values, in lines that are indented alike, with every bracket closed",
        remedy="correct that line, or the one above it",
    )


def _line(node: Any, keys: tuple[Any, ...]) -> int:
    """The line of the deepest key on the path that exists (pydantic names union members too)."""
    line = node.start_mark.line + 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            for position, (k, v) in enumerate(node.value):
                # `features` is a mapping in YAML and a tuple once parsed
                if k.value == str(key) or (isinstance(key, int) and position == key):
                    line, node = k.start_mark.line + 1, v
                    break
        elif isinstance(node, yaml.SequenceNode) and key in range(len(node.value)):
            node = node.value[key]
            line = node.start_mark.line + 1
    return line


def _check(spec: Spec, columns: tuple[Column, ...], *, where: str) -> None:
    """Hold pipeline.yaml against schema.pbtxt."""
    for feature in spec.features:
        column = find(columns, feature.column, where=f"{where}: features")
        for treatment in feature.treatments:
            _check_kind(treatment.kind, column, treatment.accepts, f"{where}: features")
    for name in dict.fromkeys(c for cross in spec.crosses for c in cross.columns):
        column = find(columns, name, where=f"{where}: crosses")
        _check_kind("a cross", column, ("INT", "BYTES"), f"{where}: crosses")
    for name in spec.feature_columns:
        if not find(columns, name, where=where).serving:
            raise ConfigError(
                f"the feature {name!r} is not known when serving",
                where=f"{where}: features, crosses",
                expected="columns of the SERVING environment: others leak the answer",
                remedy=f"drop the feature, or its not_in_environment in {SCHEMA_FILE}",
            )
    for name in (*spec.splits.key, *spec.evaluation.slices):
        find(columns, name, where=f"{where}: splits.key, evaluation.slices")
    for name in spec.label.columns:
        column = find(columns, name, where=f"{where}: label")
        if spec.label.exceeds is not None:
            _check_kind("label.exceeds", column, ("INT", "FLOAT"), f"{where}: label")
        else:
            _check_kind("label.equals", column, ("INT", "BYTES"), f"{where}: label")
    if spec.label.outcome in spec.feature_columns:
        raise ConfigError(
            f"the feature {spec.label.outcome!r} is what the label is made from",
            where=f"{where}: features, crosses",
            expected="columns that do not hold the answer",
            remedy="drop the feature",
        )


def _check_kind(user: str, column: Column, accepted: tuple[str, ...], where: str) -> None:
    if column.kind not in accepted:
        raise ConfigError(
            f"{user} cannot take {column.name!r}, which is {column.kind}",
            where=where,
            expected=" or ".join(accepted),
            remedy=f"use another column, or correct its type in {SCHEMA_FILE}",
        )
