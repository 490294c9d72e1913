"""What runs again: nothing, or exactly what depends on the change."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.evaluate.published import check_pushed, content_digest
from components.export import component as export_component
from pipeline import digests, lineage, unchanged
from pipeline.folders import Folders
from pipeline.stage_choice import StageChoice
from schemas.errors import ModelError

pytestmark = pytest.mark.e2e

CHECK = ["import_schema", "statistics", "validate", "gate"]


def auc_of(least):
    """Require an AUC of at least `least`."""
    return {"evaluation": {"thresholds": {"auc": {"min": least}}}}


def test_an_unchanged_run_uses_everything_again(first, make_dataset, run_dataset):
    started = time.monotonic()
    again = run_dataset(make_dataset())
    assert again.error is None
    assert again.done == ["push"]
    assert set(again.states.values()) == {"cached", "done"}
    assert again.summary.evaluation == first.summary.evaluation
    assert again.summary.counts == first.summary.counts
    assert time.monotonic() - started < 10


# In a separate process, because the tests here have loaded everything heavy.
UNCHANGED = """
import json, sys
from pipeline.run import run
from schemas import catalog
summary = run(catalog.load(sys.argv[1]), output=sys.argv[2])
heavy = [name for name in ("tensorflow", "tfx", "apache_beam") if name in sys.modules]
print(json.dumps({"heavy": heavy, "run_id": summary.run_id}))
"""


def states(executions):
    return {node: execution.state for node, execution in executions.items()}


def test_an_unchanged_run_imports_nothing_heavy_and_is_recorded_as_by_tfx(
    first, make_dataset, run_dataset, root, last_summary
):
    folders, dataset = Folders.of(root, "taxi"), make_dataset()
    run_dataset(dataset)  # the newest version may be another test's model
    unchanged.forget(folders)
    by_tfx = run_dataset(dataset).summary
    assert by_tfx.stages[0].name == "imports"

    command = [sys.executable, "-c", UNCHANGED, str(dataset), str(root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["heavy"] == []
    summary = last_summary(root)
    assert summary.run_id == result["run_id"]
    own = {"run_id", "seconds", "log", "stages", "data_page"}
    assert summary.model_dump(exclude=own) == by_tfx.model_dump(exclude=own)
    assert [(s.name, s.state, s.notes) for s in summary.stages] == [
        (s.name, s.state, s.notes) for s in by_tfx.stages[1:]
    ]
    again, before = (
        lineage.read_run(folders.metadata, run_id) for run_id in (result["run_id"], by_tfx.run_id)
    )
    assert states(again) == states(before)
    del again["push"], before["push"]
    assert again == before


def test_a_flag_or_an_artifact_that_changed_is_looked_at_by_every_stage(
    first, make_dataset, run_dataset, root
):
    dataset = make_dataset()
    allowed = run_dataset(dataset, allow_anomalies=True)
    assert allowed.done == ["gate", "push"]
    assert run_dataset(dataset).summary.stages[0].name == "imports"
    last = run_dataset(dataset)
    assert last.summary.stages[0].name == "import_schema"
    nodes = lineage.read_run(Folders.of(root, "taxi").metadata, last.summary.run_id)
    os.utime(Path(nodes["validate"].outputs["anomalies"].uri) / "findings.json")
    assert run_dataset(dataset).summary.stages[0].name == "import_schema"
    (Path(nodes["validate"].outputs["anomalies"].uri) / "more.txt").write_text("", "utf-8")
    assert run_dataset(dataset).done == ["validate", "gate", "push"]


def test_a_changed_threshold_evaluates_again(first, make_dataset, run_dataset):
    outcome = run_dataset(make_dataset(spec=auc_of(0.61)))
    assert outcome.done == ["evaluate", "push"]
    assert outcome.error is None


def test_chosen_stages_are_executed_again_and_end_the_run(first, make_dataset, run_dataset):
    outcome = run_dataset(make_dataset(), stages=StageChoice("validate", "gate"))
    assert (outcome.summary.status, outcome.summary.version) == ("partial", None)
    assert outcome.summary.stages[-1].name == "gate"
    assert outcome.done == ["validate", "gate"]


def test_a_changed_domain_validates_the_data_again(first, make_dataset, run_dataset):
    wider = make_dataset(schema={'  value: "Unknown"': '  value: "Unknown"\n  value: "Coin"'})
    outcome = run_dataset(wider)
    assert outcome.error is None
    assert outcome.done == [*CHECK, "push"]


def test_a_changed_rule_checks_the_data_again(first, make_dataset, run_dataset):
    rules = {"fares": "fare >= 0", "enough": "count(*) > 0.5 * previous"}
    outcome = run_dataset(make_dataset(spec={"validation": {"rules": rules}}))
    assert outcome.error is None
    assert outcome.done == ["validate", "gate", "push"]
    assert [rule["holds"] for rule in outcome.summary.rules] == [True] * 6


@pytest.mark.parametrize(
    ("node", "again"),
    [("gate", ["gate", "push"]), ("parity", ["parity", "push"])],
)
def test_a_changed_line_of_code_runs_its_stage(
    first, make_dataset, run_dataset, proof_of_the_first, monkeypatch, node, again
):
    """The unit tests show how a changed line affects a digest; this test shows the consequence."""
    digest = digests.code

    def changed(module, function, **more):
        return digest(module, function, **more) + ("changed" if function == node else "")

    monkeypatch.setattr(digests, "code", changed)
    monkeypatch.setattr(digests, "project", lambda: f"{node} changed")
    assert run_dataset(make_dataset()).done == again


def test_a_model_that_is_not_blessed_is_not_pushed(first, make_dataset, run_dataset, root, served):
    before = served(root)
    outcome = run_dataset(make_dataset(spec=auc_of(0.9999)))
    assert isinstance(outcome.error, ModelError)
    assert outcome.error.exit_code == 4
    assert "is below the least permitted, 0.9999" in str(outcome.error)
    assert (outcome.summary.status, outcome.summary.version) == ("refused", None)
    assert served(root) == before
    again = run_dataset(make_dataset(spec=auc_of(0.9999)))
    assert (again.done, again.summary.status) == (["push"], "refused")


def test_a_changed_treatment_trains_again_and_a_run_that_failed_goes_on_from_there(
    first, make_dataset, run_dataset, proof_of_the_first, monkeypatch, root, served
):
    before = served(root)
    fewer = {"features": {"trip_miles": ["z_score", {"quantile_buckets": {"buckets": 5}}]}}
    changed = make_dataset(spec=fewer)

    def fails(**_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(export_component, "export_model", fails)
        failed = run_dataset(changed)
    assert failed.error.exit_code == 3
    assert "export failed: the disk is full" in str(failed.error)
    assert failed.error.where == str(root / "taxi")
    assert (failed.summary.status, failed.summary.error.stage) == ("failed", "export")
    assert failed.done == ["gate", "transform", "train"]  # the gate foresees what treatments do
    assert failed.states["push"] == "waiting"
    assert served(root) == before
    with open(failed.summary.log, encoding="utf-8") as log:
        assert "Traceback (most recent call last)" in log.read()

    again = run_dataset(changed)
    assert again.error is None
    assert again.done == ["export", "evaluate", "explain", "parity", "push"]
    assert again.summary.status == "pushed"


def test_anomalies_stop_the_run_unless_a_person_goes_on(first, make_dataset, run_dataset):
    narrow = make_dataset(schema={'  value: "No Charge"\n': ""})
    stopped = run_dataset(narrow)
    assert stopped.error.exit_code == 3
    assert "payment_type" in str(stopped.error)
    assert "No Charge" in str(stopped.error)
    assert stopped.summary.error.stage == "gate"
    assert stopped.states["transform"] == "waiting"

    allowed = run_dataset(narrow, allow_anomalies=True)
    assert allowed.error is None
    assert allowed.done == ["gate", "push"]
    assert allowed.summary.anomalies_allowed
    assert "No Charge" in str(allowed.summary.findings)


def exported_by(root, outcome):
    """Return the folder of the SavedModel that a run exported, or used again."""
    nodes = lineage.read_run(Folders.of(root, "taxi").metadata, outcome.summary.run_id)
    return Path(nodes["export"].outputs["exported"].uri) / "Format-Serving"


def truncated(export, first):
    (export / "saved_model.pb").write_bytes(b"")


def replaced(export, first):
    """Put another run's model in place, which was judged, too, but is not this one."""
    shutil.rmtree(export)
    shutil.copytree(first, export)


def test_a_damaged_export_is_made_and_judged_again_and_never_pushed(
    first, make_dataset, run_dataset, proof_of_the_first, root
):
    """The version is removed as well, so that there is something to push."""
    dataset = make_dataset(spec={"export": {"threshold": 0.37}})
    outcome = run_dataset(dataset)
    assert outcome.error is None
    for damage in (truncated, replaced):
        export = exported_by(root, outcome)
        shutil.rmtree(outcome.summary.model)
        damage(export, exported_by(root, first))
        damaged = content_digest(str(export))
        outcome = run_dataset(dataset)
        assert outcome.error is None
        assert outcome.done == ["export", "evaluate", "explain", "parity", "push"]
        (remark,) = [s.notes["remark"] for s in outcome.summary.stages if s.name == "export"]
        assert remark.startswith("not used again: Format-Serving/saved_model.pb")
        assert outcome.summary.status == "pushed"
        pushed = content_digest(outcome.summary.model)
        assert pushed == content_digest(str(exported_by(root, outcome)))
        assert pushed != damaged
        check_pushed(outcome.summary.model)
