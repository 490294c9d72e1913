"""A hand-written SavedModel and a few rows, so that a model can be judged without a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from components.examples import ShardWriter, arrow_schema
from schemas.columns import Column
from schemas.evaluation import Evaluation
from schemas.tasks.binary import Binary


class Tiny:
    """Rows, models and the call that judges them, below one folder."""

    columns = (
        Column("Fare ($)", "FLOAT", True),
        Column("hour", "INT", True),
        Column("payment", "BYTES", True),
        Column("tips", "FLOAT", False),
    )
    label = Binary.model_validate(
        {"name": "big_tip", "exceeds": {"column": "tips", "fraction": 0.2, "of": "Fare ($)"}}
    )
    # The labels are 1 0 1 0 1 0 0 1; `model` scores 0.75 for Crédit and 0.25 for the others.
    rows = pa.table(
        {
            "Fare ($)": [4.0, 8.0, 10.0, 5.0, 6.0, None, 9.0, 20.0],
            "hour": [9, 9, None, 17, 17, 9, 17, 9],
            "payment": ["Crédit", "Cash", "Crédit", "Cash", "Crédit", None, "Crédit", "Cash"],
            "tips": [2.0, 0.0, 3.0, 0.5, 2.0, 1.0, 1.0, 5.0],
        },
        schema=arrow_schema(columns),
    )

    def __init__(self, root: Path) -> None:
        self.root = root

    def examples(self, *shards: pa.Table, batch_rows: int = 3) -> str:
        """Write a test split of these shards."""
        folder = self.root / "examples"
        for number, rows in enumerate(shards):
            path = str(folder / "Split-test" / f"rows-{number}.parquet")
            with ShardWriter(path, rows.schema, batch_rows=batch_rows) as shard:
                shard.write(rows)
        return str(folder)

    def model(
        self,
        name: str = "model",
        *,
        credit: float = 0.75,
        otherwise: float = 0.25,
        fraction: float = 0.2,
        surge: bool = False,
        signature: str = "evaluation",
    ) -> str:
        """Save a model; `surge` makes it take a column that the rows do not have."""
        import tensorflow as tf

        module = tf.Module()
        module.credit = tf.Variable(credit)

        def evaluation(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            is_credit = tf.equal(inputs["payment"], "Crédit")
            score = tf.where(is_credit, module.credit, otherwise)
            return {
                "scores": score + 0 * inputs["surge"] if surge else score,
                "baseline_scores": tf.fill(tf.shape(score), 0.4),
                "label": tf.cast(inputs["tips"] > fraction * inputs["fare"], tf.int64),
            }

        kinds = {"fare": tf.float32, "payment": tf.string, "tips": tf.float32}
        kinds |= {"surge": tf.float32} if surge else {}
        specs = {column: tf.TensorSpec([None], kind, column) for column, kind in kinds.items()}
        path = str(self.root / name)
        function = tf.function(evaluation, autograph=False).get_concrete_function(**specs)
        tf.saved_model.save(module, path, signatures={signature: function})
        _name_after_column(path, signature)
        return path

    def evaluate(self, **changes: Any) -> Any:
        """Judge the model `model` on all rows, without thresholds unless changed."""
        from components.evaluate.evaluate import evaluate

        arguments: dict[str, Any] = {
            "columns": self.columns,
            "label": self.label,
            "evaluation": Evaluation(),
            "last_blessed": None,
            "output": str(self.root / "evaluation"),
        }
        arguments |= {"model": self.model()} if "model" not in changes else {}
        arguments |= {"examples": self.examples(self.rows)} if "examples" not in changes else {}
        return evaluate(**(arguments | changes))


def _name_after_column(path: str, signature: str) -> None:
    """Give the input `fare` its column's name, which a Python argument cannot have."""
    from tensorflow.core.protobuf import saved_model_pb2

    file = Path(path) / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    inputs = proto.meta_graphs[0].signature_def[signature].inputs
    inputs["Fare ($)"].CopyFrom(inputs["fare"])
    del inputs["fare"]
    file.write_bytes(proto.SerializeToString())


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path)
