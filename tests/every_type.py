"""A dataset with a column of each type, values missing in every column, and a split by time."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

SCHEMA = """
feature { name: "id" type: INT not_in_environment: "SERVING" }
feature { name: "ordered_at" type: BYTES time_domain { string_format: "%Y-%m-%d %H:%M:%S" } }
feature { name: "opened" type: INT time_domain { integer_format: UNIX_SECONDS } }
feature { name: "items" type: INT int_domain { min: 0 max: 40 } }
feature { name: "price" type: FLOAT }
feature { name: "longitude" type: BYTES float_domain { min: -180 max: 180 } }
feature { name: "shop" type: BYTES }
feature { name: "member" type: BYTES bool_domain { true_value: "yes" false_value: "no" } }
feature { name: "gift" type: INT bool_domain {} }
feature { name: "tags" type: BYTES value_count { min: 0 max: 6 } }
feature { name: "sizes" type: INT value_count { min: 0 max: 4 } }
feature { name: "returns" type: INT bool_domain {} value_count { min: 0 max: 5 } }
feature {
  name: "answers" type: BYTES value_count { min: 0 max: 3 }
  bool_domain { true_value: "yes" false_value: "no" }
}
feature {
  name: "visits" type: BYTES value_count { min: 0 max: 4 }
  time_domain { string_format: "%Y-%m-%d %H:%M" }
}
feature {
  name: "days" type: INT value_count { min: 0 max: 3 }
  time_domain { integer_format: UNIX_DAYS }
}
feature { name: "point" type: FLOAT value_count { min: 0 max: 3 } }
feature { name: "address.city" type: BYTES }
feature { name: "fate" type: BYTES not_in_environment: "SERVING" domain: "fates" }
string_domain { name: "fates" value: "kept" value: "returned" value: "lost" }
default_environment: "TRAINING"
default_environment: "SERVING"
"""
PIPELINE = """
name: every
source: {format: jsonl, path: rows.jsonl}
splits: {by: time, column: ordered_at, gap: 1d}
label: {column: fate, task: multiclass}
derive:
  unit_price: price / nullif(items, 0)
  is_bulk: unit_price < 2 and member
  last_visit: list_max(visits)
features:
  unit_price: [z_score, quantile_buckets]
  ordered_at: [date_parts, z_score]
  opened: [date_parts: {parts: [quarter, week]}, quantile_buckets: {buckets: 5}]
  items: [z_score, quantile_buckets, vocabulary]
  price: [z_score: {log1p: true}, quantile_buckets]
  longitude: [z_score, quantile_buckets]
  shop: [vocabulary, target_mean: {classes: [kept, lost]}]
  member: vocabulary
  gift: [z_score, vocabulary]
  tags: {vocabulary: {oov_buckets: 2}}
  sizes: {vocabulary: {combine: sum}}
  returns: [vocabulary: {last: 3}, vector: {size: 5}]
  answers: [multi_hot: {top_k: 2}, length]
  visits: length
  days: length
  last_visit: [date_parts: {parts: [hour]}, z_score]
  point: {vector: {size: 3}}
  address.city: vocabulary
combinations: [random_projection: {columns: [items, price], components: 2}]
crosses: [{columns: [shop, member], buckets: 50}, {columns: [is_bulk, shop], buckets: 50}]
examples: {batch_rows: 512}
export: {warnings: true}
model: {max_epochs: 6, batch_size: 64, deep: {learning_rate: 0.01}}
evaluation: {slices: [shop, gift], thresholds: {beats_baseline: constant}}
"""
CITIES = ("Oslo", "Bergen", "Bodø", "日本")


def write(folder: Path, rows: int) -> Path:
    """Write the dataset into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.pbtxt").write_text(SCHEMA, encoding="utf-8")
    (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    rng = random.Random(11)
    lines = [json.dumps(_row(number, rng), ensure_ascii=False) for number in range(rows)]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _row(number: int, rng: random.Random) -> dict[str, Any]:
    at = datetime(2024, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=rng.randrange(500_000))
    items, gift = rng.randrange(40), rng.random() < 0.3
    tags = rng.sample(["new", "used", "sale", "Crédit", "日本"], rng.randrange(5))
    score = items / 10 - 2 * ("sale" in tags) + gift + rng.gauss(0, 1)
    row: dict[str, Any] = {
        "id": number,
        "ordered_at": at.strftime("%Y-%m-%d %H:%M:%S"),
        "opened": int(at.timestamp()) - rng.randrange(10**8),
        "items": items,
        "price": round(rng.lognormvariate(3, 1), 2),
        "longitude": 5.3221 + number * 1e-9,
        "shop": f"shop {rng.randrange(12)}",
        "member": rng.choice(["yes", "no"]),
        "gift": gift,
        "tags": tags,
        "sizes": rng.choices(range(6), k=rng.randrange(4)),
        "returns": [rng.random() < 0.3 for _ in range(rng.randrange(6))],
        "answers": rng.choices(["yes", "no"], k=rng.randrange(4)),
        "visits": [
            (at - timedelta(days=rng.randrange(90))).strftime("%Y-%m-%d %H:%M")
            for _ in range(rng.randrange(5))
        ],
        "days": rng.choices(range(19_000, 20_000), k=rng.randrange(4)),
        "address": {"city": rng.choice(CITIES)},
        "fate": "returned" if score > 2.5 else "lost" if score < -1 else "kept",
    }
    missing = ("opened", "items", "price", "shop", "member", "gift", "tags", "sizes", "address")
    for name in (*missing, "returns", "answers", "visits", "days"):
        if rng.random() < 0.05:
            row[name] = None
        elif rng.random() < 0.02:
            del row[name]
    return row | _point(number)


def _point(number: int) -> dict[str, Any]:
    """Return a list of three numbers, sometimes of fewer, or none; or nothing."""
    rng = random.Random(number)
    kinds: list[Any] = [[rng.gauss(place, 2) for place in range(3)]] * 20
    kinds += [kinds[0][:2], [], None]
    return {"point": rng.choice(kinds)} if rng.random() < 0.98 else {}
