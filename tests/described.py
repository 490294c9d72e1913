"""A minimal model.json, which tests extend."""

from typing import Any

from schemas.description import Description


def described(**fields: Any) -> Description:
    """Return the description of an invented model with these fields."""
    least: dict[str, Any] = {
        "name": "taxi",
        "pushed_at": "2026-11-21T05:00:00+00:00",
        "label": "big_tip",
        "classes": ("0", "1"),
        "threshold": 0.5,
        "training_examples": 10,
        "real_rows": 0,
        "adversarial_rows": 0,
        **dict.fromkeys(("inputs", "signatures", "metrics", "parity"), ()),
        **{name: {} for name in ("baseline", "digests", "versions")},
    }
    return Description(**least | fields)
