"""How to repeat the run and to ask its model: command, versions, digests, lineage, requests."""

from __future__ import annotations

import json
import math
import os
import textwrap
from collections.abc import Mapping
from typing import Any

from components import files, versions
from pipeline.report.record import Record
from schemas import description
from schemas.description import Description, Input

_PORT = 8501


def card(record: Record) -> dict[str, Any]:
    """Return what repeats the run, and requests to its model if one is pushed."""
    summary = record.summary
    model = _description(summary.model)
    return {
        "command": summary.command,
        "run": summary.run_id,
        "folder": record.run.folder,
        "log": summary.log,
        "versions": model.versions if model is not None else versions.installed(),
        "digests": {} if model is None else dict(model.digests),
        "lineage": [
            {"node": node, "state": done.state, "channel": channel, "folder": artifact.uri}
            for node, done in record.executions.items()
            for channel, artifact in done.outputs.items()
        ],
        "requests": None if model is None else requests(model),
        "spec": None if record.configuration is None else _yaml(record.spec),
    }


def requests(model: Description) -> dict[str, str]:
    """Return a request for a real row, by language.

    Args:
      model: the pushed model, with an example of each column.
    """
    row = {each.name: _value(each) for each in model.inputs}
    url = f"http://127.0.0.1:{_PORT}/v1/models/{model.name}:predict"
    body = json.dumps({"signature_name": "predict", "instances": [row]}, indent=1)
    return {"curl": _curl(url, body), "Python": _python(url, row), "Java": _java(url, body)}


def _value(column: Input) -> Any:
    """Return the example of a column as JSON has it; NaN and "" are missing values."""
    if column.example is not None:
        return list(column.example) if isinstance(column.example, tuple) else column.example
    if column.most:
        return None
    return "" if column.type.is_text else math.nan


def _curl(url: str, body: str) -> str:
    quoted = body.replace("'", "'\\''")
    return f"curl '{url}' -d '{quoted}'"


def _python(url: str, row: Mapping[str, Any]) -> str:
    pairs = "".join(f"    {json.dumps(name)}: {_literal(each)},\n" for name, each in row.items())
    return (
        "import json\nfrom urllib.request import urlopen\n\n"
        f"row = {{\n{pairs}}}\n"
        'body = json.dumps({"signature_name": "predict", "instances": [row]})\n'
        f"with urlopen({json.dumps(url)}, body.encode()) as answer:\n"
        '    print(json.load(answer)["predictions"][0])'
    )


def _literal(value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return 'float("nan")'
    return "None" if value is None else json.dumps(value)


def _java(url: str, body: str) -> str:
    text = textwrap.indent(body.replace("\\", "\\\\").replace('"""', '\\"""'), " " * 8)
    return f"""\
import java.net.URI;
import java.net.http.*;

public class Ask {{
  public static void main(String[] args) throws Exception {{
    String body = \"\"\"
{text}
        \"\"\";
    HttpRequest request = HttpRequest.newBuilder(URI.create({json.dumps(url)}))
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
    System.out.println(HttpClient.newHttpClient()
        .send(request, HttpResponse.BodyHandlers.ofString())
        .body());
  }}
}}"""


def _description(model: str | None) -> Description | None:
    """Return the description of the pushed model, unless it was removed since."""
    if model is None:
        return None
    path = os.path.join(model, description.FILE_NAME)
    if not files.is_file(path):
        return None
    return Description.model_validate_json(files.read_bytes(path))


def _yaml(spec: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True, width=100)
