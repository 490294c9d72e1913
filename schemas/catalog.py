"""Finds a dataset's folder, shipped ones by name and others by path, and reads it.

A `Dataset` has a pipeline.yaml and a schema.pbtxt that are checked to fit each other. Only PyYAML,
pydantic and protobuf are imported.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pydantic
import yaml

from schemas import sources, splits, tasks, yaml_text
from schemas.agreement import check
from schemas.columns import Column, find, parse_schema, read_columns
from schemas.derive import read_derived
from schemas.derived import DerivedColumn, raw_names
from schemas.errors import ConfigError, did_you_mean
from schemas.expectations import expectations_of
from schemas.model import Model
from schemas.own_code import read_code
from schemas.prepare import TrainingSample
from schemas.schema_rules import check_schema
from schemas.selectors import Rule, select, select_missing
from schemas.sources import sql
from schemas.spans import Span
from schemas.spec import Spec
from schemas.stored import in_schema, stored_columns
from schemas.strict import plain
from schemas.text_files import read_text

SHIPPED = Path(__file__).resolve().parent
SPEC_FILE = "pipeline.yaml"
SCHEMA_FILE = "schema.pbtxt"

# This suffices for thousands of columns. PyYAML reads less than 100 KB a second.
_LARGEST_SPEC = 1 << 20
_LARGEST_SCHEMA = 16 << 20
_SHOWN = 20  # problems of one file in a message

# The sections of pipeline.yaml that have a kind, each with the names of its kinds.
_SECTIONS: dict[tuple[str, ...], Collection[str]] = {
    ("source",): sources.FORMATS,
    ("splits",): splits.NAMES,
    ("label",): tasks.BY_NAME,
    ("evaluation", "thresholds"): tasks.BY_NAME,
    ("export",): tasks.BY_NAME,
}


@dataclass(frozen=True)
class Dataset:
    """A dataset's folder, read and checked.

    Attributes:
      folder: the folder of pipeline.yaml and schema.pbtxt.
      spec: pipeline.yaml.
      schema_text: the text of schema.pbtxt and of stored derived columns, for the stages that
        validate.
      columns: the columns of examples: those of schema.pbtxt, then stored derived ones.
      derived: the columns that `derive` of pipeline.yaml adds, in order.
      rules: the key of `features` that each column follows, by the column's name; the features of
        `spec` have columns in the place of selectors.
      code: the text of features.py, where `combinations` uses it.
      spans: those that a run reads, in order, where the source has spans (see `pipeline.spans`).
    """

    folder: Path
    spec: Spec
    schema_text: str
    columns: tuple[Column, ...]
    derived: tuple[DerivedColumn, ...] = ()
    rules: Mapping[str, Rule] = dataclasses.field(default_factory=dict)
    code: str = ""
    spans: tuple[Span, ...] = ()

    def place_of(self, keys: tuple[str | int, ...]) -> str:
        """Return a key of pipeline.yaml for a message, with its line if it is a column's."""
        rule = self.rules.get(str(keys[1])) if keys[0] == "features" else None
        if rule is None:
            return f"{SPEC_FILE}: {'.'.join(map(str, keys))}"
        return f"{SPEC_FILE}:{rule.line}: features.{rule.key}"

    @property
    def source_patterns(self) -> tuple[str, ...]:
        """The source's paths, globs or URL, with `package://` and relative paths resolved."""
        if self.spans:
            return tuple(span.path for span in self.spans)
        return tuple(resolve_path(path, self.folder) for path in self.spec.source.paths)

    @property
    def source_names(self) -> tuple[str, ...]:
        """The same paths as pipeline.yaml has them."""
        return self.source_patterns if self.spans else self.spec.source.paths


def load(name_or_path: str) -> Dataset:
    """Read a dataset by its shipped name or its folder.

    Raises:
      ConfigError: there is no such dataset, or its files are wrong; names file, line, key and
        remedy.
    """
    folder = find_folder(name_or_path)
    return _checked(folder, _read_text(folder / SCHEMA_FILE, most=_LARGEST_SCHEMA))


def with_folds(dataset: Dataset, folds: int) -> Dataset:
    """Return a dataset with so many folds and a model for each of them, checked like `load`.

    Raises:
      ConfigError: the split cannot have folds; names the key and a remedy.
    """
    spec, where = dataset.spec, str(dataset.folder / SPEC_FILE)
    options = spec.splits.model_dump(exclude_unset=True) | {"folds": folds}
    try:
        splits = type(spec.splits).model_validate(options)
    except pydantic.ValidationError as error:
        raise ConfigError(
            f"--folds does not fit the splits: {plain(error.errors()[0])}", where=f"{where}: splits"
        ) from error
    model = spec.model.model_copy(update={"per_fold": True})
    changed = {"splits": splits, "model": model}
    return _checked(dataset.folder, dataset.schema_text, changed)


def with_model(dataset: Dataset, path: str) -> Dataset:
    """Return a dataset with the section `model` of another file, checked like `load`.

    Raises:
      ConfigError: the file cannot be read, has other sections, or its options are wrong.
    """
    try:
        given = yaml.safe_load(_read_text(Path(path), most=_LARGEST_SPEC))
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {error}", where=path) from error
    if not isinstance(given, dict) or set(given) != {"model"}:
        raise ConfigError(
            "the file has to have the section `model` and no other one",
            where=path,
            expected="a file such as tuned.yaml, which `skewless tune` writes",
        )
    try:
        model = Model.model_validate(given["model"])
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        keys = ".".join(map(str, ("model", *first["loc"])))
        raise ConfigError(plain(first), where=f"{path}: {keys}") from error
    return _checked(dataset.folder, dataset.schema_text, {"model": model})


def with_sample(dataset: Dataset, fraction: float) -> Dataset:
    """Return a dataset that trains on a share of its training rows, checked like `load`.

    Raises:
      ConfigError: it samples already.
    """
    spec = dataset.spec
    if spec.prepare.sample is not None:
        raise ConfigError(
            f"--sample is given, and training samples already: {spec.prepare.sample.in_words()}",
            where=f"{dataset.folder / SPEC_FILE}: prepare.sample",
            remedy="leave --sample out, or change prepare.sample",
        )
    prepare = spec.prepare.model_copy(update={"sample": TrainingSample(fraction=fraction)})
    changed = {"prepare": prepare, "splits": spec.splits, "model": spec.model}
    return _checked(dataset.folder, dataset.schema_text, changed)


def with_schema(folder: Path, schema_text: str) -> Dataset:
    """Return the dataset of a folder with this text as its schema.pbtxt, checked like `load`.

    Raises:
      ConfigError: the text is wrong, or does not fit pipeline.yaml; names file, line and remedy.
    """
    return _checked(folder, schema_text)


def _checked(
    folder: Path, schema_text: str, changed: Mapping[str, Any] = MappingProxyType({})
) -> Dataset:
    """Read pipeline.yaml, with sections that are given instead, and check it with a schema."""
    where, path = str(folder / SCHEMA_FILE), folder / SPEC_FILE
    spec, node = _read(path, schema_text)
    spec = spec.model_copy(update=changed)
    columns = read_columns(schema_text, where=where)
    derived = read_derived(spec.derive, columns, where=str(path))
    spec, rules = select(
        spec, columns, derived, yaml_text.lines_of(node, "features"), where=str(path)
    )
    spec = select_missing(
        spec, columns, derived, yaml_text.lines_of(node, "missing"), where=str(path)
    )
    place = functools.partial(_place, path, node, rules)

    def place_of_rule(name: str) -> str:
        return place(("validation", "rules", name))

    stored = stored_columns(spec, columns, derived, where=str(path), place=place_of_rule)
    columns = (*columns, *stored)
    check(spec, columns, derived, where=str(path), place=place)
    compared = raw_names(derived, spec.feature_columns)
    check_schema(schema_text, where=where, compared=compared)
    if spec.validation.rules:
        from schemas.rules import parse_rules  # which imports a parser of SQL

        parse_rules(spec.validation.rules, columns, place=place_of_rule)
    if stored:
        schema_text = f"{schema_text}\n{in_schema(stored)}"
    code = read_code(spec, folder)
    return Dataset(folder, spec, schema_text, columns, derived, rules, code)


def _place(path: Path, node: Any, rules: Mapping[str, Rule], keys: tuple[str | int, ...]) -> str:
    """Return the file, the line and the name of a key, for an error; a column has its selector."""
    if keys[0] == "features" and keys[1] in rules:
        keys = ("features", rules[str(keys[1])].key, *keys[2:])
    return f"{path}:{yaml_text.line_of(node, keys)}: {'.'.join(map(str, keys))}"


def shipped() -> dict[str, Path]:
    """Return the folders of the shipped datasets, by name."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob(f"*/{SPEC_FILE}"))}


def find_folder(name_or_path: str) -> Path:
    """Return the folder of a shipped dataset, or the given folder.

    Raises:
      ConfigError: neither exists; names the nearest shipped dataset.
    """
    known = shipped()
    if name_or_path in known:
        return known[name_or_path]
    folder = Path(name_or_path)
    if os.path.isdir(folder):  # unlike Path's, it returns False for impossible names
        if (folder / SPEC_FILE).is_file():
            return folder.resolve()
        raise ConfigError(
            f"{name_or_path!r} has no {SPEC_FILE}",
            where=str(folder),
            expected=f"a folder with {SPEC_FILE} and {SCHEMA_FILE}",
        )
    raise ConfigError(
        f"there is no dataset {name_or_path!r}; {did_you_mean(name_or_path, known)}",
        expected=f"a shipped dataset's name, or a folder with {SPEC_FILE} and {SCHEMA_FILE}",
    )


def read_spec(path: Path) -> Spec:
    """Parse a pipeline.yaml; its features may have selectors in the place of columns.

    Raises:
      ConfigError: not YAML, a repeated or unknown key, or a value out of range.
    """
    return _read(path, None)[0]


def _read(path: Path, schema_text: str | None) -> tuple[Spec, Any]:
    """Parse a pipeline.yaml, and return its nodes with their lines, too.

    Args:
      path: the file.
      schema_text: the text of its schema.pbtxt; None means the file beside it.
    """
    document = yaml_text.read(_read_text(path, most=_LARGEST_SPEC), path, Spec)
    if not isinstance(document.value, dict):
        raise ConfigError(f"{path.name} has no keys", where=str(path))
    try:
        # The folder is for options that name a file.
        value = _with_task(document.value, path, schema_text)
        spec = Spec.model_validate(value, context={"folder": path.parent})
    except pydantic.ValidationError as error:
        raise _config_error(error, document.node, path) from error
    return spec, document.node


def _with_task(value: dict[str, Any], path: Path, schema_text: str | None) -> dict[str, Any]:
    """Fill in the task of a label that is a column, as schema.pbtxt decides it."""
    label = value.get("label")
    if not tasks.is_open(label) or not isinstance(name := label["column"], str):
        return value
    where = str(path.parent / SCHEMA_FILE)
    text = schema_text or _read_text(path.parent / SCHEMA_FILE, most=_LARGEST_SCHEMA)
    derive = value.get("derive")
    if (
        isinstance(derive, dict)
        and name in derive
        and all(isinstance(t, str) for t in derive.values())
    ):
        derived = read_derived(derive, read_columns(text, where=where), where=str(path))
        text = f"{text}\n{in_schema(each.stored for each in derived)}"
    column = find(read_columns(text, where=where), name, where=f"{path}: label")
    expectations = expectations_of(parse_schema(text, where=where)).columns
    expectation = next(e for e in expectations if e.name == name)
    return {**value, "label": tasks.chosen(label, column, expectation)}


def resolve_path(path: str, folder: Path) -> str:
    """Resolve `package://NAME/FILE`, and relative paths against `folder`, in databases' URLs too.

    Raises:
      ConfigError: the package is not installed.
    """
    if path.startswith("package://"):
        package, _, rest = path.removeprefix("package://").partition("/")
        try:
            package_spec = importlib.util.find_spec(package)  # top-level: no import
        except (ImportError, ValueError):  # a.b without a, or not a valid name
            package_spec = None
        if package_spec is None or not package_spec.submodule_search_locations:
            raise ConfigError(
                f"the package {package!r} that ships the data is not installed",
                where=path,
                remedy=f"pip install {package}",
            )
        return str(Path(next(iter(package_spec.submodule_search_locations))) / rest)
    if "://" in path:
        return sql.resolved(path, folder)
    return str(folder / path)


def _read_text(path: Path, *, most: int) -> str:
    try:
        return read_text(path, most=most)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path.name} is missing",
            where=str(path.parent),
            expected=f"a folder with {SPEC_FILE} and {SCHEMA_FILE}",
            remedy=f"start from a copy of {SHIPPED / 'taxi' / path.name}",
        ) from error


def _config_error(error: pydantic.ValidationError, node: Any, path: Path) -> ConfigError:
    """Return a ConfigError that lists every problem with its line."""
    problems, found = [], error.errors()
    around = {problem["loc"][:depth] for problem in found for depth in range(len(problem["loc"]))}
    # To pydantic, a list whose items are wrong is too short as well.
    found = [p for p in found if p["type"] != "too_short" or p["loc"] not in around]
    for problem in found[:_SHOWN]:
        keys = _as_written(tuple(problem["loc"]))
        name = ".".join(str(k) for k in keys) or "(top)"
        if "key" in problem.get("ctx", {}):
            keys += (problem["ctx"]["key"],)
        problems.append(f"{path.name}:{yaml_text.line_of(node, keys)}: {name}: {plain(problem)}")
    if len(found) > _SHOWN:
        problems.append(f"… and {len(found) - _SHOWN} more")
    return ConfigError("\n".join(problems), where=str(path), remedy="correct the lines named above")


def _as_written(keys: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a path of keys without the kind of a section, which pydantic names too."""
    for section, kinds in _SECTIONS.items():
        depth = len(section)
        if keys[:depth] == section and len(keys) > depth and keys[depth] in kinds:
            return (*section, *keys[depth + 1 :])
    return keys
