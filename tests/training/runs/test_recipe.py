"""From folders and pixels to a run: what is found, how it is split, which runs are the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image

from brushwork.base.shipped import demo_photos
from brushwork.dataset.collection import collect
from brushwork.models.style_gan import StyleGAN, StyleGANConfig
from brushwork.training.options import MODES, TrainOptions, sized
from brushwork.training.runs.recipe import has_recipe, network_digest, recipe, write_recipe
from brushwork.training.runs.run import log_interval


@pytest.fixture
def folder(tmp_path, inputs_dir):
    """The six paintings, one of them twice, and a file that is no picture."""
    for path in sorted(inputs_dir.glob("art-*.jpg")):
        with Image.open(path) as picture:
            picture.thumbnail((200, 200))
            picture.save(tmp_path / path.name)
            if "monet" in path.name:
                picture.save(tmp_path / "monet again.png")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    return tmp_path


def test_a_folder_is_split_with_copies_on_one_side(folder):
    found = collect("paintings", folder, share=0.4)
    assert len(found.train) + len(found.val) == 7
    assert found.val
    for side in (found.train, found.val):
        assert len([path for path in side if "monet" in path.name]) in (0, 2)
    assert found.describe("paintings").startswith(
        f"7 paintings, {len(found.val)} of them for validation; 1 un"
    )
    assert "broken.jpg" in found.skipped[0]


def test_the_split_does_not_depend_on_what_else_is_there(folder):
    before = collect("paintings", folder, share=0.3)
    images = [Image.new("RGB", (32, 32), color) for color in ("red", "green")]
    more = collect("paintings", folder, images, share=0.3)
    assert len(set(before.val) - set(more.val)) <= 1
    assert set(before.digests) < set(more.digests)


def test_images_and_paths_may_be_given_without_a_folder(photo):
    image = Image.new("RGB", (32, 32), "red")
    found = collect("photos", pictures=[*demo_photos(), image])
    assert found.train == [*demo_photos(), image]
    assert found.describe("photos") == "7 photos"


def test_nothing_to_train_on_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"^There are no photos; give a folder of pictures, or a batch"):
        collect("photos")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=r"^The folder .* holds no photos that can be read; give"):
        collect("photos", tmp_path)
    with pytest.raises(ValueError, match=r"^There is no folder"):
        collect("photos", tmp_path / "lost")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("resolution", [32, 64, 200, 512])
def test_every_resolution_makes_valid_options(mode, resolution):
    options = TrainOptions.for_mode(mode, **sized(mode, resolution))
    assert options.resolution == resolution <= options.late_resolution
    assert options.style_resolution >= options.resolution


@pytest.mark.parametrize("mode", MODES)
def test_a_modes_own_resolution_changes_nothing(mode):
    defaults = TrainOptions.for_mode(mode)
    assert TrainOptions.for_mode(mode, **sized(mode, defaults.resolution)) == defaults


def test_a_recipe_is_found_again_and_told_from_others(folder, tmp_path_factory):
    paintings, photos = collect("paintings", folder), collect("photos", pictures=demo_photos())
    options = TrainOptions.for_mode("fine_tune")
    torch.manual_seed(1)
    gan = StyleGAN(StyleGANConfig(8, 8, 16, 2, 1, 8))
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


@pytest.mark.parametrize(("steps", "expected"), [(1, 1), (30, 1), (500, 5), (40_000, 50)])
def test_log_interval(steps, expected):
    assert log_interval(steps) == expected
