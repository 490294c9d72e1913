"""The command with Google's Pub/Sub emulator, if it is installed with the Cloud SDK."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from components import files
from pipeline import cli

ROOT = Path(__file__).parents[3]
PROJECT = "projects/tiny-project"
pytestmark = [pytest.mark.component, pytest.mark.engine]


def emulator_home():
    """Return the folder of the emulator in the Cloud SDK; None without one."""
    gcloud = shutil.which("gcloud")
    if gcloud is None or shutil.which("java") is None:
        return None
    roots = [Path(gcloud).resolve().parents[1], Path("/usr/lib/google-cloud-sdk")]
    homes = [root / "platform" / "pubsub-emulator" for root in roots]
    return next((home for home in homes if home.is_dir()), None)


def listening(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def emulator(tmp_path):
    """The address of a new emulator."""
    home = emulator_home()
    if home is None:
        pytest.skip("needs Java and the Cloud SDK's pubsub-emulator")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(tmp_path / "emulator.log", "wb") as log:
        process = subprocess.Popen(
            [home / "bin" / "cloud-pubsub-emulator", "--host=127.0.0.1", f"--port={port}"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while not listening(port):
            assert process.poll() is None, (tmp_path / "emulator.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def pull(subscriber, subscription, count):
    """Return that many messages of a subscription."""
    found: list[Any] = []
    deadline = time.monotonic() + 90
    while len(found) < count and time.monotonic() < deadline:
        response = subscriber.pull(subscription=subscription, max_messages=10, timeout=10)
        found += [received.message for received in response.received_messages]
        ids = [received.ack_id for received in response.received_messages]
        if ids:
            subscriber.acknowledge(subscription=subscription, ack_ids=ids)
    return found


@pytest.fixture
def pubsub(emulator, monkeypatch):
    """A publisher and a subscriber; topics and subscriptions `rows`, `scores` and `dead`."""
    from google.cloud import pubsub_v1

    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator)
    options = pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
    publisher = pubsub_v1.PublisherClient(publisher_options=options)
    subscriber = pubsub_v1.SubscriberClient()
    for name in ("rows", "scores", "dead"):
        publisher.create_topic(name=f"{PROJECT}/topics/{name}")
        subscriber.create_subscription(
            name=f"{PROJECT}/subscriptions/{name}", topic=f"{PROJECT}/topics/{name}"
        )
    yield publisher, subscriber
    subscriber.close()
    publisher.stop()


def test_messages_are_answered_with_key_attributes_and_time(exported, rows, pubsub, tmp_path):
    publisher, subscriber = pubsub
    command = [sys.executable, "-m", "pipeline.cli", "stream", exported.saved_model]
    command += ["--subscription", f"{PROJECT}/subscriptions/rows", "--key", "id"]
    command += ["--topic", f"{PROJECT}/topics/scores", "--dead-letters", f"{PROJECT}/topics/dead"]
    command += ["--timestamp-attribute", "at"]
    with open(tmp_path / "stream.log", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        row = {k: v for k, v in rows.to_pylist()[0].items() if v is not None}
        for number in range(3):
            data = json.dumps({"id": number, **row}).encode()
            publisher.publish(
                f"{PROJECT}/topics/rows", data, ordering_key="u1", at="1700000000123", of="web"
            ).result()
        publisher.publish(f"{PROJECT}/topics/rows", b"{", at="1700000000456").result()
        answers = pull(subscriber, f"{PROJECT}/subscriptions/scores", 3)
        (letter,) = pull(subscriber, f"{PROJECT}/subscriptions/dead", 1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(30)
    printed = (tmp_path / "stream.log").read_text()
    assert "4 rows read, 3 scored\n1 rejected: projects/tiny-project/topics/dead\n" in printed
    assert sorted(json.loads(answer.data)["id"] for answer in answers) == [0, 1, 2]
    assert {answer.ordering_key for answer in answers} == {"u1"}
    assert {answer.attributes["of"] for answer in answers} == {"web"}
    assert {answer.attributes["at"] for answer in answers} == {"1700000000123"}
    assert (letter.data, letter.attributes["dead_letter_reason"]) == (b"{", "not_json")
    assert letter.attributes["at"] == "1700000000456"


def test_messages_are_acknowledged_when_their_answers_are_written(
    exported, rows, pubsub, tmp_path, monkeypatch, capfd
):
    publisher, _ = pubsub
    row = {k: v for k, v in rows.to_pylist()[0].items() if v is not None}
    for number in range(20):
        publisher.publish(
            f"{PROJECT}/topics/rows", json.dumps({"id": number, **row}).encode()
        ).result()
    command = ["stream", exported.saved_model, "--subscription", f"{PROJECT}/subscriptions/rows"]
    command += ["--key", "id", "--output", str(tmp_path / "out")]
    command += ["--dead-letters", str(tmp_path / "dead"), "--window", "1", "--stop-after"]
    with monkeypatch.context() as patch:
        patch.setattr(files, "write_whole", full)
        assert cli.main([*command, "30"]) == 3
    assert "20 rows read, 0 scored\n" in capfd.readouterr().out
    # They were returned. The emulator delivers them to the waiting request, although that is
    # cancelled, and so once more when the subscription's ten seconds are over.
    assert cli.main([*command, "15"]) == 0
    assert "20 rows read, 20 scored\n" in capfd.readouterr().out
    lines = [
        json.loads(line)
        for path in (tmp_path / "out").iterdir()
        for line in path.read_text().splitlines()
    ]
    assert sorted(line["data"]["id"] for line in lines) == list(range(20))
    assert cli.main([*command, "12"]) == 0
    assert "0 rows read, 0 scored\n" in capfd.readouterr().out


def full(*_):
    raise OSError(28, "No space left on device")
