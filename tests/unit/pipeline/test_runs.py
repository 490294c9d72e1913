"""`skewless runs` lists runs with what is known of each, the unfinished and damaged ones too."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from pipeline import cli, recorded_runs
from pipeline.locks import FILE_NAME, Holder
from schemas.errors import ConfigError
from tests.unit.pipeline.recorded import FIRST, SECOND, THIRD, record


@pytest.fixture
def root(tmp_path):
    """Two pipelines; the second one has a damaged run and one without a summary."""
    record(tmp_path, "taxi", FIRST)
    record(tmp_path, "shop", SECOND, status="failed", evaluation=None, version=None)
    damaged = record(tmp_path, "shop", THIRD)
    (damaged / "summary.json").write_text('{"format": 1, "pip', encoding="utf-8")
    (tmp_path / "shop" / "runs" / "20261201-100004-000000").mkdir()
    (tmp_path / "shop" / "runs" / "99999999-999999-999999").mkdir()  # not a time
    return tmp_path


def listed(capsys, *arguments):
    assert cli.main(["runs", *map(str, arguments), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["format"], answer["command"]) == (1, "runs")
    return answer["result"]


def test_runs_of_all_pipelines_are_listed_newest_first(root, capsys):
    runs = listed(capsys, "--output", root)
    assert [(run["pipeline"], run["status"]) for run in runs] == [
        ("shop", "killed"),
        ("shop", "damaged"),
        ("shop", "failed"),
        ("taxi", "pushed"),
    ]
    assert runs[-1] == {
        "pipeline": "taxi",
        "run_id": FIRST,
        "folder": str(root / "taxi" / "runs" / FIRST),
        "started": "2026-12-01T10:00:01+00:00",
        "status": "pushed",
        "rows": 1200,
        "metrics": {"log_loss": 0.5, "auc": 0.75},
        "seconds": 12.5,
        "version": 1,
        "problem": None,
    }
    assert "summary.json" in runs[1]["problem"]


@pytest.mark.parametrize("named", ["taxi", "{root}/taxi", "{root}/taxi/"])
def test_a_pipeline_has_a_name_and_a_folder(root, capsys, named):
    (run,) = listed(capsys, named.format(root=root), "--output", root)
    assert run["run_id"] == FIRST


@pytest.mark.parametrize(("lives", "status"), [(True, "running"), (False, "killed")])
def test_a_run_without_a_summary_is_running_while_its_process_lives(root, capsys, lives, status):
    run_id = "20261201-100004-000000"
    process = os.getpid() if lives else 2**22 + 1
    holder = Holder(machine="m", host=socket.gethostname(), process=process, run=run_id, renewed="")
    (root / "shop" / FILE_NAME).write_text(holder.model_dump_json(), encoding="utf-8")
    assert listed(capsys, "shop", "--output", root, "-n", 1)[0]["status"] == status


def test_the_text_has_a_line_for_each_run_and_names_what_is_damaged(root, capsys):
    assert cli.main(["runs", "--output", str(root)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["pipeline", "run"]
    assert (
        lines[3].split()
        == (
            f"taxi {FIRST} 2026-12-01 10:00:01 pushed 1,200 log_loss 0.5000, auc 0.7500 12.5 s 1"
        ).split()
    )
    assert lines[4].startswith(f"damaged: {root}/shop/runs/{THIRD}/summary.json")


def test_a_page_is_written_beside_the_pipelines_and_links_to_reports(tmp_path, capsys):
    report = tmp_path / "taxi" / "runs" / FIRST / "report.html"
    record(tmp_path, "taxi", FIRST, report=str(report))
    repeated = record(tmp_path, "taxi", SECOND, status="unchanged", report=str(report))
    record(tmp_path, "shop", THIRD, evaluation=None)
    assert cli.main(["runs", "--html", "--output", str(tmp_path)]) == 0
    assert str(tmp_path / "index.html") in capsys.readouterr().out
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    (found,) = re.findall(r'type="application/json">(.*)</script>', text)
    shown = {run["run_id"]: run for run in json.loads(found)["runs"]}
    assert repeated.name == SECOND
    assert {name: run["report"] for name, run in shown.items()} == {
        FIRST: f"taxi/runs/{FIRST}/report.html",
        SECOND: f"taxi/runs/{FIRST}/report.html",
        THIRD: None,
    }
    assert shown[FIRST]["better"] == "lower"
    assert cli.main(["runs", "taxi", "--html", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "taxi" / "index.html").exists()


def test_a_name_without_runs_is_an_error_as_json_too(root, capsys):
    assert cli.main(["runs", "taxy", "--output", str(root), "--json"]) == 2
    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert error["what"] == "there are no runs of 'taxy'; did you mean 'taxi'?"
    assert (error["kind"], error["exit_code"]) == ("ConfigError", 2)
    assert shown.err.startswith("error: there are no runs")


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (FIRST, FIRST),
        ("20261201-100002", SECOND),
        ("taxi", FIRST),
        (f"taxi/{FIRST}", FIRST),
        (f"{{root}}/taxi/runs/{FIRST}", FIRST),
    ],
)
def test_a_run_has_several_names(root, named, found):
    assert recorded_runs.find_one(named.format(root=root), str(root)).run_id == found


def test_an_id_that_several_runs_start_with_is_refused(root):
    with pytest.raises(ConfigError, match="4 runs have an id that starts with '2026'"):
        recorded_runs.find_one("2026", str(root))


def test_a_list_imports_nothing_heavy(root):
    script = f"""
import sys
from pipeline.cli import main
main(["runs", "--output", {str(root)!r}])
print([n for n in ("tensorflow", "apache_beam", "pyarrow", "numpy") if n in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
