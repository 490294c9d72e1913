"""The export node unpacks parameters and writes the SavedModel where TFX looks for it."""

import os

import pytest

pytestmark = pytest.mark.component


def test_the_model_stands_where_tfx_looks_for_it(exported, tmp_path):
    from tfx.types import standard_artifacts
    from tfx.utils import path_utils

    from components.export.component import export
    from schemas.columns import dumps

    artifacts = {
        "model": standard_artifacts.Model(),
        "transform_graph": standard_artifacts.TransformGraph(),
        "examples": standard_artifacts.Examples(),
        "exported": standard_artifacts.Model(),
    }
    artifacts["model"].uri = exported.trained
    artifacts["transform_graph"].uri = exported.transform_graph
    artifacts["examples"].uri = exported.examples
    artifacts["exported"].uri = str(tmp_path / "exported")
    export.test_call(
        **artifacts,
        columns=dumps(exported.columns),
        label=exported.label.model_dump_json(),
        model_name="tiny",
        answers="{}",
        expectations="{}",
        code="digest",
    )

    assert os.listdir(tmp_path / "exported") == ["Format-Serving"]
    folder = path_utils.serving_model_path(artifacts["exported"].uri)
    assert "saved_model.pb" in os.listdir(folder)
