"""Folders of runs as `skewless run` leaves them, for tests of what reads them."""

from pipeline.summary import Summary

FIRST, SECOND, THIRD = (f"20261201-10000{n}-000000" for n in (1, 2, 3))


def evaluation(objective="log_loss", **metrics):
    """The evaluation of a summary, with these metrics of the model."""
    overall = {"examples": 200, "log_loss": 0.5, "auc": 0.75} | metrics
    return {"task": "binary", "objective": objective, "overall": overall}


def record(root, pipeline, run_id, **fields):
    """Write the summary of a run; return the run's folder."""
    folder = root / pipeline / "runs" / run_id
    folder.mkdir(parents=True)
    counts = {"records_read": 1200, "records_rejected": 0}
    given = {"status": "pushed", "seconds": 12.5, "counts": counts, "evaluation": evaluation()}
    given |= {"version": 1, "stages": (), "log": "run.log", "pipeline": pipeline, "run_id": run_id}
    Summary.model_validate(given | fields).write(folder)
    return folder
