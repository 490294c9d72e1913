"""The recipe in docs/architecture.md: two files and one line make a kind of source."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]

OPTIONS = """
from typing import ClassVar, Literal
from schemas.sources.options import FileOptions

class Lines(FileOptions):
    endings: ClassVar[tuple[str, ...]] = (".lines",)
    format: Literal["lines"] = "lines"
    skip: int = 0
"""
READER = """
import numpy as np
import pyarrow as pa
from components.sources import protocol
from components.sources.protocol import Block, Part

class Reader(protocol.Reader[Part]):
    def __init__(self, options, selection):
        self._skip, self._selection = options.skip, selection

    def parts(self, path):
        return [Part(path, ignored=(), rows=2, text_bytes=4)]

    def read(self, part):
        with open(part.path) as file:
            values = [int(line) for line in file][self._skip :]
        names = [column.name for column in self._selection.columns]
        rows = pa.RecordBatch.from_arrays([pa.array(values)] * len(names), names)
        yield Block(len(values), rows, np.arange(len(values)) + 1 + self._skip, ())
"""
USE = """
import json, sys
from pathlib import Path
from components.sources.protocol import Selection, open_reader
from schemas import catalog, sources
from schemas.columns import Column

spec = catalog.read_spec(Path("pipeline.yaml"))
reader = open_reader(spec.source, Selection((Column("n", "INT", True),)))
(part,) = reader.parts(spec.source.path)
(block,) = reader.read(part)
result = [sources.plain("a.lines").format, block.columns.to_pydict(), block.places.tolist()]
print(json.dumps(result))
"""


def test_two_files_and_one_line_make_a_kind_of_source(tmp_path):
    for package in ("components", "schemas"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    (tmp_path / "schemas/sources/lines.py").write_text(OPTIONS)
    (tmp_path / "components/sources/lines.py").write_text(READER)
    kinds = tmp_path / "schemas/sources/__init__.py"
    line = "KINDS = (Csv, "
    assert kinds.read_text().count(line) == 1
    new = "from schemas.sources.lines import Lines\n\nKINDS = (Lines, Csv, "
    kinds.write_text(kinds.read_text().replace(line, new))
    taxi = (tmp_path / "schemas/taxi/pipeline.yaml").read_text()
    begin, end = taxi.index("source:"), taxi.index("splits:")
    source = "source: {format: lines, path: rows.lines, skip: 1}\n"
    (tmp_path / "pipeline.yaml").write_text(taxi[:begin] + source + taxi[end:])
    (tmp_path / "rows.lines").write_text("5\n6\n7\n")
    used = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(used.stdout) == ["lines", {"n": [6, 7]}, [2, 3]]
