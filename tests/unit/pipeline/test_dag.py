"""The checks of the wiring before TFX is imported."""

import dataclasses

import pytest

from components.select.select import SelectionPlan
from components.transform.preprocessing import Preprocessing
from components.validate.caps import FeaturePlan
from pipeline import dag, digests, imports, plans, source
from pipeline.digest_cache import DigestCache
from schemas import catalog
from schemas.calibration import Calibration
from schemas.errors import DataError
from schemas.selection import ColumnSelection


@pytest.fixture
def dataset(tmp_path):
    """The taxi dataset in a separate folder, whose source does not exist yet."""
    for file in (catalog.SPEC_FILE, catalog.SCHEMA_FILE):
        text = (catalog.SHIPPED / "taxi" / file).read_text()
        text = text.replace(catalog.load("taxi").spec.source.paths[0], "d")
        (tmp_path / file).write_text(text)
    return catalog.load(str(tmp_path))


def test_a_folder_as_the_source_has_the_files_of_its_kind(dataset):
    (dataset.folder / "d").mkdir()
    (dataset.folder / "d" / "a.csv").touch()
    assert source.paths_of(dataset) == [str(dataset.folder / "d/a.csv")]
    (dataset.folder / "d" / "b.parquet").touch()
    with pytest.raises(DataError, match="the folder 'd' has files of several kinds"):
        source.paths_of(dataset)


def test_the_partition_of_a_file_is_part_of_the_fingerprint(dataset, tmp_path):
    hive = dataset.spec.source.model_copy(update={"partitions": "hive"})
    spec = dataset.spec.model_copy(update={"source": hive})
    parted = dataclasses.replace(dataset, spec=spec)
    known = DigestCache(tmp_path / "known")
    seen = set()
    for folder in ("d/year=2024", "d/year=2025"):
        (dataset.folder / folder).mkdir(parents=True)
        (dataset.folder / folder / "a.csv").write_text("a\n")
        seen.add(source.fingerprint(parted, known))
        (dataset.folder / folder / "a.csv").unlink()
    assert len(seen) == 2


def test_no_file_at_all_is_named(dataset):
    with pytest.raises(DataError, match="no file matches 'd'"):
        source.paths_of(dataset)


@pytest.mark.parametrize("name", dag.NODES)
def test_a_pipeline_named_like_a_node_gets_another_id(name):
    assert dag.pipeline_id(name) not in dag.NODES


def test_other_pipelines_keep_the_id_that_their_runs_are_found_by():
    assert [dag.pipeline_id(name) for name in ("taxi", "Train", "train-pipeline")] == [
        "taxi",
        "Train",
        "train-pipeline",
    ]


def test_what_evaluation_alone_reads_runs_no_other_stage_again(monkeypatch):
    monkeypatch.setattr(digests, "code", lambda *_, **__: "")
    dataset = catalog.load("support")
    label = dataset.spec.label.model_copy(update={"top_k": 2})
    spec = dataset.spec.model_copy(update={"label": label})
    changed = dataclasses.replace(dataset, spec=spec)
    assert dag._Shared.of(changed) == dag._Shared.of(dataset)
    weighted = label.model_copy(update={"weight": "seats"})
    changed = dataclasses.replace(dataset, spec=spec.model_copy(update={"label": weighted}))
    assert dag._Shared.of(changed) != dag._Shared.of(dataset)


def test_a_calibration_is_a_node_of_its_own(dataset):
    calibrated = dataclasses.replace(
        dataset, spec=dataset.spec.model_copy(update={"calibration": Calibration(method="beta")})
    )
    after = dag.NODES.index("train") + 1
    assert dag.nodes(dataset) == dag.NODES
    assert dag.nodes(calibrated) == (*dag.NODES[:after], dag.CALIBRATE, *dag.NODES[after:])
    reached = imports.reach(
        "components.calibrate.component", dag.CALIBRATE, kinds=dag._kinds(dag.CALIBRATE, calibrated)
    )
    assert {"components.calibrate.fit", "components.tasks.binary"} <= reached.modules.keys()


def test_a_selection_is_a_node_after_the_gate(dataset):
    selecting = dataset.spec.model_copy(update={"selection": ColumnSelection(keep=3, by="mrmr")})
    selected = dataclasses.replace(dataset, spec=selecting)
    after = dag.NODES.index("gate") + 1
    assert dag.nodes(selected) == (*dag.NODES[:after], dag.SELECT, *dag.NODES[after:])
    plan = SelectionPlan.model_validate_json(plans.of_selection(selected))
    assert plan.selection == selecting.selection
    assert {name for columns in plan.uses for name in columns} == {*selecting.feature_columns}
    assert dag._Shared.of(selected).features == dag._Shared.of(dataset).features


def test_caps_are_of_the_uses_that_the_transformation_has(dataset):
    plan = FeaturePlan.model_validate_json(plans.of_treatments(dataset, places=False))
    preprocessing = Preprocessing.loads(dag.features_of(dataset))
    crosses = [use for use in plan.uses if use.options["kind"] == "cross"]
    smaller = [use.treatment.model_copy(update={"buckets": 7}) for use in crosses]
    keys = [(use.columns, use.treatment) for use in crosses]
    capped = preprocessing.with_options(dict(zip(keys, smaller, strict=True)))
    assert [use.options.buckets for use in capped.uses if use.kind == "cross"] == [7] * len(crosses)
    assert crosses
    others = [use for use in capped.uses if use.kind != "cross"]
    assert others == [use for use in preprocessing.uses if use.kind != "cross"]
    assert {use.place for use in plan.uses} == {""}  # a line that moves transforms nothing again
