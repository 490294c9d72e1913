"""The section `model:` and its presets."""

import pydantic
import pytest

from schemas.model import Model


def test_a_preset_is_a_set_of_options():
    classic = Model.model_validate("classic")
    assert (classic.members, classic.hidden_units, classic.cross_rank) == (1, (100, 50), 0)
    assert (classic.deep.learning_rate, classic.batch_size, classic.averaging) == (0.001, 256, 0)


def test_options_beside_a_preset_replace_its_own():
    own = {"preset": "classic", "dropout": 0.3, "deep": {"learning_rate": 0.01}}
    model = Model.model_validate(own)
    assert (model.dropout, model.members) == (0.3, 1)
    assert (model.deep.learning_rate, model.deep.weight_decay) == (0.01, 0.0)


def test_an_unknown_preset_is_refused_with_the_nearest_one():
    with pytest.raises(pydantic.ValidationError, match="did you mean 'tutorial'"):
        Model.model_validate("tutorials")


@pytest.mark.parametrize("preset", ["classic", "tutorial"])
def test_a_preset_has_no_unknown_key_and_is_not_the_default(preset):
    assert Model.model_validate(preset) != Model()
    assert Model.model_validate_json(Model.model_validate(preset).model_dump_json())
