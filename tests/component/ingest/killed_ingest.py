"""Ingests CSV files in children of one process, which are killed at random file operations.

python killed_ingest.py FOLDER SEED: the folder has *.csv and is written to. Prints, as JSON, what
each killed child left, and the digest of the examples before and after the kills.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

from components import content
from components.ingest.ingest import ingest
from schemas.columns import Column
from schemas.examples import Examples
from schemas.sources.csv import Csv
from schemas.splits.hash import Hash
from schemas.tasks.binary import Binary

KILLS = 20
OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "os.listdir")
LABEL = {"name": "y", "equals": {"column": "t", "values": ["a"]}}


def make(folder: Path, output: Path) -> None:
    """Ingest the folder's files."""
    ingest(
        source=Csv(path="*.csv"),
        paths=sorted(map(str, folder.glob("*.csv"))),
        columns=(Column("n", "INT", True), Column("t", "BYTES", False)),
        splits=Hash(key=("n",)),
        label=Binary.model_validate(LABEL),
        settings=Examples(batch_rows=100, shard_rows=100),
        output=str(output),
    )


def in_child(folder: Path, output: Path, *, last: int | None) -> int:
    """Ingest in a forked process; return how many operations it began.

    Args:
      folder: the source.
      output: the folder of examples.
      last: the operation before which the process is killed; None lets it end.
    """
    counter = folder / "operations"
    counter.write_text("")
    if (child := os.fork()) == 0:
        begun = os.open(counter, os.O_WRONLY | os.O_APPEND)

        def count(event: str, arguments: tuple[object, ...]) -> None:
            if event in OPERATIONS and str(folder) in str(arguments[0]):
                os.write(begun, b".")
                if last is not None and os.fstat(begun).st_size >= last:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        code = 1
        try:
            make(folder, output)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    expected = 0 if last is None else signal.SIGKILL
    assert status == expected, f"the child ended with {status}"
    return counter.stat().st_size


def main(folder: Path, seed: int) -> None:
    """Ingest once, then with kills, then once more."""
    whole, again = folder / "whole", folder / "again"
    operations = in_child(folder, whole, last=None)
    expected = content.of_folder(str(whole))
    left = []
    points = sorted(random.Random(seed).sample(range(1, operations * 9 // 10), KILLS))
    for point in points:
        in_child(folder, again, last=point)
        complete = again.exists() and content.of_folder(str(again)) == expected
        left.append({"at": point, "exists": again.exists(), "complete": complete})
        if complete:
            again.rename(folder / f"complete-{point}")
    beside = sorted(p.name for p in folder.iterdir() if p.is_dir() and p != whole)
    in_child(folder, again, last=None)
    same = content.of_folder(str(again)) == expected
    print(json.dumps({"operations": operations, "left": left, "beside": beside, "same": same}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
