"""A push killed at any file operation: every version stays as it was, and the next push works."""

import os
import subprocess
import sys
from pathlib import Path

from components.push.push import push

DRIVER = Path(__file__).with_name("dying_push.py")
ROOT = Path(__file__).parents[4]


def test_a_push_may_be_killed_at_any_moment(model, read, tmp_path):
    before, work = tmp_path / "before", tmp_path / "work"
    push(model(b"old", "old"), str(before))
    (before / "3").mkdir()
    (before / "notes.txt").write_text("ours")
    served, new = read(before), model()
    whole = served | {f"4/{name}": content for name, content in read(new).items()}

    subprocess.run(
        [sys.executable, str(DRIVER), new, str(before), str(work)],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    *killed, finished = sorted(work.iterdir(), key=lambda path: int(path.name))
    assert len(killed) > 50  # there are this many moments, and more
    assert read(finished) == whole
    states = [read(folder) for folder in killed]
    # Until the rename nothing is seen of it, from then on all.
    published = states.index(whole)
    assert states == [served] * published + [whole] * (len(states) - published)
    assert any((folder / ".push.incoming").exists() for folder in killed)
    for folder, state in zip(killed, states, strict=True):
        again = push(new, str(folder))
        assert (again.version, again.new) == (4, state == served)
        assert read(folder) == whole
        assert not (folder / ".push.incoming").exists()
