"""A hand-written additive model and rows, so that a model can be explained without a training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from components.examples import ShardWriter, arrow_schema
from schemas.columns import Column
from schemas.layout import Layout, TransformedFeature
from schemas.tasks.binary import Binary

ROWS = 600  # of each split
KINDS = {"city": {"Bonn": -0.5, "Köln": 0.5}, "seen": {}}


def feature(name, *columns):
    return TransformedFeature(name=name, columns=columns, treatment="z_score", role="dense")


class Additive:
    """The logit is 1.5 a + 0.5 b + x y + 0.03 noise + that of the city; the label is drawn by it.

    Noise is drawn by nothing, x and y act only together, and `code` is the label.
    """

    columns = (
        *(Column(name, "FLOAT", True) for name in ("a", "b", "noise", "x", "y")),
        Column("city", "BYTES", True),
        Column("seen", "TIME", True, ("UNIX_SECONDS",)),
        Column("code", "INT", True),
        Column("y_true", "INT", False),
    )
    label = Binary.model_validate({"name": "hit", "equals": {"column": "y_true", "values": [1]}})
    layout = Layout(
        features=(
            *(feature(name, name) for name in ("a", "b", "noise", "city", "seen", "code")),
            feature("a_squared", "a"),
            feature("product", "x", "y"),
        ),
        label="hit",
    )

    def __init__(self, root: Path) -> None:
        self.root = root
        self.examples, self.saved_model = str(root / "examples"), str(root / "model")
        for number, split in enumerate(("train", "eval")):
            rows = self.rows(number)
            path = str(root / "examples" / f"Split-{split}" / "rows.parquet")
            with ShardWriter(path, rows.schema, batch_rows=250) as shard:
                shard.write(rows)
        self._save()

    def rows(self, seed: int) -> pa.Table:
        draw = np.random.default_rng(seed)
        values = {name: draw.normal(size=ROWS).astype(np.float32) for name in "abxy"}
        values["noise"] = draw.normal(size=ROWS).astype(np.float32)
        cities = draw.choice(["Bonn", "Köln", None], size=ROWS, p=[0.5, 0.4, 0.1])
        of_city = np.array([{"Bonn": -0.5, "Köln": 0.5}.get(city, 0.0) for city in cities])
        logit = 1.5 * values["a"] + 0.5 * values["b"] + values["x"] * values["y"] + of_city
        hit = (draw.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(np.int64)
        seen = draw.integers(0, 86_400, ROWS) * 1_000_000
        return (
            pa.table(
                {
                    **values,
                    "city": pa.array(list(cities)),
                    "seen": seen,
                    "code": hit,
                    "y_true": hit,
                },
            )
            .select([c.name for c in self.columns])
            .cast(arrow_schema(self.columns))
        )

    def _save(self) -> None:
        import tensorflow as tf

        def logits(i: dict[str, tf.Tensor]) -> tf.Tensor:
            bonn, cologne = (tf.cast(i["city"] == name, tf.float32) for name in ("Bonn", "Köln"))
            numbers = 1.5 * i["a"] + 0.5 * i["b"] + i["x"] * i["y"] + 0.03 * i["noise"]
            unused = 0 * tf.cast(i["seen"] + i["code"], tf.float32)
            return numbers + 0.5 * (cologne - bonn) + unused

        def evaluation(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            found = logits(inputs)
            label = tf.cast(inputs["y_true"] == 1, tf.int64)
            return {"scores": tf.sigmoid(found), "logits": found, "label": label}

        types = {"BYTES": tf.string, "FLOAT": tf.float32, "INT": tf.float64, "TIME": tf.float64}
        specs = {c.name: tf.TensorSpec([None], types[c.kind], c.name) for c in self.columns}
        function = tf.function(evaluation, autograph=False).get_concrete_function(**specs)
        tf.saved_model.save(tf.Module(), self.saved_model, signatures={"evaluation": function})


@pytest.fixture(scope="module")
def additive(tmp_path_factory):
    return Additive(tmp_path_factory.mktemp("additive"))


@pytest.fixture(scope="module")
def explained(additive):
    """The explanation, what is written of it, and the scorer of the model."""
    from components.explain.explain import explain
    from components.explain.explained import Explained
    from schemas.explain import Explain

    def of(**options):
        output = additive.root / "explained"
        output.mkdir(exist_ok=True)
        found = explain(
            model=additive.saved_model,
            examples=additive.examples,
            columns=additive.columns,
            layout=additive.layout,
            label=additive.label,
            options=Explain(**options),
            output=str(output),
        )
        assert Explained.read(str(output)) == found
        return found

    return SimpleNamespace(of=of, whole=of())
