"""Beam's Prism gives the same results as this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.runners import Choice
from schemas.catalog import Dataset
from tests.engines import stages
from tests.engines.same import require_same
from tests.engines.stages import Made

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("workers", ["loopback", "pool"])
def test_prism_gives_what_this_process_gives(
    direct: Made,
    dataset: Dataset,
    on_prism: Callable[..., Choice],
    workers: str,
    with_pool: str,
    tmp_path: Path,
) -> None:
    on = on_prism(with_pool if workers == "pool" else "workers=loopback")
    require_same(direct, stages.make(dataset, on, tmp_path))


def test_columns_of_each_type_are_the_same_on_prism(
    typed_direct: Made, typed_dataset: Dataset, on_prism: Callable[..., Choice], tmp_path: Path
) -> None:
    on = on_prism("workers=loopback")
    require_same(typed_direct, stages.make(typed_dataset, on, tmp_path))
