"""TrainStyle without ComfyUI: what it makes, what it leaves alone, cancel and resume."""

from __future__ import annotations

import base64
import gc
import io
import json
import math

import numpy as np
import pytest
import torch
from comfy_folders import use_folders
from PIL import Image
from safetensors import safe_open
from training_states import read_state

from brushwork.models import StyleGAN
from brushwork.models.checkpoint import open_checkpoint
from brushwork.models.style_file import read_style, style_fingerprint
from brushwork.nodes import EncodeContent, EncodeStyle, Generate, LoadStyle, LoadStyleGAN, TrainStyle
from brushwork.nodes.bridge import api, progress
from brushwork.training.options import MODES
from brushwork.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("small_demo_photos")

SMALL = {"steps": 4, "batch_size": 2, "resolution": 32}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """ComfyUI's folders of this module's runs: root, with input, output, models and styles in it."""
    root = tmp_path_factory.mktemp("comfyui")
    with pytest.MonkeyPatch.context() as patch:
        use_folders(root, patch)
        yield root


@pytest.fixture(scope="module")
def gan_before(small_gan):
    return {name: value.clone() for name, value in small_gan.gan.state_dict().items()}


@pytest.fixture(scope="module")
def results(home, small_gan, gan_before, paintings_dir):
    """What the node returned, by mode."""
    with torch.inference_mode():
        return {
            mode: TrainStyle.execute(
                small_gan,
                style_folder=str(paintings_dir),
                mode=mode,
                save_name=f"my {mode}",
                licence="CC0, by me",
                preview_every=2,
                **SMALL,
            )
            for mode in MODES
        }


each_mode = pytest.mark.parametrize("mode", MODES)
each_network = pytest.mark.parametrize("mode", ["fine_tune", "from_scratch"])


# -- what it makes --------------------------------------------------------------------------------


@each_mode
def test_outputs(results, mode, small_gan):
    gan, style, loss, sheet = results[mode].result
    assert (gan is small_gan) == (mode == "style_code")
    assert style.code.shape == (1, small_gan.gan.config.layers, small_gan.gan.config.code_dim)
    assert style.encoder == style_fingerprint(gan.gan)
    assert len(loss["loss"]) == SMALL["steps"]
    assert all(math.isfinite(value) for value in loss["loss"])
    assert len(set(loss["loss"])) > 1  # core's LossGraph divides by their range
    assert sheet.dtype == torch.float32
    assert sheet.shape[0] == 1
    assert min(sheet.shape[1:3]) > 600
    assert 0 <= sheet.min() < sheet.max() <= 1


@each_network
def test_the_network_is_an_ordinary_frozen_one(results, mode):
    gan = results[mode][0].gan
    assert not gan.training
    for value in gan.state_dict(keep_vars=True).values():
        assert not value.requires_grad
        assert value.grad is None
        assert not value.is_inference()
        assert value.device.type == "cpu"


@each_network
def test_the_network_is_trained(results, mode, gan_before):
    weights = results[mode][0].gan.state_dict()
    as_saved = {name: value.half().float() for name, value in gan_before.items()}
    changed = {name.split(".")[0] for name, value in weights.items() if not value.equal(as_saved[name])}
    assert "generator" in changed
    assert ("style_encoder" in changed) == ("content_encoder" in changed) == (mode == "from_scratch")


def test_a_learned_style_is_not_the_one_it_started_as(results, small_gan, paintings_dir):
    start = torch.cat([small_gan.gan.encode_style(_square(p)) for p in sorted(paintings_dir.rglob("*.jpg"))])
    assert not torch.allclose(results["style_code"][1].code, start.mean(0, keepdim=True), atol=1e-3)


def _square(path):
    with Image.open(path) as picture:
        return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None] / 255


@each_mode
def test_the_result_paints(results, mode, photo_image):
    gan, style = results[mode].result[:2]
    content = EncodeContent.execute(gan, photo_image)[0]
    painted = Generate.execute(gan, content, style)[0]
    assert painted.shape == photo_image.shape
    assert painted.isfinite().all()


@each_mode
def test_files(results, home, mode):
    name = f"my {mode}"
    run = home / "output" / "brushwork_training" / name
    previews = [f"preview_00000{step}.jpg" for step in (0, 2, 4)]
    made = {path.name for path in run.iterdir()}
    assert {"state.safetensors", "log.jsonl", "recipe.json", *previews} <= made
    assert not [path for path in home.rglob("*") if path.suffix == ".tmp"]
    networks = set() if mode == "style_code" else {f"{name}.safetensors", f"{name}_last.safetensors"}
    assert {path.name for path in (home / "models").glob(f"{name}*")} == networks
    assert (home / "styles" / f"{name}.safetensors").is_file()


@each_mode
def test_loaders_list_the_files_at_once(results, mode):
    name = f"my {mode}.safetensors"
    listed = LoadStyleGAN.GET_SCHEMA().inputs[0].options
    assert (name in listed) == (mode != "style_code")
    assert name in LoadStyle.GET_SCHEMA().inputs[0].options
    loaded = LoadStyle.execute(name)[0]
    assert torch.equal(loaded.code, results[mode][1].code)


@each_network
def test_the_checkpoint_says_how_it_came_about(results, home, mode, paintings_dir):
    path = home / "models" / f"my {mode}.safetensors"
    with open_checkpoint(path) as file:
        header = file.header
    training = header["training"]
    assert training["name"] == f"my {mode}"
    assert training["licence"] == "CC0, by me"
    assert training["options"]["mode"] == mode
    assert training["options"]["steps"] == SMALL["steps"]
    named = {entry["name"] for entry in training["style_pictures"]}
    assert named < {path.name for path in paintings_dir.rglob("*.jpg")}
    assert all(len(entry["sha256_start"]) == 16 for entry in training["style_pictures"])
    assert {entry["name"][:6] for entry in training["content_pictures"]} == {"photo-"}
    with safe_open(path, framework="pt") as file:
        text = json.dumps(file.metadata())
    assert str(home) not in text
    assert str(paintings_dir) not in text
    thumbnail = Image.open(io.BytesIO(base64.b64decode(header["thumbnail"])))
    assert 64 <= max(thumbnail.size) <= 160


def test_the_style_file_carries_licence_and_thumbnail(results, home):
    file = read_style(home / "styles" / "my fine_tune.safetensors")
    assert (file.name, file.licence) == ("my fine_tune", "CC0, by me")
    assert file.picture() is not None


# -- what it leaves alone -------------------------------------------------------------------------


def test_the_input_is_untouched(results, small_gan, gan_before):
    for name, value in small_gan.gan.state_dict(keep_vars=True).items():
        assert value.equal(gan_before[name])
        assert not value.requires_grad
        assert value.grad is None
    for module in small_gan.gan.modules():
        assert not module.training
        assert not module._forward_hooks
        assert not module._backward_hooks
        assert not module._forward_pre_hooks


def test_the_same_pixels_before_and_after_and_nothing_alive(
    fresh, small_gan, photo_image, art_image, paintings_dir
):
    def paint():
        content = EncodeContent.execute(small_gan, photo_image)[0]
        return Generate.execute(small_gan, content, style)[0]

    style = EncodeStyle.execute(small_gan, art_image)[0]
    before, random_numbers = paint(), torch.get_rng_state()
    small = {**SMALL, "steps": 2}
    TrainStyle.execute(small_gan, style_folder=str(paintings_dir), save_name="same", **small)
    assert torch.equal(torch.get_rng_state(), random_numbers)
    assert torch.is_inference_mode_enabled()
    assert torch.equal(paint(), before)
    gc.collect()
    assert not [o for o in gc.get_objects() if type(o) is Trainer]


# -- cancel and resume ----------------------------------------------------------------------------


def cancel_at(step):
    """Press cancel as soon as the progress bar shows `step`."""

    def hook(done, total, preview, node_id=None):
        if done >= step:
            api.model_management.interrupt_current_processing()

    progress.on_progress(hook)


@each_mode
def test_cancel_saves_and_queueing_again_ends_as_if_nothing_had_happened(
    results, home, fresh, every_update, mode, small_gan, paintings_dir
):
    def queue():
        return TrainStyle.execute(
            small_gan,
            style_folder=str(paintings_dir),
            mode=mode,
            save_name=f"my {mode}",
            licence="CC0, by me",
            preview_every=2,
            **SMALL,
        )

    run = fresh / "output" / "brushwork_training" / f"my {mode}"
    cancel_at(2)
    with pytest.raises(api.model_management.InterruptProcessingException):
        queue()
    assert not api.is_interrupted()
    assert read_state(run / "state.safetensors")[1]["step"] == 2
    if mode != "style_code":
        for name in (f"my {mode}.safetensors", f"my {mode}_last.safetensors"):
            assert isinstance(StyleGAN.load(fresh / "models" / name), StyleGAN)
    gc.collect()
    assert not [o for o in gc.get_objects() if type(o) is Trainer]

    progress.on_progress(None)
    resumed = queue()
    assert (resumed[2], resumed[1].code.tolist()) == (results[mode][2], results[mode][1].code.tolist())
    whole, parted = (
        read_state(root / "output" / "brushwork_training" / f"my {mode}" / "state.safetensors")
        for root in (home, fresh)
    )
    assert parted[1] == whole[1]
    assert parted[0].keys() == whole[0].keys()
    for name, value in whole[0].items():
        assert torch.equal(parted[0][name], value), name
    assert torch.equal(resumed[3], results[mode][3])


def test_cancel_in_the_middle_of_an_update_loses_no_step(fresh, every_update, small_gan, paintings_dir):
    """ComfyUI's own progress hook raises when the user has cancelled."""

    def hook(done, total, preview, node_id=None):
        if done == 1:
            api.model_management.interrupt_current_processing()
            api.model_management.throw_exception_if_processing_interrupted()

    progress.on_progress(hook)
    with pytest.raises(api.model_management.InterruptProcessingException):
        TrainStyle.execute(small_gan, style_folder=str(paintings_dir), mode="style_code", **SMALL)
    state = fresh / "output" / "brushwork_training" / "my style" / "state.safetensors"
    assert read_state(state)[1]["step"] == 1
