"""XLA and short products are for GPUs alone."""

from __future__ import annotations

import pytest

from components.train.devices import DeviceUse


@pytest.mark.parametrize(
    ("gpus", "processes", "xla", "short_products"),
    [(0, 1, False, False), (0, 4, False, False), (1, 1, True, True), (1, 4, False, True)],
)
def test_what_is_used_follows_from_the_device(gpus, processes, xla, short_products):
    use = DeviceUse.of(gpus, processes)
    assert (use.xla, use.short_products) == (xla, short_products)
