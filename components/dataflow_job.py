"""Waits for a Dataflow job: reports its progress, and how it ended.

A job that fails gives one readable error with the job's page. The job's messages go to the log.
Ctrl-C cancels the job.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.runner import PipelineState

from components import progress
from components.compat import dataflow_message
from components.engine_errors import GOOGLES, EngineError, cause, explained
from schemas.errors import SkewlessError

LOGGER = logging.getLogger(__name__)
LOOK_EVERY = 5.0  # seconds
# Seconds to wait for the reason of a failed job, as Beam itself does.
REASON_WITHIN = 50.0
# The messages for jobs that ended without success.
_ENDED = {
    "CANCELLED": "its job was cancelled by somebody, or by a time limit",
    "DRAINED": "its job was drained, so some rows are missing",
    "UPDATED": "its job was replaced by another",
}


def wait(stage: str, result: Any, options: PipelineOptions) -> None:
    """Wait until the job of a stage is done.

    Args:
      stage: the stage's name, for reports.
      result: Beam's result of the pipeline.
      options: the pipeline's options.

    Raises:
      SkewlessError: the job did not succeed; a worker's own error, if there is one.
      EngineError: requests about the job fail; it may still be running.
      KeyboardInterrupt: Ctrl-C was pressed; says what happens to the job.
    """
    job = DataflowJob(stage, result, options)
    try:
        state = job.follow()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(job.cancel()) from None
    except Exception as error:  # for any error, the user needs to know about the job
        raise job.unknown(error) from error
    if state != "DONE":
        raise job.ended(state)


class DataflowJob:
    """A job that was sent.

    Args:
      stage: the stage's name.
      result: Beam's result.
      options: the pipeline's options.
    """

    def __init__(self, stage: str, result: Any, options: PipelineOptions) -> None:
        cloud = options.view_as(GoogleCloudOptions)
        self._stage = stage
        self._result = result
        self._id = result.job_id()
        self._place = f"--region={cloud.region} --project={cloud.project}"
        self.page = (
            f"https://console.cloud.google.com/dataflow/jobs/{cloud.region}/{self._id}"
            f"?project={cloud.project}"
        )
        self._heard: set[str] = set()
        self._latest: Any = None
        self._errors: list[str] = []

    def follow(self) -> str:
        """Report the job's progress until it is over; return its final state in Beam's terms."""
        progress.note(self._stage, job=self.page)
        progress.job(self._stage, page=self.page)
        while True:
            state = str(self._result.state)
            self._listen()
            if PipelineState.is_terminal(state):
                break
            progress.job(self._stage, state=_in_words(state))
            time.sleep(LOOK_EVERY)
        until = time.monotonic() + REASON_WITHIN
        while state == PipelineState.FAILED and not self._errors and time.monotonic() < until:
            time.sleep(1)
            self._listen()
        return state

    def _listen(self) -> None:
        """Read the job's messages; a job whose messages cannot be read is fine all the same."""
        try:
            self._hear()
        except Exception:
            LOGGER.exception("the job's messages cannot be read")

    def _hear(self) -> None:
        """Log the job's new messages, and keep its errors."""
        client, token = self._result._runner.dataflow_client, None
        since = self._latest
        while True:
            messages, token = client.list_messages(self._id, start_time=since, page_token=token)
            for message in messages:
                if message.id not in self._heard:
                    self._heard.add(message.id)
                    self._latest = message.time
                    self._keep(*dataflow_message(message))
            if not token:
                return

    def _keep(self, importance: str, text: str) -> None:
        levels = {"ERROR": logging.ERROR, "WARNING": logging.WARNING, "BASIC": logging.INFO}
        LOGGER.log(levels.get(importance, logging.DEBUG), "%s: %s", self._id, text)
        if importance == "ERROR":
            self._errors.append(text)

    def ended(self, state: str) -> SkewlessError:
        """Return the error of a job that is over without success."""
        if state in _ENDED:
            return EngineError(
                f"{self._stage} did not finish: {_ENDED[state]}",
                where=self.page,
                remedy="run again to go on from there",
            )
        return explained(self._stage, "\n".join(self._errors), where=self.page)

    def unknown(self, error: Exception) -> EngineError:
        """Return the error of a job whose state is unknown, and which may continue."""
        what, remedy = cause(str(error), GOOGLES)
        return EngineError(
            f"{self._stage} cannot be followed, and its job may still be running: {what}",
            where=self.page,
            remedy=f"stop the job ({self._stop}), and "
            + (remedy or "check that this machine reaches Google Cloud; then run again"),
        )

    def cancel(self) -> str:
        """Cancel the job; return a sentence about the result."""
        progress.job(self._stage, state="being cancelled")
        try:
            self._result.cancel()
        except (KeyboardInterrupt, Exception):
            LOGGER.exception("the job cannot be cancelled")
            goes_on = f"its job could not be cancelled and continues, see {self.page}"
            return f"{goes_on}; to stop it: {self._stop}"
        return f"its job is cancelled, see {self.page}"

    @property
    def _stop(self) -> str:
        return f"gcloud dataflow jobs cancel {self._id} {self._place}"


def _in_words(state: str) -> str:
    """Return a state in words; Beam has no name for a job in FlexRS's queue."""
    return {"UNRECOGNIZED": "queued"}.get(state, state.lower().replace("_", " "))
