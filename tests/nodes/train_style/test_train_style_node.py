"""TrainStyle without ComfyUI: what it makes, what it leaves alone, cancel and resume, names, bad input."""

from __future__ import annotations

import base64
import gc
import io
import json
import logging
import math
import time

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from brushwork.models import StyleGAN
from brushwork.models.checkpoint import read_checkpoint
from brushwork.models.style_file import read_style, style_fingerprint
from brushwork.nodes import EncodeContent, EncodeStyle, Generate, LoadStyle, LoadStyleGAN, TrainStyle
from brushwork.nodes.bridge import api, progress
from brushwork.nodes.shared.images import from_pil
from brushwork.nodes.train_style.inputs import chosen_options, photos_from, pictures_from
from brushwork.nodes.train_style.session import Job, duration, file_stem, train
from brushwork.training.options import MODES, TrainOptions
from brushwork.training.state import read_state
from brushwork.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("small_validation")

SMALL = {"steps": 4, "batch_size": 2, "resolution": 64}


@pytest.fixture(scope="module")
def paintings_dir(tmp_path_factory, inputs_dir):
    """Four small paintings, the fourth in a subfolder."""
    folder = tmp_path_factory.mktemp("paintings")
    for i, path in enumerate(sorted(inputs_dir.glob("art-*.jpg"))[:4]):
        place = folder / "more" if i == 3 else folder
        place.mkdir(exist_ok=True)
        with Image.open(path) as picture:
            picture.thumbnail((160, 160))
            picture.save(place / path.name)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """ComfyUI's folders of this module's runs: root, with input, output, models and styles in it."""
    root = tmp_path_factory.mktemp("comfyui")
    with pytest.MonkeyPatch.context() as patch:
        _use(root, patch)
        yield root


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Empty folders for one test."""
    _use(tmp_path, monkeypatch)
    return tmp_path


def _use(root, patch):
    for name in ("input", "output", "models", "styles"):
        (root / name).mkdir()
        if name in ("models", "styles"):
            folder = "brushwork" if name == "models" else "brushwork_styles"
            known = api.folder_paths.folder_names_and_paths
            patch.setitem(known, folder, ([str(root / name)], {".safetensors"}))
        else:
            patch.setattr(api.folder_paths, f"get_{name}_directory", lambda name=name: str(root / name))


@pytest.fixture(autouse=True)
def _no_progress_hook():
    yield
    progress.on_progress(None)


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
    header = read_checkpoint(path).header
    training = header["training"]
    assert training["name"] == f"my {mode}"
    assert training["licence"] == "CC0, by me"
    assert training["options"]["mode"] == mode
    assert training["options"]["steps"] == SMALL["steps"]
    named = {entry["name"] for entry in training["style_pictures"]}
    assert named < {path.name for path in paintings_dir.rglob("*.jpg")}
    assert all(len(entry["sha256"]) == 16 for entry in training["style_pictures"])
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
    fresh, style_gan, photo_image, art_image, paintings_dir
):
    def paint():
        content = EncodeContent.execute(style_gan, photo_image)[0]
        return Generate.execute(style_gan, content, style)[0]

    style = EncodeStyle.execute(style_gan, art_image)[0]
    before, random_numbers = paint(), torch.get_rng_state()
    small = {**SMALL, "steps": 2}
    TrainStyle.execute(style_gan, style_folder=str(paintings_dir), save_name="same", **small)
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


@pytest.fixture
def every_update(monkeypatch):
    """No update is left out for coming too soon after the last."""
    monkeypatch.setattr(progress, "_PREVIEW_INTERVAL", 0)


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


def test_a_finished_run_answers_at_once_and_goes_on_with_more_steps(
    fresh, every_update, small_gan, paintings_dir
):
    def queue(steps):
        seen = []
        progress.on_progress(lambda done, total, preview, node_id=None: seen.append(done))
        settings = {**SMALL, "steps": steps}
        result = TrainStyle.execute(small_gan, style_folder=str(paintings_dir), mode="style_code", **settings)
        return result, seen

    first, seen = queue(2)
    assert seen == [0, 1, 2, 2, 2]  # the first preview, two steps, the last preview, the sheet
    again, seen = queue(2)
    assert seen == [2]  # the sheet
    assert torch.equal(again[1].code, first[1].code)
    assert torch.equal(again[3], first[3])
    _, seen = queue(3)
    assert seen == [3, 3, 3]
    assert [p.name for p in (fresh / "output" / "brushwork_training").iterdir()] == ["my style"]


def test_nothing_is_overwritten(fresh, small_gan, paintings_dir, caplog):
    def queue(**changes):
        settings = {"style_folder": str(paintings_dir), "mode": "style_code", **SMALL, "steps": 1} | changes
        TrainStyle.execute(small_gan, **settings)
        return sorted(p.name for p in (fresh / "output" / "brushwork_training").iterdir())

    theirs = fresh / "styles" / "my style_2.safetensors"
    theirs.write_bytes(b"somebody's")
    assert queue() == ["my style"]
    caplog.set_level(logging.INFO)
    assert queue(resume=False) == ["my style", "my style_3"]
    assert "the name 'my style' is taken by another run; this one is called my style_3" in caplog.text
    assert theirs.read_bytes() == b"somebody's"
    assert queue(style_weight=9.0) == ["my style", "my style_3", "my style_4"]
    assert queue(style_weight=9.0) == ["my style", "my style_3", "my style_4"]  # goes on with its own
    photos = from_pil([Image.new("RGB", (64, 64), c) for c in ("red", "green")])
    assert queue(content_images=photos)[-1] == "my style_5"


def test_who_tidied_up_begins_anew(fresh, small_gan, paintings_dir):
    def queue():
        small = {**SMALL, "steps": 1}
        return TrainStyle.execute(small_gan, style_folder=str(paintings_dir), mode="style_code", **small)

    first = queue()
    (fresh / "styles" / "my style.safetensors").unlink()
    assert torch.equal(queue()[1].code, first[1].code)


# -- how it ends early ----------------------------------------------------------------------------


def job(small_gan, paintings_dir, **changes):
    options = TrainOptions.for_mode("fine_tune", **{**TINY, **changes})
    paintings = pictures_from("paintings", str(paintings_dir), None, 0.25)
    return Job(options, photos_from("", None, 0.25), paintings, small_gan.gan, "ended")


TINY = {
    "steps": 12,
    "batch_size": 2,
    "resolution": 64,
    "style_resolution": 64,
    "variants": 2,
    "validate_every": 1,
    "warmup": 1,
}


def test_early_stopping_keeps_the_best_and_says_so(fresh, small_gan, paintings_dir, caplog):
    trained = train(job(small_gan, paintings_dir, lr=0.5, ema=0.0, patience=2))
    assert "Stopped at step" in caplog.text
    assert "the validation score was best at step" in caplog.text
    _, header = read_state(fresh / "output" / "brushwork_training" / "ended" / "state.safetensors")
    assert header["step"] < TINY["steps"]
    best = min(header["progress"]["scores"], key=lambda scores: scores["total"])
    assert header["progress"]["best_step"] == best["step"]
    on_disk = StyleGAN.load(fresh / "models" / "ended.safetensors").state_dict()
    assert all(value.equal(on_disk[name]) for name, value in trained.gan.state_dict().items())


def test_diverging_keeps_the_best_and_says_so(fresh, small_gan, paintings_dir, caplog):
    trained = train(
        job(small_gan, paintings_dir, lr=10.0, ema=0.0, clip=1e6, bad_steps=1, patience=0, steps=40)
    )
    assert "The loss was not finite in 1 steps in a row" in caplog.text
    assert all(value.isfinite().all() for value in trained.gan.state_dict().values())
    assert all(math.isfinite(value) for value in trained.losses)


# -- what is shown --------------------------------------------------------------------------------


def test_at_most_ten_updates_a_second_and_no_picture_is_lost():
    seen = []
    progress.on_progress(lambda done, total, preview, node_id=None: seen.append((done, preview)))
    bar, started = progress.StepProgress(1000), time.monotonic()
    picture = Image.new("RGB", (8, 8))
    for step in range(1000):
        bar.show(step, "text", picture if step == 5 else None)
    assert 1 <= len(seen) <= 1 + (time.monotonic() - started) / 0.1
    while len(seen) < 2:
        bar.show(1000, "text")
    assert seen[0] == (0, None)
    assert [preview[1] for _, preview in seen if preview] == [picture]


# -- pictures, options, bad input -----------------------------------------------------------------


def test_folder_and_images_are_joined(paintings_dir, art_image):
    both = pictures_from("paintings", str(paintings_dir), torch.cat([art_image, art_image.flip(1)]), 0.0)
    assert len(both.train) == 6
    assert sum(isinstance(picture, Image.Image) for picture in both.train) == 2


def test_the_shipped_photos_stand_in(inputs_dir):
    photos = photos_from("  ", None, 0.0)
    assert photos.train == sorted(inputs_dir.glob("photo-*.jpg"))
    assert len(photos.train) == 6


@each_mode
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


def test_what_can_be_seen_before_it_runs_is_refused_before_it_runs(fresh, paintings_dir):
    assert TrainStyle.validate_inputs() is True
    assert TrainStyle.validate_inputs(str(paintings_dir), "", "fine_tune", "hinge", "a") is True
    assert "choose one of" in TrainStyle.validate_inputs(mode="all")
    assert "choose one of" in TrainStyle.validate_inputs(adversarial_loss="wasserstein")
    assert "give a name" in TrainStyle.validate_inputs(save_name="..")
    assert "There is no folder 'lost'" in TrainStyle.validate_inputs(content_folder="lost")


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
    assert duration(59.6) == "1 min 0 s"
