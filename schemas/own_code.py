"""features.py beside pipeline.yaml: read as text, and checked without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from schemas.errors import ConfigError, did_you_mean
from schemas.spec import Spec
from schemas.text_files import read_text
from schemas.treatments.own import Own

FILE = "features.py"

_LARGEST = 1 << 20


def read_code(spec: Spec, folder: Path) -> str:
    """Return the text of features.py; empty if `combinations` uses none of it.

    Args:
      spec: pipeline.yaml.
      folder: of pipeline.yaml.

    Raises:
      ConfigError: there is no such file, it is not Python, or it lacks a function.
    """
    used = [each for each in spec.combinations if isinstance(each, Own)]
    if not used:
        return ""
    path = folder / FILE
    try:
        text = read_text(path, most=_LARGEST)
    except FileNotFoundError as error:
        raise ConfigError(
            f"`own` needs {FILE}, which is missing",
            where=str(folder),
            expected=f"{FILE} beside pipeline.yaml, with def {used[0].function}(inputs, tft)",
            remedy="write it, or remove `own` from combinations",
        ) from error
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ConfigError(
            f"{FILE} is not Python: {getattr(error, 'msg', error)}",
            where=f"{path}:{line}",
            remedy="correct that line",
        ) from error
    for options in used:
        _check_function(tree, options.function, path)
    return text


def _check_function(tree: ast.Module, name: str, path: Path) -> None:
    """Check that a function takes the columns and tft."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if name not in functions:
        raise ConfigError(
            f"{FILE} has no function {name!r}; {did_you_mean(name, functions)}",
            where=str(path),
            expected=f"def {name}(inputs, tft) at the top of the file",
            remedy="define it, or name another one in `function` of `own`",
        )
    arguments = functions[name].args
    needed = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    most = len(arguments.posonlyargs) + len(arguments.args)
    required = arguments.kw_defaults.count(None)
    if needed > 2 or (most < 2 and arguments.vararg is None) or required:
        raise ConfigError(
            f"{name} of {FILE} does not take two arguments",
            where=f"{path}:{functions[name].lineno}",
            expected=f"def {name}(inputs, tft)",
            remedy="take the columns by name in `inputs`, and tensorflow_transform in `tft`",
        )
