"""Options choose the stages that a run executes again, and where it ends."""

import pytest

from pipeline import cli, dag
from pipeline.stage_choice import WHOLE, StageChoice
from schemas.errors import ConfigError

NODES = dag.NODES


def choose(from_stage=None, until=None, only=None):
    return StageChoice.of(from_stage=from_stage, until=until, only=only)


@pytest.mark.parametrize(
    ("options", "last", "again"),
    [
        ({}, "push", ()),
        ({"until": "gate"}, "gate", ()),
        ({"from_stage": "parity"}, "push", ("parity", "push")),
        ({"from_stage": "explain", "until": "parity"}, "parity", ("explain", "parity")),
        ({"only": "train"}, "train", ("train",)),
    ],
)
def test_a_choice_is_of_stages_in_their_order(options, last, again):
    choice = choose(**options)
    choice.check(NODES)
    assert choice.of_run(NODES) == NODES[: NODES.index(last) + 1]
    assert choice.again(NODES) == again
    assert (choice == WHOLE) == (not options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"until": "trian"}, "there is no stage 'trian'; did you mean 'train'"),
        ({"from_stage": "calibrate"}, "there is no stage 'calibrate'"),
        ({"from_stage": "train", "until": "ingest"}, "--until ingest comes before --from train"),
        ({"only": "train", "until": "train"}, "--only is given with"),
    ],
)
def test_a_wrong_choice_is_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        choose(**options).check(NODES)


def test_a_wrong_stage_is_reported_before_anything_is_created(tmp_path, capsys):
    assert cli.main(["run", "taxi", "--until", "trian", "--output", str(tmp_path / "runs")]) == 2
    assert "did you mean 'train'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
