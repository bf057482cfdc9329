"""Which runs are the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import torch
from tiny_network import TINY

from brushwork.base.shipped import demo_photos
from brushwork.dataset.collection import collect
from brushwork.models.style_gan import StyleGAN
from brushwork.training.options import TrainOptions
from brushwork.training.runs.recipe import has_recipe, network_digest, recipe, write_recipe


@pytest.fixture
def folder(tmp_path, inputs_dir):
    """Three paintings."""
    for path in sorted(inputs_dir.glob("art-*.jpg"))[:3]:
        shutil.copy(path, tmp_path)
    return tmp_path


def test_a_recipe_is_found_again_and_told_from_others(folder, tmp_path_factory):
    paintings, photos = collect("paintings", folder), collect("photos", pictures=demo_photos())
    options = TrainOptions.for_mode("fine_tune")
    torch.manual_seed(1)
    gan = StyleGAN(TINY)
    wanted = recipe(options, photos, paintings, gan)
    run = tmp_path_factory.mktemp("run") / "new"
    assert not has_recipe(run, wanted)
    write_recipe(run, wanted)
    assert has_recipe(run, wanted)
    assert has_recipe(run, recipe(replace(options, steps=7), photos, paintings, gan))
    assert not has_recipe(run, recipe(replace(options, lr=0.5), photos, paintings, gan))
    assert not has_recipe(run, recipe(options, paintings, photos, gan))
    assert not has_recipe(run, recipe(options, photos, paintings, None))
    with torch.no_grad():
        next(gan.parameters()).add_(1e-3)
    assert not has_recipe(run, recipe(options, photos, paintings, gan))
    (run / "recipe.json").write_text(json.dumps(wanted)[:-5])
    assert not has_recipe(run, wanted)


def test_a_recipe_names_no_path(folder):
    wanted = recipe(TrainOptions(), collect("a", folder), collect("b", folder), None)
    assert str(folder) not in json.dumps(wanted)


def test_the_digest_is_the_weights(gan):
    assert network_digest(gan) == network_digest(StyleGAN.default())
