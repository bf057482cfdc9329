"""TrainStyle: pictures, options, names and bad input."""

from __future__ import annotations

import inspect
import json
import math

import numpy as np
import pytest
import torch
from comfy_api.latest import io
from PIL import Image

from brushwork.nodes import EvaluateStyle, TrainStyle
from brushwork.nodes.train_style.inputs import chosen_options, photos_from, pictures_from
from brushwork.nodes.train_style.place import file_stem
from brushwork.training.options import MODES, TrainOptions


def test_folder_and_images_are_joined(paintings_dir, art_image):
    both = pictures_from("paintings", str(paintings_dir), torch.cat([art_image, art_image.flip(1)]), 0.0)
    assert len(both.train) == 6
    assert sum(isinstance(picture, Image.Image) for picture in both.train) == 2


def test_the_shipped_photos_stand_in(inputs_dir):
    photos = photos_from("  ", None, 0.0)
    assert photos.train == sorted(inputs_dir.glob("photo-*.jpg"))
    assert len(photos.train) == 6


@pytest.mark.parametrize("mode", MODES)
def test_unset_inputs_are_the_modes_defaults(mode):
    unset = {"steps": 0, "batch_size": 0, "resolution": 0, "learning_rate": 0.0, "learning_rate_d": 0.0}
    weights = {f"{name}_weight": -1.0 for name in ("adversarial", "content", "style", "identity", "code")}
    assert chosen_options(mode, unset | weights) == TrainOptions.for_mode(mode)


def test_set_inputs_count_also_when_they_are_0():
    given = {"steps": 7, "learning_rate": 0.5, "learning_rate_d": 0.25, "identity_weight": 0.0}
    options = chosen_options("fine_tune", given, adversarial="hinge")
    assert (options.steps, options.lr, options.lr_d, options.adversarial) == (7, 0.5, 0.25, "hinge")
    assert options.weights.identity == 0.0
    assert options.weights.style == TrainOptions.for_mode("fine_tune").weights.style


def test_the_paintings_crops_grow_with_the_resolution():
    options = chosen_options("from_scratch", {"resolution": 256})
    assert (options.resolution, options.late_resolution, options.style_resolution) == (256, 384, 448)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "There are no paintings; give a folder of pictures, or a batch of images."),
        ({"style_folder": "nowhere"}, "There is no folder 'nowhere'"),
        ({"mode": "all"}, "mode is 'all'; choose one of style_code, fine_tune, from_scratch."),
        ({"save_name": " ./ "}, "save_name is ' ./ '; give a name, for instance 'my style'."),
        ({"resolution": 70}, "resolution is 70; give a multiple of 8 pixels."),
        ({"style_weight": -2.0}, "style is -2.0; give a value from 0 to 1000."),
        ({"style_images": torch.zeros(4, 64, 64)}, "The batch of paintings has shape (4, 64, 64)"),
    ],
)
def test_bad_input_is_one_sentence(fresh, small_gan, changes, message, art_image):
    given = (
        {}
        if {"style_folder", "style_images"} & changes.keys() or not changes
        else {"style_images": art_image}
    )
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        TrainStyle.execute(small_gan, **given, **changes)
    assert str(error.value).startswith(message)
    assert not list(fresh.rglob("*.safetensors"))


def test_a_wrong_folder_is_refused_before_it_runs(fresh, paintings_dir):
    assert TrainStyle.validate_inputs() is True
    assert TrainStyle.validate_inputs(str(paintings_dir)) is True
    assert "There is no folder 'lost'" in TrainStyle.validate_inputs(style_folder="lost")


@pytest.mark.parametrize("node", [TrainStyle, EvaluateStyle])
def test_only_the_guilty_input_turns_red(node):
    """ComfyUI blames every input that validate_inputs names, whichever is wrong."""
    assert list(inspect.signature(node.validate_inputs).parameters) == ["style_folder"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"mode": "all"}, "choose one of"),
        ({"adversarial_loss": "wasserstein"}, "choose one of"),
        ({"save_name": ".."}, "give a name"),
        ({"content_folder": "lost"}, "There is no folder 'lost'"),
        ({"content_folder": "lost", "style_folder": ""}, "There is no folder 'lost'"),  # before any picture
        # The style's file refused it when the training had ended.
        ({"licence": "CC BY " * 200}, r"^licence has 1,200 characters; give 1,000 at most\.$"),
        ({"licence": None}, r"^licence is of the type NoneType; give a str\.$"),
        ({"save_name": 5}, r"^save_name is of the type int; give a str\.$"),
        (
            {"save_name": "/" * 3000},
            r"^save_name is '/+\.\.\./+'; give a name, for instance 'my style'\.$",
        ),
        ({"preview_every": "x"}, r"^preview_every is 'x'; give a whole number from 0\.$"),
        ({"content_folder": None}, r"^The folder is of the type NoneType; give its name as a text\.$"),
        ({"resolution": math.nan}, r"^resolution is nan; give a whole number\.$"),
        ({"resolution": None}, r"^resolution is None; give a whole number\.$"),
        ({"steps": torch.ones(2)}, r"^steps is tensor\(\[1\., 1\.\]\); give a whole number\.$"),
    ],
)
def test_the_rest_is_refused_before_it_trains(fresh, small_gan, paintings_dir, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        TrainStyle.execute(small_gan, **{"style_folder": str(paintings_dir)} | wrong)
    assert not list(fresh.rglob("state.safetensors"))


def test_numbers_of_numpy_make_the_same_options():
    """Other nodes give them, and the run's recipe is JSON, which knows none."""
    given = chosen_options("style_code", {"resolution": np.int64(64), "style_weight": np.float32(2)})
    own = chosen_options("style_code", {"resolution": 64, "style_weight": 2.0})
    assert json.dumps(given.as_dict()) == json.dumps(own.as_dict())


def test_six_rows_remain_where_pages_know_advanced_inputs():
    widgets = [i for i in TrainStyle.GET_SCHEMA().inputs if isinstance(i, io.WidgetInput)]
    plain = [i.id for i in widgets if not i.advanced]
    assert len(widgets) == 20
    assert plain == ["style_folder", "content_folder", "mode", "steps", "save_name", "resume"]


def test_a_changed_folder_trains_again(fresh, art_image):
    folder = fresh / "input" / "mine"
    folder.mkdir()
    Image.new("RGB", (64, 64), "red").save(folder / "a.png")
    before = TrainStyle.fingerprint_inputs("mine", "", steps=4)
    assert TrainStyle.fingerprint_inputs("mine", "", steps=4) == before
    Image.new("RGB", (64, 64), "blue").save(folder / "b.png")
    assert TrainStyle.fingerprint_inputs("mine", "", steps=4) != before


def test_names():
    assert file_stem("  waves.safetensors ") == "waves"
    assert file_stem("a/b:c") == "a_b_c"
