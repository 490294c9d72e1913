"""The measurements of stock TFX on given rows.

Measured once for each number of rows, set of versions and machine, and kept.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import measure, stock_pipeline
from benchmarks.machine import Machine
from benchmarks.measure import Measured
from benchmarks.places import CACHE
from benchmarks.rows import taxi_csv
from benchmarks.stock_pipeline import StockRun


def measured(rows: int, *, fresh: bool = False) -> tuple[Measured, bool]:
    """Measure the taxi example that tfx ships on that many trips.

    Args:
      rows: the number of trips.
      fresh: measure again although there are cached figures.

    Returns:
      The figures, and whether they are from the cache.

    Raises:
      RuntimeError: the example failed; has the end of its log.
    """
    path = _cache_path(rows)
    if path.exists() and not fresh:
        return Measured.model_validate_json(path.read_text(encoding="utf-8")), True
    figures = _measure(rows)
    partial = path.with_suffix(".partial")
    partial.write_text(figures.model_dump_json(indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)
    return figures, False


def _cache_path(rows: int) -> Path:
    """Return the path of the cache, whose name has everything that the figures depend on."""
    known_by = [
        Machine.here().model_dump_json(),
        importlib.metadata.version("tf_keras"),
        Path(stock_pipeline.__file__).read_text(encoding="utf-8"),
    ]
    digest = hashlib.sha256("\n".join(known_by).encode()).hexdigest()[:16]
    return CACHE / f"stock-{rows}-{digest}.json"


def _measure(rows: int) -> Measured:
    source = taxi_csv(rows)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="stock-") as folder:
        data, root = Path(folder, "data"), Path(folder, "root")
        data.mkdir()
        root.mkdir()
        os.link(source, data / source.name)
        log, result = Path(folder, "log"), Path(folder, "result.json")
        command = [sys.executable, "-m", stock_pipeline.__name__]
        usage = measure.run(
            [*command, str(data), str(root), str(result)],
            log=log,
            environment={"TF_USE_LEGACY_KERAS": "1"},  # its Trainer is for Keras 2
        )
        if usage.code or not result.exists():
            raise RuntimeError(f"stock TFX failed:\n{measure.last_lines(log)}")
        did = StockRun.model_validate_json(result.read_text(encoding="utf-8"))
    return Measured(
        system="stock",
        rows=rows,
        outcome="pushed" if did.pushed else "not pushed",
        seconds=usage.seconds,
        peak_process=usage.peak_process,
        peak_together=usage.peak_together,
        load=usage.load,
        date=measure.today(),
        stages=did.stages,
    )
